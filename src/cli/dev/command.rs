//! Runs a command of this program inside it, to show what an operator sees.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;

use super::Process;
use crate::cli::Attended;

/// Runs `dockpass ARGUMENTS` and gives what it prints.
///
/// # Errors
/// It fails; the error holds what it says.
pub(super) async fn output_of(process: &Process, arguments: &[&str]) -> anyhow::Result<String> {
    let (out, err) = (Captured::default(), Captured::default());
    let mut inner = Process {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        input: Box::new(io::empty()),
        attended: Attended::No,
        environment: process.environment.clone(),
        clock: Arc::clone(&process.clock),
    };
    let whole = std::iter::once("dockpass").chain(arguments.iter().copied());
    // boxed: a command that runs a command is a future that holds itself
    let run = Box::pin(crate::cli::exit_code(whole.map(Into::into), &mut inner));
    anyhow::ensure!(run.await == 0, "dockpass {}: {}", arguments.join(" "), err.text());
    Ok(out.text())
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
