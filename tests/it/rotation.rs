//! Keys that brokers share are replaced while they run, one after the other, and nothing that is still valid is refused.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dockpass::app::offline_registries;
use dockpass::config::Config;
use dockpass::pb::{AccessToken, IssueAccessTokenRequest};

use crate::support::{Running, Site, http, push};

const SCOPE: &str = "repository:servers/nginx:pull";

/// Each session is honoured by each broker.
async fn all_honour(brokers: &[&Running<'_>], sessions: &[&AccessToken]) {
    for broker in brokers {
        for session in sessions {
            let credentials = Some((session.username.as_str(), session.password.as_str()));
            let answer = broker.login(credentials, &[SCOPE], &[]).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
}

async fn issue(site: &Site, broker: &Running<'_>) -> AccessToken {
    // its own, and not what another broker keeps for reuse
    let request = IssueAccessTokenRequest { fresh: true, ..push("servers/nginx") };
    broker.issue(&site.identity("job"), request).await.unwrap()
}

#[tokio::test]
async fn g3_seal_keys_rotate_and_sessions_of_old_and_new_keys_are_honoured_by_all() {
    let site = Site::shared().await;
    let file = site.config().keys.seal_keys_file;
    let old = fs::read_to_string(&file).unwrap();
    let new = format!("{}\n", STANDARD.encode([7; 32]));
    let first = site.start_replica("first", &site.clock).await;
    let by_old = issue(&site, &first).await;
    first.stop().await;

    // the new key opens everywhere before it seals anywhere
    fs::write(&file, format!("{old}{new}")).unwrap();
    let second = site.start_replica("second", &site.clock).await;
    fs::write(&file, format!("{new}{old}")).unwrap();
    let first = site.start_replica("first", &site.clock).await;
    let by_new = issue(&site, &first).await;
    assert_ne!(by_old.password, by_new.password);
    all_honour(&[&first, &second], &[&by_old, &by_new]).await;
    first.stop().await;
    second.stop().await;
}

/// The root of another folder.
fn another_root(site: &Site, folder: &Path) -> (String, String) {
    let mut config = Config { data_dir: folder.to_owned(), ..site.config() };
    config.keys.root_certificate_file = folder.join("root.crt");
    config.keys.root_key_file = folder.join("root.key");
    fs::create_dir(folder).unwrap();
    offline_registries(&config, std::sync::Arc::new(site.clock.clone())).unwrap();
    let read = |file: &Path| fs::read_to_string(file).unwrap();
    (read(&config.keys.root_certificate_file), read(&config.keys.root_key_file))
}

#[tokio::test]
async fn a_root_rotates_while_registries_are_given_both() {
    let site = Site::shared().await;
    let keys = site.config().keys;
    let old = fs::read_to_string(&keys.root_certificate_file).unwrap();
    let (new, key) = another_root(&site, &site.folder.path().join("next"));
    let bundle = async |broker: &Running<'_>| {
        http().get(broker.url("/ca.pem")).send().await.unwrap().text().await.unwrap()
    };
    fs::write(&keys.root_certificate_file, format!("{old}{new}")).unwrap();
    let second = site.start_replica("second", &site.clock).await;
    assert_eq!(bundle(&second).await, format!("{old}{new}"));

    fs::write(&keys.root_certificate_file, format!("{new}{old}")).unwrap();
    fs::write(&keys.root_key_file, key).unwrap();
    let first = site.start_replica("first", &site.clock).await;
    assert_eq!(bundle(&first).await, format!("{new}{old}"));
    let sessions = [issue(&site, &second).await, issue(&site, &first).await];
    all_honour(&[&first, &second], &[&sessions[0], &sessions[1]]).await;
    first.stop().await;
    second.stop().await;
}
