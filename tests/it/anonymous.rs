//! F12: nobody.

use reqwest::StatusCode;

use crate::support::Site;

const SCOPE: &str = "repository:servers/base/os:pull,push";

/// The policy with a token for nobody.
async fn admit_nobody(site: &Site) {
    let token =
        "[[tokens]]\nregistry = \"local\"\nname = \"anonymous\"\nscope_map = \"everything\"\n";
    site.apply(&(site.policy() + token)).await;
}

#[tokio::test]
async fn f12_nobody_gets_nothing_unless_the_registry_says_so() {
    let site = Site::new().await;
    admit_nobody(&site).await;
    let broker = site.start().await;
    let answer = broker.login(None, &[SCOPE], &[]).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_MISSING");
}

#[tokio::test]
async fn f12_nobody_gets_nothing_without_a_token_for_nobody() {
    let site = Site::with("anonymous = true\n").await;
    let broker = site.start().await;
    let answer = broker.login(None, &[SCOPE], &[]).await;
    let event = site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    assert_eq!(event.reason.unwrap().as_str(), "ACCESS_DENIED");
}

#[tokio::test]
async fn f12_nobody_may_pull_what_the_token_for_nobody_allows() {
    let site = Site::with("anonymous = true\n").await;
    admit_nobody(&site).await;
    let broker = site.start().await;
    let answer = broker.login(None, &[SCOPE], &[("offline_token", "true")]).await;
    assert_eq!(answer.access(), ["servers/base/os:pull"]);
    assert_eq!(answer.refresh_token(), None);
    let event = site.events().pop().unwrap();
    assert_eq!(event.grant.unwrap().token_name.as_str(), "anonymous");
    // whoever presents something is not nobody
    let answer = broker.login(Some(("field-vendor", "dpk_wrong")), &[SCOPE], &[]).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
}
