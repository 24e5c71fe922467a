//! The load generator: one thread that asks, and measures.

mod connect;
mod counts;
mod http1;
mod http2;
mod job;
mod sample;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use self::counts::{Answer, Counts};
use self::sample::Sample;

pub(crate) use self::job::{Expected, Hpack, Job, Lanes, Protocol, Supply, Tally};

/// The argument that makes this program the generator: a [`Job`] on standard input, a [`Tally`] on standard output.
pub(crate) const ROLE: &str = "role-generate";

/// Measures in a process of its own.
pub(crate) fn measure(job: &Job) -> anyhow::Result<Tally> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(ROLE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let input = child.stdin.take().context("no standard input")?;
    serde_json::to_writer(std::io::BufWriter::new(input), job)?;
    let output = child.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "the load generator failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The generator itself.
pub(crate) fn run() -> anyhow::Result<()> {
    let job: Job = serde_json::from_reader(std::io::stdin().lock())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tally = runtime.block_on(generate(job))?;
    serde_json::to_writer(std::io::stdout().lock(), &tally)?;
    Ok(())
}

async fn generate(job: Job) -> anyhow::Result<Tally> {
    let (warm_up, measured) = (job.warm_up_ms, job.measured_ms);
    let (supply, server) = (job.supply, job.server);
    let shared = Arc::new(Shared::new(job)?);
    let mut lanes = JoinSet::new();
    match &shared.job.protocol {
        Protocol::Grpc { .. } => http2::open(&shared, &mut lanes).await?,
        Protocol::Get { .. } => http1::open(&shared, &mut lanes).await?,
    }
    if supply != Supply::Once {
        tokio::time::sleep(Duration::from_millis(warm_up)).await;
    }
    let before = Sample::take(server)?;
    shared.measuring.store(true, Ordering::Relaxed);
    match supply {
        Supply::Once => join(&mut lanes).await?,
        Supply::Endless => tokio::time::sleep(Duration::from_millis(measured)).await,
    }
    shared.measuring.store(false, Ordering::Relaxed);
    let interval = before.until(Sample::take(server)?);
    shared.stopping.store(true, Ordering::Relaxed);
    join(&mut lanes).await?;
    shared.counts.lock().tally(interval)
}

async fn join(lanes: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    Ok(())
}

/// What all lanes share.
struct Shared {
    job: Job,
    next: AtomicUsize,
    measuring: AtomicBool,
    stopping: AtomicBool,
    counts: Mutex<Counts>,
}

impl Shared {
    fn new(job: Job) -> anyhow::Result<Self> {
        Ok(Self {
            job,
            next: AtomicUsize::new(0),
            measuring: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            counts: Mutex::new(Counts::new()?),
        })
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The caller of the next request on a connection; `None` when it is over.
    fn next_caller(&self, connection: usize) -> Option<usize> {
        if self.stopping() {
            return None;
        }
        if self.job.supply != Supply::Once {
            return Some(connection);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.job.authorizations.len()).then_some(number)
    }

    /// Counts an answer.
    fn answered(&self, begun: Instant, answer: Answer) {
        let measured = self.measuring.load(Ordering::Relaxed).then(|| begun.elapsed());
        self.counts.lock().add(measured, answer);
    }
}
