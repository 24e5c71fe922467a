//! The load generator: one thread that keeps a fixed number of requests in flight, and measures.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::job::{Job, Protocol, Supply, Tally};
use crate::machine::{Interval, Sample};
use crate::{http1, http2};

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
    if supply == Supply::Endless {
        tokio::time::sleep(Duration::from_millis(warm_up)).await;
    }
    let before = Sample::take(server)?;
    shared.measuring.store(true, Ordering::Relaxed);
    match supply {
        Supply::Endless => tokio::time::sleep(Duration::from_millis(measured)).await,
        Supply::Once => join(&mut lanes).await?,
    }
    shared.measuring.store(false, Ordering::Relaxed);
    let interval = before.until(Sample::take(server)?);
    shared.stopping.store(true, Ordering::Relaxed);
    join(&mut lanes).await?;
    shared.tally(interval)
}

async fn join(lanes: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    Ok(())
}

/// What all lanes share.
pub(crate) struct Shared {
    pub(crate) job: Job,
    next: AtomicUsize,
    measuring: AtomicBool,
    stopping: AtomicBool,
    counts: Mutex<Counts>,
}

struct Counts {
    latencies: Histogram<u64>,
    failed: u64,
    failure: Option<String>,
}

impl Shared {
    fn new(job: Job) -> anyhow::Result<Self> {
        let latencies = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        Ok(Self {
            job,
            next: AtomicUsize::new(0),
            // what is used once is measured from the first
            measuring: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            counts: Mutex::new(Counts { latencies, failed: 0, failure: None }),
        })
    }

    /// The number of the next request; `None` when it is over.
    pub(crate) fn next(&self) -> Option<usize> {
        if self.stopping.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let used_up = number >= self.job.authorizations.len();
        (self.job.supply == Supply::Endless || !used_up).then_some(number)
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, begun: Instant, wrong: Option<String>) {
        let mut counts = self.counts.lock();
        if let Some(wrong) = wrong {
            counts.failed += 1;
            counts.failure.get_or_insert(wrong);
        } else if self.measuring.load(Ordering::Relaxed) {
            let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            counts.latencies.saturating_record(took);
        }
    }

    fn tally(&self, interval: Interval) -> anyhow::Result<Tally> {
        let counts = self.counts.lock();
        let completed = counts.latencies.len();
        anyhow::ensure!(completed > 0, "nothing was answered: {:?}", counts.failure);
        let requests = f64::from(u32::try_from(completed)?);
        Ok(Tally {
            completed,
            failed: counts.failed,
            failure: counts.failure.clone(),
            per_second: requests / interval.seconds,
            p50: counts.latencies.value_at_quantile(0.5),
            p99: counts.latencies.value_at_quantile(0.99),
            p999: counts.latencies.value_at_quantile(0.999),
            longest: counts.latencies.max(),
            server_cpu: interval.server / requests * 100_000.0,
            other_cpus: interval.other / interval.seconds,
        })
    }
}
