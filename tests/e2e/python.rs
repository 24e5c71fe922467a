//! A Python client, generated from the service definitions with grpcio-tools.

use std::path::Path;

use tokio::process::Command;

use crate::support::{Outcome, World};

/// The Python of an environment with `tests/python/requirements.txt`; `tests/run` makes one.
fn python() -> Command {
    let python = std::env::var_os("DOCKPASS_TEST_PYTHON").expect(
        "DOCKPASS_TEST_PYTHON names a Python with tests/python/requirements.txt: use tests/run",
    );
    Command::new(python)
}

#[tokio::test]
async fn a_generated_python_client_issues_reads_refusals_and_uses_health_and_reflection() {
    let world = World::start().await;
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = world.clients.home().join("generated");
    std::fs::create_dir(&generated).unwrap();
    let mut generate = python();
    generate.current_dir(package.join("proto")).args(["-m", "grpc_tools.protoc", "-I."]);
    for option in ["--python_out", "--grpc_python_out"] {
        generate.arg(format!("{option}={}", generated.display()));
    }
    generate.args(["dockpass/v1/access_service.proto", "dockpass/v1/access_token.proto"]);
    Outcome::of(generate, "").await.succeeded();

    let mut client = python();
    client.arg(package.join("tests/python/client.py")).env("PYTHONPATH", &generated);
    client.env("BROKER", world.broker.grpc_url().replace("http://", ""));
    let out = Outcome::of(client, &world.job()).await.succeeded();
    assert_eq!(out, "issued\nrefused\ninvalid\nhealthy\nreflected\n");
}
