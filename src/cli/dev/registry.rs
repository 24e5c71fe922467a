//! A real registry beside `dockpass dev`, when one is on the PATH.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The names of the program of the CNCF distribution registry: Debian's, and its own.
const PROGRAMS: [&str; 2] = ["docker-registry", "registry"];

/// How long it may take to answer.
const START: Duration = Duration::from_secs(10);

/// A running registry; it ends with this value.
#[derive(Debug)]
pub(super) struct RegistryProcess {
    child: Child,
    program: PathBuf,
}

impl fmt::Display for RegistryProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program.display().fmt(f)
    }
}

impl RegistryProcess {
    /// Starts the registry with the given `auth` block, keeping its content in `folder`.
    pub(super) async fn start(
        program: &Path,
        folder: &Path,
        address: SocketAddr,
        auth: &str,
    ) -> anyhow::Result<Self> {
        let content = folder.join("registry");
        let config = folder.join("registry.yml");
        std::fs::write(&config, configuration(&content, address, auth))
            .with_context(|| format!("cannot write `{}`", config.display()))?;
        let log = std::fs::File::create(folder.join("registry.log"))?;
        let child = Command::new(program)
            .arg("serve")
            .arg(&config)
            // the printed block names a path of a real installation
            .env("REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE", folder.join("root.crt"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start `{}`", program.display()))?;
        let mut registry = Self { child, program: program.to_owned() };
        registry.wait_until_it_answers(address).await?;
        Ok(registry)
    }

    async fn wait_until_it_answers(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let answers = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = answers => Ok(()),
            status = self.child.wait() => anyhow::bail!("the registry ended with {}: see registry.log", status?),
            () = tokio::time::sleep(START) => anyhow::bail!("the registry does not answer at {address}: see registry.log"),
        }
    }
}

/// The registry's program, if one is in a folder of `path`.
pub(super) fn program(path: &str) -> Option<PathBuf> {
    std::env::split_paths(path)
        .flat_map(|folder| PROGRAMS.map(|name| folder.join(name)))
        .find(|candidate| candidate.is_file())
}

fn configuration(content: &Path, address: SocketAddr, auth: &str) -> String {
    let content = content.display();
    format!(
        "# written by `dockpass dev`\nversion: 0.1\nlog: {{level: info}}\n\
         storage: {{filesystem: {{rootdirectory: \"{content}\"}}, delete: {{enabled: true}}}}\n\
         http: {{addr: \"{address}\"}}\n{auth}"
    )
}
