//! What the HTTP listeners serve beside the token endpoint.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Site, http, push};

async fn get(url: String) -> (StatusCode, String) {
    let response = http().get(url).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_registry_finds_the_root_that_it_has_to_trust() {
    let site = Site::new().await;
    let broker = site.start().await;
    let (status, root) = get(broker.url("/ca.pem")).await;
    assert_eq!(status, StatusCode::OK);
    let file = std::fs::read_to_string(site.folder.path().join("root.crt")).unwrap();
    assert_eq!(root.trim(), file.trim());
    let (status, keys) = get(broker.url("/.well-known/jwks.json")).await;
    assert_eq!(
        (status, serde_json::from_str::<Value>(&keys).unwrap()),
        (StatusCode::OK, json!({"keys": []}))
    );
}

#[tokio::test]
async fn probes_and_metrics_are_on_a_listener_of_their_own() {
    let site = Site::new().await;
    let broker = site.start().await;
    broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    assert_eq!(get(broker.ops_url("/livez")).await.0, StatusCode::OK);
    assert_eq!(get(broker.ops_url("/readyz")).await.0, StatusCode::OK);
    let (status, metrics) = get(broker.ops_url("/metrics")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(metrics.contains("dockpass_"), "{metrics}");
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(get(broker.url(path)).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(get(broker.ops_url("/token")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn other_methods_and_paths_mint_nothing() {
    let site = Site::new().await;
    let broker = site.start().await;
    for (method, path, status) in [
        (Method::HEAD, "/token", StatusCode::METHOD_NOT_ALLOWED),
        (Method::PUT, "/token", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/ca.pem", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/v2/", StatusCode::NOT_FOUND),
        (Method::GET, "/", StatusCode::NOT_FOUND),
    ] {
        let response = http().request(method, broker.url(path)).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
    broker.stop().await;
    assert_eq!(site.count(dockpass::audit::Kind::Exchange), 0);
}
