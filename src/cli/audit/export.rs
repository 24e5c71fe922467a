//! `dockpass audit export`.

use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, Process, archive};
use crate::audit::Disclosure;
use crate::cli::offline::ConfigArgs;

/// Write the trail as JSON lines that verify without the store
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass audit export > trail.jsonl\n  \
    dockpass audit export --redact --file for-the-auditor.jsonl")]
pub(in crate::cli) struct Export {
    /// Leave out who called (identity, claims, address), but not which operator changed what; it verifies all the same
    #[arg(long)]
    redact: bool,
    /// Write into this new file, which only its owner can read [default: standard output]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

impl Export {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let archive = archive(&self.config).await?;
        let disclosure = if self.redact { Disclosure::Redacted } else { Disclosure::Full };
        let events = match &self.file {
            Some(path) => archive.export(&mut BufWriter::new(create(path)?), disclosure)?,
            None => archive.export(&mut BufWriter::new(&mut process.out), disclosure)?,
        };
        process.note(&format!("wrote {events} events"))
    }
}

fn create(path: &Path) -> Result<std::fs::File, Failure> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| Failure::failed(format!("cannot make `{}`: {error}", path.display())))
}
