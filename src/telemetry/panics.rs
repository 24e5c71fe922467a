//! What is logged of a panic: where, never what. Its message can hold anything that was being worked on, secrets too.

use std::panic::{self, PanicHookInfo};
use std::time::Duration;

use super::lines::Lines;

/// How long a panic waits until its line is written: it may be the last of the program.
const WRITTEN: Duration = Duration::from_millis(100);

/// Replaces the hook that prints the message of a panic.
pub(super) fn log_location_only(lines: Lines) {
    panic::set_hook(Box::new(move |panic| {
        log(panic);
        lines.flush(WRITTEN);
    }));
}

fn log(panic: &PanicHookInfo<'_>) {
    let (file, line) = panic.location().map_or(("unknown", 0), |at| (at.file(), at.line()));
    let thread = std::thread::current();
    tracing::error!(
        file,
        line,
        thread = thread.name().unwrap_or("unnamed"),
        "a bug: the program panicked here; its message is withheld, since it could hold a secret"
    );
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;

    use super::*;
    use crate::telemetry::tests::Lines;

    #[test]
    fn a_panic_is_logged_with_its_place_and_without_its_message() {
        let lines = Lines::default();
        let seen = lines.clone();
        // the hook is the process's: what other tests panic with meanwhile goes to the hook that was there before
        let before = panic::take_hook();
        let this = std::thread::current().id();
        panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == this { log(panic) } else { before(panic) }
        }));
        with_default(lines.subscriber(), || {
            let secret = "canary-in-a-panic".to_owned();
            assert!(panic::catch_unwind(|| panic!("cannot use {secret}")).is_err());
        });
        let text = seen.text();
        assert!(text.contains("panics.rs") && text.contains("panicked here"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
