//! Promise 9: nothing secret in whatever dockpass writes.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dockpass::pb::Action::{ContentRead, ContentWrite};

use crate::support::{World, http, with_query};

/// The secrets of a test.
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, what: &'static str, secret: &str) {
        self.0.push((what, secret.to_owned()));
    }

    /// A JWT: whole, and its signature alone, because the rest of it is no secret.
    fn add_jwt(&mut self, what: &'static str, jwt: &str) {
        self.add(what, jwt.rsplit('.').next().unwrap());
    }

    /// The names of the secrets that `bytes` hold.
    fn in_bytes(&self, bytes: &[u8]) -> Vec<&'static str> {
        let text = String::from_utf8_lossy(bytes);
        self.0.iter().filter(|(_, secret)| text.contains(secret)).map(|(what, _)| *what).collect()
    }
}

#[tokio::test]
async fn promise_9_no_secret_in_logs_files_and_metrics_at_the_most_talkative_level() {
    let world = World::start().await;
    let mut canaries = Canaries(Vec::new());
    let (job, vendor) = (world.job(), world.password_of("field-vendor").await);
    let wrong = vendor.replacen("dpk_", "dpk_B", 1);
    canaries.add_jwt("identity token", &job);
    canaries.add("password of a token", &vendor);
    canaries.add("wrong password", &wrong);
    canaries.add("basic header", &STANDARD.encode(format!("field-vendor:{vendor}")));

    let push: &[_] = &[("servers/nginx", [ContentRead, ContentWrite].as_slice())];
    let token = world.broker.issue(&job, push).await.unwrap();
    canaries.add("password of an access token", &token.password);
    canaries.add_jwt("bearer token", &token.bearer_token);
    let refused = [("servers/apache", [ContentRead].as_slice())];
    world.broker.issue(&job, &refused).await.unwrap_err();
    let forged = format!("{}x", job.split_at(job.len() - 8).0);
    canaries.add_jwt("forged identity token", &forged);
    world.broker.issue(&forged, push).await.unwrap_err();

    let host = world.registry.host();
    let query = [
        ("service", host.as_str()),
        ("scope", "repository:servers/nginx:pull,push"),
        ("offline_token", "true"),
    ];
    let url = with_query(&world.broker.url("/token"), &query);
    for (username, password) in [
        ("oidc", &job),
        ("field-vendor", &vendor),
        ("field-vendor", &wrong),
        (token.username.as_str(), &token.password),
    ] {
        let request = http().get(&url).basic_auth(username, Some(password));
        let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        if let Some(jwt) = answer["token"].as_str() {
            canaries.add_jwt("registry JWT", jwt);
        }
        if let Some(refresh) = answer["refresh_token"].as_str() {
            canaries.add("refresh token", refresh);
        }
    }
    let form = [
        ("grant_type", "password"),
        ("service", &host),
        ("username", "field-vendor"),
        ("password", &wrong),
    ];
    http().post(world.broker.url("/token")).form(&form).send().await.unwrap();

    let metrics = http().get(world.broker.ops_url("/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("dockpass"), "{metrics}");
    assert!(world.broker.output().contains("TRACE"), "the log is not at its most talkative");
    let trail = world.broker.offline(&["audit", "export"]).await.succeeded();
    assert!(trail.contains(&token.id), "{trail}");
    assert_eq!(canaries.in_bytes(metrics.as_bytes()), Vec::<&str>::new(), "in the metrics");
    assert_eq!(canaries.in_bytes(trail.as_bytes()), Vec::<&str>::new(), "in the exported trail");
    let files = files_below(world.broker.folder());
    assert!(files.iter().any(|file| file.ends_with("dockpass.db")), "{files:?}");
    for file in files {
        let found = canaries.in_bytes(&std::fs::read(&file).unwrap());
        assert_eq!(found, Vec::<&str>::new(), "in {}", file.display());
    }
    assert!(canaries.0.len() >= 11, "not every secret was collected: {}", canaries.0.len());
}

/// All files below a folder: journal, index, log, keys.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .filter(|path| path.is_file())
        .collect()
}
