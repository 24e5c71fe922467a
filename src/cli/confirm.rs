//! A question before what cannot be undone.

use clap::Args;

use super::{Failure, Process};

/// Whether a person is asked first.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct ConfirmArgs {
    /// Do it without asking
    #[arg(long, short)]
    yes: bool,
}

impl ConfirmArgs {
    /// Asks whether to go on, unless `--yes` was given; `deed` says what would be done.
    pub(super) fn ask(self, deed: &str, process: &mut Process) -> Result<(), Failure> {
        if self.yes { Ok(()) } else { process.confirm(deed) }
    }
}
