//! Promise 9: what is answered and recorded holds no secret, also of those who are refused.

use std::fmt::Write as _;

use dockpass::pb::IssueAccessTokenRequest;

use crate::support::{SERVICE, Site, http, push};

/// What of a secret must not be found: of a JWT its signature, because the rest of it is no secret.
fn secret_part(secret: &str) -> &str {
    secret.rsplit('.').next().unwrap()
}

#[tokio::test]
async fn promise_9_answers_debug_output_and_the_trail_hold_no_secret() {
    let site = Site::new().await;
    let vendor = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let (job, nobody) = (site.identity("job"), site.identity("nobody"));
    let asked = IssueAccessTokenRequest { with_bearer_token: true, ..push("servers/nginx") };
    let issued = broker.issue(&job, asked).await.unwrap();
    let forged = format!("{}x", job.split_at(job.len() - 6).0);
    let wrong = vendor.replacen("dpk_", "dpk_B", 1);

    let mut seen = format!("{issued:?}");
    for identity in [&nobody, &forged, &vendor, &issued.password, &issued.bearer_token] {
        let refusal = broker.issue(identity, push("servers/nginx")).await.unwrap_err();
        write!(seen, "{refusal} {refusal:?}").unwrap();
    }
    for password in [&nobody, &forged, &wrong, &issued.bearer_token] {
        let answer = broker.login(Some(("field-vendor", password)), &[], &[]).await;
        write!(seen, "{answer:?}").unwrap();
        let form = [("grant_type", "refresh_token"), ("service", SERVICE)];
        let answer = broker.post(&[&form[..], &[("refresh_token", password)]].concat()).await;
        write!(seen, "{answer:?}").unwrap();
    }
    broker.login(Some(("field-vendor", &vendor)), &[], &[]).await.jwt();
    broker.login(Some(("nginx-ci", &issued.password)), &[], &[]).await.jwt();
    seen += &http().get(broker.ops_url("/metrics")).send().await.unwrap().text().await.unwrap();
    broker.stop().await;
    for event in site.events() {
        seen += &serde_json::to_string(&event).unwrap();
    }
    for secret in [&job, &nobody, &forged, &vendor, &wrong, &issued.password, &issued.bearer_token]
    {
        assert!(!seen.contains(secret_part(secret)), "{secret} in {seen}");
    }
}
