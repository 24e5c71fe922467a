//! What a command knows of the process that it runs in, as an argument: tests own all of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;

use super::Failure;
use super::output::plain;
use crate::model::{Clock, SystemClock};

/// Standard streams, environment and time.
pub struct Process {
    /// Standard output: results only.
    pub out: Box<dyn Write + Send + Sync>,
    /// Standard error: everything else.
    pub err: Box<dyn Write + Send + Sync>,
    /// Standard input.
    pub input: Box<dyn Read + Send + Sync>,
    /// Whether a person is at the other end of standard input.
    pub attended: Attended,
    /// The environment variables.
    pub environment: Environment,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// Whether a person is at the other end of standard input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attended {
    /// It is a terminal.
    Yes,
    /// It is a file, a pipe or nothing.
    No,
}

impl Process {
    /// The real one.
    pub fn current() -> Self {
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            input: Box::new(io::stdin()),
            attended: if io::stdin().is_terminal() { Attended::Yes } else { Attended::No },
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Writes a result: `text`, and the line's end where it lacks one.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        write!(self.out, "{text}{end}")?;
        Ok(self.out.flush()?)
    }

    /// Tells a person something that is not the result.
    pub(super) fn note(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.err, "dockpass: {}", plain(text))?)
    }

    /// Asks a person to write `yes` to a deed that cannot be undone. Where nobody is there to answer, it is wrong usage.
    pub(super) fn confirm(&mut self, deed: &str) -> Result<(), Failure> {
        let deed = plain(deed);
        if self.attended == Attended::No {
            return Err(Failure::usage(format!(
                "nothing was changed: {deed} Standard input is no terminal, so nobody can be asked: --yes goes on without a question"
            )));
        }
        write!(self.err, "dockpass: {deed} Write `yes` to go on: ")?;
        self.err.flush()?;
        if self.input_line()? == "yes" {
            return Ok(());
        }
        Err(Failure::failed(
            "nothing was changed: the answer was not `yes` (--yes answers for you)",
        ))
    }

    /// The first line of standard input, without its end.
    pub(super) fn input_line(&mut self) -> Result<String, Failure> {
        const LONGEST: u64 = 64 * 1024;
        let mut text = String::new();
        io::BufRead::read_line(&mut io::BufReader::new((&mut self.input).take(LONGEST)), &mut text)
            .map_err(|error| Failure::failed(format!("cannot read standard input: {error}")))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Shows help, or what is wrong with the arguments; gives the exit code.
    pub(super) fn show_usage(&mut self, error: &clap::Error) -> u8 {
        let stream = if error.use_stderr() { &mut self.err } else { &mut self.out };
        let shown = write!(stream, "{}", error.render()).and_then(|()| stream.flush());
        match (error.exit_code(), shown) {
            (0, Ok(())) => 0,
            (0, Err(_)) => 1,
            _ => 2,
        }
    }

    /// Shows why a command failed; gives the exit code.
    pub(super) fn show_failure(&mut self, failure: &Failure) -> u8 {
        let text = failure.to_string();
        // INVARIANT: where standard error is gone there is nobody left to tell
        if !text.is_empty() && writeln!(self.err, "dockpass: {text}").is_err() {
            return 1;
        }
        failure.exit_code()
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Process(…)")
    }
}

/// Environment variables. It does not print: there are secrets among them.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The value of a variable; an empty one counts as absent.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
