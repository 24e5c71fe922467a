//! How the program ends: the first signal stops accepting and finishes what began, a second one or the deadline ends it at once.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long what began may take to finish.
pub const DRAIN: Duration = Duration::from_secs(30);

/// The signals that end the program: SIGINT (Ctrl-C) and SIGTERM.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen for them.
    ///
    /// # Errors
    /// The operating system refuses to tell of signals.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Runs `work` until it ends by itself. The first signal cancels `stop`, after which it has [`DRAIN`] to finish.
///
/// # Errors
/// What `work` failed with, or that it did not finish in time.
pub async fn run_until_signalled(
    stop: CancellationToken,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    tokio::pin!(work);
    tokio::select! {
        outcome = &mut work => return outcome,
        () = signals.next() => {}
        () = stop.cancelled() => {}
    }
    tracing::info!("stopping: no new requests, finishing what began");
    stop.cancel();
    tokio::select! {
        outcome = &mut work => outcome,
        () = signals.next() => anyhow::bail!("stopped by a second signal before everything was finished"),
        () = tokio::time::sleep(DRAIN) => anyhow::bail!("not everything was finished within {} s", DRAIN.as_secs()),
    }
}
