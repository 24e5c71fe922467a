//! `dockpass audit prune`.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::{Failure, Process};
use crate::audit::{Archive, Places};
use crate::cli::confirm::ConfirmArgs;
use crate::cli::offline::{self, ConfigArgs};
use crate::cli::output::OutputArgs;
use crate::cli::policy_change::actor;

/// Delete old events, which works on a full disk too
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass audit export --file trail.jsonl\n  \
    dockpass audit prune --before 2026-01-01T00:00:00Z --yes\n\n\
    Export first. What is left verifies: a signed record says where the chain starts, and the deletion is an event itself. \
    Events after the last checkpoint stay.")]
pub(in crate::cli) struct Prune {
    /// Delete events from before this time
    #[arg(long, value_name = "TIME")]
    before: Timestamp,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
struct Deleted {
    events: u64,
    claims: u64,
    start: Places,
}

impl Prune {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config = self.config.load()?;
        let archive = Archive::open(&offline::existing_store(&config).await?);
        let deed = format!("events from before {} are deleted for ever.", self.before);
        self.confirm.ask(&deed, process)?;
        let (key_file, clock) = (&config.keys.audit_key_file, process.clock.as_ref());
        let pruned = archive.prune(self.before, &actor(), key_file, clock).await?;
        let deleted = Deleted { events: pruned.events, claims: pruned.claims, start: pruned.start };
        self.output.print(process, &deleted, |Deleted { events, start, .. }| {
            let start = match start.alone() {
                Some(start) => format!("the chain starts after event {start}"),
                None => format!("the chains start after events {start} (chain:event)"),
            };
            format!("deleted {events} events; {start}")
        })
    }
}
