//! Redis with TLS, with a login, and as a cluster.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::support::{Got, PATIENT, Replica, Upstream, Want, eventually, key, ring, target};
use crate::cache::shared::Timing;
use crate::cache::{Health, Sharing};

/// A Redis of the test's own.
struct Server {
    port: u16,
    folder: TempDir,
    _process: Child,
}

impl Server {
    /// `flags` are those of redis-server; `PORT` in them becomes its port.
    fn start(folder: TempDir, flags: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(folder.path())
            .args(flags.iter().map(|flag| flag.replace("PORT", &port.to_string())))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is installed: start the tests with tests/run");
        Self { port, folder, _process: process }
    }

    async fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(arguments)
            .output()
            .await
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Two replicas find what the other minted, both ways of minting.
async fn assert_shared(one: &Replica, two: &Replica) {
    for sharing in [Sharing::Values, Sharing::Mints] {
        for replica in [one, two] {
            eventually(async || replica.health() == Health::Shared).await;
        }
        let upstream = Upstream::default();
        let want = Want::new(key(), &upstream, sharing);
        assert_eq!(one.settle(&want).await, Got { number: 1, reused: false });
        assert_eq!(two.settle(&want).await, Got { number: 1, reused: true });
    }
}

/// An authority and a certificate of it for loopback, as files; and the authority as PEM.
fn certificates(folder: &TempDir) -> Vec<u8> {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.path().join("own.crt"), own.pem()).unwrap();
    std::fs::write(folder.path().join("own.key"), key.serialize_pem()).unwrap();
    authority_certificate.pem().into_bytes()
}

const TLS: [&str; 10] = [
    "--port",
    "0",
    "--tls-port",
    "PORT",
    "--tls-cert-file",
    "own.crt",
    "--tls-key-file",
    "own.key",
    "--tls-auth-clients",
    "no",
];

#[tokio::test]
async fn replicas_share_over_tls_with_the_authority_of_the_configuration_and_no_other() {
    let folder = TempDir::new().unwrap();
    let authority = certificates(&folder);
    let server = Server::start(folder, &TLS);
    let (url, ring) = (format!("rediss://localhost:{}", server.port), ring());
    let trusting = || Replica::of(target(&url, Some(authority.clone())), &ring, PATIENT);
    assert_shared(&trusting(), &trusting()).await;

    let stranger = certificates(&TempDir::new().unwrap());
    let timing = Timing { connect: Duration::from_secs(2), ..PATIENT };
    for authorities in [None, Some(stranger)] {
        let distrusting = target(&url, authorities);
        let refused = distrusting.connect(timing.connect).await;
        assert!(refused.is_err(), "a certificate that nobody vouches for");
    }
}

#[tokio::test]
async fn replicas_share_a_cluster() {
    let flags =
        ["--port", "PORT", "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"];
    let server = Server::start(TempDir::new().unwrap(), &flags);
    eventually(async || server.cli(&["ping"]).await.contains("PONG")).await;
    assert!(server.cli(&["cluster", "addslotsrange", "0", "16383"]).await.contains("OK"));
    eventually(async || server.cli(&["cluster", "info"]).await.contains("cluster_state:ok")).await;
    let (url, ring) = (format!("redis+cluster://127.0.0.1:{},localhost:1", server.port), ring());
    let replica = || Replica::at(&url, &ring, PATIENT);
    assert_shared(&replica(), &replica()).await;
}

#[tokio::test]
async fn replicas_share_with_the_right_password_and_mint_for_themselves_with_a_wrong_one() {
    let server =
        Server::start(TempDir::new().unwrap(), &["--port", "PORT", "--requirepass", "canary"]);
    let (port, ring) = (server.port, ring());
    let replica =
        |login: &str| Replica::at(&format!("redis://{login}127.0.0.1:{port}"), &ring, PATIENT);
    assert_shared(&replica(":canary@"), &replica("default:canary@")).await;
    for login in ["", ":wrong@"] {
        let (refused, upstream) = (replica(login), Upstream::default());
        eventually(async || refused.health() == Health::Cut).await;
        let got = refused.get(&Want::new(key(), &upstream, Sharing::Mints)).await;
        assert_eq!(got, Ok(Got { number: 1, reused: false }));
    }
    assert!(server.folder.path().exists());
}

/// What README.md says that the user needs.
const RIGHTS: [&str; 10] = [
    "~dockpass:cache:1:*",
    "+getrange",
    "+set",
    "+del",
    "+pttl",
    "+pexpire",
    "+incr",
    "+time",
    "+eval",
    "+evalsha",
];

#[tokio::test]
async fn replicas_share_with_a_user_of_few_rights_and_mint_for_themselves_with_one_of_none() {
    let server = Server::start(TempDir::new().unwrap(), &["--port", "PORT"]);
    eventually(async || server.cli(&["ping"]).await.contains("PONG")).await;
    let user = |name: &'static str, rights: &[&'static str]| {
        [&["acl", "setuser", name, "on", ">canary"][..], rights].concat()
    };
    assert!(server.cli(&user("dockpass", &RIGHTS)).await.contains("OK"));
    assert!(server.cli(&user("nobody", &[])).await.contains("OK"));
    let (port, ring) = (server.port, ring());
    let replica = |user: &str| {
        Replica::at(&format!("redis://{user}:canary@127.0.0.1:{port}"), &ring, PATIENT)
    };
    assert_shared(&replica("dockpass"), &replica("dockpass")).await;
    let (refused, upstream) = (replica("nobody"), Upstream::default());
    for sharing in [Sharing::Values, Sharing::Mints] {
        let got = refused.get(&Want::new(key(), &upstream, sharing)).await;
        assert!(!got.unwrap().reused);
    }
    assert_eq!(refused.health(), Health::Cut);
}
