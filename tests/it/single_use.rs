//! An identity token of an issuer that is `single_use` is accepted once: by one of several brokers, and over a restart.

use serde_json::json;
use tonic::Code;

use crate::support::{Running, Site, push};

/// The identity tokens of this site's issuer are used up.
fn once(mut site: Site) -> Site {
    site.reconfigure("loopback_http = true", "loopback_http = true\nsingle_use = true");
    site
}

async fn accepts(broker: &Running<'_>, identity: &str) {
    broker.issue(identity, push("servers/nginx")).await.unwrap();
}

async fn refuses(broker: &Running<'_>, identity: &str) {
    let refused = broker.issue(identity, push("servers/nginx")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn what_one_broker_accepted_another_does_not() {
    let site = once(Site::shared().await);
    let first = site.start_replica("first", &site.clock).await;
    let second = site.start_replica("second", &site.clock).await;
    let [one, other] = ["1", "2"].map(|jti| site.identity_with(&json!({"sub": "job", "jti": jti})));
    accepts(&first, &one).await;
    refuses(&second, &one).await;
    refuses(&first, &one).await;
    accepts(&second, &other).await;
    refuses(&first, &other).await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_restart_does_not_forget() {
    let site = once(Site::new().await);
    let identity = site.identity_with(&json!({"sub": "job", "jti": "1"}));
    let broker = site.start().await;
    accepts(&broker, &identity).await;
    broker.stop().await;
    let broker = site.start().await;
    refuses(&broker, &identity).await;
    broker.stop().await;
}
