//! The kinds of phone number, as requests and answers call them. Holds no number.

use serde::{Deserialize, Serialize};

/// The kinds of phone number, in the order in which answers list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PhoneKind {
    Direct,
    Corporate,
    Mobile,
    Home,
    Other,
}

impl PhoneKind {
    pub(super) const ALL: [Self; 5] = [Self::Direct, Self::Corporate, Self::Mobile, Self::Home, Self::Other];

    /// Returns the field that requests carry the number in.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Direct => "direct_phone",
            Self::Corporate => "corporate_phone",
            Self::Mobile => "mobile_phone",
            Self::Home => "home_phone",
            Self::Other => "other_phone",
        }
    }

    /// Returns the `type` that answers show.
    ///
    /// The vendor's examples show `work_direct`, `work_hq` and `other`; the two between are guesses.
    pub(super) fn answered(self) -> &'static str {
        match self {
            Self::Direct => "work_direct",
            Self::Corporate => "work_hq",
            Self::Mobile => "mobile",
            Self::Home => "home",
            Self::Other => "other",
        }
    }
}
