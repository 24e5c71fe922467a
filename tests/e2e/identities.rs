//! Identity tokens in the shapes of the platforms, and an issuer whose keys change or that is down.

use dockpass::pb::Action::ContentRead;
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{AUDIENCE, Broker, Issuer, KeyMode, entra, github, gitlab, kubernetes};

const TENANT: &str = "0f1e2d3c-0000-4000-8000-00000000000a";
const APPLICATION: &str = "0f1e2d3c-0000-4000-8000-00000000000b";

/// A broker that trusts the issuer, with a token for each platform.
async fn broker(issuer: &Issuer) -> Broker {
    let mut broker = Broker::configure(issuer.url(), AUDIENCE, "localhost:5000", KeyMode::X5c);
    broker.apply(&include_str!("identities.toml").replace("ISSUER", issuer.url())).await;
    broker.serve().await;
    broker
}

/// The token that an identity acts as, or the code of its refusal.
async fn acts_as(broker: &Broker, identity: &str) -> Result<String, Code> {
    let issued = broker.issue(identity, &[("field/agent", &[ContentRead])]).await;
    issued.map(|token| token.token_name).map_err(|refusal| refusal.code())
}

/// The claims with one of them changed.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn each_platform_acts_as_its_token_and_a_stranger_as_none() {
    let issuer = Issuer::start_rs256().await;
    let broker = broker(&issuer).await;
    let main = "refs/heads/main";
    for (claims, token) in [
        (github("123456", main), "github-job"),
        (gitlab("20"), "gitlab-job"),
        (kubernetes("field", "puller"), "cluster-node"),
        (entra(TENANT, APPLICATION), "entra-app"),
    ] {
        let identity = issuer.token(AUDIENCE, &claims);
        assert_eq!(acts_as(&broker, &identity).await.as_deref(), Ok(token));
        let elsewhere = issuer.token("https://elsewhere.example.com", &claims);
        assert_eq!(acts_as(&broker, &elsewhere).await, Err(Code::Unauthenticated), "{token}");
    }
    for stranger in [
        github("123457", main),
        with(
            github("123456", main),
            "job_workflow_ref",
            json!("evil/x/.github/workflows/release.yml@refs/heads/main"),
        ),
        with(github("123456", main), "repository_id", json!(123_456)),
        with(gitlab("20"), "ref_protected", json!("false")),
        with(gitlab("20"), "ref_protected", json!(true)),
        gitlab("21"),
        kubernetes("other", "puller"),
        with(kubernetes("other", "puller"), "sub", json!("system:serviceaccount:field:puller")),
        entra(TENANT, TENANT),
    ] {
        let identity = issuer.token(AUDIENCE, &stranger);
        assert_eq!(acts_as(&broker, &identity).await, Err(Code::PermissionDenied), "{stranger}");
    }
}

#[tokio::test]
async fn known_keys_are_fetched_once_and_outlive_their_issuer() {
    let mut issuer = Issuer::start().await;
    let broker = broker(&issuer).await;
    let claims = kubernetes("field", "puller");
    let first = issuer.token(AUDIENCE, &claims);
    assert_eq!(acts_as(&broker, &first).await.as_deref(), Ok("cluster-node"));
    let fetches = issuer.fetches();
    for _ in 0..10 {
        assert_eq!(acts_as(&broker, &first).await.as_deref(), Ok("cluster-node"));
    }
    assert_eq!(issuer.fetches(), fetches, "known keys are not fetched again");

    issuer.stop().await;
    assert_eq!(acts_as(&broker, &first).await.as_deref(), Ok("cluster-node"));
    issuer.rotate();
    let unknown = issuer.token(AUDIENCE, &claims);
    assert_eq!(
        acts_as(&broker, &unknown).await,
        Err(Code::Unavailable),
        "a key that nobody can ask for"
    );
    // while the old one goes on
    assert_eq!(acts_as(&broker, &first).await.as_deref(), Ok("cluster-node"));
}
