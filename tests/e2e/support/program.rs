//! Programs that run beside a test, and end with it.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A running program; its output is in a file. Dropped, it is killed.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command` with its output in `folder/name.log`, behind what is there already.
    pub(crate) fn start(mut command: Command, folder: &Path, name: &str) -> Self {
        let log = folder.join(format!("{name}.log"));
        let out = File::options().create(true).append(true).open(&log).unwrap();
        let err = out.try_clone().unwrap();
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot run {name}: {error}"));
        Self { child, log }
    }

    /// Waits until the program accepts connections on a port of this machine.
    pub(crate) async fn listens_on(&mut self, port: u16) {
        eventually("the program to listen", async || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the program ended with {status}:\n{}", self.output());
            }
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
    }

    /// Ends the program the hard way, as a power cut would (SIGKILL), and waits for its end.
    pub(crate) fn kill(&mut self) {
        // it may have ended by itself: that is what the caller wanted
        drop(self.child.kill());
        self.child.wait().unwrap();
    }

    /// Asks the program to end (SIGTERM), and gives its exit code.
    pub(crate) async fn terminate(&mut self) -> Option<i32> {
        self.end_with(Signal::TERM).await
    }

    /// Asks the program to end by a signal of its own choice, and gives its exit code.
    pub(crate) async fn end_with(&mut self, signal: Signal) -> Option<i32> {
        kill_process(self.pid(), signal).unwrap();
        eventually("the program to end", async || self.child.try_wait().unwrap()).await.code()
    }

    /// Ends a program that takes SIGQUIT for "at once, but clean up", and waits for its end.
    pub(crate) fn quit(&mut self) {
        // it may have ended by itself: that is what the caller wanted
        kill_process(self.pid(), Signal::QUIT).unwrap_or_default();
        self.child.wait().unwrap();
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// What it wrote until now, standard output and error.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Asks again until there is an answer; for what has no event to wait for. Gives up, with a panic, after half a minute.
pub(crate) async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    const LIMIT: Duration = Duration::from_secs(30);
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let asking = async {
        loop {
            ticks.tick().await;
            if let Some(answer) = probe().await {
                return answer;
            }
        }
    };
    tokio::time::timeout(LIMIT, asking)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// A port of this machine that is free now, and given to nobody else in this run. It is below the range from which the system takes ports for outgoing
/// connections.
pub(crate) fn free_port() -> u16 {
    let given = scratch("ports").inspect(|folder| std::fs::create_dir_all(folder).unwrap());
    loop {
        let mut random = [0; 2];
        aws_lc_rs::rand::fill(&mut random).unwrap();
        let port = 20_000 + u16::from_be_bytes(random) % 12_000;
        let is_free = TcpListener::bind(("127.0.0.1", port)).is_ok();
        let note = |folder: &PathBuf| File::create_new(folder.join(port.to_string())).is_ok();
        if is_free && given.as_ref().is_none_or(note) {
            return port;
        }
    }
}

/// A file or folder that all tests of a run share, and that is gone after it; none where `tests/run` does not run them.
pub(crate) fn scratch(name: &str) -> Option<PathBuf> {
    std::env::var_os("DOCKPASS_TEST_SCRATCH").map(|folder| PathBuf::from(folder).join(name))
}
