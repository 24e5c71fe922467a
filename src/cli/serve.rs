//! `dockpass serve`.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::offline::ConfigArgs;
use super::{Failure, Process};
use crate::app::App;
use crate::config::Config;
use crate::{lifecycle, telemetry};

/// Serve gRPC, the docker token endpoint, health and metrics
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dockpass serve --config /etc/dockpass/dockpass.toml\n\n\
    The first SIGTERM or Ctrl-C stops accepting and finishes what began, within 30 s; a second one ends at once.")]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigArgs,
}

impl Serve {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config = self.config.load()?;
        let _log =
            telemetry::init(&config.log).map_err(|error| Failure::failed(error.to_string()))?;
        serve(&config, process).await.map_err(chain)
    }
}

async fn serve(config: &Config, process: &Process) -> anyhow::Result<()> {
    let app = App::build(config, Arc::clone(&process.clock)).await?;
    tracing::info!(
        grpc = %app.grpc_address(),
        http = %app.http_address(),
        ops = %app.ops_address(),
        admin = %app.admin_socket().display(),
        "dockpass is listening"
    );
    let stop = CancellationToken::new();
    lifecycle::run_until_signalled(stop.clone(), app.run(stop)).await
}

/// The whole chain of causes in one line.
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(super) fn chain(error: anyhow::Error) -> Failure {
    Failure::chain(&error)
}
