//! `dockpass audit verify`.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Failure, Process, archive};
use crate::audit::{Checkpoint, Finding, Hex, Report, read_export, verify};
use crate::cli::api::{Api, ApiOrFilesArgs, Place};
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::pb;

/// Follow the hash chain and name the first bad event
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass audit verify\n  \
    dockpass audit verify --config dockpass.toml\n  \
    dockpass audit verify --export trail.jsonl --checkpoint checkpoint.json\n\n\
    A checkpoint that was kept outside (from the log, say) shows for sure that nothing before it was cut off or made anew. \
    Without one, only damage before the last checkpoint in the trail is found. The exit code is 1 when the trail is damaged.")]
pub(in crate::cli) struct Verify {
    /// A checkpoint (JSON) that was kept outside of the store
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Verify this export; no broker and no configuration are needed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "server"])]
    export: Option<PathBuf>,
    #[command(flatten)]
    place: ApiOrFilesArgs,
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
    hash: String,
    /// How many there are; only where the files are read here.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoints: Option<u64>,
    covered: u64,
    keys: Vec<String>,
}

impl Verify {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let verified = self.verify(process).await?;
        self.output.print(process, &verified, table)?;
        if verified.intact { Ok(()) } else { Err(Failure::Shown) }
    }

    async fn verify(&self, process: &mut Process) -> Result<Verified, Failure> {
        let outside = self.checkpoint.as_deref().map(checkpoint).transpose()?;
        let outcome = match &self.export {
            Some(path) => {
                let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
                verify(read_export(BufReader::new(file)), outside.as_ref())
            }
            None => match self.place.place(process).await? {
                Place::Files(files) => archive(&files).await?.verify(outside.as_ref()),
                Place::Api(api) => return ask(&api, outside.as_ref()).await,
            },
        };
        match outcome {
            Ok(report) => Ok(Verified { intact: true, problem: None, report: Some(report.into()) }),
            Err(damaged @ Finding::Damaged { .. }) => {
                Ok(Verified { intact: false, problem: Some(damaged.to_string()), report: None })
            }
            Err(Finding::Unreadable(error)) => Err(error.into()),
        }
    }
}

/// Lets the broker verify its own trail.
async fn ask(api: &Api, outside: Option<&Checkpoint>) -> Result<Verified, Failure> {
    let checkpoint = outside.map(serde_json::to_string).transpose();
    let checkpoint = checkpoint.map_err(|error| Failure::failed(error.to_string()))?;
    let request = pb::VerifyAuditLogRequest { checkpoint: checkpoint.unwrap_or_default() };
    let answer = api.audit().verify_audit_log(request).await.map_err(Refusal::from)?.into_inner();
    if !answer.intact {
        return Ok(Verified { intact: false, problem: Some(answer.finding), report: None });
    }
    let read = Read {
        events: answer.events,
        start: answer.start_sequence,
        last: answer.last_sequence,
        hash: answer.hash,
        checkpoints: None,
        covered: answer.covered_sequence,
        keys: answer.keys,
    };
    Ok(Verified { intact: true, problem: None, report: Some(read) })
}

impl From<Report> for Read {
    fn from(report: Report) -> Self {
        Self {
            events: report.events,
            start: report.start,
            last: report.last,
            hash: Hex(report.hash).to_string(),
            checkpoints: Some(report.checkpoints),
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
        ("checkpoints", Some(checkpoints(read))),
        ("signed by", Some(read.keys.join(", ")).filter(|keys| !keys.is_empty())),
    ])
}

fn checkpoints(read: &Read) -> String {
    match read.checkpoints {
        Some(count) => format!("{count}, up to event {}", read.covered),
        None => format!("up to event {}", read.covered),
    }
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
