//! What the server allocates for one request in the steady state, all its threads and its audit counted.
//!
//! `cargo bench --bench allocations`. Printed, and written to `target/allocations.json` for the table of `benches/load`.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

#[path = "shared/configuration.rs"]
#[expect(dead_code, reason = "the load bench sets more")]
mod configuration;
#[path = "load/generate/mod.rs"]
mod generate;
#[path = "shared/issuer.rs"]
mod issuer;
#[path = "shared/policy.rs"]
mod policy;
#[path = "load/requests.rs"]
#[expect(dead_code, reason = "the load bench asks for more")]
mod requests;

use std::alloc::System;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use dockpass::app;
use dockpass::cli::{self, Process};
use serde::Serialize;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use self::configuration::{Addresses, InFlight, Setting, Tls, Transport};
use self::generate::{Hpack, Job, Lanes, Supply};
use self::issuer::Issuer;
use self::requests::Ask;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The argument that makes this program the server.
const SERVE: &str = "serve";
const TOKENS: usize = 1_000;
/// The scenarios, by their names in `benches/load`.
const SCENARIOS: [(&str, Ask); 6] = [
    ("issue", Ask::Issue),
    ("bearer", Ask::Bearer),
    ("exchange", Ask::Exchange),
    ("check", Ask::Check),
    ("refused", Ask::Refused),
    ("forged", Ask::Forged),
];

fn main() -> anyhow::Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some(SERVE) => serve(),
        Some(generate::ROLE) => generate::run().map(|()| ExitCode::SUCCESS),
        _ => measure().map(|()| ExitCode::SUCCESS),
    }
}

/// The program itself; for each line that it is sent it tells what it allocated so far.
fn serve() -> anyhow::Result<ExitCode> {
    std::thread::spawn(|| {
        for _ in std::io::stdin().lines() {
            let stats = ALLOCATOR.stats();
            println!("{} {}", stats.allocations + stats.reallocations, stats.bytes_allocated);
        }
    });
    let runtime = app::runtime()?;
    Ok(runtime.block_on(cli::run(std::env::args_os(), &mut Process::current())))
}

fn measure() -> anyhow::Result<()> {
    let issuer = Issuer::new()?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let addresses = Addresses::free()?;
    let mut server = Server::start(folder.path(), &issuer, &addresses)?;
    let mut figures = serde_json::Map::new();
    println!("| scenario | allocations a request | bytes |\n|---|---|---|");
    for (name, ask) in SCENARIOS {
        let job = job(ask, &issuer, &addresses, server.process.id())?;
        // what is made once, such as the first verdict on a token, is made by now
        generate::measure(&job)?;
        let before = server.allocated()?;
        let tally = generate::measure(&job)?;
        anyhow::ensure!(tally.failed == 0, "{} failed: {:?}", tally.failed, tally.failure);
        let figure = server.allocated()?.since(&before, tally.completed)?;
        println!("| {name} | {:.1} | {:.0} |", figure.allocations, figure.bytes);
        figures.insert(name.to_owned(), serde_json::to_value(figure)?);
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("allocations.json");
    Ok(std::fs::write(file, serde_json::to_vec_pretty(&figures)?)?)
}

fn job(ask: Ask, issuer: &Issuer, addresses: &Addresses, server: u32) -> anyhow::Result<Job> {
    let (target, lanes) = match ask {
        Ask::Exchange => (addresses.http, Lanes { connections: 64, streams: 1 }),
        _ => (addresses.grpc, Lanes { connections: 4, streams: 64 }),
    };
    Ok(Job {
        target,
        certificate: None,
        server,
        protocol: requests::protocol(ask, Hpack::Huffman),
        authorizations: requests::authorizations(ask, 0, issuer, addresses.grpc)?,
        supply: Supply::Endless,
        lanes,
        warm_up_ms: 0,
        measured_ms: 1_000,
    })
}

/// This program as the server.
struct Server {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(folder: &Path, issuer: &Issuer, addresses: &Addresses) -> anyhow::Result<Self> {
        let (transport, in_flight) = (Transport::Plain, InFlight::Unlimited);
        Setting { addresses, folder, data: folder, transport, in_flight, more: "" }
            .write(issuer, &Tls::new()?)?;
        let config = folder.join("dockpass.toml");
        policy::fill(&config, TOKENS)?;
        let mut process = Command::new(std::env::current_exe()?)
            .args([SERVE, "--config"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = process.stdin.take().context("no standard input")?;
        let output = BufReader::new(process.stdout.take().context("no standard output")?);
        let server = Self { process, input, output };
        let started = Instant::now();
        while TcpStream::connect(addresses.ops).is_err() {
            anyhow::ensure!(started.elapsed() < Duration::from_mins(1), "it does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    fn allocated(&mut self) -> anyhow::Result<Allocated> {
        writeln!(self.input)?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let (allocations, bytes) = line.trim().split_once(' ').context("no figures")?;
        Ok(Allocated { allocations: allocations.parse()?, bytes: bytes.parse()? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        debug_assert!(ended.is_ok(), "the server cannot be ended");
    }
}

/// So many calls of the allocator, for so many bytes; reallocations count as well.
#[derive(Serialize)]
struct Allocated {
    allocations: f64,
    bytes: f64,
}

impl Allocated {
    /// What one of so many requests took since.
    fn since(&self, before: &Self, requests: u64) -> anyhow::Result<Self> {
        let requests = f64::from(u32::try_from(requests)?);
        Ok(Self {
            allocations: (self.allocations - before.allocations) / requests,
            bytes: (self.bytes - before.bytes) / requests,
        })
    }
}
