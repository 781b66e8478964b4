//! What a probe found out, as one document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::versions::{FORMAT_VERSION, PROGRAM_VERSION};
use crate::model::Endpoint;
use crate::ops::{Fact, Finding, ProbeReport, Scope};
use crate::ui::probe_text::meaning;
use crate::ui::time_text;

/// What `probe --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProbeDocument<'a> {
    /// `MAJOR.MINOR`; a reader must refuse a major that it does not know.
    format_version: &'static str,
    contactsd_version: &'static str,
    /// Stands in every name and e-mail that the probe made.
    mark: &'a str,
    at: String,
    api: &'a str,
    findings: Vec<ProbeFinding>,
    /// What is known of each kind of request that was sent.
    scopes: BTreeMap<Endpoint, ScopeName>,
    /// The contacts to delete by hand.
    contacts: Vec<ProbeContact<'a>>,
    /// Whether an answer was lost, so that there may be more contacts that hold the mark.
    may_be_more: bool,
    /// Lists to delete by hand, if they are there.
    lists: &'a [String],
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct ProbeFinding {
    /// The name of the question.
    question: String,
    /// The statuses that came.
    statuses: Vec<u16>,
    /// What refusals said.
    said: Vec<String>,
    /// The name of the reading; null where it could not be told.
    reading: Option<String>,
    /// The same in words, or why it could not be told.
    meaning: String,
}

/// A contact that the probe made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct ProbeContact<'a> {
    id: &'a str,
    email: &'a str,
}

/// Whether the key may send a kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScopeName {
    Granted,
    Refused,
    Unknown,
}

impl<'a> ProbeDocument<'a> {
    pub fn new(report: &'a ProbeReport, api: &'a str) -> Self {
        let ProbeReport { mark, at, findings, made, may_be_more, lists, scopes } = report;
        let scope = |scope: &Scope| match scope {
            Scope::Granted => ScopeName::Granted,
            Scope::Refused(_) => ScopeName::Refused,
            Scope::Unknown => ScopeName::Unknown,
        };
        Self {
            format_version: FORMAT_VERSION,
            contactsd_version: PROGRAM_VERSION,
            mark,
            at: time_text(*at),
            api,
            findings: findings.iter().map(ProbeFinding::of).collect(),
            scopes: scopes.iter().map(|(&endpoint, of)| (endpoint, scope(of))).collect(),
            contacts: made.iter().map(|(id, email)| ProbeContact { id: id.as_str(), email }).collect(),
            may_be_more: *may_be_more,
            lists,
        }
    }
}

impl ProbeFinding {
    fn of(finding: &Finding) -> Self {
        let Finding { question, facts, reading } = finding;
        let statuses =
            facts.iter().filter_map(|fact| if let Fact::Status(status) = fact { Some(*status) } else { None });
        let said = facts.iter().filter_map(|fact| if let Fact::Said(said) = fact { Some(said.clone()) } else { None });
        Self {
            question: name(question),
            statuses: statuses.collect(),
            said: said.collect(),
            reading: reading.as_ref().ok().map(name),
            meaning: meaning(finding),
        }
    }
}

/// Returns the name of something that has one.
fn name(of: &impl Serialize) -> String {
    let name = serde_json::to_value(of).ok();
    name.as_ref().and_then(serde_json::Value::as_str).expect("a plain variant is a text").to_owned()
}
