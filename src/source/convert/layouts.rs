//! The layouts that are known: by which columns each is recognized, and what its columns are.
//!
//! Facts alone, taken from header rows of real exports. Names are compared without regard to case; `#` stands for a
//! number in a name that repeats.

use crate::model::Field;

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    /// The value of a field; of several columns the first that holds something.
    Text(Field),
    /// The same, left out for contacts that Apollo has: it never shows this field.
    OfNew(Field),
    /// First and last name in one, where neither has a column of its own.
    Name,
    ApolloId,
    Stage,
    /// Names of lists with one of these between them.
    Lists(&'static [char]),
    /// A custom field by its label.
    Custom(String),
    /// A part of an address; of several addresses that with the lowest number that holds something.
    Address(u8),
    /// A phone number whose kind stands in the column of the same name with `label` or `type` in the place of `value`.
    Phone,
    /// Says of somebody that they do not want to be written to or called.
    OptOut(Says),
    /// Says of a record that it was deleted, or has become part of another one.
    Deleted(Says),
    /// Says how sure Apollo is of the e-mail.
    EmailStatus,
    /// Says why an e-mail came back.
    Bounced,
    /// The id of a company whose name stands elsewhere.
    CompanyId,
    /// A contact has no field for it.
    NoPlace,
    /// Nothing about the person, or something that Apollo makes itself.
    Nothing,
}

/// When a cell says what its column asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Unless it is empty or a word for no.
    Yes,
    /// When it holds something.
    Anything,
    /// When it is one of these words.
    OneOf(&'static [&'static str]),
}

/// Reports whether a column tells, by its name alone, who does not want to be written to or called, whatever table it is in.
///
/// Nobody who objected is to be lost because a program calls the column otherwise than another one.
pub(super) fn is_opt_out(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "donotcall",
        "donotcontact",
        "donotemail",
        "donotmail",
        "donottext",
        "emailoptedout",
        "emailoptout",
        "emailunsubscribed",
        "globalunsubscribe",
        "globallyunsubscribed",
        "optedout",
        "optout",
        "phoneoptout",
        "smsoptout",
        "unsubscribe",
        "unsubscribed",
    ];
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let letters = ["is", "has"].iter().find_map(|word| letters.strip_prefix(word)).unwrap_or(&letters);
    let begins = ["optedoutof", "unsubscribedfrom"].iter().any(|beginning| letters.starts_with(beginning));
    begins || NAMES.contains(&letters)
}

/// A table as one program exports it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// As it is typed.
    pub(super) name: &'static str,
    /// As people call it.
    pub(super) title: &'static str,
    /// Sets of columns of which one is enough to know it by.
    signs: &'static [&'static [&'static str]],
    columns: &'static [(&'static str, Use)],
    /// How the names of further columns begin, and what these are.
    beginnings: &'static [(&'static str, Use)],
    /// What stands between several values in one cell.
    pub(super) between: Option<&'static str>,
}

impl Layout {
    /// Says what a column is by its name, and where it stands among the columns of its kind; `None` for an unknown one.
    pub(super) fn column(&self, name: &str) -> Option<(usize, Use)> {
        let name = plain(name);
        let found = |name: &str| self.columns.iter().position(|(known, _)| *known == name);
        if let Some(at) = found(&name) {
            return Some((at * SPREAD, self.columns[at].1.clone()));
        }
        if let Some((pattern, number)) = numbered(&name)
            && let Some(at) = found(&pattern)
        {
            return Some((at * SPREAD + number, self.columns[at].1.clone()));
        }
        let begins = self.beginnings.iter().find(|(beginning, _)| name.starts_with(beginning));
        begins.map(|(_, of)| (usize::MAX, of.clone()))
    }

    /// Reports whether a header with these columns is one of this layout.
    fn is_known_by(&self, names: &[String]) -> bool {
        self.signs.iter().any(|signs| signs.iter().all(|sign| names.iter().any(|name| name == sign)))
    }
}

/// How many numbers of one pattern stand apart.
const SPREAD: usize = 1_000;

/// Spells a name as names are compared.
pub(super) fn plain(name: &str) -> String {
    name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_lowercase()
}

/// Puts `#` in the place of a number that is a word of its own.
fn numbered(name: &str) -> Option<(String, usize)> {
    let words: Vec<&str> = name.split(' ').collect();
    let at = words.iter().position(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = words[at].parse().ok().filter(|number| *number < SPREAD)?;
    let words: Vec<&str> = words.iter().enumerate().map(|(nth, word)| if nth == at { "#" } else { word }).collect();
    Some((words.join(" "), number))
}

/// Finds the layouts that a header is one of.
pub(super) fn recognized(header: &[String]) -> Vec<&'static Layout> {
    let names: Vec<String> = header.iter().map(|name| plain(name)).collect();
    LAYOUTS.iter().copied().filter(|layout| layout.is_known_by(&names)).collect()
}

/// Finds a layout by its name.
pub(super) fn named(name: &str) -> Option<&'static Layout> {
    LAYOUTS.iter().copied().find(|layout| layout.name == name)
}

/// Lists the names of the layouts.
pub fn layout_names() -> impl Iterator<Item = &'static str> {
    LAYOUTS.iter().map(|layout| layout.name)
}

const LAYOUTS: [&Layout; 7] = [&APOLLO, &LINKEDIN, &GOOGLE, &OUTLOOK, &HUBSPOT, &SALESFORCE, &PIPEDRIVE];

const COMMA: &[char] = &[','];

static APOLLO: Layout = Layout {
    name: "apollo",
    title: "Apollo contacts",
    signs: &[
        &["apollo contact id"],
        &["company name for emails", "email status"],
        &["person linkedin url", "email status", "stage"],
    ],
    columns: &[
        ("first name", Use::Text(Field::FirstName)),
        ("last name", Use::Text(Field::LastName)),
        ("title", Use::Text(Field::Title)),
        // Until 2025 the one, since then the other.
        ("company name", Use::Text(Field::OrganizationName)),
        ("company", Use::Text(Field::OrganizationName)),
        ("email", Use::Text(Field::Email)),
        ("email status", Use::EmailStatus),
        ("work direct phone", Use::Text(Field::DirectPhone)),
        ("corporate phone", Use::Text(Field::CorporatePhone)),
        ("mobile phone", Use::Text(Field::MobilePhone)),
        ("home phone", Use::Text(Field::HomePhone)),
        ("other phone", Use::Text(Field::OtherPhone)),
        ("website", Use::OfNew(Field::WebsiteUrl)),
        ("city", Use::Address(0)),
        ("state", Use::Address(0)),
        ("country", Use::Address(0)),
        ("stage", Use::Stage),
        ("lists", Use::Lists(COMMA)),
        ("apollo contact id", Use::ApolloId),
        ("apollo account id", Use::Text(Field::AccountId)),
        ("company name for emails", Use::Nothing),
        ("email confidence", Use::Nothing),
        ("seniority", Use::Nothing),
        ("departments", Use::Nothing),
        ("sub departments", Use::Nothing),
        ("contact owner", Use::Nothing),
        ("account owner", Use::Nothing),
        ("last contacted", Use::Nothing),
        ("# employees", Use::Nothing),
        ("industry", Use::Nothing),
        ("keywords", Use::Nothing),
        ("person linkedin url", Use::Nothing),
        ("company linkedin url", Use::Nothing),
        ("facebook url", Use::Nothing),
        ("twitter url", Use::Nothing),
        ("company address", Use::Nothing),
        ("company city", Use::Nothing),
        ("company state", Use::Nothing),
        ("company country", Use::Nothing),
        ("company phone", Use::Nothing),
        ("technologies", Use::Nothing),
        ("annual revenue", Use::Nothing),
        ("total funding", Use::Nothing),
        ("latest funding", Use::Nothing),
        ("latest funding amount", Use::Nothing),
        ("last raised at", Use::Nothing),
        ("subsidiary of", Use::Nothing),
        ("subsidiary of (organization id)", Use::Nothing),
        ("email sent", Use::Nothing),
        ("email open", Use::Nothing),
        ("email bounced", Use::Nothing),
        ("replied", Use::Nothing),
        ("demoed", Use::Nothing),
        ("number of retail locations", Use::Nothing),
        ("sic codes", Use::Nothing),
        ("naics codes", Use::Nothing),
        ("apollo record id", Use::Nothing),
        ("primary email source", Use::Nothing),
        ("primary email verification source", Use::Nothing),
        ("primary email catch-all status", Use::Nothing),
        ("primary email last verified at", Use::Nothing),
        ("primary intent topic", Use::Nothing),
        ("primary intent score", Use::Nothing),
        ("secondary intent topic", Use::Nothing),
        ("secondary intent score", Use::Nothing),
    ],
    beginnings: &[("secondary email", Use::Nothing), ("tertiary email", Use::Nothing)],
    between: None,
};

static LINKEDIN: Layout = Layout {
    name: "linkedin",
    title: "LinkedIn connections",
    signs: &[&["first name", "last name", "connected on"]],
    columns: &[
        ("first name", Use::Text(Field::FirstName)),
        ("last name", Use::Text(Field::LastName)),
        ("email address", Use::Text(Field::Email)),
        ("company", Use::Text(Field::OrganizationName)),
        ("position", Use::Text(Field::Title)),
        // The address of a profile, which is no website of a company.
        ("url", Use::NoPlace),
        ("connected on", Use::NoPlace),
    ],
    beginnings: &[],
    between: None,
};

/// Labels that Google gives by itself begin with a star; see `person.rs`.
const GOOGLE_LABELS: &[char] = &[];

static GOOGLE: Layout = Layout {
    name: "google",
    title: "Google Contacts",
    signs: &[
        &["first name", "last name", "organization name", "labels"],
        &["given name", "family name", "group membership"],
    ],
    columns: &[
        ("first name", Use::Text(Field::FirstName)),
        ("given name", Use::Text(Field::FirstName)),
        ("last name", Use::Text(Field::LastName)),
        ("family name", Use::Text(Field::LastName)),
        ("name", Use::Name),
        ("organization name", Use::Text(Field::OrganizationName)),
        ("organization # - name", Use::Text(Field::OrganizationName)),
        ("organization title", Use::Text(Field::Title)),
        ("organization # - title", Use::Text(Field::Title)),
        ("e-mail # - value", Use::Text(Field::Email)),
        ("phone # - value", Use::Phone),
        ("labels", Use::Lists(GOOGLE_LABELS)),
        ("group membership", Use::Lists(GOOGLE_LABELS)),
        ("address 1 - city", Use::Address(0)),
        ("address 1 - region", Use::Address(0)),
        ("address 1 - country", Use::Address(0)),
        ("address 2 - city", Use::Address(1)),
        ("address 2 - region", Use::Address(1)),
        ("address 2 - country", Use::Address(1)),
        ("address 1 - formatted", Use::Address(2)),
        ("e-mail # - label", Use::Nothing),
        ("e-mail # - type", Use::Nothing),
        ("phone # - label", Use::Nothing),
        ("phone # - type", Use::Nothing),
        ("address # - label", Use::Nothing),
        ("address # - type", Use::Nothing),
        ("address # - street", Use::NoPlace),
        ("address # - city", Use::NoPlace),
        ("address # - po box", Use::NoPlace),
        ("address # - region", Use::NoPlace),
        ("address # - postal code", Use::NoPlace),
        ("address # - country", Use::NoPlace),
        ("address # - extended address", Use::NoPlace),
        ("address # - formatted", Use::Nothing),
        ("website # - label", Use::Nothing),
        ("website # - type", Use::Nothing),
        ("website # - value", Use::NoPlace),
        ("event # - label", Use::Nothing),
        ("event # - type", Use::Nothing),
        ("event # - value", Use::NoPlace),
        ("relation # - label", Use::Nothing),
        ("relation # - type", Use::Nothing),
        ("relation # - value", Use::NoPlace),
        ("im # - service", Use::Nothing),
        ("im # - type", Use::Nothing),
        ("im # - value", Use::NoPlace),
        ("custom field # - label", Use::Nothing),
        ("custom field # - type", Use::Nothing),
        ("custom field # - value", Use::NoPlace),
        ("organization department", Use::NoPlace),
        ("organization # - department", Use::NoPlace),
        ("organization # - job description", Use::NoPlace),
        ("organization # - location", Use::NoPlace),
        ("organization # - symbol", Use::Nothing),
        ("organization # - type", Use::Nothing),
        ("organization # - yomi name", Use::NoPlace),
        ("middle name", Use::NoPlace),
        ("additional name", Use::NoPlace),
        ("name prefix", Use::NoPlace),
        ("name suffix", Use::NoPlace),
        ("nickname", Use::NoPlace),
        ("initials", Use::NoPlace),
        ("short name", Use::NoPlace),
        ("maiden name", Use::NoPlace),
        ("file as", Use::NoPlace),
        ("birthday", Use::NoPlace),
        ("gender", Use::NoPlace),
        ("location", Use::NoPlace),
        ("occupation", Use::NoPlace),
        ("hobby", Use::NoPlace),
        ("subject", Use::NoPlace),
        ("notes", Use::NoPlace),
        ("photo", Use::Nothing),
        ("language", Use::Nothing),
        ("billing information", Use::Nothing),
        ("directory server", Use::Nothing),
        ("mileage", Use::Nothing),
        ("sensitivity", Use::Nothing),
        ("priority", Use::Nothing),
        ("phonetic first name", Use::NoPlace),
        ("phonetic middle name", Use::NoPlace),
        ("phonetic last name", Use::NoPlace),
        ("yomi name", Use::NoPlace),
        ("given name yomi", Use::NoPlace),
        ("additional name yomi", Use::NoPlace),
        ("family name yomi", Use::NoPlace),
    ],
    beginnings: &[],
    between: Some(" ::: "),
};

static OUTLOOK: Layout = Layout {
    name: "outlook",
    title: "Outlook contacts",
    signs: &[&["first name", "last name", "e-mail address", "business phone"]],
    columns: &[
        ("first name", Use::Text(Field::FirstName)),
        ("last name", Use::Text(Field::LastName)),
        ("company", Use::Text(Field::OrganizationName)),
        ("job title", Use::Text(Field::Title)),
        // How a person is addressed, as Mr. or Dr.
        ("title", Use::NoPlace),
        ("e-mail address", Use::Text(Field::Email)),
        ("e-mail # address", Use::Text(Field::Email)),
        ("business phone", Use::Text(Field::DirectPhone)),
        ("business phone 2", Use::Text(Field::DirectPhone)),
        ("company main phone", Use::Text(Field::CorporatePhone)),
        ("mobile phone", Use::Text(Field::MobilePhone)),
        ("home phone", Use::Text(Field::HomePhone)),
        ("home phone 2", Use::Text(Field::HomePhone)),
        ("other phone", Use::Text(Field::OtherPhone)),
        ("primary phone", Use::Text(Field::OtherPhone)),
        ("business city", Use::Address(0)),
        ("business state", Use::Address(0)),
        ("business country/region", Use::Address(0)),
        ("home city", Use::Address(1)),
        ("home state", Use::Address(1)),
        ("home country/region", Use::Address(1)),
        ("other city", Use::Address(2)),
        ("other state", Use::Address(2)),
        ("other country/region", Use::Address(2)),
        ("web page", Use::Text(Field::WebsiteUrl)),
        ("e-mail type", Use::Nothing),
        ("e-mail display name", Use::Nothing),
        ("e-mail # type", Use::Nothing),
        ("e-mail # display name", Use::Nothing),
        ("account", Use::Nothing),
        ("billing information", Use::Nothing),
        ("directory server", Use::Nothing),
        ("internet free busy", Use::Nothing),
        ("mileage", Use::Nothing),
        ("priority", Use::Nothing),
        ("private", Use::Nothing),
        ("sensitivity", Use::Nothing),
        ("language", Use::Nothing),
        ("keywords", Use::Nothing),
        ("organizational id number", Use::Nothing),
        ("government id number", Use::Nothing),
        ("middle name", Use::NoPlace),
        ("suffix", Use::NoPlace),
        ("nickname", Use::NoPlace),
        ("initials", Use::NoPlace),
        ("gender", Use::NoPlace),
        ("given yomi", Use::NoPlace),
        ("surname yomi", Use::NoPlace),
        ("company yomi", Use::NoPlace),
        ("department", Use::NoPlace),
        ("office location", Use::NoPlace),
        ("profession", Use::NoPlace),
        ("location", Use::NoPlace),
        ("manager's name", Use::NoPlace),
        ("assistant's name", Use::NoPlace),
        ("assistant's phone", Use::NoPlace),
        ("referred by", Use::NoPlace),
        ("spouse", Use::NoPlace),
        ("children", Use::NoPlace),
        ("schools", Use::NoPlace),
        ("hobby", Use::NoPlace),
        ("birthday", Use::NoPlace),
        ("anniversary", Use::NoPlace),
        ("categories", Use::NoPlace),
        ("notes", Use::NoPlace),
        ("imaddress", Use::NoPlace),
        ("personal web page", Use::NoPlace),
        ("car phone", Use::NoPlace),
        ("pager", Use::NoPlace),
        ("callback", Use::NoPlace),
        ("radio phone", Use::NoPlace),
        ("telex", Use::NoPlace),
        ("isdn", Use::NoPlace),
        ("tty/tdd phone", Use::NoPlace),
        ("business fax", Use::NoPlace),
        ("home fax", Use::NoPlace),
        ("other fax", Use::NoPlace),
        ("business address po box", Use::NoPlace),
        ("home address po box", Use::NoPlace),
        ("other address po box", Use::NoPlace),
        ("user 1", Use::NoPlace),
        ("user 2", Use::NoPlace),
        ("user 3", Use::NoPlace),
        ("user 4", Use::NoPlace),
    ],
    beginnings: &[
        ("business street", Use::NoPlace),
        ("business postal", Use::NoPlace),
        ("home street", Use::NoPlace),
        ("home postal", Use::NoPlace),
        ("other street", Use::NoPlace),
        ("other postal", Use::NoPlace),
    ],
    between: None,
};

static HUBSPOT: Layout = Layout {
    name: "hubspot",
    title: "HubSpot contacts",
    signs: &[&["record id", "first name", "last name"], &["record id", "email"]],
    columns: &[
        ("first name", Use::Text(Field::FirstName)),
        ("last name", Use::Text(Field::LastName)),
        ("email", Use::Text(Field::Email)),
        ("job title", Use::Text(Field::Title)),
        ("company name", Use::Text(Field::OrganizationName)),
        ("associated company", Use::Text(Field::OrganizationName)),
        ("phone number", Use::Text(Field::DirectPhone)),
        ("mobile phone number", Use::Text(Field::MobilePhone)),
        ("website url", Use::Text(Field::WebsiteUrl)),
        ("city", Use::Address(0)),
        ("state/region", Use::Address(0)),
        ("country/region", Use::Address(0)),
        ("email hard bounce reason", Use::Bounced),
        ("invalid email address", Use::Nothing),
        ("record id", Use::Nothing),
        ("contact owner", Use::Nothing),
        ("primary associated company id", Use::Nothing),
        ("associated company ids", Use::Nothing),
        ("last activity date", Use::Nothing),
        ("create date", Use::Nothing),
        ("marketing contact status", Use::Nothing),
        ("lead status", Use::NoPlace),
        ("lifecycle stage", Use::NoPlace),
    ],
    beginnings: &[],
    between: None,
};

static SALESFORCE: Layout = Layout {
    name: "salesforce",
    title: "Salesforce contacts or leads",
    signs: &[
        &["firstname", "lastname", "accountid"],
        &["id", "firstname", "lastname"],
        &["lead id", "firstname", "lastname"],
        &["firstname", "lastname", "leadsource"],
        &["first name", "last name", "account name"],
        &["first name", "last name", "company / account"],
    ],
    columns: &[
        ("firstname", Use::Text(Field::FirstName)),
        ("first name", Use::Text(Field::FirstName)),
        ("lastname", Use::Text(Field::LastName)),
        ("last name", Use::Text(Field::LastName)),
        ("name", Use::Name),
        ("email", Use::Text(Field::Email)),
        ("title", Use::Text(Field::Title)),
        ("account name", Use::Text(Field::OrganizationName)),
        ("company", Use::Text(Field::OrganizationName)),
        ("company / account", Use::Text(Field::OrganizationName)),
        ("accountid", Use::CompanyId),
        ("account id", Use::CompanyId),
        ("phone", Use::Text(Field::DirectPhone)),
        ("mobilephone", Use::Text(Field::MobilePhone)),
        ("mobile", Use::Text(Field::MobilePhone)),
        ("homephone", Use::Text(Field::HomePhone)),
        ("home phone", Use::Text(Field::HomePhone)),
        ("otherphone", Use::Text(Field::OtherPhone)),
        ("other phone", Use::Text(Field::OtherPhone)),
        ("mailingcity", Use::Address(0)),
        ("mailing city", Use::Address(0)),
        ("mailingstate", Use::Address(0)),
        ("mailing state/province", Use::Address(0)),
        ("mailingcountry", Use::Address(0)),
        ("mailing country", Use::Address(0)),
        ("city", Use::Address(1)),
        ("state", Use::Address(1)),
        ("state/province", Use::Address(1)),
        ("country", Use::Address(1)),
        ("website", Use::Text(Field::WebsiteUrl)),
        ("hasoptedoutoffax", Use::Nothing),
        ("isdeleted", Use::Deleted(Says::Yes)),
        ("masterrecordid", Use::Deleted(Says::Anything)),
        ("isconverted", Use::Nothing),
        ("emailbouncedreason", Use::Bounced),
        ("emailbounceddate", Use::Nothing),
        ("isemailbounced", Use::Nothing),
        ("id", Use::Nothing),
        ("lead id", Use::Nothing),
        ("contact id", Use::Nothing),
        ("ownerid", Use::Nothing),
        ("contact owner", Use::Nothing),
        ("lead owner", Use::Nothing),
        ("account owner", Use::Nothing),
        ("reportstoid", Use::Nothing),
        ("recordtypeid", Use::Nothing),
        ("individualid", Use::Nothing),
        ("jigsaw", Use::Nothing),
        ("jigsawcontactid", Use::Nothing),
        ("photourl", Use::Nothing),
        ("cleanstatus", Use::Nothing),
        ("createddate", Use::Nothing),
        ("createdbyid", Use::Nothing),
        ("lastmodifieddate", Use::Nothing),
        ("lastmodifiedbyid", Use::Nothing),
        ("systemmodstamp", Use::Nothing),
        ("lastactivitydate", Use::Nothing),
        ("last activity", Use::Nothing),
        ("lastcurequestdate", Use::Nothing),
        ("lastcuupdatedate", Use::Nothing),
        ("lastvieweddate", Use::Nothing),
        ("lastreferenceddate", Use::Nothing),
        ("salutation", Use::NoPlace),
        ("middlename", Use::NoPlace),
        ("suffix", Use::NoPlace),
        ("department", Use::NoPlace),
        ("description", Use::NoPlace),
        ("birthdate", Use::NoPlace),
        ("fax", Use::NoPlace),
        ("assistantname", Use::NoPlace),
        ("assistantphone", Use::NoPlace),
        ("leadsource", Use::NoPlace),
        ("lead source", Use::NoPlace),
        ("status", Use::NoPlace),
        ("lead status", Use::NoPlace),
        ("rating", Use::NoPlace),
        ("industry", Use::NoPlace),
        ("street", Use::NoPlace),
        ("postalcode", Use::NoPlace),
        ("mailingstreet", Use::NoPlace),
        ("mailing street", Use::NoPlace),
        ("mailingpostalcode", Use::NoPlace),
        ("mailing zip/postal code", Use::NoPlace),
        ("otherstreet", Use::NoPlace),
        ("othercity", Use::NoPlace),
        ("otherstate", Use::NoPlace),
        ("otherpostalcode", Use::NoPlace),
        ("othercountry", Use::NoPlace),
    ],
    beginnings: &[
        ("mailinglatitude", Use::Nothing),
        ("mailinglongitude", Use::Nothing),
        ("mailinggeocode", Use::Nothing),
        ("otherlatitude", Use::Nothing),
        ("otherlongitude", Use::Nothing),
        ("othergeocode", Use::Nothing),
    ],
    between: None,
};

const OUT_IN_PIPEDRIVE: &[&str] = &["bounced", "unsubscribed", "archived"];

static PIPEDRIVE: Layout = Layout {
    name: "pipedrive",
    title: "Pipedrive people",
    signs: &[&["person - name"], &["person - first name"], &["person - id"]],
    columns: &[
        ("person - first name", Use::Text(Field::FirstName)),
        ("person - last name", Use::Text(Field::LastName)),
        ("person - name", Use::Name),
        ("person - organization", Use::Text(Field::OrganizationName)),
        ("organization - name", Use::Text(Field::OrganizationName)),
        ("person - title", Use::Text(Field::Title)),
        ("person - job title", Use::Text(Field::Title)),
        ("person - email - work", Use::Text(Field::Email)),
        ("person - email", Use::Text(Field::Email)),
        ("person - email - home", Use::Text(Field::Email)),
        ("person - email - other", Use::Text(Field::Email)),
        ("person - phone - work", Use::Text(Field::DirectPhone)),
        ("person - phone", Use::Text(Field::DirectPhone)),
        ("person - phone - home", Use::Text(Field::HomePhone)),
        ("person - phone - mobile", Use::Text(Field::MobilePhone)),
        ("person - phone - other", Use::Text(Field::OtherPhone)),
        ("person - marketing status", Use::OptOut(Says::OneOf(OUT_IN_PIPEDRIVE))),
        ("person - id", Use::Nothing),
        ("person - owner", Use::Nothing),
        ("person - double opt-in", Use::Nothing),
        ("organization - id", Use::Nothing),
        ("person - label", Use::NoPlace),
        ("person - labels", Use::NoPlace),
    ],
    beginnings: &[],
    between: None,
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_layout_has_each_column_once_and_spelled_as_names_are_compared() {
        for layout in LAYOUTS {
            let mut seen = BTreeSet::new();
            for (name, _) in layout.columns.iter().chain(layout.beginnings) {
                assert_eq!(plain(name), *name);
                assert!(seen.insert(name), "{}: {name}", layout.name);
            }
            for sign in layout.signs.iter().copied().flatten() {
                assert!(layout.column(sign).is_some(), "{}: {sign}", layout.name);
            }
        }
    }
}
