//! `dockpass audit verify`.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Failure, Process, archive};
use crate::audit::{Checkpoint, Finding, Hex, Report, read_export, verify};
use crate::cli::offline::ConfigArgs;
use crate::cli::output::{self, OutputArgs};

/// Follow the hash chain and name the first bad event
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass audit verify --config dockpass.toml\n  \
    dockpass audit verify --export trail.jsonl --checkpoint checkpoint.json\n\n\
    A checkpoint that was kept outside (from the log, say) shows for sure that nothing before it was cut off or made anew. \
    Without one, only damage before the last checkpoint in the trail is found. The exit code is 1 when the trail is damaged.")]
pub(in crate::cli) struct Verify {
    /// A checkpoint (JSON) that was kept outside of the store
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Verify this export instead of the store; no configuration is needed
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    #[serde(rename = "verified")]
    intact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(flatten)]
    report: Option<Read>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    events: u64,
    start: u64,
    last: u64,
    hash: Hex<32>,
    checkpoints: u64,
    covered: u64,
    keys: Vec<String>,
}

impl Verify {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let outside = self.checkpoint.as_deref().map(checkpoint).transpose()?;
        let outcome = match &self.export {
            Some(path) => {
                let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
                verify(read_export(BufReader::new(file)), outside.as_ref())
            }
            None => archive(&self.config).await?.verify(outside.as_ref()),
        };
        let verified = match outcome {
            Ok(report) => Verified { intact: true, problem: None, report: Some(report.into()) },
            Err(damaged @ Finding::Damaged { .. }) => {
                Verified { intact: false, problem: Some(damaged.to_string()), report: None }
            }
            Err(Finding::Unreadable(error)) => return Err(error.into()),
        };
        self.output.print(process, &verified, table)?;
        if verified.intact { Ok(()) } else { Err(Failure::Shown) }
    }
}

impl From<Report> for Read {
    fn from(report: Report) -> Self {
        Self {
            events: report.events,
            start: report.start,
            last: report.last,
            hash: Hex(report.hash),
            checkpoints: report.checkpoints,
            covered: report.covered,
            keys: report.keys.into_iter().collect(),
        }
    }
}

fn table(verified: &Verified) -> String {
    let Some(read) = &verified.report else {
        return format!("DAMAGED: {}", verified.problem.as_deref().unwrap_or_default());
    };
    output::fields([
        (
            "verified",
            Some(format!(
                "{} events, {} to {}",
                read.events,
                read.start.saturating_add(1),
                read.last
            )),
        ),
        ("checkpoints", Some(format!("{}, up to event {}", read.checkpoints, read.covered))),
        ("signed by", Some(read.keys.join(", ")).filter(|keys| !keys.is_empty())),
    ])
}

fn checkpoint(path: &Path) -> Result<Checkpoint, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::failed(format!("`{}` holds no checkpoint: {error}", path.display()))
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot read `{}`: {error}", path.display()))
}
