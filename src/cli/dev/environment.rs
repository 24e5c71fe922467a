//! What runs in `dockpass dev`: broker, local issuer, and a registry where there is one; and what it shows of them.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as Probe};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::command::output_of;
use super::issuer::LocalIssuer;
use super::registry::{self, RegistryProcess};
use super::sample::{self, Addresses};
use super::story::{self, CiJob};
use super::{Process, image};
use crate::app::App;
use crate::config::Config;
use crate::model::{Clock, Secret};

/// How often the identity token in the folder is made anew; it lives for an hour.
const RENEWAL: Duration = Duration::from_mins(10);

/// The subject of the CI job.
const SUBJECT: &str = "repo:acme/nginx:ref:refs/heads/main";

/// Everything around the broker. What runs beside it ends with this value.
#[derive(Debug)]
pub(super) struct Environment {
    folder: PathBuf,
    addresses: Addresses,
    issuer: LocalIssuer,
    registry: Option<RegistryProcess>,
    _issuer_server: JoinSet<std::io::Result<()>>,
}

impl Environment {
    /// Starts everything but the broker, which is returned ready to run.
    pub(super) async fn start(folder: &Path, process: &Process) -> anyhow::Result<(Self, App)> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
        let folder = folder.canonicalize()?;
        let addresses = Addresses::choose()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let issuer = LocalIssuer::new(listener.local_addr()?, sample::AUDIENCE)?;
        let mut issuer_server = JoinSet::new();
        issuer_server.spawn(issuer.serve(listener));
        write_sample(&folder, &addresses, &issuer, process.clock.as_ref())?;
        image::write(&folder.join("image"))?;
        let mut environment =
            Self { folder, addresses, issuer, registry: None, _issuer_server: issuer_server };
        let apply = environment.file("policy.toml");
        environment.run(process, &["policy", "apply", &apply, "--yes"]).await?;
        environment.write_vendor_password(process).await?;
        environment.write_identity_token(process.clock.as_ref())?;
        let config = Config::load(&environment.folder.join("dockpass.toml"))?;
        let app = App::build(&config, Arc::clone(&process.clock)).await?;
        environment.registry = environment.start_registry(process).await?;
        Ok((environment, app))
    }

    /// Runs the demonstration.
    pub(super) async fn show(&self, process: &mut Process) -> anyhow::Result<()> {
        self.show_addresses(&mut process.out)?;
        let token = self.sign_identity_token(process.clock.as_ref())?;
        let mut job = CiJob::connect(self.addresses.grpc, token).await?;
        writeln!(process.out, "\n1. a CI job ({SUBJECT}) asks to push servers/nginx")?;
        let granted =
            job.ask_to_push("servers/nginx").await.map_err(|status| anyhow::anyhow!("{status}"))?;
        story::show_grant(&mut process.out, &granted)?;
        writeln!(process.out, "\n2. the same job asks to push servers/apache")?;
        let Err(refusal) = job.ask_to_push("servers/apache").await else {
            anyhow::bail!("the sample policy allowed a push to servers/apache");
        };
        let decision = story::show_refusal(&mut process.out, &refusal)?
            .context("the refusal has no decision id")?;
        writeln!(process.out, "\n   what an operator sees: dockpass explain {decision}\n")?;
        let explained = self.run(process, &["explain", &decision]).await?;
        writeln!(process.out, "{}", indented(&explained))?;
        writeln!(
            process.out,
            "\n3. both are in the audit trail: dockpass audit list --kind issue\n"
        )?;
        let events = self.run(process, &["audit", "list", "--kind", "issue"]).await?;
        writeln!(process.out, "{}", indented(&events))?;
        self.show_what_to_try(&mut process.out)?;
        Ok(process.out.flush()?)
    }

    /// Writes a new identity token now and then, until `stop`.
    pub(super) async fn keep_identity_token_fresh(
        &self,
        clock: &Arc<dyn Clock>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        while stop.run_until_cancelled(tokio::time::sleep(RENEWAL)).await.is_some() {
            self.write_identity_token(clock.as_ref())?;
        }
        Ok(())
    }

    fn show_addresses(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let Addresses { grpc, http, ops, registry } = &self.addresses;
        writeln!(
            out,
            "dockpass dev: everything runs in this process, with its files in {}",
            self.folder.display()
        )?;
        writeln!(out, "   gRPC          http://{grpc}")?;
        writeln!(out, "   docker token  http://localhost:{}/token", http.port())?;
        writeln!(out, "   ops           http://{ops}/readyz, /metrics")?;
        writeln!(out, "   issuer        {}", self.issuer.issuer())?;
        match &self.registry {
            Some(process) => {
                writeln!(out, "   registry      localhost:{} ({process})", registry.port())?;
            }
            None => {
                writeln!(
                    out,
                    "   registry      none: put docker-registry on the PATH, and it runs beside"
                )?;
            }
        }
        Ok(())
    }

    fn show_what_to_try(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let program = std::env::current_exe()?;
        let folder = self.folder.display();
        let lines = sample::what_to_try(
            &program.display().to_string(),
            &folder.to_string(),
            &self.addresses,
        );
        writeln!(out, "\ntry next, in another terminal:\n\n{}", indented(&lines))?;
        Ok(())
    }

    async fn start_registry(&self, process: &Process) -> anyhow::Result<Option<RegistryProcess>> {
        let path = process.environment.value("PATH").unwrap_or_default();
        let Some(program) = registry::program(path) else { return Ok(None) };
        let auth = self.run(process, &["registry", "show", "local", "--registry-config"]).await?;
        RegistryProcess::start(&program, &self.folder, self.addresses.registry, &auth)
            .await
            .map(Some)
    }

    async fn write_vendor_password(&self, process: &Process) -> anyhow::Result<()> {
        let arguments = [
            "token",
            "credential",
            "generate",
            "--registry",
            "local",
            "--name",
            "agent-vendor",
            "--password1",
            "--expiration-in-days",
            "90",
            "--output",
            "json",
        ];
        let generated: Value = serde_json::from_str(&self.run(process, &arguments).await?)?;
        let secret = generated.pointer("/passwords/0/value").and_then(Value::as_str);
        self.write_secret("vendor-password", secret.context("no password was generated")?)
    }

    fn write_identity_token(&self, clock: &dyn Clock) -> anyhow::Result<()> {
        self.write_secret("identity-token", self.sign_identity_token(clock)?.expose())
    }

    fn sign_identity_token(&self, clock: &dyn Clock) -> anyhow::Result<Secret> {
        let claims = json!({
            "repository": "acme/nginx",
            "repository_id": sample::REPOSITORY_ID,
            "repository_owner": "acme",
            "ref": "refs/heads/main",
            "event_name": "push",
            "run_id": "42",
        });
        self.issuer.sign(SUBJECT, &claims, clock.now())
    }

    /// Replaces the file whole: who reads it meanwhile sees the old secret or the new one, and no mode of an old file remains.
    fn write_secret(&self, name: &str, secret: &str) -> anyhow::Result<()> {
        let write = || -> anyhow::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(secret.as_bytes())?;
            file.persist(self.folder.join(name))?;
            Ok(())
        };
        write().with_context(|| format!("cannot write `{name}` in `{}`", self.folder.display()))
    }

    /// Runs a command on the files of this environment.
    async fn run(&self, process: &Process, arguments: &[&str]) -> anyhow::Result<String> {
        let config = self.file("dockpass.toml");
        output_of(process, &[arguments, &["--config", &config]].concat()).await
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

impl Addresses {
    /// The usual ports where they are free, else others.
    fn choose() -> std::io::Result<Self> {
        Ok(Self { grpc: free(7443)?, http: free(7080)?, ops: free(7090)?, registry: free(5000)? })
    }
}

fn free(usual: u16) -> std::io::Result<SocketAddr> {
    let probe = Probe::bind((Ipv4Addr::LOCALHOST, usual))
        .or_else(|_taken| Probe::bind((Ipv4Addr::LOCALHOST, 0)))?;
    probe.local_addr()
}

fn write_sample(
    folder: &Path,
    addresses: &Addresses,
    issuer: &LocalIssuer,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let contract_ends = clock.now() + SignedDuration::from_hours(24 * 30);
    let configuration = sample::configuration(addresses, issuer.issuer());
    std::fs::write(folder.join("dockpass.toml"), configuration)?;
    std::fs::write(folder.join("policy.toml"), sample::policy(issuer.issuer(), contract_ends))?;
    Ok(())
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("   {line}")).collect::<Vec<_>>().join("\n")
}
