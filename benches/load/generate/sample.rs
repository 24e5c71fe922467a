//! CPU time, as `/proc` tells it.

use std::time::Instant;

use anyhow::Context;

/// Ticks of `/proc` in a second: 100 on every Linux that this runs on.
const TICKS: f64 = 100.0;

/// The CPU time of a process and of the machine, at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    at: Instant,
    server: f64,
    generator: f64,
    machine: f64,
}

/// What happened between two samples, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) seconds: f64,
    pub(super) server: f64,
    pub(super) other: f64,
}

impl Sample {
    /// Reads it for the process of a server, and for this one.
    pub(super) fn take(server: u32) -> anyhow::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            server: process(server)?,
            generator: process(std::process::id())?,
            machine: busy()?,
        })
    }

    /// What happened since.
    pub(super) fn until(self, later: Self) -> Interval {
        let server = later.server - self.server;
        let generator = later.generator - self.generator;
        Interval {
            seconds: later.at.duration_since(self.at).as_secs_f64(),
            server,
            other: (later.machine - self.machine - server - generator).max(0.0),
        }
    }
}

/// The CPU seconds of a process: fields 14 and 15 of `proc_pid_stat(5)`, counted after the name, which may hold blanks.
fn process(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
    sum(fields.split_whitespace().skip(11).take(2))
}

/// The CPU seconds that the machine was not idle: user, nice, system, irq, softirq, steal.
fn busy() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let fields: Vec<&str> = line.split_whitespace().skip(1).collect();
    let not_idle = fields.iter().enumerate().filter(|(index, _)| !matches!(index, 3 | 4 | 8..));
    sum(not_idle.map(|(_, field)| *field))
}

fn sum<'a>(ticks: impl Iterator<Item = &'a str>) -> anyhow::Result<f64> {
    let mut total = 0.0;
    for field in ticks {
        total += field.parse::<f64>()?;
    }
    Ok(total / TICKS)
}
