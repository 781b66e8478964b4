//! Logs: what happened in detail, on stderr, for whoever asks by `CONTACTSD_LOG`.

use tracing_subscriber::EnvFilter;

use super::context::Context;

/// Sends the log of this process to stderr, from warnings up unless `CONTACTSD_LOG` says otherwise.
///
/// A level (`debug`) is for contactsd's own log; the libraries below it, which might show what is sent,
/// have to be named (`contactsd=debug,hyper=trace`).
pub(super) fn start(context: &mut Context) {
    let asked = context.environment.get("CONTACTSD_LOG").unwrap_or("warn");
    let directives = if asked.contains('=') { asked.to_owned() } else { format!("contactsd={asked}") };
    let filter = match EnvFilter::try_new(&directives) {
        Ok(filter) => filter,
        Err(error) => {
            let detail = format!("{error}. Say error, warn, info, debug or trace.");
            context.shell.warning(format!("CONTACTSD_LOG={asked:?} is not understood"), detail);
            EnvFilter::new("contactsd=warn")
        }
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // Fails only when a subscriber is set already, as where a test runs several commands in one process.
    let _ = if context.shell.speaks_json() { subscriber.json().try_init() } else { subscriber.try_init() };
}
