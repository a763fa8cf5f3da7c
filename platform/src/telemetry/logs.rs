//! Logs: one line per event, on the standard error output, for people or as JSON.

use std::fmt;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use super::format::HumanLayer;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Readable lines.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// How to log.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// How lines look.
    pub format: LogFormat,
    /// What to show: directives as `tracing` has them, such as `info,natter_gateway=debug`.
    pub filter: String,
}

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter can't be read.
    #[error("the log filter {filter:?} is not valid; expected something like `info` or `info,natter_gateway=debug`")]
    BadFilter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// It was set up before.
    #[error("logging is set up already")]
    LogsTwice(#[from] TryInitError),
    /// Some other metrics recorder is there already.
    #[error("cannot install the metrics recorder")]
    Metrics(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { format: LogFormat::Human, filter: "info".to_owned() }
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            other => Err(format!("the log format {other:?} is not known; expected `human` or `json`")),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Human => "human",
            Self::Json => "json",
        })
    }
}

/// Sets up logging for the whole process, panics included. Once.
///
/// A field `source` of an event, or else of the nearest span around it, stands in front of a readable line:
/// `gateway | listening`. The binary puts each service into a span that names it.
pub fn init_logs(options: &LogOptions) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(&options.filter);
    let filter = filter.map_err(|source| TelemetryError::BadFilter { filter: options.filter.clone(), source })?;
    let registry = tracing_subscriber::registry().with(filter);
    match options.format {
        LogFormat::Human => {
            let colour =
                io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            registry.with(HumanLayer { writer: io::stderr, colour }).try_init()?;
        }
        LogFormat::Json => {
            let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
            registry.with(json.with_writer(io::stderr)).try_init()?;
        }
    }
    log_panics();
    Ok(())
}

/// A panic is a log line like any other, not raw text among JSON.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, message = crate::error::panic_message(panic.payload()), "panic");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_is_named_with_what_was_expected() {
        let options = LogOptions { filter: "info,natter=loud".to_owned(), ..Default::default() };
        let error = init_logs(&options).expect_err("no such level").to_string();
        assert!(error.contains("info,natter=loud") && error.contains("expected"), "{error}");
    }

    #[test]
    fn a_log_format_has_a_name() {
        for format in [LogFormat::Human, LogFormat::Json] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml".parse::<LogFormat>().expect_err("no such format");
        assert!(error.contains("xml") && error.contains("json"), "{error}");
    }
}
