//! Tables of people: why a table cannot be read, and why a row was not converted.
//!
//! Says where and why, and never a value of a row.

use std::path::Path;

use crate::ops::chain;
use crate::ops::convert::{ConvertError, Other, RowRefusal, RowSkip};
use crate::shell_word::shell_word;
use crate::source::convert::{About, Note, Refusal, Skip, TableError, Unfit, layout_names};
use crate::source::{Code, Diagnostic};
use crate::ui::amounts::{count, counted};

use super::contact_files::unreadable;

/// How many columns are named.
pub(super) const MOST_COLUMNS: usize = 50;

/// Says what a table was found to be.
pub(crate) fn about(about: &About) -> String {
    let layout = about.layout.unwrap_or("columns mapped by hand");
    let delimiter = match about.delimiter {
        ',' => "commas",
        ';' => "semicolons",
        _ => "tabs",
    };
    let columns = counted(about.columns, "column");
    let header = if about.line > 1 { format!(", header on line {}", about.line) } else { String::new() };
    format!("{layout} ({}, {columns} with {delimiter} between{header})", about.encoding)
}

/// Says why a file is no table that can be read, and what to do.
pub(crate) fn table_error(name: &Path, error: &TableError) -> Diagnostic {
    let shown = name.display();
    let message = |summary: String, detail: String| Diagnostic {
        path: Some(name.to_owned()),
        ..Diagnostic::error(summary, detail)
    };
    match error {
        TableError::Read(error) => message(format!("{shown} cannot be read"), chain(error)),
        TableError::Workbook => message(
            format!("{shown} is a workbook, not a CSV file"),
            "Open it in the program that made it, and save it as CSV, best as \"CSV UTF-8\".".to_owned(),
        ),
        TableError::Binary => message(
            format!("{shown} does not look like text"),
            "It holds zero bytes. If it is a table in UTF-16 without a byte order mark, add --encoding utf-16le. \
             Otherwise save it as CSV in UTF-8."
                .to_owned(),
        ),
        TableError::Mixed => message(
            format!("{shown} mixes UTF-8 with another encoding"),
            "Save it again as UTF-8. With --encoding windows-1252, the letters that are in UTF-8 are read wrongly."
                .to_owned(),
        ),
        TableError::Empty => {
            message(format!("{shown} holds no rows"), "A table begins with the names of its columns.".to_owned())
        }
        TableError::Unknown { columns, line } => message(
            format!("The layout of {shown} is not known"),
            format!(
                "Line {line} has these columns:\n\n{}\n\nMap each column that you need: {}. If it is one of the \
                 known layouts ({}) with other names of columns, add --layout NAME.",
                listed(columns),
                example(columns),
                layout_names().collect::<Vec<_>>().join(", ")
            ),
        ),
        TableError::Ambiguous { layouts } => message(
            format!("{shown} fits several layouts"),
            format!("Its columns fit {}. Name the right one: --layout {}", layouts.join(" and "), layouts[0]),
        ),
        TableError::NoColumn { column, columns } => message(
            format!("{shown} has no column {column:?}"),
            format!("It has these:\n\n{}\n\nWrite the name in --map exactly as it is listed.", listed(columns)),
        ),
        TableError::NoIdentity => message(
            format!("No column of {shown} identifies a person"),
            "A column with an e-mail, a name or an Apollo id is needed. Name it: --map \"COLUMN=email\".".to_owned(),
        ),
    }
}

/// Lists columns, one a line.
fn listed(columns: &[String]) -> String {
    let named = columns.iter().filter(|column| !column.trim().is_empty());
    let mut lines: Vec<String> = named.take(MOST_COLUMNS).map(|column| format!("  {}", column.trim())).collect();
    let more = columns.len().saturating_sub(MOST_COLUMNS);
    if more > 0 {
        lines.push(format!("  and {} more", count(more)));
    }
    lines.join("\n")
}

/// Shows how the columns of this table would be mapped, as far as their names tell.
fn example(columns: &[String]) -> String {
    let guess = |word: &str| columns.iter().find(|column| column.to_lowercase().contains(word));
    let email = guess("mail").or(columns.first()).map_or("Work mail", |column| column.trim());
    let mut shown = format!("--map {}", shell_word(format_args!("{email}=email")));
    if let Some(company) = guess("company").or_else(|| guess("organi")) {
        let company = shell_word(format_args!("{}=organization_name", company.trim()));
        shown = [shown.as_str(), " --map ", &company].concat();
    }
    shown
}

/// Says why nothing was converted.
pub(crate) fn not_converted(error: &ConvertError) -> Vec<Diagnostic> {
    match error {
        ConvertError::Table { name, source } => {
            let detail = format!(
                "{}. Nothing was written. If this is the wrong encoding, name the right one with --encoding.",
                chain(source)
            );
            vec![Diagnostic {
                path: Some(name.clone()),
                ..Diagnostic::error(format!("{} cannot be read to its end", name.display()), detail)
            }]
        }
        ConvertError::Unreadable(error) => vec![unreadable(error)],
        ConvertError::Invalid(found) => {
            let detail = "Rows are compared with the entries in these files, so fix them first. Nothing was written.";
            let last = Diagnostic::error("The files in the directory have mistakes", detail);
            found.iter().cloned().chain([last]).collect()
        }
        ConvertError::Spool(error) => {
            vec![Diagnostic::error(
                "Nothing was converted",
                format!("A temporary file cannot be used: {}", chain(error)),
            )]
        }
        ConvertError::TooLarge { name, bytes } => {
            let detail = format!(
                "It would have {} MiB, and contact files can have up to 64 MiB. Split the contacts into several \
                 files: --split company",
                count(usize::try_from(bytes / (1024 * 1024)).unwrap_or(usize::MAX))
            );
            vec![Diagnostic::error(format!("{} would be too large", name.display()), detail)]
        }
        ConvertError::Files(error) => vec![Diagnostic::error("The files cannot be compared", chain(error))],
    }
}

/// Why a row became no entry: for the row, and for counts.
pub(crate) struct Why {
    pub(crate) text: String,
    /// Without places.
    pub(crate) kind: String,
}

impl Why {
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { kind: text.clone(), text }
    }
}

/// Says why a row was left out.
pub(crate) fn skipped_row(skip: &RowSkip) -> Why {
    match skip {
        RowSkip::Row(Skip::Empty) => Why::plain("it is empty"),
        RowSkip::Row(Skip::OptedOut { column }) => Why::plain(format!("the person opted out, by {column:?}")),
        RowSkip::Row(Skip::Deleted { column }) => Why::plain(format!("it was deleted or merged, by {column:?}")),
        RowSkip::Declared { key, path } => Why {
            text: format!("{} in {} is the same person", key.address(), path.display()),
            kind: "another file declares the person".to_owned(),
        },
    }
}

/// Says why a row is no contact; `place` names a row of another table or of this one.
pub(crate) fn refused_row(refusal: &RowRefusal, place: impl Fn(usize, usize) -> String) -> Why {
    let other = |with: &Other| match with {
        Other::Row { table, line } => place(*table, *line),
        Other::Entry { key, path } => format!("{} in {}", key.address(), path.display()),
    };
    match refusal {
        RowRefusal::Row(Refusal::OpenQuote { lines }) => Why {
            text: format!("a quote is not closed: one cell holds {}, which look like rows", counted(*lines, "line")),
            kind: "a quote is not closed".to_owned(),
        },
        RowRefusal::Row(Refusal::Ragged { cells, expected, lines }) => {
            let open = if *lines > 1 {
                format!("; it covers {} lines, so a quote may not be closed", count(*lines))
            } else {
                String::new()
            };
            Why {
                text: format!("it has {} where the header has {expected}{open}", counted(*cells, "cell")),
                kind: "its number of cells differs from the header".to_owned(),
            }
        }
        RowRefusal::Row(Refusal::Control { field, character }) => Why {
            text: format!("its {field} holds the control character U+{:04X}", u32::from(*character)),
            kind: "a value holds a control character".to_owned(),
        },
        RowRefusal::Row(Refusal::Email) => Why::plain("its e-mail is not an e-mail address"),
        RowRefusal::Row(Refusal::ApolloId) => Why::plain("its Apollo id is not 24 hexadecimal digits"),
        RowRefusal::Row(Refusal::NoIdentity) => Why::plain("it has neither an e-mail nor a name"),
        RowRefusal::Row(Refusal::Unwritable) => Why::plain("a contact file cannot hold it as it is"),
        RowRefusal::Clash { code, with } => {
            let what = match code {
                Code::SharedApolloId => "the Apollo id",
                Code::SameEmail => "the e-mail",
                Code::SameNameAndCompany => "name and company",
                _ => "the name and the e-mail domain",
            };
            Why {
                text: format!("it shares {what} with {}", other(with)),
                kind: format!("it shares {what} with another one"),
            }
        }
        RowRefusal::Repeated { with } => {
            Why { text: format!("it repeats {}", other(with)), kind: "it repeats another one".to_owned() }
        }
    }
}

/// Says of one row what a person should know.
pub(crate) fn note(note: &Note) -> String {
    match note {
        Note::OptedOut { column } => format!("the person opted out, by {column:?}"),
        Note::Extrapolated => "Apollo guessed the e-mail".to_owned(),
        Note::Bounced => "mail to the address bounced".to_owned(),
        Note::Several(field) => format!("there are several values for {field}, and the first was taken"),
        Note::LeftOut { field, why } => format!("{field} was left out: {}", unfit(*why)),
        Note::NeverShown(field) => {
            format!("{field} was left out: Apollo already has the contact, and never shows this field")
        }
        Note::NameSplit => "the name was split at its first space".to_owned(),
        Note::AddressAsName => "first_name was left out: it is the e-mail address".to_owned(),
        Note::CompanyById => "organization_name is missing: the table has only the id of the company".to_owned(),
    }
}

fn unfit(why: Unfit) -> &'static str {
    match why {
        Unfit::Url => "it is not a full web address",
        Unfit::Id => "it is not an id of 24 hexadecimal digits",
        Unfit::Control => "it holds a control character",
        Unfit::NoPhone => "it is a fax or a pager",
    }
}

/// Says of rows what is to be known, in one line.
fn note_kind(note: &Note, rows: usize) -> String {
    let rows = counted(rows, "row");
    match note {
        Note::OptedOut { column } => format!("{rows} of people who opted out, by {column:?}"),
        Note::Extrapolated => format!("{rows} with an e-mail that Apollo guessed"),
        Note::Bounced => format!("{rows} with an e-mail that bounced"),
        Note::Several(field) => format!("{rows} with several values for {field}"),
        Note::LeftOut { field, why } => format!("{field} was left out of {rows}: {}", unfit(*why)),
        Note::NeverShown(field) => format!("{field} was left out of {rows}"),
        Note::NameSplit => format!("{rows} with first and last name in one column"),
        Note::AddressAsName => format!("first_name was left out of {rows}: it is the e-mail address"),
        Note::CompanyById => {
            format!("organization_name is missing in {rows}: the table has only the id of the company")
        }
    }
}

/// Says of rows what is to be known, and where the first ones are.
pub(crate) fn noted(note: &Note, rows: usize, first: &[String]) -> Diagnostic {
    let more = if rows > first.len() { ", and more" } else { "" };
    Diagnostic::warning(note_kind(note, rows), format!("{}\n\n  {}{more}", note_detail(note), first.join(", ")))
}

/// Says what to do about it.
fn note_detail(note: &Note) -> &'static str {
    match note {
        Note::OptedOut { .. } => "They were taken because of --keep-opted-out.",
        Note::Extrapolated => "Such an address may not exist, or may belong to another person.",
        Note::Bounced => "The address may be out of use.",
        Note::Several(_) => "A contact can have only one. The first was taken.",
        Note::LeftOut { .. } => "The rest of each row was taken.",
        Note::NeverShown(_) => {
            "Apollo already has these contacts, and never shows this field. Each would take a request to write what \
             is already there. To convert the field anyway, map the column: --map \"Website=website_url\"."
        }
        Note::NameSplit => "The first word was taken as the first name, and the rest as the last name.",
        Note::AddressAsName => "Google does this for addresses that somebody once wrote to.",
        Note::CompanyById => "Export a report that has the name of the account, or add the column by hand.",
    }
}
