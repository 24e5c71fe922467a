//! What `/proc` tells of the machine and of processes.

use anyhow::Context;
use serde::Serialize;

/// The machine when the benchmark began.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct State {
    pub(crate) time: String,
    pub(crate) cores: usize,
    pub(crate) model: String,
    pub(crate) load_average: String,
}

impl State {
    pub(crate) fn read() -> anyhow::Result<Self> {
        use dockpass::model::Clock;
        let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = std::fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            time: dockpass::model::SystemClock.now().to_string(),
            cores: std::thread::available_parallelism()?.get(),
            model: model.map_or("unknown", |(_, name)| name).to_owned(),
            load_average: load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
        })
    }
}

/// The resident memory of a process in KiB, now and at most so far.
pub(crate) fn memory(process: u32) -> anyhow::Result<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let of = |key: &str| -> anyhow::Result<u64> {
        let value = status.lines().find_map(|line| line.strip_prefix(key));
        Ok(value.context("no such memory")?.trim().trim_end_matches(" kB").parse()?)
    };
    Ok(Memory { now: of("VmRSS:")?, most: of("VmHWM:")? })
}

/// Resident memory in KiB.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) most: u64,
}
