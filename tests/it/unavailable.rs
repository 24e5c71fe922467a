//! An issuer whose keys cannot be had.

use tonic::Code;

use crate::support::{Site, pull};

#[tokio::test]
async fn an_issuer_that_is_down_is_no_reason_to_refuse_for_good() {
    let mut site = Site::new().await;
    site.issuer.stop().await;
    let broker = site.start().await;
    let refusal = broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap_err();
    let event = site.refused(&refusal, Code::Unavailable, "ISSUER_UNAVAILABLE");
    assert!(event.detail.is_some());
    let answer = broker.login(Some(("oidc", &site.identity("job"))), &[], &[]).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.headers.contains_key("retry-after"));
}
