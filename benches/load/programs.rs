//! The builds of the program that are compared.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::scenario::{Build, Scenario};

/// Where they are.
pub(crate) struct Programs {
    shipped: PathBuf,
    without_audit: Option<PathBuf>,
}

impl Programs {
    /// The program of this build and, where a scenario asks for it, the one without audit, which is built now.
    pub(crate) fn of_this_source(scenarios: &[Scenario]) -> anyhow::Result<Self> {
        let compared = scenarios.iter().any(|scenario| scenario.world.build == Build::WithoutAudit);
        Ok(Self {
            shipped: env!("CARGO_BIN_EXE_dockpass").into(),
            without_audit: compared.then(without_audit).transpose()?,
        })
    }

    /// Another build of it; `without_audit` is its like without audit, when there is one.
    pub(crate) fn given(shipped: &str, without_audit: Option<&str>) -> Self {
        Self { shipped: shipped.into(), without_audit: without_audit.map(PathBuf::from) }
    }

    pub(crate) fn has(&self, build: Build) -> bool {
        self.of(build).is_ok()
    }

    pub(crate) fn of(&self, build: Build) -> anyhow::Result<&Path> {
        match build {
            Build::Shipped => Ok(&self.shipped),
            Build::WithoutAudit => {
                self.without_audit.as_deref().context("no program without audit was built")
            }
        }
    }
}

/// Builds the same source without audit, in a folder of its own: no switch of the product does that.
fn without_audit() -> anyhow::Result<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("without-audit");
    let mut flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
    flags.push(OsString::from(" --cfg dockpass_without_audit"));
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--bin", "dockpass", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()?;
    anyhow::ensure!(built.success(), "the program without audit cannot be built");
    Ok(target.join("release/dockpass"))
}
