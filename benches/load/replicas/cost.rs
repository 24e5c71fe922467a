//! What processes use, from `/proc`.

use std::fs;

use anyhow::Context;

/// Clock ticks of a second, as Linux has them on every machine that dockpass runs on.
const TICKS: f64 = 100.0;

/// The CPU seconds of a process and of those that it started, also of those that have ended.
pub(crate) fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let mut ticks = Stat::of(process)?.all();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(other) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // one that ended between two looks is counted by its parent
        if let Ok(stat) = Stat::of(other)
            && stat.parent == process
        {
            ticks += stat.all();
        }
    }
    Ok(ticks / TICKS)
}

struct Stat {
    parent: u32,
    /// Own, in user and system mode, and of children that were waited for.
    ticks: [f64; 4],
}

impl Stat {
    fn of(process: u32) -> anyhow::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // the name stands in parentheses, and may hold anything
        let (_, rest) = text.rsplit_once(") ").context("no process name")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let field = |number: usize| fields.get(number - 3).context("a short line");
        let tick = |number| -> anyhow::Result<f64> { Ok(field(number)?.parse()?) };
        Ok(Self { parent: field(4)?.parse()?, ticks: [tick(14)?, tick(15)?, tick(16)?, tick(17)?] })
    }

    fn all(&self) -> f64 {
        self.ticks.iter().sum()
    }
}
