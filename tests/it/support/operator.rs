//! The program's command line, run in this process as an operator runs it.

use std::io::{Cursor, Write};
use std::process::ExitCode;
use std::sync::Arc;

use dockpass::cli::{self, Attended, Process};
use dockpass::model::ManualClock;
use serde_json::Value;

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// The JSON of a success.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

/// Somebody at a terminal, who answers every question with `yes`.
pub(crate) struct Operator {
    clock: ManualClock,
    server: String,
}

impl Operator {
    /// Of the broker at `server`, by the clock of its site.
    pub(crate) fn of(server: String, clock: &ManualClock) -> Self {
        Self { clock: clock.clone(), server }
    }

    /// Runs a line; words are separated by blanks, and joined by single or double quotes.
    pub(crate) async fn run(&self, line: &str) -> Outcome {
        self.run_as(Attended::Yes, line).await
    }

    /// The same, with nobody there to be asked.
    pub(crate) async fn run_unattended(&self, line: &str) -> Outcome {
        self.run_as(Attended::No, line).await
    }

    async fn run_as(&self, attended: Attended, line: &str) -> Outcome {
        let (out, err) = (Captured::default(), Captured::default());
        let mut process = Process {
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            input: Box::new(Cursor::new("yes\n")),
            attended,
            environment: [("DOCKPASS_SERVER".to_owned(), self.server.clone())]
                .into_iter()
                .collect(),
            clock: Arc::new(self.clock.clone()),
        };
        let words = words(line).into_iter().map(Into::into);
        let code = Box::pin(cli::run(words, &mut process)).await;
        // an exit code tells its number to nobody but the system, and by its equality
        let number = (0..=4).find(|number| ExitCode::from(*number) == code);
        Outcome { code: number.unwrap(), out: out.text(), err: err.text() }
    }
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => words.push(String::new()),
            (c, _) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A stream that is read afterwards.
#[derive(Clone, Default)]
struct Captured(Arc<parking_lot::Mutex<Vec<u8>>>);

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
