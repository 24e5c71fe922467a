//! `dockpass dev`: everything in one process, with a sample policy and a local issuer; shows one grant and one refusal.

mod issuer;
mod registry;
mod sample;
mod story;

use std::net::{Ipv4Addr, SocketAddr, TcpListener as Probe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::issuer::LocalIssuer;
use self::registry::RegistryProcess;
use self::sample::Addresses;
use self::story::CiJob;
use super::{Failure, Process};
use crate::app::App;
use crate::config::Config;
use crate::lifecycle;
use crate::model::Secret;

/// How often the identity token in the data folder is made anew; it lives for an hour.
const RENEWAL: Duration = Duration::from_mins(10);

/// Run everything embedded, with a sample policy and a local issuer, and show one grant and one refusal.
///
/// Nothing is needed but this program. If a docker-registry is on the PATH it runs beside, protected by this broker, so
/// that the printed lines for docker and skopeo work as they stand.
#[derive(Debug, clap::Args)]
pub(super) struct Dev {
    /// End after the demonstration instead of serving until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Keep everything in this folder; without it, a temporary one that is removed at the end.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Dev {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let temporary;
        let folder = match &self.data_dir {
            Some(folder) => {
                std::fs::create_dir_all(folder).map_err(|e| Failure::failed(format!("cannot make `{}`: {e}", folder.display())))?;
                folder.as_path()
            }
            None => {
                temporary = tempfile::Builder::new().prefix("dockpass-dev-").tempdir()?;
                temporary.path()
            }
        };
        let dev = Environment::start(folder, process).await.map_err(failed)?;
        let stop = CancellationToken::new();
        let outcome = dev.show(process, self.once, &stop).await;
        outcome.map_err(failed)
    }
}
