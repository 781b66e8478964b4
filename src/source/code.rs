//! The codes of everything that can be wrong with contact files; each has a page in `docs/errors/`.
//!
//! Codes are part of the interface: one that was released never changes its meaning.

use std::fmt;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth a look; the files count as valid.
    Warning,
    /// Nothing is planned while it stands.
    Error,
}

macro_rules! codes {
    ($($variant:ident $text:literal $title:literal,)*) => {
        /// Names one kind of mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the code as users see it and as its page is named, `E001` for example.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// Returns the code's page in `docs/errors/`, as Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../../docs/errors/", $text, ".md")),)*
                }
            }

            /// Returns the heading of the code's page.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }
        }
    };
}

codes! {
    Unreadable "E001" "A file or directory cannot be read",
    NotUtf8 "E002" "A file is not UTF-8 text",
    FileTooLarge "E003" "A file is too large",
    InvalidYaml "E004" "A file is not valid YAML",
    TabIndentation "E005" "A line is indented with a tab",
    NestedTooDeeply "E006" "Lists or maps are nested too deeply",
    AliasesTooMany "E007" "Aliases expand to too much",
    UnknownSection "E008" "A document holds an unknown section",
    WrongType "E009" "A value has the wrong type",
    DuplicateName "E010" "A name is written twice in one map",
    UnknownField "E011" "A contact has an unknown field",
    InvalidKey "E012" "A key breaks the rules for keys",
    DuplicateKey "E013" "A key is declared twice",
    NullListItem "E014" "A list holds an item that is null",
    InvalidEmail "E015" "An e-mail address is malformed",
    InvalidId "E016" "An id is malformed",
    InvalidCustomFieldId "E017" "A custom field id is malformed",
    InvalidUrl "E018" "A website is not a full web address",
    InvalidRunDedupe "E019" "`run_dedupe` is neither true nor false",
    NoIdentity "E020" "A contact has nothing to identify a person by",
    SharedApolloId "E021" "Two keys have one `apollo_id`",
    MovedFromItself "E022" "A contact is moved from its own key",
    MovedFromDeclared "E023" "A contact is moved from a key that is still declared",
    MovedFromChain "E024" "Moves form a chain",
    MovedFromCycle "E025" "Moves form a cycle",
    MovedFromTwice "E026" "Two contacts are moved from one key",
    EmptyListName "E027" "A list name is empty",
    NotForDefaults "E028" "A field that belongs to one contact is in the defaults",
    SameEmail "E029" "Contacts share an e-mail address",
    SameNameAndCompany "E030" "Contacts share a name and a company",
    SameNameAndDomain "E031" "Contacts share a name and an e-mail domain",
    LeadsOut "E032" "A link leads out of the directory",
    ControlCharacter "E033" "A file holds a control character",
    MergeConflict "E034" "A file holds the markers of a merge conflict",
    SignBeforeText "E035" "A tag or an anchor is before plain text",
    UnknownName "E036" "A name is not known in Apollo",
    NameAndId "E037" "One thing is declared by name and by id",
    UnfitValue "E038" "A value does not fit its custom field",
    OpenQuote "E039" "A quote is still open where an entry begins",
    FurtherErrors "E099" "There are more mistakes than are shown",
    BareNull "W101" "A bare Null is read as no value",
    PhoneWithoutDigits "W102" "A phone number has no digits",
    SocialUrl "W103" "A website is a social profile",
    ListNamesDifferByCase "W104" "List names differ only in case",
    SameNameAtPublicProvider "W105" "Contacts share a name and a public mail provider",
    CutByComment "W106" "A value is cut off by a `#`",
    BlanksAround "W107" "A value begins or ends with spaces",
    DotlessDomain "W108" "The domain of an e-mail address has no dot",
    UnknownTag "W109" "A tag has no effect",
    NearMiss "W110" "A file name is almost that of a contact file",
    FurtherWarnings "W199" "There are more warnings than are shown",
}

impl Code {
    /// Finds a code by what users see of it.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// Returns whether the code stops a plan: those that begin with `W` do not.
    pub fn severity(self) -> Severity {
        if self.as_str().starts_with('W') { Severity::Warning } else { Severity::Error }
    }
}

impl Code {
    /// Reports whether it stands for findings that are not listed.
    pub fn is_of_others(self) -> bool {
        matches!(self, Self::FurtherErrors | Self::FurtherWarnings)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
