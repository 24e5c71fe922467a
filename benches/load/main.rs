//! The server under load beside a bare transport, in turns: `cargo bench --bench load -- [--quick] [NAME ..]`, where the names are
//! of scenarios (`scenario.rs`), `overload`, `replicas` or `update`. `--program=FILE` measures another build, and
//! `--program-without-audit=FILE` is what that is compared with.
//!
//! Server, echo and load generator are processes of their own, so that the CPU seconds of each are known. Printed, and
//! written to `target/load.json`; not asserted.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

mod changes;
#[path = "../shared/configuration.rs"]
mod configuration;
mod echo;
mod figures;
mod generate;
mod goals;
mod history;
#[path = "../shared/issuer.rs"]
mod issuer;
#[path = "../shared/jobs.rs"]
mod jobs;
mod machine;
mod overload;
#[path = "../shared/policy.rs"]
mod policy;
mod programs;
mod replicas;
mod report;
mod requests;
mod scenario;
mod server;
mod syscalls;
mod turns;
mod update;

use programs::Programs;
use scenario::Scenario;
use turns::{Bench, Effort};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((role, rest)) if role == echo::ROLE => echo::run(rest),
        Some((role, _)) if role == generate::ROLE => generate::run(),
        _ => compare(&Arguments(arguments)),
    }
}

/// Measures what was asked for: all, or what has an argument in its name.
fn compare(arguments: &Arguments) -> anyhow::Result<()> {
    let mut wanted = scenario::all();
    wanted.retain(|scenario| arguments.names(scenario.name));
    let parts = [overload::NAME, replicas::NAME, update::NAME].map(|part| arguments.names(part));
    anyhow::ensure!(
        !wanted.is_empty() || parts.contains(&true),
        "no scenario has such a name: {:?}",
        arguments.0
    );
    let programs = programs(arguments, &mut wanted)?;
    let machine = machine::State::read()?;
    let effort = if arguments.has("--quick") { Effort::QUICK } else { Effort::FULL };
    let bench = Bench::new(programs, effort)?;
    let measured = bench.measure(&wanted)?;
    let [overload, replicas, update] = parts;
    let result = report::Result {
        machine,
        effort,
        measured,
        overload: overload.then(|| overload::measure(&bench)).transpose()?,
        replicas: if replicas { replicas::measure(&bench)? } else { None },
        update: update.then(|| update::measure(&bench)).transpose()?,
    };
    report::print(&result);
    report::write_json(&result)
}

/// The builds to measure; scenarios of one that is not there are left out.
fn programs(arguments: &Arguments, wanted: &mut Vec<Scenario>) -> anyhow::Result<Programs> {
    let Some(given) = arguments.value("--program=") else {
        return Programs::of_this_source(wanted);
    };
    let programs = Programs::given(given, arguments.value("--program-without-audit="));
    wanted.retain(|scenario| {
        let has = programs.has(scenario.world.build);
        if !has {
            println!("Left out: {}, because no program without audit was given.", scenario.name);
        }
        has
    });
    Ok(programs)
}

struct Arguments(Vec<String>);

impl Arguments {
    fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|argument| argument == flag)
    }

    fn value(&self, flag: &str) -> Option<&str> {
        self.0.iter().find_map(|argument| argument.strip_prefix(flag))
    }

    /// True when `name` was asked for.
    fn names(&self, name: &str) -> bool {
        let mut names = self.0.iter().filter(|name| !name.starts_with("--")).peekable();
        names.peek().is_none() || names.any(|part| name.contains(part.as_str()))
    }
}
