//! What commands that work on the files themselves share: the configuration and the store that it names.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::config::Config;
use crate::model::Definitions;
use crate::policy::Snapshot;
use crate::store::Store;

/// Which broker's files.
#[derive(Args, Clone, Debug)]
pub(super) struct ConfigArgs {
    /// The broker's configuration; its files are used directly, no server is needed
    #[arg(long, value_name = "FILE", default_value = "dockpass.toml")]
    config: PathBuf,
}

impl Default for ConfigArgs {
    fn default() -> Self {
        Self::at("dockpass.toml".into())
    }
}

impl ConfigArgs {
    /// Those of this configuration.
    pub(super) const fn at(config: PathBuf) -> Self {
        Self { config }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.config
    }

    /// Reads and checks it.
    pub(super) fn load(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.config)?)
    }
}

/// Opens the store that the configuration names; one that was never made is an error, not an empty one.
pub(super) async fn existing_store(config: &Config) -> Result<Store, Failure> {
    if let Some(file) = missing_file(config) {
        return Err(Failure::failed(format!(
            "there is no store at `{}`: the first `dockpass serve` or `dockpass policy apply` makes it; --config names the broker's configuration",
            file.display()
        )));
    }
    Ok(open(config).await?)
}

/// Opens the store that the configuration names, or makes it.
pub(super) async fn open(config: &Config) -> Result<Store, crate::store::Error> {
    Store::open(&config.store, &config.data_dir).await
}

/// The file of an embedded store that was never made.
pub(super) fn missing_file(config: &Config) -> Option<PathBuf> {
    let embedded = config.store.url.sqlite_file().filter(|_| config.store.url_file.is_none())?;
    let file = config.data_dir.join(embedded);
    (!file.exists()).then_some(file)
}

/// Compiles definitions as the broker will.
pub(super) fn compile(definitions: Definitions, config: &Config) -> Result<Snapshot, Failure> {
    Ok(Snapshot::compile(definitions, &config.policy_context())?)
}
