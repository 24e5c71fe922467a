//! `login` and `logout` against the emulated broker.

use super::broker::IDENTITY;
use super::{broker, dockpass};

const FLAGS: &str = "--registry local --repository servers/nginx --action push";

#[tokio::test]
async fn a_login_is_written_for_docker_and_podman_and_the_secret_is_not_shown() {
    let url = broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let environment = [IDENTITY, ("HOME", home), ("XDG_RUNTIME_DIR", home)];
    let arguments =
        format!("login localhost:5000 --server {url} {FLAGS} --client docker --client podman");
    let outcome = dockpass(&arguments, &environment, "").await;
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(outcome.out.contains("logged in to localhost:5000 as nginx-ci"), "{}", outcome.out);
    assert!(!format!("{outcome:?}").contains("dps_"), "{outcome:?}");
    let files = [".docker/config.json", "containers/auth.json"];
    for file in files {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        // base64 of nginx-ci:dps_canary
        assert_eq!(json["auths"]["localhost:5000"]["auth"], "bmdpbngtY2k6ZHBzX2NhbmFyeQ==");
    }

    let outcome = dockpass("logout localhost:5000 --client docker", &environment, "").await;
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    let gone = std::fs::read_to_string(folder.path().join(files[0])).unwrap();
    assert!(!gone.contains("localhost:5000"), "{gone}");
    let kept = std::fs::read_to_string(folder.path().join(files[1])).unwrap();
    assert!(kept.contains("localhost:5000"), "{kept}");

    let outcome = dockpass("logout localhost:5000", &environment, "").await;
    assert_eq!((outcome.code, outcome.out.as_str()), (0, ""));
    assert!(outcome.err.contains("holds no login of localhost:5000"), "{}", outcome.err);
}

#[tokio::test]
async fn the_credential_of_a_registry_is_not_written_for_another_host() {
    let url = broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth.json");
    let arguments =
        format!("login evil.example --server {url} {FLAGS} --authfile {}", file.display());
    let outcome = dockpass(&arguments, &[IDENTITY], "").await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("the registry `local` is at `localhost:5000`"), "{}", outcome.err);
    assert!(!file.exists());
}

#[tokio::test]
async fn without_a_host_it_is_the_one_that_the_broker_names() {
    let url = broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth.json");
    let arguments = format!("login --server {url} {FLAGS} --authfile {}", file.display());
    let outcome = dockpass(&arguments, &[IDENTITY], "").await;
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(std::fs::read_to_string(file).unwrap().contains("localhost:5000"));
}

#[tokio::test]
async fn a_file_that_cannot_take_the_login_is_found_out_before_anything_is_minted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth.json");
    // nothing listens there: had it asked the broker, that would be the error
    let arguments =
        format!("login h --server http://127.0.0.9:1 {FLAGS} --authfile {}", file.display());
    for (text, expected) in
        [("{\"credsStore\":\"x\"}", "credential helper `x`"), ("{", "auth file")]
    {
        std::fs::write(&file, text).unwrap();
        let outcome = dockpass(&arguments, &[IDENTITY], "").await;
        assert_eq!(outcome.code, 1);
        assert!(outcome.err.contains(expected), "{}", outcome.err);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}
