//! Telephone numbers in answers, and whether one is the number a file declares.
//!
//! Compares digits only and errs towards "another number", which costs one update and no more.

use crate::model::Field;
use serde::{Deserialize, Serialize};

/// One number of an answered contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// The number as it was entered; empty when the answer does not say.
    pub raw: String,
    /// The number as Apollo understood it, in the international form `+15553031569`.
    pub sanitized: Option<String>,
    /// Apollo's word for the kind: `work_direct` for a `direct_phone`; others are not all known.
    pub kind: Option<String>,
}

/// Fewest digits of a number without country code that may stand for one with it.
const MIN_NATIONAL_DIGITS: usize = 7;

impl Phone {
    /// Returns the field that a file would declare it by; a kind that is not known is another phone.
    ///
    /// Source: the vendor's examples show `work_direct`, `work_hq` and `other`; what mobile and home phones are called
    /// is not documented (`docs/api-notes.md#phones`).
    pub fn field(&self) -> Field {
        let kind = self.kind.as_deref().unwrap_or_default().to_ascii_lowercase();
        let kind = kind.strip_suffix("_phone").unwrap_or(&kind);
        match kind {
            "work_direct" | "direct" | "work" => Field::DirectPhone,
            "work_hq" | "corporate" | "hq" => Field::CorporatePhone,
            "mobile" => Field::MobilePhone,
            "home" => Field::HomePhone,
            _ => Field::OtherPhone,
        }
    }

    /// Reports whether this is the declared `number`, whichever way either is written.
    pub(super) fn is(&self, number: &str) -> bool {
        let declared = characters(number);
        if !declared.bytes().any(|byte| byte.is_ascii_digit()) {
            return false;
        }
        declared == characters(&self.raw)
            || self
                .sanitized
                .as_deref()
                .is_some_and(|sanitized| is_international(number, &declared, &digits(sanitized)))
    }
}

/// Reports whether `declared`, the characters of `number`, is the international number `full`.
fn is_international(number: &str, declared: &str, full: &str) -> bool {
    // Letters are an extension or a vanity number: what Apollo made of it cannot be foreseen.
    if full.is_empty() || !declared.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    if number.trim_start().starts_with('+') {
        // "+44 (0)7911 ..." shows the digit to dial inside the country as well.
        return declared == full || number.contains("(0)") && digits(&number.replacen("(0)", "", 1)) == full;
    }
    let dialed_abroad = ["00", "011"].iter().any(|prefix| declared.strip_prefix(prefix) == Some(full));
    // Italy, for one, keeps the leading zero after the country code; most countries drop it.
    declared == full
        || dialed_abroad
        || is_national(declared, full)
        || declared.strip_prefix('0').is_some_and(|number| is_national(number, full))
}

fn is_national(number: &str, full: &str) -> bool {
    number.len() >= MIN_NATIONAL_DIGITS && full.strip_suffix(number).is_some_and(is_country_code)
}

/// Reports whether `digits` is a whole country code, which no longer one begins with.
///
/// Source: ITU-T E.164, list of assigned country codes: one digit in zones 1 and 7, two digits for
/// those below, three for all others.
fn is_country_code(digits: &str) -> bool {
    const TWO_DIGITS: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    let two = |code: &str| TWO_DIGITS.contains(&code);
    match digits.len() {
        1 => matches!(digits, "1" | "7"),
        2 => two(digits),
        3 => !digits.starts_with(['0', '1', '7']) && !two(&digits[..2]),
        _ => false,
    }
}

/// Keeps letters and digits, in lower case: what tells two spellings of one number apart from two numbers.
fn characters(number: &str) -> String {
    number.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(raw: &str, sanitized: &str) -> Phone {
        let sanitized = (!sanitized.is_empty()).then(|| sanitized.to_owned());
        Phone { raw: raw.to_owned(), sanitized, kind: None }
    }

    #[test]
    fn spellings_of_one_number_are_equal() {
        for (declared, raw, sanitized) in [
            ("555-303-1569", "(555) 303 1569", ""),
            ("555-303-1569", "+1 555 303 1569", "+15553031569"),
            ("1 555 303 1569", "", "+15553031569"),
            ("+44 7911 123456", "07911123456", "+447911123456"),
            ("07911 123456", "", "+447911123456"),
            ("+44 (0)7911 123456", "", "+447911123456"),
            ("0044 7911 123456", "", "+447911123456"),
            ("011 44 7911 123456", "", "+447911123456"),
            ("06 1234 5678", "", "+390612345678"),
            ("512 3456", "", "+3725123456"),
            ("555-303-1569 ext. 12", "555 303 1569 EXT 12", "+15553031569"),
        ] {
            assert!(phone(raw, sanitized).is(declared), "{declared} is {raw} {sanitized}");
        }
    }

    #[test]
    fn what_may_be_another_number_is_another_number() {
        for (declared, raw, sanitized) in [
            ("", "", ""),
            ("+", "-", "+15553031569"),
            ("555-303-1569", "555-303-1568", "+15553031568"),
            ("303-1569", "555-303-1569", "+15553031569"),
            ("+49 7911 123456", "", "+447911123456"),
            // 331 is no country code: one digit of the national number is missing.
            ("23456789", "", "+33123456789"),
            ("555-303-1569 x12", "555-303-1569", "+15553031569"),
            ("1-800-FLOWERS", "1-800", "+1800"),
            ("n/a", "n/a", ""),
        ] {
            assert!(!phone(raw, sanitized).is(declared), "{declared} is not {raw} {sanitized}");
        }
    }

    #[test]
    fn country_codes_are_whole() {
        for code in ["1", "7", "44", "98", "372", "999"] {
            assert!(is_country_code(code), "{code}");
        }
        for digits in ["", "4", "99", "331", "155", "039", "0", "4479"] {
            assert!(!is_country_code(digits), "{digits}");
        }
    }
}
