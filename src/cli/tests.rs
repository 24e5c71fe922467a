//! The program as a user meets it: arguments in, streams and exit code out.

mod audit;
mod broker;
mod chains;
mod dev;
mod issue;
mod login;
mod offline;
mod readme;
mod usage;

use std::io::{Cursor, Write};
use std::sync::Arc;

use parking_lot::Mutex;

use super::*;
use crate::model::ManualClock;

/// What a run of the program left behind.
#[derive(Debug)]
struct Outcome {
    code: u8,
    out: String,
    err: String,
}

/// A stream that is read afterwards.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

/// Runs `dockpass` with arguments that hold no blanks. Nobody is there to be asked.
async fn dockpass(arguments: &str, environment: &[(&str, &str)], input: &str) -> Outcome {
    dockpass_by(Attended::No, arguments, environment, input).await
}

/// The same with somebody at the terminal, or nobody.
async fn dockpass_by(
    attended: Attended,
    arguments: &str,
    environment: &[(&str, &str)],
    input: &str,
) -> Outcome {
    let (out, err) = (Captured::default(), Captured::default());
    let mut process = Process {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        input: Box::new(Cursor::new(input.to_owned())),
        attended,
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        clock: Arc::new(ManualClock::at("2026-08-01T12:00:00Z".parse().unwrap())),
    };
    let arguments = std::iter::once("dockpass").chain(arguments.split_whitespace());
    let code = exit_code(arguments.map(OsString::from), &mut process).await;
    Outcome { code, out: out.text(), err: err.text() }
}
