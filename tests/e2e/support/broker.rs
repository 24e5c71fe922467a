//! The broker under test: the program as it is shipped or, where a test owns the clock, the same parts in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dockpass::app::App;
use dockpass::audit::{Archive, Event, Filter};
use dockpass::config::Config;
use dockpass::model::Clock;
use dockpass::pb::access_service_client::AccessServiceClient;
use dockpass::pb::{
    AccessToken, Action, IssueAccessTokenRequest, RepositoryPermission, RevokeAccessTokenRequest,
};
use dockpass::store::Store;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::{Outcome, Program, free_port};

/// The secret with which a registry sends its notifications.
pub(crate) const NOTIFICATIONS_TOKEN: &str = "bm90LWEtc2VjcmV0LW5vdC1hLXNlY3JldA==";

const PROGRAM: &str = env!("CARGO_BIN_EXE_dockpass");

/// How JWTs name the key that signed them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum KeyMode {
    Kid,
    X5c,
}

/// A broker with a data folder of its own.
pub(crate) struct Broker {
    folder: TempDir,
    ports: Ports,
    running: Option<Running>,
}

/// What replicas share.
pub(crate) struct Shared<'a> {
    /// The URL of the store, by the network of this replica.
    pub(crate) store: String,
    /// The URL of the cache, by the network of this replica.
    pub(crate) cache: String,
    /// The folder of the seal keys and of the root.
    pub(crate) keys: &'a Path,
    /// The URL of all of them.
    pub(crate) external_url: &'a str,
    /// The subject of who may change the policy.
    pub(crate) operator: &'a str,
}

struct Ports {
    grpc: u16,
    http: u16,
    ops: u16,
}

enum Running {
    Program(Program),
    Here { stop: CancellationToken, tasks: JoinSet<()> },
}

impl Broker {
    /// Writes the configuration of a broker for one registry, `local`, and one issuer. It does not run yet.
    pub(crate) fn configure(
        issuer: &str,
        audience: &str,
        registry_host: &str,
        keys: KeyMode,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let ports = Ports { grpc: free_port(), http: free_port(), ops: free_port() };
        let Ports { grpc, http, ops } = ports;
        let (key_reference, signing_keys) = match keys {
            KeyMode::Kid => {
                let key = rcgen::KeyPair::generate().unwrap();
                write_private(&folder.path().join("signing.key"), &key.serialize_pem());
                ("kid", r#"signing_key_files = ["signing.key"]"#)
            }
            KeyMode::X5c => ("x5c", ""),
        };
        let text = format!(
            r#"data_dir = "."
[grpc]
listen = "127.0.0.1:{grpc}"
[http]
listen = "127.0.0.1:{http}"
external_url = "http://localhost:{http}"
[ops]
listen = "127.0.0.1:{ops}"
[log]
filter = "trace"
[keys]
{signing_keys}
[[issuers]]
issuer = "{issuer}"
audience = "{audience}"
loopback_http = true
[[registries]]
name = "local"
host = "{registry_host}"
driver = "distribution"
service = "{registry_host}"
token_issuer = "dockpass-test"
key_reference = "{key_reference}"
"#
        );
        std::fs::write(folder.path().join("dockpass.toml"), text).unwrap();
        Self { folder, ports, running: None }
    }

    /// Takes the notifications of its registry.
    pub(crate) fn take_notifications(&self) {
        write_private(&self.folder().join("notifications.token"), NOTIFICATIONS_TOKEN);
        let file = self.config_file();
        let key = "token_issuer = \"dockpass-test\"\n";
        let more = format!("{key}notifications_token_file = \"notifications.token\"\n");
        let text = std::fs::read_to_string(&file).unwrap().replace(key, &more);
        std::fs::write(&file, text).unwrap();
    }

    /// The block of its registry's configuration that sends it notifications, as it prints it, with the secret in it.
    pub(crate) async fn notifications_block(&self) -> String {
        let shown = self.offline(&["registry", "show", "local", "--registry-config"]).await;
        let shown = shown.succeeded();
        let start = shown.find("notifications:").unwrap();
        shown.get(start..).unwrap().replace("SECRET", NOTIFICATIONS_TOKEN)
    }

    /// Makes it one of several replicas: with the store, the cache and the keys that they share, behind one name.
    pub(crate) fn share(&self, shared: &Shared<'_>) {
        let Shared { store, cache, keys, external_url, operator } = shared;
        let (keys, own_url) = (keys.display(), self.url(""));
        let more = format!(
            "[keys]\nseal_keys_file = \"{keys}/seal.keys\"\nroot_certificate_file = \"{keys}/root.crt\"\nroot_key_file = \"{keys}/root.key\"\n"
        );
        let file = self.config_file();
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("[keys]\n", &more).replace(&own_url, external_url);
        // what it costs to write everything down would be most of what it does
        let text = text.replace("\"trace\"", "\"info\"");
        let issuer = text.lines().find(|line| line.starts_with("issuer = ")).unwrap();
        let admin = format!("[[admins]]\n{issuer}\nsubject = \"{operator}\"\nrole = \"editor\"\n");
        let text = format!("{text}[store]\nurl = \"{store}\"\n[cache]\nurl = \"{cache}\"\n{admin}");
        write_private(&file, &text);
    }

    /// All events of the trail, oldest first.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let config = Config::load(&self.config_file()).unwrap();
        let store = Store::open(&config.store, &config.data_dir).await.unwrap();
        let page = Archive::open(&store).list(&Filter::default(), None, 10_000).unwrap();
        page.events.into_iter().rev().map(|found| found.event).collect()
    }

    /// Takes over the keys of another broker, as a thief of its files would.
    pub(crate) fn steal_keys_of(&self, other: &Self) {
        for name in ["root.crt", "root.key", "seal.keys"] {
            std::fs::copy(other.folder().join(name), self.folder().join(name)).unwrap();
        }
    }

    /// Starts `dockpass serve`, and waits until it listens.
    pub(crate) async fn serve(&mut self) {
        self.start();
        self.listens().await;
    }

    /// Starts `dockpass serve` behind another command, such as a tracer, and waits until it listens.
    pub(crate) async fn serve_as(&mut self, command: std::process::Command) {
        self.start_as(command);
        self.listens().await;
    }

    /// Starts `dockpass serve`.
    pub(crate) fn start(&mut self) {
        self.start_as(std::process::Command::new(PROGRAM));
    }

    fn start_as(&mut self, mut command: std::process::Command) {
        command.args(["serve", "--config"]).arg(self.config_file()).env("RUST_BACKTRACE", "1");
        let program = Program::start(command, self.folder(), "dockpass");
        self.running = Some(Running::Program(program));
    }

    async fn listens(&mut self) {
        let Some(Running::Program(program)) = &mut self.running else { return };
        for port in [self.ports.grpc, self.ports.http, self.ports.ops] {
            program.listens_on(port).await;
        }
    }

    /// Runs the broker in this process, by a clock of the test's own.
    pub(crate) async fn serve_by(&mut self, clock: Arc<dyn Clock>) {
        let config = Config::load(&self.config_file()).unwrap();
        let app = App::build(&config, clock).await.unwrap();
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let stopped = stop.clone();
        tasks.spawn(async move { app.run(stopped).await.unwrap() });
        self.running = Some(Running::Here { stop, tasks });
    }

    /// Ends the broker in an orderly way, and waits for its end.
    pub(crate) async fn stop(&mut self) {
        match self.running.take() {
            Some(Running::Program(mut program)) => assert_eq!(program.terminate().await, Some(0)),
            Some(Running::Here { stop, mut tasks }) => {
                stop.cancel();
                tasks.join_next().await.unwrap().unwrap();
            }
            None => {}
        }
    }

    /// Ends the program the hard way (SIGKILL).
    pub(crate) fn kill(&mut self) {
        if let Some(Running::Program(mut program)) = self.running.take() {
            program.kill();
        }
    }

    /// The process of the program.
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        match &self.running {
            Some(Running::Program(program)) => program.pid(),
            _ => panic!("the broker does not run as a program"),
        }
    }

    /// Everything that the program wrote on standard output and error.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(self.folder().join("dockpass.log")).unwrap_or_default()
    }

    /// Its data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder().join("dockpass.toml")
    }

    /// The URL of a path of its HTTP listener.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.ports.http)
    }

    /// The port of its HTTP listener.
    pub(crate) const fn http_port(&self) -> u16 {
        self.ports.http
    }

    /// The URL of a path of its ops listener.
    pub(crate) fn ops_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.ops)
    }

    /// The URL of its gRPC listener.
    pub(crate) fn grpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.grpc)
    }

    /// Runs the program on the broker's files: `dockpass ARGUMENTS --config FILE`.
    pub(crate) async fn offline(&self, arguments: &[&str]) -> Outcome {
        let config = self.config_file();
        let mut all = arguments.to_vec();
        all.extend(["--config", config.to_str().unwrap()]);
        self.dockpass(&all, &[], "").await
    }

    /// Runs the program with nothing in its environment but `variables`.
    pub(crate) async fn dockpass(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
        input: &str,
    ) -> Outcome {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DOCKPASS_SERVER", self.grpc_url())
            .envs(variables.iter().copied())
            .current_dir(self.folder());
        Outcome::of(command, input).await
    }

    /// Makes `text` the policy, as an operator does.
    pub(crate) async fn apply(&self, text: &str) {
        let file = self.folder().join("policy.toml");
        std::fs::write(&file, text).unwrap();
        self.offline(&["policy", "apply", file.to_str().unwrap()]).await.succeeded();
    }

    /// A gRPC client.
    pub(crate) async fn client(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::connect(self.grpc_url()).await.unwrap()
    }

    /// Asks for an access token by gRPC, bearer form as well, never a reused one.
    pub(crate) async fn issue(
        &self,
        identity: &str,
        permissions: &[(&str, &[Action])],
    ) -> Result<AccessToken, Status> {
        let request = IssueAccessTokenRequest {
            registry: "local".to_owned(),
            permissions: permissions
                .iter()
                .map(|(name, actions)| permission(name, actions))
                .collect(),
            with_bearer_token: true,
            fresh: true,
            ..Default::default()
        };
        let response =
            self.client().await.issue_access_token(with_bearer(request, identity)).await?;
        Ok(response.into_inner().access_token.unwrap())
    }

    /// Takes an access token back.
    pub(crate) async fn revoke(&self, identity: &str, id: &str) -> Result<(), Status> {
        let request = RevokeAccessTokenRequest { access_token_id: id.to_owned() };
        self.client().await.revoke_access_token(with_bearer(request, identity)).await.map(drop)
    }
}

/// A request that carries an identity token.
pub(crate) fn with_bearer<T>(message: T, identity: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value: MetadataValue<_> = format!("Bearer {identity}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

/// One repository with actions, as a message.
pub(crate) fn permission(repository: &str, actions: &[Action]) -> RepositoryPermission {
    RepositoryPermission {
        repository: repository.to_owned(),
        actions: actions.iter().map(|action| i32::from(*action)).collect(),
    }
}

/// Writes a key file as dockpass wants it: for its owner only.
fn write_private(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}
