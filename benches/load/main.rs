//! The server under load beside a bare transport, in turns: `cargo bench --bench load -- [--quick] [NAME ..]`, and
//! `--program=FILE` for another build of it.
//!
//! Server, echo and load generator are processes of their own, so that the CPU seconds of each are known. Printed, and
//! written to `target/load.json`; not asserted.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

mod echo;
mod generator;
mod goals;
mod http1;
mod http2;
mod issuer;
mod job;
mod machine;
mod policy;
mod report;
mod scenario;
mod server;
mod turns;

use std::path::Path;

use anyhow::bail;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(echo::ROLE) => echo::run(),
        Some(generator::ROLE) => generator::run(),
        _ => compare(&arguments),
    }
}

/// Measures the scenarios that were asked for: all, or those whose name contains an argument.
fn compare(arguments: &[String]) -> anyhow::Result<()> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let names: Vec<&String> = arguments.iter().filter(|name| !name.starts_with("--")).collect();
    let wanted: Vec<_> = scenario::all()
        .into_iter()
        .filter(|scenario| {
            names.is_empty() || names.iter().any(|name| scenario.name.contains(*name))
        })
        .collect();
    if wanted.is_empty() {
        bail!("no scenario is called so: {names:?}");
    }
    let effort = if quick { turns::Effort::QUICK } else { turns::Effort::FULL };
    let before = machine::State::read()?;
    let other = arguments.iter().find_map(|argument| argument.strip_prefix("--program="));
    let program = Path::new(other.unwrap_or(env!("CARGO_BIN_EXE_dockpass")));
    let measured = turns::measure(program, &wanted, effort)?;
    report::print(&measured, &before, effort);
    report::write_json(&measured, &before)
}
