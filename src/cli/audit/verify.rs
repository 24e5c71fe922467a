//! `dockpass audit verify`.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Failure, Process, archive};
use crate::audit::{ChainReport, Checkpoint, Finding, Hex, Report, read_export, verify};
use crate::cli::api::{Api, ApiOrFilesArgs, Place};
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::pb;

/// Follow the hash chains and name the first bad event
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
    /// The only chain; absent when there are several.
    #[serde(flatten)]
    only: Option<Stretch>,
    /// How many there are; only where the store is read here.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoints: Option<u64>,
    keys: Vec<String>,
    chains: Vec<ReadChain>,
}

#[derive(Serialize)]
struct ReadChain {
    chain: u32,
    events: u64,
    #[serde(flatten)]
    stretch: Stretch,
}

/// What was read of a chain.
#[derive(Clone, Serialize)]
struct Stretch {
    start: u64,
    last: u64,
    hash: String,
    covered: u64,
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
    let chains = answer.chains.into_iter().map(ReadChain::from).collect();
    let read = Read::new(answer.events, None, answer.keys, chains);
    Ok(Verified { intact: true, problem: None, report: Some(read) })
}

impl Read {
    fn new(
        events: u64,
        checkpoints: Option<u64>,
        keys: Vec<String>,
        chains: Vec<ReadChain>,
    ) -> Self {
        let only = match chains.as_slice() {
            [only] => Some(only.stretch.clone()),
            _ => None,
        };
        Self { events, only, checkpoints, keys, chains }
    }
}

impl From<Report> for Read {
    fn from(report: Report) -> Self {
        let chains = report.chains.into_iter().map(ReadChain::from).collect();
        let keys = report.keys.into_iter().collect();
        Self::new(report.events, Some(report.checkpoints), keys, chains)
    }
}

impl From<ChainReport> for ReadChain {
    fn from(report: ChainReport) -> Self {
        let ChainReport { chain, events, start, last, hash, covered } = report;
        let stretch = Stretch { start, last, hash: Hex(hash).to_string(), covered };
        Self { chain: chain.0, events, stretch }
    }
}

impl From<pb::VerifiedChain> for ReadChain {
    fn from(read: pb::VerifiedChain) -> Self {
        let pb::VerifiedChain {
            chain,
            events,
            start_sequence,
            last_sequence,
            hash,
            covered_sequence,
        } = read;
        let (start, last, covered) = (start_sequence, last_sequence, covered_sequence);
        Self { chain, events, stretch: Stretch { start, last, hash, covered } }
    }
}

fn table(verified: &Verified) -> String {
    let Some(read) = &verified.report else {
        return format!("DAMAGED: {}", verified.problem.as_deref().unwrap_or_default());
    };
    let signers = Some(read.keys.join(", ")).filter(|keys| !keys.is_empty());
    let Some(only) = &read.only else {
        let all = format!("{} events of {} chains", read.events, read.chains.len());
        let checkpoints = read.checkpoints.map(|count| count.to_string());
        let fields =
            [("verified", Some(all)), ("checkpoints", checkpoints), ("signed by", signers)];
        let head = ["chain", "events", "from", "to", "covered up to"];
        let rows = read.chains.iter().map(ReadChain::row);
        return format!("{}\n\n{}", output::fields(fields), output::table(head, rows));
    };
    let first = only.start.saturating_add(1);
    let checkpoints = match read.checkpoints {
        Some(count) => format!("{count}, up to event {}", only.covered),
        None => format!("up to event {}", only.covered),
    };
    output::fields([
        ("verified", Some(format!("{} events, {first} to {}", read.events, only.last))),
        ("checkpoints", Some(checkpoints)),
        ("signed by", signers),
    ])
}

impl ReadChain {
    fn row(&self) -> [String; 5] {
        let Stretch { start, last, covered, .. } = self.stretch;
        let numbers = [self.chain.into(), self.events, start.saturating_add(1), last, covered];
        numbers.map(|number| number.to_string())
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
