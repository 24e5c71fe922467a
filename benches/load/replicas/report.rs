//! The table.

use serde_json::json;

use super::turn::{Measured, Site, Turn};

/// Prints a line for each site; medians of its turns.
pub(crate) fn print(all: &[Measured]) {
    println!(
        "\n| 256 in flight in all | issues/s | p99 ms | CPU s per 100,000: replicas | PostgreSQL | Redis \
         | bytes an issue: PostgreSQL's log | stored |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for measured in all {
        let of = |part: fn(&Turn) -> f64| measured.median(part);
        println!(
            "| {} | {:.0} | {:.1} | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} |",
            measured.name(),
            of(|turn| turn.per_second),
            of(|turn| turn.p99),
            of(|turn| turn.replica_cpu),
            of(|turn| turn.postgres_cpu),
            of(|turn| turn.redis_cpu),
            of(|turn| turn.log_bytes),
            of(|turn| turn.stored_bytes),
        );
    }
}

/// The same for the file.
pub(crate) fn json(all: &[Measured]) -> serde_json::Value {
    let line = |measured: &Measured| {
        let of = |part: fn(&Turn) -> f64| measured.median(part);
        json!({
            "site": measured.name(),
            "perSecond": of(|turn| turn.per_second),
            "p99Ms": of(|turn| turn.p99),
            "replicaCpu": of(|turn| turn.replica_cpu),
            "postgresCpu": of(|turn| turn.postgres_cpu),
            "redisCpu": of(|turn| turn.redis_cpu),
            "logBytes": of(|turn| turn.log_bytes),
            "storedBytes": of(|turn| turn.stored_bytes),
        })
    };
    all.iter().map(line).collect()
}

/// The throughput of one replica on PostgreSQL over that of one process on SQLite.
pub(crate) fn ratio(all: &[Measured]) -> Option<f64> {
    let of = |site| {
        let measured = all.iter().find(|measured| measured.site == site)?;
        Some(measured.median(|turn| turn.per_second))
    };
    Some(of(Site::Replicas(1))? / of(Site::Embedded)?)
}

impl Measured {
    fn name(&self) -> String {
        match self.site {
            Site::Embedded => "SQLite, 1 process".to_owned(),
            Site::Replicas(1) => "PostgreSQL, 1 replica".to_owned(),
            Site::Replicas(count) => format!("PostgreSQL, {count} replicas"),
        }
    }

    fn median(&self, part: fn(&Turn) -> f64) -> f64 {
        let mut values: Vec<f64> = self.turns.iter().map(part).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}
