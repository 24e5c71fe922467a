//! A PostgreSQL of a test's own, which may be treated badly.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::family::signal_family;
use super::{Program, SmallDisk, eventually, free_port};

/// The password of its superuser; it listens on loopback only, for the time of the test.
const PASSWORD: &str = "not-a-secret-either";

/// A PostgreSQL with one database, whose journal is on the disk before it says so.
pub(crate) struct Postgres {
    /// Before the folder that it is mounted in.
    disk: Option<SmallDisk>,
    /// Where its log is, and its data, unless they have a disk of their own.
    folder: TempDir,
    port: u16,
    server: Option<Program>,
}

impl Postgres {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        Self::new(None).await
    }

    /// Starts one whose disk the test can fill.
    pub(crate) async fn on_a_small_disk() -> Self {
        Self::new(Some(SmallDisk::MEGABYTES)).await
    }

    async fn new(megabytes: Option<u32>) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let disk = megabytes.map(|megabytes| SmallDisk::mount(&data, megabytes));
        let mut this = Self { folder, port: free_port(), server: None, disk };
        this.make();
        this.run().await;
        this
    }

    fn make(&self) {
        let password = self.folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres:"]).arg(self.folder.path()));
        }
        let mut initdb = self.unprivileged("initdb");
        // small segments, so that a small disk has room for some
        initdb.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8"]);
        initdb.args(["--locale=C", "--no-sync", "--wal-segsize=1", "--pwfile"]).arg(password);
        run(initdb.arg("--pgdata").arg(self.data()));
    }

    /// Starts it again, on what is there, and waits until it answers.
    pub(crate) async fn run(&mut self) {
        let mut command = self.unprivileged("postgres");
        command.arg("-D").arg(self.data());
        let port = format!("port={}", self.port);
        for setting in [
            "listen_addresses=127.0.0.1",
            port.as_str(),
            "unix_socket_directories=",
            "dynamic_shared_memory_type=mmap",
            "shared_buffers=16MB",
            "max_connections=100",
            // what was written before a kill is in the page cache: to sync each file is for a power cut
            "recovery_init_sync_method=syncfs",
            "min_wal_size=2MB",
            "max_wal_size=8MB",
        ] {
            command.args(["-c", setting]);
        }
        let mut server = Program::start(command, self.folder.path(), "postgres");
        server.listens_on(self.port).await;
        self.server = Some(server);
        eventually("PostgreSQL to answer", async || self.answers().await.then_some(())).await;
    }

    /// Whether it answers.
    pub(crate) async fn answers(&self) -> bool {
        PgConnection::connect(&self.url()).await.is_ok()
    }

    /// Kills it with all its processes, as a power cut does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            signal_family(server.pid(), Signal::KILL);
            server.kill();
        }
    }

    /// Starts it again if it gave up by itself.
    pub(crate) async fn run_if_it_ended(&mut self) {
        if self.server.as_mut().is_none_or(Program::has_ended) {
            self.run().await;
        }
    }

    /// Ends it in the orderly way that does not wait for its clients (SIGINT), and starts it again.
    pub(crate) async fn restart(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.end_with(Signal::INT).await;
        }
        self.run().await;
    }

    /// Lets all its processes stand still: connections stay open, and nothing answers.
    pub(crate) fn freeze(&self) {
        signal_family(self.server.as_ref().unwrap().pid(), Signal::STOP);
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        signal_family(self.server.as_ref().unwrap().pid(), Signal::CONT);
    }

    /// The disk, where it has one of its own.
    pub(crate) fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().unwrap()
    }

    /// Its port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The URL of its database.
    pub(crate) fn url(&self) -> String {
        Self::url_by(self.port)
    }

    /// The same, by another port that leads to it.
    pub(crate) fn url_by(port: u16) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of its programs. It refuses to run as root: then it runs as the user that its package made.
    fn unprivileged(&self, program: &str) -> Command {
        let program = programs().join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // a frozen one hears nothing, and a killed one leaves a segment of shared memory behind
        signal_family(server.pid(), Signal::CONT);
        server.quit();
    }
}

/// The folder of the programs of the newest PostgreSQL: Debian keeps them off the PATH.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let number = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.unwrap().path()).max_by_key(|folder| number(folder));
    let Some(newest) = newest else {
        panic!("PostgreSQL is not installed: `tests/run` installs it")
    };
    newest.join("bin")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}
