//! A real docker-registry.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Program;

/// A running docker-registry whose token server is a broker.
pub(crate) struct RealRegistry {
    program: Program,
    port: u16,
}

/// What it has to know of its token server.
pub(crate) struct TokenServer<'a> {
    /// Where clients are sent for a token.
    pub(crate) realm: String,
    /// The audience of the tokens.
    pub(crate) service: &'a str,
    /// Who signs them.
    pub(crate) issuer: &'a str,
    /// The certificates that it trusts, PEM.
    pub(crate) bundle: &'a str,
    /// Its block of notifications; empty = it sends none.
    pub(crate) notifications: &'a str,
}

impl RealRegistry {
    /// Starts a registry on `port` with its files in `folder`.
    pub(crate) async fn start(folder: &Path, port: u16, token_server: &TokenServer<'_>) -> Self {
        let config = write_config(folder, port, token_server);
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(config).env_remove("REGISTRY_HTTP_ADDR");
        let mut program = Program::start(command, folder, "docker-registry");
        program.listens_on(port).await;
        Self { program, port }
    }

    /// The host that clients write before a repository.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The URL of a path below `/v2/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.host())
    }

    /// Its log.
    pub(crate) fn log(&self) -> String {
        self.program.output()
    }
}

fn write_config(folder: &Path, port: u16, token_server: &TokenServer<'_>) -> PathBuf {
    let TokenServer { realm, service, issuer, bundle, notifications } = token_server;
    let bundle_file = folder.join("bundle.pem");
    std::fs::write(&bundle_file, bundle).unwrap();
    let (root, bundle_file) = (folder.join("blobs"), bundle_file.display());
    let root = root.display();
    let text = format!(
        "version: 0.1
log: {{level: info}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: '127.0.0.1:{port}', secret: not-a-secret}}
auth:
  token: {{realm: '{realm}', service: '{service}', issuer: '{issuer}', rootcertbundle: {bundle_file}}}
{notifications}"
    );
    let file = folder.join("registry.yml");
    std::fs::write(&file, text).unwrap();
    file
}
