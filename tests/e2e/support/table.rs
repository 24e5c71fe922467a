//! What each fault did to the requests of a load: one table for all tests of a run, which `tests/run` shows at its end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use tokio::time::Instant;

use super::{Sample, scratch};

const HEAD: [&str; 7] =
    ["fault", "lasted", "requests", "tried again", "failed, and why", "slowest", "recovered after"];

/// One fault, and how the requests ended that met it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) fault: String,
    /// From its beginning to its end.
    pub(crate) lasted: Duration,
    /// The requests that ended between its beginning and the recovery.
    pub(crate) samples: Vec<Sample>,
    /// From the end of the fault to the end of the last request that failed; zero where none did after.
    pub(crate) recovered_after: Duration,
}

impl Row {
    /// Of what met a fault that began and ended at these times.
    pub(crate) fn of(
        fault: String,
        (began, over): (Instant, Instant),
        samples: Vec<Sample>,
    ) -> Self {
        let failed = samples.iter().filter(|sample| sample.failure.is_some());
        let last = failed.map(|sample| sample.ended).max();
        Self {
            fault,
            lasted: over - began,
            recovered_after: last
                .map_or(Duration::ZERO, |last| last.saturating_duration_since(over)),
            samples,
        }
    }

    /// How many requests failed for each reason.
    pub(crate) fn failures(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for failure in self.samples.iter().filter_map(|sample| sample.failure.as_ref()) {
            *reasons.entry(failure.reason.as_str()).or_default() += 1;
        }
        reasons
    }

    /// Adds it to the table of the run.
    pub(crate) fn note(&self) {
        let (Some(lines), Some(table)) = (scratch("faults.tsv"), scratch("faults.txt")) else {
            return;
        };
        let mut file = File::options().create(true).append(true).open(&lines).unwrap();
        writeln!(file, "{}", self.cells().join("\t")).unwrap();
        let lines = std::fs::read_to_string(lines).unwrap();
        std::fs::write(table, format!("{}\n", render(&lines))).unwrap();
    }

    fn cells(&self) -> [String; 7] {
        let slowest = self.samples.iter().map(|sample| sample.ended - sample.began).max();
        let mut failed = String::new();
        for (reason, count) in self.failures() {
            write!(failed, "{}{count} {reason}", if failed.is_empty() { "" } else { ", " })
                .unwrap();
        }
        if failed.is_empty() {
            failed.push('0');
        }
        [
            self.fault.clone(),
            seconds(self.lasted),
            self.samples.len().to_string(),
            self.samples.iter().filter(|sample| sample.retried).count().to_string(),
            failed,
            seconds(slowest.unwrap_or_default()),
            seconds(self.recovered_after),
        ]
    }
}

fn render(lines: &str) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(HEAD);
    for line in lines.lines() {
        table.add_row(line.split('\t'));
    }
    for column in [1, 2, 3, 5, 6] {
        table.column_mut(column).unwrap().set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
