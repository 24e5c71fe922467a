//! The result: for people as Markdown, for programs as JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::generate::Tally;
use crate::goals::{self, Better, Goal};
use crate::machine::State;
use crate::overload::{Overload, Round};
use crate::turns::{Effort, Measured};
use crate::{figures, replicas};

/// All that was measured.
pub(crate) struct Result {
    pub(crate) machine: State,
    pub(crate) effort: Effort,
    pub(crate) measured: Vec<Measured>,
    pub(crate) overload: Option<Overload>,
    pub(crate) replicas: Option<Vec<replicas::Measured>>,
    /// Milliseconds.
    pub(crate) update: Option<f64>,
}

impl Result {
    /// The scenario of that name.
    pub(crate) fn of(&self, name: &str) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.scenario.name == name)
    }
}

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
pub(crate) fn print(result: &Result) {
    let Result { machine, effort, .. } = result;
    println!(
        "\n{} · {} cores, {} · load average {} · medians of {} pairs of {} ms",
        machine.time,
        machine.cores,
        machine.model,
        machine.load_average,
        effort.pairs,
        effort.measured_ms
    );
    print_scenarios(result);
    if let Some(overload) = &result.overload {
        print_overload(overload);
    }
    if let Some(replicas) = &result.replicas {
        replicas::print(replicas);
    }
    println!("\n| goal | must | aim | measured | reached |\n|---|---|---|---|---|");
    for goal in goals::all(result) {
        print_goal(&goal);
    }
    if let Ok(fdatasync) = goals::fdatasync() {
        println!("\nOne fdatasync of a page: {fdatasync:.0} us (median of 200).");
    }
}

fn print_scenarios(result: &Result) {
    if result.measured.is_empty() {
        return;
    }
    println!(
        "\n| scenario | in flight | server/s | echo/s | ratio | p50 us | p99 us | p999 us | longest us | echo p99 us | ratio \
         | CPU s per 100,000 | echo's | ratio | other CPUs | syscalls a request | allocations |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for measured in &result.measured {
        println!("{}", row(measured));
    }
    for measured in &result.measured {
        if let Some(changes) = measured.changes {
            println!("\n{}: {changes:.1} changes of policy a second.", measured.scenario.name);
        }
    }
    if result.measured.iter().all(|measured| measured.syscalls.is_none()) {
        println!("\nNeither `perf stat` nor `strace` may count system calls here.");
    }
}

fn row(measured: &Measured) -> String {
    let allocations = figures::allocations(measured.scenario.name);
    format!(
        "| {} | {} | {:.0} | {:.0} | {:.3} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {} |",
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
        measured.p99_ratio(),
        measured.server(|tally| tally.server_cpu),
        measured.echo(|tally| tally.server_cpu),
        measured.cpu_ratio(),
        measured.server(|tally| tally.other_cpus),
        measured.syscalls.map_or_else(String::new, |calls| format!("{calls:.2}")),
        allocations.map_or_else(String::new, |count| format!("{count:.0}")),
    )
}

fn print_overload(overload: &Overload) {
    let Overload { rounds, before, after } = overload;
    let median = |figure: fn(&Round) -> f64| overload.median(figure);
    let reasons: BTreeSet<_> =
        rounds.iter().flat_map(|round| &round.beyond.refused.reasons).collect();
    println!(
        "\nOverload: capacity {:.0}/s with p99 {:.0} us. Three times as many at once: {:.0}/s answered, {:.0}/s of them accepted \
         with p99 {:.0} us, longest {:.0} us; {:.0}% refused with {reasons:?}, p50 {:.0} us, p99 {:.0} us. Resident memory {} MiB before, \
         {} at most, {} after.",
        median(|round| round.capacity.per_second),
        median(|round| micros(round.capacity.p99)),
        median(Round::answers),
        median(|round| round.beyond.per_second),
        median(|round| micros(round.beyond.p99)),
        median(|round| micros(round.beyond.longest)),
        median(|round| 100.0 * round.refused()),
        median(|round| micros(round.beyond.refused.p50)),
        median(|round| micros(round.beyond.refused.p99)),
        before.now / 1024,
        after.most / 1024,
        after.now / 1024,
    );
}

fn print_goal(goal: &Goal) {
    let sign = if goal.better == Better::More { "≥" } else { "≤" };
    println!(
        "| {} | {sign} {} | {sign} {} | {} | {} |",
        goal.what,
        goal.must,
        goal.aim,
        goal.measured.map_or_else(String::new, |measured| format!("{measured:.2}")),
        goal.verdict()
    );
}

/// Writes everything that was measured to `load.json` in the build folder.
pub(crate) fn write_json(result: &Result) -> anyhow::Result<()> {
    let document = json!({
        "machine": result.machine,
        "scenarios": result.measured.iter().map(scenario).collect::<Vec<_>>(),
        "overload": result.overload,
        "replicas": result.replicas.as_deref().map(replicas::json),
        "updateMs": result.update,
        "goals": goals::all(result),
    });
    let file = figures::target().join("load.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&document)?)?;
    println!("\nAll figures: {}", file.display());
    Ok(())
}

fn scenario(measured: &Measured) -> Value {
    let pairs = measured.pairs.iter();
    json!({
        "name": measured.scenario.name,
        "inFlight": measured.scenario.lanes.in_flight(),
        "tokens": measured.scenario.world.tokens,
        "events": measured.scenario.world.events,
        "policyChangesASecond": measured.changes,
        "syscallsARequest": measured.syscalls,
        "pairs": pairs.map(|(server, echo)| json!({"server": server, "echo": echo})).collect::<Vec<_>>(),
    })
}

/// The middle of the sorted values; not a number when there are none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A count, to reckon with.
pub(crate) fn micros(value: u64) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}
