//! Findings as a SARIF 2.1.0 log, for code scanning and editors.
//!
//! Plain structs in the standard's own words; what a field may hold is said there, and tests hold the
//! whole against the standard's schema. Source: OASIS, "SARIF Version 2.1.0", sections 3.13 to 3.58.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use url::Url;

use super::escape::escape;
use super::finding_mark::FindingMarks;
use crate::settings::Checkout;
use crate::source::{Code, Diagnostic, Location, Severity};

/// Stands for the root of the repository that the files are in.
const ROOT: &str = "%SRCROOT%";

/// The fingerprint that GitHub matches findings of two runs by; of a form of our own, which is allowed.
const FINGERPRINT: &str = "primaryLocationLineHash";

/// Renders `messages` as a log; `complete` tells whether the files could be looked at.
///
/// Findings have the place at which they stand; what has no code is a notification about the run. Paths are
/// named as seen from the root of `checkout`.
pub fn sarif(messages: &[Diagnostic], complete: bool, checkout: &Checkout) -> String {
    let (findings, notices): (Vec<_>, Vec<_>) = messages.iter().partition(|message| rule(message).is_some());
    let mut marks = FindingMarks::default();
    let results = findings.iter().filter_map(|message| result(message, checkout, &mut marks)).collect();
    let failed = messages.iter().any(|message| message.severity == Severity::Error);
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "contactsd",
                    version: env!("CARGO_PKG_VERSION"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: Code::ALL.iter().map(|code| Rule::of(*code)).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: complete,
                exit_code: u8::from(failed),
                tool_execution_notifications: notices.iter().map(|message| Notification::of(message)).collect(),
            }],
            original_uri_base_ids: [(ROOT, UriBase { description: Text::of("The root of the repository.") })].into(),
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    serde_json::to_string_pretty(&log).expect("a log is plain data")
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    original_uri_base_ids: BTreeMap<&'static str, UriBase>,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: String,
    short_description: Text,
    full_description: Text,
    default_configuration: Configuration,
    /// The code's page. A link would have to be absolute, and where the pages are served is not known here.
    help: Help,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
struct UriBase {
    description: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Place>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Place>,
    partial_fingerprints: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

/// Columns count characters from 1; the end is the first behind it. A file as a whole is shown at its first line: code
/// scanning takes no region that leaves out one of the four.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

impl Text {
    /// Takes text for a message string, in which braces are doubled and `[text](target)` would be a link.
    fn of(text: &str) -> Self {
        let lines: Vec<_> = text.split('\n').map(|line| escape(line).into_owned()).collect();
        Self { text: lines.join("\n").replace('{', "{{").replace('}', "}}").replace("](", "] (") }
    }

    fn of_message(message: &Diagnostic) -> Self {
        let Diagnostic { summary, detail, .. } = message;
        Self::of(&if detail.is_empty() { summary.clone() } else { format!("{summary}. {detail}") })
    }
}

impl Rule {
    fn of(code: Code) -> Self {
        let page = code.page();
        Self {
            id: code.as_str(),
            name: format!("{code:?}"),
            short_description: Text::of(code.title()),
            full_description: Text::of(&lead(page)),
            default_configuration: Configuration { level: level(code.severity()) },
            help: Help { text: page, markdown: page },
        }
    }
}

/// Returns the first paragraph of a page, which stands below its heading.
fn lead(page: &str) -> String {
    page.split("\n\n").nth(1).unwrap_or_default().replace('\n', " ")
}

impl Notification {
    fn of(message: &Diagnostic) -> Self {
        Self { level: level(message.severity), message: Text::of_message(message) }
    }
}

impl Place {
    fn of(location: &Location, checkout: &Checkout) -> Self {
        let (line, column) = (location.line, location.column);
        let region =
            Region { start_line: line, start_column: column, end_line: line, end_column: column + location.width };
        let artifact_location = ArtifactLocation::of(&location.path, checkout);
        let physical_location = PhysicalLocation { artifact_location, region };
        Self { physical_location, logical_locations: Vec::new(), message: None }
    }
}

impl ArtifactLocation {
    fn of(path: &Path, checkout: &Checkout) -> Self {
        let relative = checkout.name(path);
        // A URL knows how each byte of a path is written; of one that is relative, the root is cut off again.
        let absolute = Url::from_file_path(Path::new("/").join(&relative)).map(String::from);
        let absolute = strict(&absolute.unwrap_or_else(|()| "file:///".to_owned()));
        if relative.is_absolute() {
            return Self { uri: absolute, uri_base_id: None };
        }
        let uri = absolute.trim_start_matches("file:///");
        // A colon in the first part would make a scheme of it.
        let first = uri.split('/').next().unwrap_or_default();
        let uri = if first.contains(':') { format!("./{uri}") } else { uri.to_owned() };
        Self { uri, uri_base_id: Some(ROOT) }
    }
}

/// Encodes what URLs may hold in a path and URIs by RFC 3986 may not, such as brackets.
fn strict(url: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%".contains(c);
    let encode = |c: char| if is_allowed(c) { c.to_string() } else { format!("%{:02X}", u32::from(c)) };
    // A URL is ASCII alone.
    url.chars().map(encode).collect()
}

fn rule(message: &Diagnostic) -> Option<(usize, Code)> {
    let code = message.code?;
    Some((Code::ALL.iter().position(|known| *known == code)?, code))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(message: &Diagnostic, checkout: &Checkout, marks: &mut FindingMarks) -> Option<Finding> {
    let (rule_index, code) = rule(message)?;
    let mut locations: Vec<_> = message.location.iter().map(|location| Place::of(location, checkout)).collect();
    if let (Some(place), Some(key)) = (locations.first_mut(), &message.key) {
        place.logical_locations.push(LogicalLocation { fully_qualified_name: key.address(), kind: "object" });
    }
    let related = message.related.iter().map(|(label, location)| {
        let message = Some(Text::of(label));
        Place { message, ..Place::of(location, checkout) }
    });
    Some(Finding {
        rule_id: code.as_str(),
        rule_index,
        level: level(message.severity),
        message: Text::of_message(message),
        locations,
        related_locations: related.collect(),
        partial_fingerprints: [(FINGERPRINT, marks.of(message, checkout))].into(),
    })
}

#[cfg(test)]
#[path = "sarif_tests.rs"]
mod tests;
