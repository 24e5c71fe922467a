//! A Python client, generated from the service definitions with grpcio-tools.

use tokio::process::Command;

use crate::support::{Outcome, World};

#[tokio::test]
async fn a_generated_python_client_issues_reads_refusals_and_uses_health_and_reflection() {
    let python = std::env::var_os("DOCKPASS_TEST_PYTHON").expect(
        "DOCKPASS_TEST_PYTHON names a Python with tests/python/requirements.txt: use tests/run",
    );
    let world = World::start().await;
    let mut client = Command::new(python);
    client
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/test_client.py"))
        .env("DOCKPASS_SERVER", world.broker.grpc_url())
        .env("DOCKPASS_IDENTITY_TOKEN", world.job())
        .env("DOCKPASS_REGISTRY", "local")
        .env("DOCKPASS_ALLOWED", "servers/nginx")
        .env("DOCKPASS_DENIED", "servers/apache");
    let out = Outcome::of(client, "").await.succeeded();
    let passed = out.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(passed, 10, "{out}");
}
