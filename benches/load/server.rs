//! The processes that are measured: the program as it is shipped, and the echo.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;

use crate::configuration::{Addresses, Setting, Tls, Transport};
use crate::issuer::Issuer;
use crate::requests::Ask;
use crate::scenario::{Disk, Scenario, World};
use crate::{echo, history, policy};

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
    pub(crate) world: World,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) config: PathBuf,
    pub(crate) process: Process,
    _folders: [TempDir; 2],
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(
        program: &Path,
        issuer: &Issuer,
        tls: &Tls,
        world: World,
    ) -> anyhow::Result<Self> {
        let folder = match world.disk {
            Disk::Real => tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?,
            Disk::Memory => tempfile::tempdir_in(MEMORY)?,
        };
        let data = match world.events {
            0 => folder.path().to_owned(),
            events => history::prepare(events)?,
        };
        let log = tempfile::tempdir_in(MEMORY).or_else(|_| tempfile::tempdir())?;
        let addresses = Addresses::free()?;
        let World { transport, in_flight, .. } = world;
        let setting = Setting {
            addresses: &addresses,
            folder: folder.path(),
            data: &data,
            transport,
            in_flight,
            more: "",
        };
        setting.write(issuer, tls)?;
        let config = folder.path().join("dockpass.toml");
        policy::fill(&config, world.tokens)?;
        let process = Process(
            Command::new(program)
                .args(["serve", "--config"])
                .arg(&config)
                .stdout(Stdio::null())
                .stderr(File::create(log.path().join("log"))?)
                .spawn()?,
        );
        let Addresses { grpc, http, ops } = addresses;
        for address in [grpc, http, ops] {
            listens(address)?;
        }
        Ok(Self { world, grpc, http, config, process, _folders: [folder, log] })
    }
}

fn listens(address: SocketAddr) -> anyhow::Result<()> {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        anyhow::ensure!(started.elapsed() < Duration::from_mins(1), "the server does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The echo.
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    pub(crate) process: Process,
}

/// One of each kind.
pub(crate) struct Echoes {
    grpc: Echo,
    tls: Echo,
    http: Echo,
}

impl Echoes {
    pub(crate) fn start(tls: &Tls) -> anyhow::Result<Self> {
        let plain = |speaks| Echo::start(&[echo::ROLE, speaks]);
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        tls.write(folder.path())?;
        let path = folder.path().to_str().context("the build folder is not UTF-8")?;
        let tls = Echo::start(&[echo::ROLE, echo::TLS, path])?;
        Ok(Self { grpc: plain(echo::GRPC)?, tls, http: plain(echo::HTTP)? })
    }

    /// The one that speaks as the server of a scenario does.
    pub(crate) const fn of(&self, scenario: &Scenario) -> &Echo {
        match (scenario.ask, scenario.world.transport) {
            (Ask::Exchange, _) => &self.http,
            (_, Transport::Tls) => &self.tls,
            (_, Transport::Plain) => &self.grpc,
        }
    }
}

impl Echo {
    fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("no standard output")?;
        let process = Process(child);
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port)?;
        Ok(Self { address: ([127, 0, 0, 1], port.trim().parse()?).into(), process })
    }
}
