//! The log: to standard error, as text for people or as JSON for machines.

use std::io::{self, IsTerminal, stderr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use super::lines::Lines;

/// How long the end of the program waits for a standard error that takes nothing.
const AT_THE_END: Duration = Duration::from_secs(1);

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Levels by target, such as `info` or `info,dockpass::broker=debug`.
    pub filter: String,
    /// Text or JSON; absent = text when standard error is a terminal, else JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something in this process logs already.
    #[error("the log is set up already: {0}")]
    Already(#[from] TryInitError),
    /// The operating system gives no thread.
    #[error("the thread of the log cannot be started: {0}")]
    Thread(#[from] io::Error),
    /// The filter is not one.
    #[error("log.filter `{filter}`: {problem}; write it like info,dockpass::broker=debug")]
    Filter {
        /// What was configured.
        filter: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: None }
    }
}

/// The log of this process. What came is written when this is dropped: keep it until the end.
#[derive(Debug)]
#[must_use = "lines that came before the end of the program may be lost without it"]
pub struct Log(Lines);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush(AT_THE_END);
    }
}

/// Sets up the log of this process, and what happens at a panic.
///
/// # Errors
/// The filter does not parse, or the process has a log already.
pub fn init(config: &Config) -> Result<Log, Error> {
    let filter = filter(&config.filter)?;
    let terminal = stderr().is_terminal();
    let format = config.format.unwrap_or(if terminal { Format::Text } else { Format::Json });
    let writer = Lines::start(stderr(), |lost| {
        tracing::warn!(lost, "lines of the log were lost: standard error did not take them");
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer.clone());
    match format {
        Format::Json => lines.json().flatten_event(true).finish().try_init()?,
        Format::Text => lines.with_ansi(terminal).finish().try_init()?,
    }
    super::panics::log_location_only(writer.clone());
    Ok(Log(writer))
}

fn filter(text: &str) -> Result<EnvFilter, Error> {
    EnvFilter::builder()
        .parse(text)
        .map_err(|error| Error::Filter { filter: text.to_owned(), problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_info_and_the_form_follows_the_terminal() {
        let config: Config = toml::from_str("").unwrap();
        assert_eq!(config, Config { filter: "info".to_owned(), format: None });
        assert!(filter(&config.filter).is_ok());
    }

    #[test]
    fn unknown_keys_and_formats_are_refused() {
        assert!(toml::from_str::<Config>("level = 'info'").is_err());
        assert!(toml::from_str::<Config>("format = 'xml'").is_err());
        assert!(toml::from_str::<Config>("format = 'json'").is_ok());
    }

    #[test]
    fn a_filter_that_does_not_parse_is_named_with_the_remedy() {
        let error = filter("dockpass=loud").unwrap_err().to_string();
        assert!(error.contains("`dockpass=loud`") && error.contains("write it like"), "{error}");
        assert!(filter("warn,dockpass::broker=debug").is_ok());
    }
}
