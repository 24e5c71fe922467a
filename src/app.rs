//! The composition root: every part is made here, from its own configuration and what it depends on, and nowhere else.

use std::fs::DirBuilder;
use std::hint::black_box;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::audit::Journal;
use crate::broker::{Broker, LocalUser, Parts, StoredUses};
use crate::cache::Cache;
use crate::config::Config;
use crate::identity::Verifiers;
use crate::listen::{
    AdminSocket, Admission, Certificate, ConnectionLimits, Cores, HttpLimits, Listener, LocalPeer,
    Protocol,
};
use crate::model::Clock;
use crate::net::HttpClient;
use crate::registry::{Dependencies, KeysConfig, Registries, WithoutRoot};
use crate::seal::KeyRing;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::{grpc, http, listen, net};

/// How often health follows readiness.
const HEALTH: Duration = Duration::from_millis(500);

/// How often the file of the seal keys is looked at.
const RING: Duration = Duration::from_secs(10);

/// So long after the start, memory that was needed for it is given back: the allocator keeps what was freed for a second.
const STARTED: Duration = Duration::from_secs(3);

/// Enough to make the allocator look at what it keeps.
const LOOK: usize = 128 * 1024;

/// The runtime of the program: that of one core. Where there are more, [`App::build`] starts others beside it.
///
/// # Errors
/// The operating system refuses what it needs.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    listen::runtime()
}

/// The program, listening but not yet answering.
#[derive(Debug)]
pub struct App {
    admin: (AdminSocket, grpc::Server),
    broker: Arc<Broker>,
    certificate: Option<Arc<Certificate>>,
    grpc: (Listener, grpc::Server),
    http: Listener,
    metrics: Metrics,
    ops: Listener,
    ring: Arc<KeyRing>,
}

impl App {
    /// Makes every part and binds the listeners.
    ///
    /// # Errors
    /// What cannot be made, with the file, section or address named.
    pub async fn build(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let metrics = Metrics::install().context("cannot install the metrics")?;
        let ring = key_ring(config)?;
        let broker = broker(config, Arc::clone(&ring), clock).await?;
        let certificate = match config.tls.clone() {
            Some(tls) => Some(Certificate::load(tls).await?),
            None => None,
        };
        let cores = Cores::of_this_machine().context("cannot start the threads that serve")?;
        let callers = Admission::new(ConnectionLimits::default());
        // of their own: a flood of callers does not fail the probes
        let probes = Admission::new(ConnectionLimits::default());
        let bind = |listen, protocol, admission: &Admission, cores: &Cores| {
            let config = listen::Config { listen };
            Listener::bind(config, protocol, certificate.as_ref(), admission.clone(), cores.clone())
        };
        Ok(Self {
            admin: (
                AdminSocket::bind(&config.data_dir)?,
                grpc::Server::build_management(Arc::clone(&broker)).await?,
            ),
            grpc: (
                bind(config.grpc.listen, Protocol::Http2, &callers, &cores).await?,
                grpc::Server::build(Arc::clone(&broker)).await?,
            ),
            http: bind(config.http.listen, Protocol::Http1, &callers, &cores).await?,
            ops: bind(config.ops.listen, Protocol::Http1, &probes, &Cores::one()).await?,
            broker,
            certificate,
            metrics,
            ring,
        })
    }

    /// The file of the admin socket.
    pub fn admin_socket(&self) -> &Path {
        self.admin.0.path()
    }

    /// The address of the gRPC listener.
    pub const fn grpc_address(&self) -> SocketAddr {
        self.grpc.0.local_addr()
    }

    /// The address of the docker token endpoint.
    pub const fn http_address(&self) -> SocketAddr {
        self.http.local_addr()
    }

    /// The address of health and metrics.
    pub const fn ops_address(&self) -> SocketAddr {
        self.ops.local_addr()
    }

    /// Answers until `stop`; then finishes what began, records it, and returns.
    ///
    /// # Errors
    /// A part ended by itself, which none should.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { admin, broker, certificate, grpc, http, metrics, ops, ring } = self;
        let ((admin_socket, admin), (grpc_listener, grpc)) = (admin, grpc);
        broker.open().await;
        let healths = [admin.health(), grpc.health()];
        let mut parts = JoinSet::new();
        let router = http::router(Arc::clone(&broker));
        let kept_up = metrics.clone();
        let probes = http::ops_router(Arc::clone(&broker), move || metrics.render());
        let stopped = || stop.clone().cancelled_owned();
        parts.spawn(admin.serve(admin_socket.incoming(stopped(), local_user), stopped()));
        parts.spawn(grpc.serve(grpc_listener.incoming(stopped()), stopped()));
        parts.spawn(listen::serve_http(http, router, HttpLimits::default(), stopped()));
        parts.spawn(Arc::clone(&broker).housekeeping(stop.clone()));
        parts.spawn(Arc::clone(&broker).follow_policy(stop.clone()));
        // health and metrics answer until everything else is finished
        let finished = CancellationToken::new();
        let mut background = JoinSet::new();
        background.spawn(listen::serve_http(
            ops,
            probes,
            HttpLimits::default(),
            finished.clone().cancelled_owned(),
        ));
        background.spawn(kept_up.keep_up());
        background.spawn(give_back_memory());
        background.spawn(ring.watch(RING));
        for health in healths {
            let followed = Arc::clone(&broker);
            background.spawn(async move { health.follow(&followed, HEALTH).await });
        }
        if let Some(certificate) = certificate {
            background.spawn(async move { certificate.watch(Certificate::WATCH_EVERY).await });
        }
        while let Some(ended) = parts.join_next().await {
            ended.context("a part of the program panicked")?;
            anyhow::ensure!(stop.is_cancelled(), "a part of the program ended by itself");
        }
        broker.close().await;
        finished.cancel();
        background.shutdown().await;
        Ok(())
    }
}

/// Gives freed memory back to the system, once the start is over: definitions are read whole, and compiled they take less.
async fn give_back_memory() {
    tokio::time::sleep(STARTED).await;
    // the allocator does so when a thread ends; those of the runtime wait for more work
    let ends = thread::Builder::new().spawn(|| drop(black_box(vec![1_u8; LOOK])));
    ends.inspect_err(|error| tracing::debug!(%error, "no memory is given back")).ok();
}

/// What the broker knows of the other end of the admin socket.
fn local_user(peer: LocalPeer) -> LocalUser {
    LocalUser { uid: peer.uid, pid: peer.pid, name: peer.name.unwrap_or_default() }
}

async fn broker(
    config: &Config,
    ring: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<Broker>> {
    let store = Store::open(&config.store, &config.data_dir).await?;
    let journal = Journal::start(&store, &config.keys.audit_key_file, Arc::clone(&clock)).await?;
    let without_root = if config.is_shared() { WithoutRoot::Refuse } else { WithoutRoot::Make };
    let parts = Parts {
        admins: config.admins.clone(),
        cache: Cache::build(&config.cache, Arc::clone(&ring), Arc::clone(&clock))?,
        context: config.policy_context(),
        limits: config.limits.clone(),
        registries: registries(config, Arc::clone(&ring), without_root, Arc::clone(&clock))?,
        verifiers: Verifiers::build(config.issuers.clone(), ring, Arc::clone(&clock))?
            .sharing_used_tokens(Arc::new(StoredUses::new(store.clone()))),
        clock,
        journal,
        store,
    };
    Ok(Broker::build(parts).await?)
}

/// The drivers of the configured registries, for commands that work on the files themselves. The keys are those of the broker.
///
/// # Errors
/// A key cannot be used, or two registries are the same: with the file or registry named.
pub fn offline_registries(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Registries> {
    // a registry is set up before the first start: the keys are made then, also those that several brokers are given
    let folder = &config.data_dir;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make the data folder `{}`", folder.display()))?;
    let ring = Arc::new(KeyRing::load_or_generate(&config.keys.seal_keys_file)?);
    registries(config, ring, WithoutRoot::Make, clock)
}

/// The seal keys; made when they are missing, unless others have to open what is sealed.
fn key_ring(config: &Config) -> anyhow::Result<Arc<KeyRing>> {
    let file = &config.keys.seal_keys_file;
    let ring = if config.is_shared() {
        KeyRing::load(file).context(
            "brokers that share a store or a cache share their seal keys: `dockpass registry show NAME --bundle --config FILE` makes what is missing; give it to each of them",
        )?
    } else {
        KeyRing::load_or_generate(file)?
    };
    Ok(Arc::new(ring))
}

/// The drivers of the configured registries.
fn registries(
    config: &Config,
    ring: Arc<KeyRing>,
    without_root: WithoutRoot,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Registries> {
    let keys = &config.keys;
    let tls = config.tls.iter();
    let foreign = tls
        .flat_map(|tls| [Some(tls.certificate_file.clone()), tls.client_ca_file.clone()])
        .flatten();
    let keys = KeysConfig {
        root_certificate_file: keys.root_certificate_file.clone(),
        root_key_file: keys.root_key_file.clone(),
        without_root,
        signing_key_files: keys.signing_key_files.clone(),
        foreign_certificate_files: foreign.collect(),
    };
    let http = HttpClient::build(&net::Config { ca_file: None, loopback_http: true })?;
    let external_url = config.http.external_url.clone();
    Ok(Registries::build(
        config.registries.clone(),
        keys,
        Dependencies { clock, ring, http, external_url },
    )?)
}
