//! `dockpass serve`.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Failure, Process};
use crate::app::App;
use crate::config::Config;
use crate::{lifecycle, telemetry};

/// Serve gRPC, the docker token endpoint, health and metrics.
///
/// The first SIGTERM or Ctrl-C stops accepting and finishes what began, within 30 s; a second one ends at once.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "dockpass.toml")]
    config: PathBuf,
}

impl Serve {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config =
            Config::load(&self.config).map_err(|error| Failure::failed(error.to_string()))?;
        telemetry::init(&config.log).map_err(|error| Failure::failed(error.to_string()))?;
        let served = serve(&config, process).await;
        served.map_err(|error| Failure::failed(format!("{error:#}")))
    }
}

async fn serve(config: &Config, process: &Process) -> anyhow::Result<()> {
    let app = App::build(config, Arc::clone(&process.clock)).await?;
    tracing::info!(
        grpc = %app.grpc_address(),
        http = %app.http_address(),
        ops = %app.ops_address(),
        "dockpass is listening"
    );
    let stop = CancellationToken::new();
    lifecycle::run_until_signalled(stop.clone(), app.run(stop)).await
}
