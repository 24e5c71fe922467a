//! What is logged of a panic: where, never what. Its message can hold anything that was being worked on, secrets too.

use std::panic::{self, PanicHookInfo};

/// Replaces the hook that prints the message of a panic.
pub(super) fn log_location_only() {
    panic::set_hook(Box::new(|panic| log(panic)));
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
