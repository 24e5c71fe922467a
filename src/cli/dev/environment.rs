//! What runs in `dockpass dev`: broker, local issuer, and a registry where there is one; and what it shows of them.

use std::fs::File;
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
use tonic::Status;

use super::command::output_of;
use super::issuer::LocalIssuer;
use super::registry::{self, RegistryProcess};
use super::sample::{self, Addresses};
use super::story::{self, CiJob};
use super::{Process, image};
use crate::app::App;
use crate::config::Config;
use crate::model::{Clock, Secret};
use crate::pb::AccessToken;

/// How often the identity token in the folder is made anew; it lives for an hour.
const RENEWAL: Duration = Duration::from_mins(10);

/// The file of the vendor's password.
const VENDOR_PASSWORD: &str = "vendor-password";

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
    _lock: File,
}

impl Environment {
    /// Starts everything but the broker, which is returned ready to run. A folder that was used before keeps its keys, its
    /// audit trail, the vendor's password and, while the issuer is where it was, its policy.
    pub(super) async fn start(folder: &Path, process: &Process) -> anyhow::Result<(Self, App)> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
        let folder = folder.canonicalize()?;
        let lock = lock(&folder)?;
        let addresses = Addresses::choose()?;
        let listener = TcpListener::bind(addresses.issuer).await?;
        let issuer = LocalIssuer::new(listener.local_addr()?, sample::AUDIENCE)?;
        let mut issuer_server = JoinSet::new();
        issuer_server.spawn(issuer.serve(listener));
        write_sample(&folder, &addresses, &issuer, process.clock.as_ref())?;
        image::write(&folder.join("image"))?;
        let mut environment = Self {
            folder,
            addresses,
            issuer,
            registry: None,
            _issuer_server: issuer_server,
            _lock: lock,
        };
        let apply = environment.file("policy.toml");
        environment.run(process, &["policy", "apply", &apply, "--yes"]).await?;
        if !environment.folder.join(VENDOR_PASSWORD).exists() {
            environment.write_vendor_password(process).await?;
        }
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
        self.show_answer(process, job.ask_to_push("servers/nginx").await).await?;
        writeln!(process.out, "\n2. the same job asks to push servers/apache")?;
        self.show_answer(process, job.ask_to_push("servers/apache").await).await?;
        writeln!(process.out, "\n3. both are in the audit trail: dockpass audit list\n")?;
        let events =
            self.run(process, &["audit", "list", "--kind", "issue", "--limit", "2"]).await?;
        writeln!(process.out, "{}", indented(&events))?;
        Ok(process.out.flush()?)
    }

    /// A grant as its caller sees it; a refusal also as an operator does. With a policy of its user's own, either may come.
    async fn show_answer(
        &self,
        process: &mut Process,
        answer: Result<AccessToken, Status>,
    ) -> anyhow::Result<()> {
        let refusal = match answer {
            Ok(granted) => return Ok(story::show_grant(&mut process.out, &granted)?),
            Err(refusal) => refusal,
        };
        let decision = story::show_refusal(&mut process.out, &refusal)?
            .context("the refusal has no decision id")?;
        writeln!(process.out, "   what an operator sees with dockpass explain {decision}\n")?;
        let explained = self.run(process, &["explain", &decision, "--output", "json"]).await?;
        story::show_trace(&mut process.out, &serde_json::from_str(&explained)?)?;
        Ok(())
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
        let Addresses { grpc, http, ops, registry, .. } = &self.addresses;
        writeln!(
            out,
            "dockpass dev: everything runs in this process, with its files in {}\n",
            self.folder.display()
        )?;
        writeln!(out, "   gRPC          http://{grpc}")?;
        writeln!(out, "   docker token  http://localhost:{}/token", http.port())?;
        writeln!(out, "   ops           http://{ops}/readyz, /metrics")?;
        let admin = self.folder.join("admin/admin.sock");
        writeln!(out, "   management    unix:{}", admin.display())?;
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

    /// Prints the lines for another terminal.
    pub(super) fn show_what_to_try(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let program = std::env::current_exe()?;
        let programs = program.parent().unwrap_or(&program).display().to_string();
        let folder = self.folder.display().to_string();
        let lines = sample::what_to_try(&programs, &folder, &self.addresses);
        writeln!(out, "\ntry next, in another terminal:\n\n{lines}")?;
        writeln!(out, "\nserving until Ctrl-C")?;
        Ok(out.flush()?)
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
        self.write_secret(VENDOR_PASSWORD, secret.context("no password was generated")?)
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
        Ok(Self {
            grpc: free(7443)?,
            http: free(7080)?,
            issuer: free(7070)?,
            ops: free(7090)?,
            registry: free(5000)?,
        })
    }
}

fn free(usual: u16) -> std::io::Result<SocketAddr> {
    let probe = Probe::bind((Ipv4Addr::LOCALHOST, usual))
        .or_else(|_taken| Probe::bind((Ipv4Addr::LOCALHOST, 0)))?;
    probe.local_addr()
}

/// Two of them would write each other's files.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let file = File::create(folder.join("dev.lock"))?;
    anyhow::ensure!(
        file.try_lock().is_ok(),
        "another `dockpass dev` works in `{}`: end it, or name another --data-dir",
        folder.display()
    );
    Ok(file)
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
    let policy = folder.join("policy.toml");
    let own = std::fs::read_to_string(&policy).unwrap_or_default();
    if !own.contains(&format!("\"{}\"", issuer.issuer())) {
        std::fs::write(policy, sample::policy(issuer.issuer(), contract_ends))?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("   {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ManualClock;

    #[test]
    fn a_policy_of_its_users_own_stays_while_the_issuer_is_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-08-01T12:00:00Z".parse().unwrap());
        let write = |port: u16| {
            let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let addresses = Addresses { grpc: at, http: at, issuer: at, ops: at, registry: at };
            let issuer = LocalIssuer::new(at, sample::AUDIENCE).unwrap();
            write_sample(folder.path(), &addresses, &issuer, &clock).unwrap();
            std::fs::read_to_string(folder.path().join("policy.toml")).unwrap()
        };
        let own = format!("{}# mine\n", write(7070));
        std::fs::write(folder.path().join("policy.toml"), &own).unwrap();
        assert_eq!(write(7070), own);
        let other = write(707);
        assert!(!other.contains("# mine") && other.contains("localhost:707\""), "{other}");
    }

    #[test]
    fn one_folder_serves_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        let error = lock(folder.path()).unwrap_err().to_string();
        assert!(error.contains("--data-dir"), "{error}");
        drop(first);
        assert!(lock(folder.path()).is_ok());
    }
}
