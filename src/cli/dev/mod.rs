//! `dockpass dev`: everything in one process, with a sample policy and a local issuer; shows one grant and one refusal.

mod command;
mod environment;
mod image;
mod issuer;
mod registry;
mod sample;
mod story;

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use self::environment::Environment;
use super::{Failure, Process};
use crate::lifecycle;

/// Run everything in this process, with a sample policy and a local issuer, and show one grant and one refusal
///
/// Nothing is needed but this program. If a docker-registry is on the PATH it runs beside, protected by this broker, so
/// that the printed lines for docker and skopeo work as they stand.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dockpass dev\n  dockpass dev --once\n  dockpass dev --data-dir ./playground"
)]
pub(super) struct Dev {
    /// End after the demonstration instead of serving until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Keep everything in this folder [default: a temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Dev {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let outcome = Box::pin(self.show_and_serve(process)).await;
        outcome.map_err(|error| {
            let io = error.downcast_ref::<std::io::Error>();
            if io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
                // a reader that left needs no message
                return Failure::Shown;
            }
            Failure::chain(&error)
        })
    }

    async fn show_and_serve(self, process: &mut Process) -> anyhow::Result<()> {
        let temporary = tempfile::Builder::new().prefix("dockpass-dev-").tempdir()?;
        let folder = self.data_dir.as_deref().unwrap_or_else(|| temporary.path());
        let (environment, app) = Environment::start(folder, process).await?;
        let stop = CancellationToken::new();
        let show = async {
            environment.show(process).await?;
            if self.once {
                process.note("without --once it goes on serving, and prints lines to try")?;
                stop.cancel();
            } else {
                environment.show_what_to_try(&mut process.out)?;
                environment.keep_identity_token_fresh(&process.clock, &stop).await?;
            }
            Ok(())
        };
        let both = async { tokio::try_join!(app.run(stop.clone()), show).map(|_| ()) };
        lifecycle::run_until_signalled(stop.clone(), Box::pin(both)).await
    }
}
