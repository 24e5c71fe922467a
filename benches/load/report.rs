//! The result: for people as Markdown, for programs as JSON.

use serde_json::json;

use crate::goals::{self, Better};
use crate::job::Tally;
use crate::machine::State;
use crate::turns::{Effort, Measured};

impl Measured {
    /// The median of a figure of the server.
    pub(crate) fn server(&self, figure: impl Fn(&Tally) -> f64) -> f64 {
        median(self.pairs.iter().map(|(server, _)| figure(server)).collect())
    }

    /// The median of a figure of the echo.
    pub(crate) fn echo(&self, figure: impl Fn(&Tally) -> f64) -> f64 {
        median(self.pairs.iter().map(|(_, echo)| figure(echo)).collect())
    }

    pub(crate) fn throughput_ratio(&self) -> f64 {
        self.ratio(|tally| tally.per_second)
    }

    pub(crate) fn cpu_ratio(&self) -> f64 {
        self.ratio(|tally| tally.server_cpu)
    }

    pub(crate) fn p99_ratio(&self) -> f64 {
        self.ratio(|tally| micros(tally.p99))
    }

    /// The median of the pairs' ratios.
    fn ratio(&self, figure: impl Fn(&Tally) -> f64) -> f64 {
        median(self.pairs.iter().map(|(server, echo)| figure(server) / figure(echo)).collect())
    }
}

/// Prints the scenarios and the goals.
pub(crate) fn print(all: &[Measured], machine: &State, effort: Effort) {
    println!(
        "\n{} · {} cores, {} · load average {} · medians of {} pairs of {} ms\n",
        machine.time,
        machine.cores,
        machine.model,
        machine.load_average,
        effort.pairs,
        effort.measured_ms
    );
    println!(
        "| scenario | in flight | server/s | echo/s | ratio | p50 us | p99 us | p999 us | longest us | echo p99 us \
         | CPU s per 100,000 | echo's | ratio | other CPUs |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for measured in all {
        println!("{}", row(measured));
    }
    println!("\n| goal | must | aim | measured | reached |\n|---|---|---|---|---|");
    for goal in goals::reached(all) {
        let sign = if goal.better == Better::More { "≥" } else { "≤" };
        println!(
            "| {} | {sign} {} | {sign} {} | {:.2} | {} |",
            goal.what,
            goal.must,
            goal.aim,
            goal.measured,
            goal.verdict()
        );
    }
    if let Ok(fdatasync) = goals::fdatasync() {
        println!("\nOne fdatasync of a page: {fdatasync:.0} us (median of 200).");
    }
}

fn row(measured: &Measured) -> String {
    format!(
        "| {} | {} | {:.0} | {:.0} | {:.3} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} |",
        measured.scenario.name,
        measured.scenario.lanes.in_flight(),
        measured.server(|tally| tally.per_second),
        measured.echo(|tally| tally.per_second),
        measured.throughput_ratio(),
        measured.server(|tally| micros(tally.p50)),
        measured.server(|tally| micros(tally.p99)),
        measured.server(|tally| micros(tally.p999)),
        measured.server(|tally| micros(tally.longest)),
        measured.echo(|tally| micros(tally.p99)),
        measured.server(|tally| tally.server_cpu),
        measured.echo(|tally| tally.server_cpu),
        measured.cpu_ratio(),
        measured.server(|tally| tally.other_cpus),
    )
}

/// Writes everything that was measured to `load.json` in the build folder.
pub(crate) fn write_json(all: &[Measured], machine: &State) -> anyhow::Result<()> {
    let scenarios: Vec<_> = all
        .iter()
        .map(|measured| {
            let pairs = measured.pairs.iter();
            json!({
                "name": measured.scenario.name,
                "inFlight": measured.scenario.lanes.in_flight(),
                "tokens": measured.scenario.world.tokens,
                "pairs": pairs.map(|(server, echo)| json!({"server": server, "echo": echo})).collect::<Vec<_>>(),
            })
        })
        .collect();
    let goals: Vec<_> = goals::reached(all)
        .iter()
        .map(|goal| json!({"goal": goal.what, "must": goal.must, "aim": goal.aim, "measured": goal.measured}))
        .collect();
    let document = json!({"machine": machine, "scenarios": scenarios, "goals": goals});
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("load.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&document)?)?;
    println!("\nAll figures: {}", file.display());
    Ok(())
}

/// The middle of the sorted values; not a number when there are none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn micros(value: u64) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}
