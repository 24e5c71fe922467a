//! What one replica handed out is honoured by all, and what one took back is refused by all.

use dockpass::pb::Action::{ContentRead, ContentWrite};
use dockpass::pb::TokenStatus::{Disabled, Enabled};
use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Clients, Image, Network, Replica, Replicas, http, with_query};

const PUSH: &[(&str, &[dockpass::pb::Action])] = &[("servers/nginx", &[ContentRead, ContentWrite])];
const SCOPE: &str = "repository:servers/nginx:pull,push";

/// Exchanges the password of an access token at one replica.
async fn exchange(replicas: &Replicas, at: &Replica, username: &str, password: &str) -> StatusCode {
    let service = replicas.service();
    let url = with_query(&at.broker.url("/token"), &[("service", &service), ("scope", SCOPE)]);
    let request = http().get(url).basic_auth(username, Some(password));
    request.send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_hands_out_works_by_all_of_them() {
    let (replicas, folder, clients) =
        (Replicas::start().await, TempDir::new().unwrap(), Clients::new());
    let registry = replicas.registry(folder.path()).await;
    let image = Image::write(&clients.home().join("image"), "hello");
    let there = format!("{}/servers/nginx:1", registry.host());
    for replica in &replicas.all {
        let token = replica.broker.issue(&replicas.job(), PUSH).await.unwrap();
        for other in &replicas.all {
            let status = exchange(&replicas, other, &token.username, &token.password).await;
            assert_eq!(status, StatusCode::OK);
        }
        // the registry sends its clients to any of them; a bearer token carries a certificate of the one that signed it
        for credential in [
            format!("--dest-creds={}:{}", token.username, token.password),
            format!("--dest-registry-token={}", token.bearer_token),
            format!("--dest-creds=oidc:{}", replicas.job()),
        ] {
            clients.push(&image.reference(), &credential, &there).await.succeeded();
        }
        clients.pull(&format!("--src-creds=oidc:{}", replicas.job()), &there).await.succeeded();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g4_an_access_token_revoked_on_one_replica_is_refused_by_all() {
    let mut replicas = Replicas::start().await;
    revoked_on_each(&replicas).await;
    replicas.to_postgres(Network::LosesNotifications);
    revoked_on_each(&replicas).await;
    replicas.redis.kill();
    revoked_on_each(&replicas).await;
}

async fn revoked_on_each(replicas: &Replicas) {
    for (number, replica) in replicas.all.iter().enumerate() {
        let issuing = &replicas.all[(number + 1) % replicas.all.len()];
        let token = issuing.broker.issue(&replicas.job(), PUSH).await.unwrap();
        for other in &replicas.all {
            let status = exchange(replicas, other, &token.username, &token.password).await;
            assert_eq!(status, StatusCode::OK);
        }
        replica.broker.revoke(&replicas.job(), &token.id).await.unwrap();
        let at_once = replicas.all.iter();
        let at_once =
            at_once.map(|other| exchange(replicas, other, &token.username, &token.password));
        assert_eq!(join_all(at_once).await, [StatusCode::UNAUTHORIZED; 3], "revoked on {number}");
    }
}

/// The answer to a form at the token endpoint of one replica.
async fn post(client: &Client, at: &Replica, form: &[(&str, &str)]) -> (StatusCode, Value) {
    let answer = client.post(at.broker.url("/token")).form(form).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// Logs in at one replica with an identity token, and gives the refresh token.
async fn log_in(replicas: &Replicas, at: &Replica) -> String {
    let (service, identity) = (replicas.service(), replicas.job());
    let form = [
        ("grant_type", "password"),
        ("username", "oidc"),
        ("password", &identity),
        ("service", &service),
        ("client_id", "docker"),
        ("access_type", "offline"),
        ("scope", SCOPE),
    ];
    let (status, answer) = post(&http(), at, &form).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["refresh_token"].as_str().unwrap().to_owned()
}

/// Uses a refresh token a hundred times at once, at all replicas in turn.
async fn refresh(replicas: &Replicas, token: &str) -> Vec<StatusCode> {
    let service = replicas.service();
    let form = [
        ("grant_type", "refresh_token"),
        ("service", service.as_str()),
        ("client_id", "docker"),
        ("refresh_token", token),
        ("scope", SCOPE),
    ];
    let (client, in_turn) = (http(), replicas.all.iter().cycle().take(100));
    let mut statuses: Vec<StatusCode> =
        join_all(in_turn.map(async |at| post(&client, at, &form).await.0)).await;
    statuses.dedup();
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_a_refresh_token_is_that_of_all_replicas_and_stops_on_all() {
    let replicas = Replicas::start().await;
    let (ok, refused) = (vec![StatusCode::OK], vec![StatusCode::UNAUTHORIZED]);
    for (number, replica) in replicas.all.iter().enumerate() {
        let token = log_in(&replicas, replica).await;
        assert_eq!(refresh(&replicas, &token).await, ok);
        let mut operator = replicas.operator((number + 1) % replicas.all.len()).await;
        operator.set_status("nginx-ci", Disabled).await;
        assert_eq!(refresh(&replicas, &token).await, refused);
        operator.set_status("nginx-ci", Enabled).await;
        assert_eq!(refresh(&replicas, &token).await, ok);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_a_refresh_token_is_not_that_of_a_token_made_again_on_another_replica() {
    let replicas = Replicas::start().await;
    let token = log_in(&replicas, &replicas.all[0]).await;
    replicas.operator(1).await.delete("nginx-ci").await;
    assert_eq!(refresh(&replicas, &token).await, [StatusCode::UNAUTHORIZED]);
    replicas.all[2].broker.apply(&replicas.policy()).await;
    assert_eq!(refresh(&replicas, &token).await, [StatusCode::UNAUTHORIZED]);
}
