//! `dockpass serve`: the broker.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::offline::ConfigArgs;
use super::{Failure, Process};
use crate::app::App;
use crate::{lifecycle, telemetry};

/// Run the broker until SIGINT or SIGTERM
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dockpass serve --config /etc/dockpass/dockpass.toml\n\n\
    The first signal stops accepting and finishes what began; a second one ends at once.")]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigArgs,
}

impl Serve {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config = self.config.load()?;
        telemetry::init(&config.log).map_err(|error| Failure::failed(error.to_string()))?;
        let app = App::build(&config, Arc::clone(&process.clock)).await.map_err(chain)?;
        process.note(&format!(
            "serving gRPC on {}, docker clients on {}, health and metrics on {}",
            app.grpc_address(),
            app.http_address(),
            app.ops_address()
        ))?;
        let stop = CancellationToken::new();
        lifecycle::run_until_signalled(stop.clone(), app.run(stop)).await.map_err(chain)
    }
}

/// The whole chain of causes in one line.
pub(super) fn chain(error: anyhow::Error) -> Failure {
    Failure::failed(format!("{error:#}"))
}
