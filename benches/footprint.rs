//! What an idle server costs with 10,000 scope maps and 100,000 tokens: the time to start, and resident memory.
//!
//! Printed, not asserted: `cargo bench --bench footprint`. The goals are 2 s and 150 MiB, better 0.5 s and 80 MiB.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use dockpass::audit::{Event, Journal, Kind};
use dockpass::config::Config;
use dockpass::model::{Clock, DecisionId, Definitions, SystemClock, TokenUid};
use dockpass::policy::PolicyFile;
use dockpass::store::Store;

const ROUNDS: usize = 5;
const SIZES: [(usize, usize); 3] = [(1, 10), (100, 1_000), (10_000, 100_000)];

fn main() -> anyhow::Result<()> {
    println!("| scope maps | tokens | start, median of {ROUNDS} | resident memory, median |");
    println!("|---|---|---|---|");
    for (scope_maps, tokens) in SIZES {
        let folder = tempfile::tempdir()?;
        let addresses = Addresses::free()?;
        let config = folder.path().join("dockpass.toml");
        std::fs::write(&config, configuration(&addresses))?;
        fill(&config, scope_maps, tokens)?;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(measure(&config, addresses.ops)?);
        }
        let start = median(rounds.iter().map(|(start, _)| start.as_millis()).collect());
        let memory = median(rounds.iter().map(|(_, kib)| u128::from(*kib)).collect());
        println!("| {scope_maps} | {tokens} | {start} ms | {} MiB |", memory / 1024);
    }
    Ok(())
}

struct Addresses {
    grpc: SocketAddr,
    http: SocketAddr,
    ops: SocketAddr,
}

impl Addresses {
    fn free() -> anyhow::Result<Self> {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
        let [grpc, http, ops] = listeners.map(|listener| listener.and_then(|l| l.local_addr()));
        Ok(Self { grpc: grpc?, http: http?, ops: ops? })
    }
}

fn configuration(addresses: &Addresses) -> String {
    let Addresses { grpc, http, ops } = addresses;
    format!(
        r#"
grpc.listen = "{grpc}"
ops.listen = "{ops}"
[http]
listen = "{http}"
external_url = "http://localhost:{port}"
[[issuers]]
issuer = "https://ci.example.com"
audience = "https://dockpass.example.com"
[[registries]]
name = "local"
host = "localhost:5000"
driver = "distribution"
service = "localhost:5000"
token_issuer = "dockpass"
"#,
        port = http.port()
    )
}

/// Writes the definitions into the store, as `dockpass policy apply` does.
fn fill(config: &Path, scope_maps: usize, tokens: usize) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    let file = PolicyFile::parse(&policy(scope_maps, tokens))?;
    let now = SystemClock.now();
    let mut new_uid = || TokenUid::new(now);
    let definitions = file.onto(&Definitions::default(), now, "benchmark", &mut new_uid);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let store = Store::open(&config.store, &config.data_dir).await?;
        let event = Event::new(DecisionId::new(now), now, Kind::PolicyChange);
        store
            .replace_definitions(definitions, "benchmark".to_owned(), now, Journal::seal(event))
            .await?;
        Ok(())
    })
}

fn policy(scope_maps: usize, tokens: usize) -> String {
    let map = |map: usize| {
        format!(
            "[[scope_maps]]\nregistry = \"local\"\nname = \"map-{map:05}\"\nowner = \"team-{map}\"\n\
             permissions.\"team-{map}/app\" = [\"content/read\", \"content/write\"]\n\
             permissions.\"team-{map}/base/*\" = [\"content/read\"]\n"
        )
    };
    let token = |token: usize| {
        let map = token % scope_maps;
        format!(
            "[[tokens]]\nregistry = \"local\"\nname = \"token-{token:06}\"\nscope_map = \"map-{map:05}\"\n\
             [[tokens.federated_credentials]]\nname = \"main\"\nissuer = \"https://ci.example.com\"\n\
             claims.repository_id = [\"{token}\"]\nclaims.ref = [\"refs/heads/main\"]\n"
        )
    };
    let parts = (0..scope_maps).map(map).chain((0..tokens).map(token));
    parts.collect::<Vec<_>>().concat()
}

/// Starts the server, waits until it is ready, and reads its memory.
fn measure(config: &Path, ops: SocketAddr) -> anyhow::Result<(Duration, u64)> {
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
    Ok((started.elapsed(), resident_kib(server.0.id())?))
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
