//! TLS to the database: who is not who the URL names is told nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::store::tests::sample::append;
use crate::store::{Config, Error, Url};

/// A server that speaks TLS as `localhost`, in front of the tests' own.
struct TlsServer {
    port: u16,
    folder: tempfile::TempDir,
    url: String,
    _task: AbortOnDropHandle<()>,
}

fn authority() -> (CertificateParams, KeyPair) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (authority, KeyPair::generate().unwrap())
}

impl TlsServer {
    async fn start(world: &World) -> Self {
        let (authority, authority_key) = authority();
        let folder = tempfile::tempdir().unwrap();
        let root = authority.self_signed(&authority_key).unwrap().pem();
        std::fs::write(folder.path().join("root.pem"), root).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let url = world.database().url();
        let target = url.split_once('@').unwrap().1.split_once('/').unwrap().0;
        let target: SocketAddr = target.replace("localhost", "127.0.0.1").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let task = tokio_util::task::TaskTracker::new().spawn(serve(listener, acceptor, target));
        Self { port, folder, url, _task: AbortOnDropHandle::new(task) }
    }

    /// Another authority, which did not sign for the server.
    fn stranger(&self) -> PathBuf {
        let (authority, key) = authority();
        let path = self.folder.path().join("stranger.pem");
        std::fs::write(&path, authority.self_signed(&key).unwrap().pem()).unwrap();
        path
    }

    async fn open(&self, host: &str, root: &std::path::Path) -> Result<Store, Error> {
        let (user, rest) = self.url.split_once('@').unwrap();
        let database = rest.split_once('/').unwrap().1.split('?').next().unwrap();
        let (port, root) = (self.port, root.display());
        let url = format!("{user}@{host}:{port}/{database}?sslmode=verify-full&sslrootcert={root}");
        let config = Config { url: Url::new(url), ..Config::default() };
        Store::open(&config, std::path::Path::new(".")).await
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, target: SocketAddr) {
    let tasks = tokio_util::task::TaskTracker::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tasks.spawn(async move {
            // "is there TLS?", and the answer
            let mut request = [0; 8];
            client.read_exact(&mut request).await.ok()?;
            client.write_all(b"S").await.ok()?;
            let mut client = acceptor.accept(client).await.ok()?;
            let mut server = TcpStream::connect(target).await.ok()?;
            copy_bidirectional(&mut client, &mut server).await.ok()
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn promise_11_only_the_server_that_the_url_names_is_told_anything() {
    let world = World::postgres().await;
    let server = TlsServer::start(&world).await;
    let root = server.folder.path().join("root.pem");
    let store = server.open("localhost", &root).await.unwrap();
    append(&mut store.journal().unwrap(), 3);
    assert_eq!(whole(&world.store, Chain(0)).len(), 3);
    for (host, root) in [("localhost", server.stranger()), ("127.0.0.1", root)] {
        let error = server.open(host, &root).await.unwrap_err().to_string();
        assert!(error.contains("no safe connection") && error.contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn promise_11_a_server_without_tls_is_refused_when_the_url_asks_for_it() {
    let world = World::postgres().await;
    let url = world.database().url();
    let url = Url::new(format!("{}?sslmode=verify-full", url.split('?').next().unwrap()));
    let config = Config { url, ..Config::default() };
    let error = Store::open(&config, std::path::Path::new(".")).await.unwrap_err().to_string();
    assert!(error.contains("TLS"), "{error}");
}
