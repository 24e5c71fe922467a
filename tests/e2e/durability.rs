//! Promise 1: no credential leaves before its audit event is durable.

use std::collections::BTreeSet;
use std::sync::Arc;

use dockpass::pb::Action::{ContentRead, ContentWrite};
use dockpass::pb::IssueAccessTokenRequest;
use dockpass::pb::access_service_client::AccessServiceClient;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use self::trace::Trace;
use crate::support::{
    AUDIENCE, Broker, Issuer, KeyMode, eventually, github, permission, with_bearer,
};

mod trace;

const ROUNDS: usize = 50;
const CALLERS: usize = 8;
/// How many credentials a round hands out before the broker is killed.
const A_ROUND: usize = 16;

/// A broker with the policy of the tests, and its issuer; no registry is needed to hand out credentials.
async fn configured() -> (Issuer, Broker) {
    let issuer = Issuer::start().await;
    let broker = Broker::configure(issuer.url(), AUDIENCE, "localhost:5000", KeyMode::X5c);
    broker.apply(&crate::support::policy(issuer.url(), "enabled")).await;
    (issuer, broker)
}

fn push_to_nginx() -> IssueAccessTokenRequest {
    IssueAccessTokenRequest {
        registry: "local".to_owned(),
        permissions: vec![permission("servers/nginx", &[ContentRead, ContentWrite])],
        fresh: true,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_what_a_client_received_is_in_the_trail_after_fifty_kills() {
    let (issuer, mut broker) = configured().await;
    let received = Arc::new(Mutex::new(BTreeSet::new()));
    for _ in 0..ROUNDS {
        broker.serve().await;
        let identity = issuer.token(AUDIENCE, &github("123456", "refs/heads/main"));
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (client, identity) = (broker.client().await, identity.clone());
            let (received, arrived) = (Arc::clone(&received), arrived.clone());
            callers.spawn(call_until_it_is_gone(client, identity, received, arrived));
        }
        drop(arrived);
        for _ in 0..A_ROUND {
            arrivals.recv().await.expect("the callers ended before the broker was killed");
        }
        broker.kill();
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
    }
    let received = Arc::try_unwrap(received).unwrap().into_inner();
    assert!(received.len() >= ROUNDS * A_ROUND, "only {} credentials", received.len());
    let trail = texts(&broker.offline(&["audit", "export"]).await.succeeded());
    let lost: Vec<&String> = received.difference(&trail).collect();
    assert!(lost.is_empty(), "{} of {} are not in the trail: {lost:?}", lost.len(), received.len());
    broker.offline(&["audit", "verify"]).await.succeeded();
}

/// Asks for one credential after the other, and notes each, until the broker is gone.
async fn call_until_it_is_gone(
    mut client: AccessServiceClient<Channel>,
    identity: String,
    received: Arc<Mutex<BTreeSet<String>>>,
    arrived: mpsc::UnboundedSender<()>,
) {
    while let Ok(answer) = client.issue_access_token(with_bearer(push_to_nginx(), &identity)).await
    {
        received.lock().insert(answer.into_inner().access_token.unwrap().id);
        // nobody listens any more once the round has had enough
        arrived.send(()).unwrap_or_default();
    }
}

/// All texts in the values of JSON lines.
fn texts(lines: &str) -> BTreeSet<String> {
    fn collect(value: Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(found.insert(text)),
            Value::Array(values) => values.into_iter().for_each(|value| collect(value, found)),
            Value::Object(members) => members.into_values().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        collect(serde_json::from_str(line).unwrap(), &mut found);
    }
    found
}

#[tokio::test]
async fn promise_1_the_journal_is_synced_before_each_reply_is_written() {
    const REPLIES: usize = 20;
    let (issuer, mut broker) = configured().await;
    let file = broker.folder().join("trace");
    broker.serve_as(trace::strace(&file)).await;
    let identity = issuer.token(AUDIENCE, &github("123456", "refs/heads/main"));
    let mut client = broker.client().await;
    for _ in 0..REPLIES {
        client.issue_access_token(with_bearer(push_to_nginx(), &identity)).await.unwrap();
    }
    // strace writes behind the calls that it follows
    let trace = eventually("the trace of the replies", async || {
        let trace = Trace::read(&file, "dps_");
        (trace.replies() >= REPLIES).then_some(trace)
    })
    .await;
    assert_eq!(trace.replies(), REPLIES);
    assert_eq!(trace.replies_before_sync(), Vec::<usize>::new());
}

#[tokio::test]
async fn promise_1_the_trace_shows_when_synchronous_is_lowered() {
    for (synchronous, early) in [("FULL", 0), ("NORMAL", 3)] {
        let trace = trace::of_sqlite(synchronous, 3).await;
        assert_eq!(trace.replies(), 3, "{synchronous}");
        assert_eq!(trace.replies_before_sync().len(), early, "{synchronous}");
    }
}
