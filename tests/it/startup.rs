//! What keeps the broker from starting. Each refusal names the file, key or address.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use dockpass::app::App;
use dockpass::config::Config;

use crate::support::Site;

async fn problem(site: &Site) -> String {
    let built = App::build(&site.config(), Arc::new(site.clock.clone())).await;
    format!("{:#}", built.unwrap_err())
}

/// A site whose keys were made by a broker that ran before.
async fn with_keys() -> Site {
    let site = Site::new().await;
    site.start().await.stop().await;
    site
}

#[tokio::test]
async fn g8_a_root_that_is_the_tls_certificate_is_refused() {
    let mut site = with_keys().await;
    let tls = "[tls]\ncertificate_file = \"root.crt\"\nkey_file = \"root.key\"\n[[registries]]";
    site.reconfigure("[[registries]]", tls);
    let problem = problem(&site).await;
    assert!(problem.contains("root.crt") && problem.contains("root certificate"), "{problem}");
}

#[tokio::test]
async fn g8_a_root_that_is_the_ca_of_clients_is_refused() {
    let mut site = with_keys().await;
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(site.folder.path().join("tls.crt"), pair.cert.pem()).unwrap();
    private(&site.folder.path().join("tls.key"), &pair.signing_key.serialize_pem());
    let tls = "[tls]\ncertificate_file = \"tls.crt\"\nkey_file = \"tls.key\"\nclient_ca_file = \"root.crt\"\n[[registries]]";
    site.reconfigure("[[registries]]", tls);
    let problem = problem(&site).await;
    assert!(problem.contains("root.crt") && problem.contains("root certificate"), "{problem}");
}

#[tokio::test]
async fn b2_an_issuer_without_an_audience_is_refused() {
    let site = Site::new().await;
    let text = "[[issuers]]\nissuer = \"https://i.example.com\"\n";
    let problem = Config::from_toml(text, site.folder.path()).unwrap_err().to_string();
    assert!(problem.contains("audience"), "{problem}");
}

#[tokio::test]
async fn promise_11_a_listener_for_other_machines_needs_tls() {
    for section in ["grpc", "http", "ops"] {
        let text = format!("[{section}]\nlisten = \"0.0.0.0:0\"\n");
        let problem = Config::from_toml(&text, Path::new(".")).unwrap_err().to_string();
        assert!(problem.contains(&format!("{section}.listen")), "{problem}");
    }
}

#[tokio::test]
async fn key_files_that_are_damaged_are_named_and_not_replaced() {
    for file in ["seal.keys", "root.key", "root.crt"] {
        let site = with_keys().await;
        let path = site.folder.path().join(file);
        private(&path, "nonsense");
        let problem = problem(&site).await;
        assert!(problem.contains(file), "{file}: {problem}");
        assert!(!problem.contains("nonsense"), "{problem}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "nonsense");
    }
}

#[tokio::test]
async fn key_files_that_others_can_read_are_refused() {
    for file in ["seal.keys", "root.key"] {
        let site = with_keys().await;
        let path = site.folder.path().join(file);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let problem = problem(&site).await;
        assert!(problem.contains(file), "{file}: {problem}");
    }
}

#[tokio::test]
async fn a_root_without_its_key_is_named() {
    let site = with_keys().await;
    std::fs::remove_file(site.folder.path().join("root.key")).unwrap();
    let problem = problem(&site).await;
    assert!(problem.contains("root.key"), "{problem}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let mut site = Site::new().await;
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    site.reconfigure(
        "[http]\nlisten = \"127.0.0.1:0\"",
        &format!("[http]\nlisten = \"{address}\""),
    );
    let problem = problem(&site).await;
    assert!(problem.contains(&address), "{problem}");
    assert_eq!(site.count(dockpass::audit::Kind::Start), 0, "it did not begin to serve");
}

#[tokio::test]
async fn a_store_that_is_no_database_is_named() {
    let mut site = Site::embedded().await;
    std::fs::write(site.folder.path().join("other.db"), "nonsense".repeat(1000)).unwrap();
    site.reconfigure("[grpc]", "store.url = \"sqlite:other.db\"\n[grpc]");
    let problem = problem(&site).await;
    assert!(problem.contains("other.db"), "{problem}");
}

fn private(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}
