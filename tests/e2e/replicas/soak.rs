//! Mixed load for a time: no error, and neither memory nor open files grow.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::support::{Load, Replica, Replicas, Row};

/// As long as this, unless `DOCKPASS_TEST_SOAK_SECONDS` says otherwise.
const LASTS: Duration = Duration::from_mins(1);
/// What memory may grow by between the middle and the end: caches fill.
const MEMORY: f64 = 1.08;
/// What open files may: connections come and go.
const FILES: f64 = 1.2;

#[tokio::test(flavor = "multi_thread")]
async fn soak_memory_and_open_files_stay_flat() {
    let replicas = Replicas::start().await;
    let load = Load::on(&replicas);
    let began = Instant::now();
    let mut uses: Vec<Vec<Use>> = vec![Vec::new(); replicas.all.len()];
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while began.elapsed() < lasts() {
        ticks.tick().await;
        for (uses, replica) in uses.iter_mut().zip(&replicas.all) {
            uses.push(Use::of(replica));
        }
    }
    let record = load.stop().await;
    let fault = "none: the soak".to_owned();
    let row = Row::of(fault, (began, Instant::now()), record.since(began));
    row.note();
    assert!(row.failures().is_empty(), "{:?}", row.failures());
    for (number, uses) in uses.iter().enumerate() {
        assert_flat(&format!("memory of replica {number}"), uses, |used| used.memory, MEMORY);
        assert_flat(&format!("open files of replica {number}"), uses, |used| used.files, FILES);
    }
    replicas.verify().await;
}

/// How long it lasts.
fn lasts() -> Duration {
    let seconds = std::env::var_os("DOCKPASS_TEST_SOAK_SECONDS");
    seconds.map_or(LASTS, |seconds| Duration::from_secs(seconds.to_str().unwrap().parse().unwrap()))
}

/// What a process uses at a time.
#[derive(Clone, Copy, Debug)]
struct Use {
    /// Its resident memory in KiB.
    memory: u32,
    files: u32,
}

impl Use {
    fn of(replica: &Replica) -> Self {
        let process = format!("/proc/{}", replica.broker.pid().as_raw_nonzero());
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let memory = memory.trim().trim_end_matches(" kB").parse().unwrap();
        let files = std::fs::read_dir(format!("{process}/fd")).unwrap().count();
        Self { memory, files: files.try_into().unwrap() }
    }
}

/// The mean of the last third is hardly more than that of the third before.
fn assert_flat(what: &str, uses: &[Use], of: impl Fn(&Use) -> u32, growth: f64) {
    let third = uses.len() / 3;
    let mean = |uses: &[Use]| {
        let sum: f64 = uses.iter().map(|used| f64::from(of(used))).sum();
        sum / f64::from(u32::try_from(uses.len()).unwrap())
    };
    let (middle, last) = (mean(&uses[third..2 * third]), mean(&uses[2 * third..]));
    assert!(last <= middle * growth, "{what} grew from {middle:.0} to {last:.0}: {uses:?}");
}
