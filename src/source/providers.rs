//! Hosts that say nothing about a person's employer: public mail providers and social networks.

/// Well-known providers of personal mailboxes.
///
/// Their domains name no company, so Apollo cannot judge a company by them. A provider that is
/// missing here makes an error of a warning, which `run_dedupe: false` resolves.
const PUBLIC_MAIL: [&str; 52] = [
    "126.com",
    "163.com",
    "aim.com",
    "aol.com",
    "att.net",
    "bellsouth.net",
    "btinternet.com",
    "charter.net",
    "comcast.net",
    "cox.net",
    "duck.com",
    "earthlink.net",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "sbcglobal.net",
    "t-online.de",
    "verizon.net",
    "web.de",
    "yahoo.co.uk",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
];

/// Networks whose addresses are profiles of people rather than an employer's site.
const SOCIAL: [&str; 9] = [
    "facebook.com",
    "fb.com",
    "instagram.com",
    "linkedin.com",
    "threads.net",
    "tiktok.com",
    "twitter.com",
    "x.com",
    "xing.com",
];

/// Reports whether `domain`, in lower case, belongs to a public mail provider.
pub fn is_public_mail(domain: &str) -> bool {
    PUBLIC_MAIL.binary_search(&domain).is_ok()
}

/// Reports whether `host`, in lower case, is a social network's or below it.
pub(super) fn is_social(host: &str) -> bool {
    SOCIAL.iter().any(|known| host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_are_sorted_for_the_search() {
        assert!(PUBLIC_MAIL.is_sorted());
        assert!(is_public_mail("gmail.com") && !is_public_mail("example.com"));
    }

    #[test]
    fn a_host_below_a_network_is_social_and_one_that_ends_alike_is_not() {
        assert!(is_social("www.linkedin.com") && is_social("x.com"));
        assert!(!is_social("netflix.com") && !is_social("linkedin.com.example.org"));
    }
}
