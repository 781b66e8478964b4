//! How everything looks: plans, messages, progress and summaries as text.
//!
//! Values in, text out, or JSON (`json`); [`Shell`] alone prints. Never decides what happens, never reads the
//! environment or a clock. Every foreign text passes through [`escape`] on its way.

pub mod amounts;
mod binding_text;
mod crowd;
mod diff;
mod escape;
mod finding_mark;
mod github;
mod gitlab;
#[cfg(test)]
mod golden_tests;
mod imports_text;
mod init_text;
pub mod json;
mod log;
mod lookup_text;
mod markdown;
mod mask;
mod mending_text;
mod message;
mod metrics;
mod outlet;
mod page;
mod plan_text;
mod probe_text;
mod progress;
mod purge_text;
mod rebuild_text;
mod repeats;
mod replacement_text;
mod report;
mod sarif;
mod saved_text;
mod shell;
mod snippet;
mod status_text;
mod stream;
mod style;
#[cfg(test)]
pub(crate) mod test_plans;
#[cfg(test)]
pub(crate) mod test_services;
mod why_text;
pub(crate) mod words;
mod wrap;

pub use binding_text::{binding_text, time_text};
pub use diff::unified_diff;
pub use escape::{escape, escape_json};
pub use github::annotations;
pub use gitlab::code_quality;
pub use imports_text::ImportsText;
pub use init_text::{NextCommands, init_summary, laid_record, laid_text, pipeline_prompt};
pub use log::log_event;
pub use lookup_text::lookup_text;
pub use markdown::{DriftPage, Markdown, MarkdownOptions, Subject};
pub use mask::{MASKED, Mask};
pub use mending_text::{
    check_document, check_text, clean_record, clean_text, recovered_record, recovered_text, recovery_record,
    recovery_text,
};
pub use message::message_text;
pub use metrics::Metrics;
pub use outlet::Outlet;
pub use page::{PageFacts, page, page_part, page_policy};
pub use plan_text::{Detail, DriftText, FailedPlan, Forecast, PlanOptions, PlanText, drift_note, plan_summary};
pub use probe_text::{probe_intro, probe_text};
pub use progress::Progress;
pub use purge_text::{purge_text, purged_text};
pub use rebuild_text::{rebuild_record, rebuild_text, rebuilt_text};
pub use replacement_text::{replacement_record, replacement_text};
pub use report::{APPROVAL, apply_summary, approval_prompt, pass_summary, watch_summary};
pub use sarif::sarif;
pub use saved_text::{SavedAs, saved_text};
pub use shell::{Shell, Verbosity};
pub use status_text::{AtRest, StatusOptions, at_rest_text, health_line, readiness_line, service_text, telling_line};
pub use stream::Stream;
pub(crate) use style::color_choice;
pub use style::{ColorEnvironment, ColorFlag};
pub use why_text::why_text;
