//! `dockpass serve`, embedded or as one of several replicas.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;

use crate::configuration::{Addresses, InFlight, Setting, Tls, Transport};
use crate::issuer::Issuer;
use crate::policy;

/// Tokens in the policy.
const TOKENS: usize = 1_000;

/// What the replicas of a site share: the lines of their configuration that say where.
#[derive(Clone, Debug)]
pub(crate) struct Shared(pub(crate) String);

impl Shared {
    /// The store, the cache, and a folder of keys.
    pub(crate) fn new(postgres: &str, redis: &str, keys: &Path) -> Self {
        let file = |name| keys.join(name).display().to_string();
        Self(format!(
            "store.url = \"{postgres}\"\ncache.url = \"{redis}\"\nkeys.seal_keys_file = \"{}\"\n\
             keys.root_certificate_file = \"{}\"\nkeys.root_key_file = \"{}\"\n",
            file("seal.keys"),
            file("root.crt"),
            file("root.key"),
        ))
    }

    /// Of its own.
    pub(crate) const fn nothing() -> Self {
        Self(String::new())
    }
}

/// A process that serves; it ends with its value.
pub(crate) struct Replica {
    pub(crate) grpc: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Replica {
    /// Fills the store if it is empty, starts, and waits until it listens.
    pub(crate) fn start(program: &Path, issuer: &Issuer, shared: &Shared) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let addresses = Addresses::free()?;
        let setting = Setting {
            addresses: &addresses,
            folder: folder.path(),
            data: folder.path(),
            transport: Transport::Plain,
            in_flight: InFlight::Unlimited,
            more: &shared.0,
        };
        setting.write(issuer, &Tls::new()?)?;
        let config = folder.path().join("dockpass.toml");
        make_keys(program, &config)?;
        policy::fill(&config, TOKENS)?;
        let log = File::create(folder.path().join("log"))?;
        let mut serve = Command::new(program);
        serve.args(["serve", "--config"]).arg(&config).stdout(Stdio::null()).stderr(log);
        let this = Self { grpc: addresses.grpc, process: serve.spawn()?, _folder: folder };
        for address in [addresses.grpc, addresses.http] {
            listens(address)?;
        }
        Ok(this)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        debug_assert!(ended.is_ok(), "a replica cannot be ended");
    }
}

/// Replicas do not make the keys that they share: this does, once.
fn make_keys(program: &Path, config: &PathBuf) -> anyhow::Result<()> {
    let mut show = Command::new(program);
    show.args(["registry", "show", "local", "--bundle", "--config"]).arg(config);
    let shown = show.output().context("cannot run the program")?;
    anyhow::ensure!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    Ok(())
}

fn listens(address: SocketAddr) -> anyhow::Result<()> {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        anyhow::ensure!(started.elapsed() < Duration::from_mins(1), "a replica does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
