//! Logs: what happened in detail, on stderr, if `CONTACTSD_LOG` asks for it, and for services.
//!
//! `watch` writes log lines instead of text if its output goes to systemd's journal, or if `--log-format` asks
//! for it. Every line is one write of one line, escaped.

use std::io::{self, Write};

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::args::{Global, LogFormat};
use super::context::Context;
use crate::settings::Environment;
use crate::ui::words::system::{output_is_waited_for, unknown_log_level};
use crate::ui::{Outlet, escape, escape_json};

/// Sends the log of this process to stderr, from warnings up unless `CONTACTSD_LOG` says otherwise; of a service
/// whose output is the log, from `info` up.
///
/// A level (`debug`) is for contactsd's own log; the libraries below it, which might show what is sent,
/// have to be named (`contactsd=debug,hyper=trace`).
pub(super) fn start(context: &mut Context, global: &Global, is_service: bool) {
    let in_journal = stderr_is_journal(&context.environment);
    let asked_format = global.log_format;
    if is_service && (in_journal || asked_format.is_some()) && !context.shell.speaks_json() {
        context.shell.speak_log();
    }
    if is_service && let Err(error) = context.shell.never_wait() {
        context.shell.message(&output_is_waited_for(&error));
    }
    let usual = if context.shell.speaks_log() { "info" } else { "warn" };
    let asked = context.environment.get("CONTACTSD_LOG").unwrap_or(usual).to_owned();
    let directives = if asked.contains('=') { asked.clone() } else { format!("contactsd={asked}") };
    let parsed = EnvFilter::try_new(&directives);
    let filter =
        parsed.as_ref().map_or_else(|_| EnvFilter::new(format!("contactsd={usual}")), |_| EnvFilter::new(&directives));
    // Who reads records on stdout reads them on stderr too.
    let usual_format = if context.shell.speaks_json() { LogFormat::Json } else { LogFormat::Text };
    let format = asked_format.unwrap_or(usual_format);
    let lines = Lines { format, priorities: in_journal, outlet: context.shell.stderr_outlet() };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines)
        .with_ansi(false)
        .log_internal_errors(false);
    // Fails only when a subscriber is set already, as where a test runs several commands in one process.
    let _ = match format {
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
        // The journal notes time and level itself.
        LogFormat::Text if in_journal => {
            subscriber.compact().with_target(false).with_level(false).without_time().try_init()
        }
        LogFormat::Text => subscriber.compact().with_target(false).try_init(),
    };
    if let Err(error) = parsed {
        context.shell.message(&unknown_log_level(&asked, &error));
    }
}

/// Reports whether stderr leads into systemd's journal, as `systemd.exec` says to find out.
fn stderr_is_journal(environment: &Environment) -> bool {
    let Some(stream) = environment.get("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(io::stderr()).is_ok_and(|stderr| stream == format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// Writes lines to stderr.
#[derive(Debug, Clone)]
struct Lines {
    format: LogFormat,
    /// Whether a line begins with its priority, as in `sd-daemon`; the journal takes it off.
    priorities: bool,
    /// Where nobody waits for stderr.
    outlet: Option<Outlet>,
}

/// Writes one line to stderr.
struct Line<'a> {
    format: LogFormat,
    priority: &'static str,
    outlet: Option<&'a Outlet>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { format: self.format, priority: "", outlet: self.outlet.as_ref() }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        let priority = match *metadata.level() {
            _ if !self.priorities => "",
            Level::ERROR => "<3>",
            Level::WARN => "<4>",
            Level::INFO => "<6>",
            Level::DEBUG | Level::TRACE => "<7>",
        };
        Line { format: self.format, priority, outlet: self.outlet.as_ref() }
    }
}

impl Line<'_> {
    /// Writes a line as it goes out.
    fn render(&self, line: &str) -> String {
        let escaped = match self.format {
            LogFormat::Text => escape(line),
            LogFormat::Json => escape_json(line),
        };
        format!("{}{escaped}\n", self.priority)
    }
}

impl Write for Line<'_> {
    /// Takes a whole event, which is what the formats write at a time.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = self.render(text.trim_end_matches('\n'));
        match self.outlet {
            Some(outlet) => outlet.put(line.as_bytes()),
            // There is no place left to say that it failed, and no reason to end.
            None => drop(io::stderr().write_all(line.as_bytes())),
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_harmless_in_either_form() {
        let text = Line { format: LogFormat::Text, priority: "<4>", outlet: None };
        assert_eq!(text.render("a\u{1b}[31m\nb \u{202e}c"), "<4>a\\u{1b}[31m\\nb \\u{202e}c\n");
        let json = Line { format: LogFormat::Json, priority: "", outlet: None };
        assert_eq!(
            json.render("{\"message\":\"Zoë \u{202e}\u{e0041}\"}"),
            "{\"message\":\"Zoë \\u202e\\udb40\\udc41\"}\n"
        );
    }

    #[test]
    fn a_journal_is_known_by_its_stream_alone() {
        let stderr = rustix::fs::fstat(io::stderr()).unwrap();
        let own = format!("{}:{}", stderr.st_dev, stderr.st_ino);
        assert!(stderr_is_journal(&Environment::of(&[("JOURNAL_STREAM", &own)])));
        // Inherited from a service whose output went elsewhere since.
        assert!(!stderr_is_journal(&Environment::of(&[("JOURNAL_STREAM", "8:1")])));
        assert!(!stderr_is_journal(&Environment::default()));
    }
}
