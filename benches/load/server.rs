//! The processes that are measured: the program as it is shipped, and the echo.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;

use crate::issuer::{AUDIENCE, ISSUER, Issuer};
use crate::scenario::{Disk, World};
use crate::{echo, policy};

/// Where temporary files cost no disk.
const MEMORY: &str = "/dev/shm";

/// A process that ends with its value.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        debug_assert!(ended.is_ok(), "a process cannot be ended");
    }
}

/// `dockpass serve` with a folder of its own.
pub(crate) struct Server {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) process: Process,
    _folders: [TempDir; 2],
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(program: &Path, issuer: &Issuer, world: World) -> anyhow::Result<Self> {
        let folder = match world.disk {
            Disk::Real => tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?,
            Disk::Memory => tempfile::tempdir_in(MEMORY)?,
        };
        let log = tempfile::tempdir_in(MEMORY).or_else(|_| tempfile::tempdir())?;
        let [grpc, http, ops] = free_addresses()?;
        let config = folder.path().join("dockpass.toml");
        let keys = folder.path().join("jwks.json");
        std::fs::write(&keys, issuer.jwks()?.to_string())?;
        std::fs::write(&config, configuration([grpc, http, ops], &keys))?;
        policy::fill(&config, world.tokens)?;
        let process = Process(
            Command::new(program)
                .args(["serve", "--config"])
                .arg(&config)
                .stdout(Stdio::null())
                .stderr(File::create(log.path().join("log"))?)
                .spawn()?,
        );
        for address in [grpc, http, ops] {
            listens(address)?;
        }
        Ok(Self { grpc, http, process, _folders: [folder, log] })
    }
}

/// The echo.
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    pub(crate) process: Process,
}

impl Echo {
    /// Starts it; it speaks `grpc` or `http`.
    pub(crate) fn start(speaks: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([echo::ROLE, speaks])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("no standard output")?;
        let process = Process(child);
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port)?;
        Ok(Self { address: ([127, 0, 0, 1], port.trim().parse()?).into(), process })
    }
}

fn free_addresses() -> anyhow::Result<[SocketAddr; 3]> {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
    let [grpc, http, ops] = listeners.map(|listener| listener.and_then(|l| l.local_addr()));
    Ok([grpc?, http?, ops?])
}

fn listens(address: SocketAddr) -> anyhow::Result<()> {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        anyhow::ensure!(started.elapsed() < Duration::from_mins(1), "the server does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// As shipped, but for the limits: all callers of a benchmark have one address.
fn configuration([grpc, http, ops]: [SocketAddr; 3], keys: &Path) -> String {
    format!(
        r#"
data_dir = "."
grpc.listen = "{grpc}"
ops.listen = "{ops}"
[http]
listen = "{http}"
external_url = "http://localhost:{port}"
[limits]
per_address = 10000000
per_identity = 10000000
in_flight = 100000
[[issuers]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
jwks_file = "{keys}"
[[registries]]
name = "local"
host = "localhost:5000"
driver = "distribution"
service = "localhost:5000"
token_issuer = "dockpass"
"#,
        port = http.port(),
        keys = keys.display()
    )
}
