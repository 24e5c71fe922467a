//! A PostgreSQL and a Redis of the benchmark's own, durable as in production.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::{Connection, PgConnection, Row};
use tempfile::TempDir;

/// For the time of a benchmark, on loopback.
const PASSWORD: &str = "benchmark";

/// A process that is told to end with its value, and waited for.
struct Daemon(Child);

impl Daemon {
    fn start(mut command: Command, port: u16) -> anyhow::Result<Self> {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let this = Self(command.spawn()?);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            anyhow::ensure!(started.elapsed() < Duration::from_secs(30), "{command:?} hangs");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(this)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // SIGINT ends both at once, but in order
        let told = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        debug_assert!(told.is_ok() && self.0.wait().is_ok(), "a database cannot be ended");
    }
}

/// PostgreSQL with an empty database.
pub(crate) struct Postgres {
    port: u16,
    daemon: Daemon,
    _folder: TempDir,
}

impl Postgres {
    pub(crate) fn is_installed() -> bool {
        programs().is_some()
    }

    pub(crate) fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        let data = data_folder(folder.path())?;
        let mut initdb = unprivileged("initdb", &data)?;
        initdb.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8"]);
        initdb.args(["--locale=C", "--pwfile"]).arg(&password).arg("--pgdata").arg(&data);
        let made = initdb.output()?;
        anyhow::ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port()?;
        let mut server = unprivileged("postgres", &data)?;
        server.arg("-D").arg(&data).args(["-c", &format!("port={port}")]);
        for setting in
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=256MB"]
        {
            server.args(["-c", setting]);
        }
        Ok(Self { port, daemon: Daemon::start(server, port)?, _folder: folder })
    }

    pub(crate) fn id(&self) -> u32 {
        self.daemon.0.id()
    }

    pub(crate) fn url(&self) -> String {
        let port = self.port;
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    /// Where its log of changes stands, and how large its database is; bytes.
    pub(crate) fn bytes(&self) -> anyhow::Result<Bytes> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.url()).await?;
            let query = "SELECT (pg_current_wal_lsn() - '0/0')::float8, pg_database_size(current_database())::float8";
            let row = sqlx::query(query).fetch_one(&mut connection).await?;
            Ok(Bytes { log: row.try_get(0)?, database: row.try_get(1)? })
        })
    }
}

/// What PostgreSQL has written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes {
    pub(crate) log: f64,
    pub(crate) database: f64,
}

/// Redis, in memory only.
pub(crate) struct Redis {
    port: u16,
    daemon: Daemon,
}

impl Redis {
    pub(crate) fn is_installed() -> bool {
        Command::new("redis-server").arg("--version").output().is_ok()
    }

    pub(crate) fn start() -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut server = Command::new("redis-server");
        server.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
        server.arg(port.to_string());
        Ok(Self { port, daemon: Daemon::start(server, port)? })
    }

    pub(crate) fn id(&self) -> u32 {
        self.daemon.0.id()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// PostgreSQL refuses to run as root: then its data belongs to the user that its package made, and every folder above must let it in.
fn data_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let data = folder.join("data");
    fs::create_dir(&data)?;
    if is_root()? {
        let owned = Command::new("chown").args(["-R", "postgres:"]).arg(folder).status()?;
        anyhow::ensure!(owned.success(), "cannot give `{}` to postgres", folder.display());
    }
    Ok(data)
}

fn unprivileged(program: &str, data: &Path) -> anyhow::Result<Command> {
    let program = programs().context("PostgreSQL is not installed")?.join(program);
    let mut command = if is_root()? {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(data);
    Ok(command)
}

/// The folder of the newest one: Debian keeps its programs off the PATH.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let number = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.filter_map(|entry| Some(entry.ok()?.path())).max_by_key(|f| number(f))?;
    Some(newest.join("bin"))
}

fn is_root() -> anyhow::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}
