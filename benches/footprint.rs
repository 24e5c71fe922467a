//! What an idle server costs with 10,000 scope maps and 100,000 tokens: the time to start, and resident memory.
//!
//! `cargo bench --bench footprint`. Printed, and written to `target/footprint.json` for the table of `benches/load`. The goals
//! are 2 s and 150 MiB, better 0.5 s and 80 MiB.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

#[path = "shared/configuration.rs"]
#[expect(dead_code, reason = "the load bench sets more")]
mod configuration;
#[path = "shared/issuer.rs"]
#[expect(dead_code, reason = "nobody calls: no tokens are signed")]
mod issuer;
#[path = "shared/policy.rs"]
mod policy;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use self::configuration::{Addresses, InFlight, Setting, Tls, Transport};
use self::issuer::Issuer;

const ROUNDS: usize = 5;
/// When it has nothing to do for this long, what only the start needed is given back.
const IDLE: Duration = Duration::from_secs(5);
const TOKENS: [usize; 3] = [10, 1_000, 100_000];

fn main() -> anyhow::Result<()> {
    println!("| tokens | start, median of {ROUNDS} | resident memory, idle for {IDLE:?} |");
    println!("|---|---|---|");
    let mut figures = serde_json::Map::new();
    for tokens in TOKENS {
        let folder = tempfile::tempdir()?;
        let (folder, addresses) = (folder.path(), Addresses::free()?);
        let (transport, in_flight) = (Transport::Plain, InFlight::Limited);
        Setting { addresses: &addresses, folder, data: folder, transport, in_flight, more: "" }
            .write(&Issuer::new()?, &Tls::new()?)?;
        let config = folder.join("dockpass.toml");
        policy::fill(&config, tokens)?;
        let round =
            |_| -> anyhow::Result<u128> { Ok(start(&config, addresses.ops)?.0.as_millis()) };
        let start_ms = median((0..ROUNDS).map(round).collect::<anyhow::Result<_>>()?);
        let (_, idle) = start(&config, addresses.ops)?;
        std::thread::sleep(IDLE);
        let memory = resident_kib(idle.0.id())? / 1024;
        println!("| {tokens} | {start_ms} ms | {memory} MiB |");
        let figure = json!({"startMs": start_ms, "memoryMib": memory});
        figures.insert(tokens.to_string(), figure);
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("footprint.json");
    Ok(std::fs::write(file, serde_json::to_vec_pretty(&figures)?)?)
}

/// Starts the server, and waits until it is ready.
fn start(config: &Path, ops: SocketAddr) -> anyhow::Result<(Duration, Server)> {
    let started = Instant::now();
    let mut server = Server(
        Command::new(env!("CARGO_BIN_EXE_dockpass"))
            .args(["serve", "--config"])
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?,
    );
    while !is_ready(ops) {
        anyhow::ensure!(
            started.elapsed() < Duration::from_mins(1),
            "the server is not ready in 60 s"
        );
        anyhow::ensure!(server.0.try_wait()?.is_none(), "the server ended");
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((started.elapsed(), server))
}

/// Ends with the round.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        debug_assert!(ended.is_ok(), "the server cannot be ended");
    }
}

fn is_ready(ops: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(ops) else { return false };
    let mut answer = String::new();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::File::open(format!("/proc/{pid}/status"))?;
    for line in BufReader::new(status).lines() {
        if let Some(value) = line?.strip_prefix("VmRSS:") {
            return Ok(value.trim().trim_end_matches(" kB").parse()?);
        }
    }
    Err(anyhow::anyhow!("no VmRSS")).context("cannot read the server's memory")
}

fn median(mut values: Vec<u128>) -> u128 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
