//! What happens to a decision when its use case does not come to an end.

use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Notify;

use super::*;
use crate::audit::{Event, Filter, Journal};
use crate::broker::minted::tests::{Remote, minted};
use crate::broker::{LimitsConfig, Parts, Peer};
use crate::cache::Cache;
use crate::identity::Verifiers;
use crate::model::{Clock, Reason, SystemClock};
use crate::net::{self, HttpClient};
use crate::policy::Context;
use crate::registry::{Dependencies, KeysConfig, Minting, Registries, WithoutRoot};
use crate::seal::KeyRing;
use crate::store::{self, Store};

/// A broker without issuers and registries.
async fn broker(folder: &TempDir) -> Arc<Broker> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ring = Arc::new(KeyRing::ephemeral().unwrap());
    let store = Store::open(&store::Config::default(), folder.path()).await.unwrap();
    let keys = KeysConfig {
        root_certificate_file: folder.path().join("root.crt"),
        root_key_file: folder.path().join("root.key"),
        without_root: WithoutRoot::Make,
        signing_key_files: Vec::new(),
        foreign_certificate_files: Vec::new(),
    };
    let http = HttpClient::build(&net::Config { ca_file: None, loopback_http: true }).unwrap();
    let external_url = "http://localhost:7080".to_owned();
    let dependencies =
        Dependencies { clock: Arc::clone(&clock), ring: Arc::clone(&ring), http, external_url };
    let parts = Parts {
        admins: Vec::new(),
        cache: Cache::in_memory(10),
        context: Context::default(),
        journal: Journal::start(&store, &folder.path().join("audit.key"), Arc::clone(&clock))
            .await
            .unwrap(),
        limits: LimitsConfig::default(),
        registries: Registries::build(Vec::new(), keys, dependencies).unwrap(),
        verifiers: Verifiers::build(Vec::new(), ring, Arc::clone(&clock)).unwrap(),
        clock,
        store,
    };
    Broker::build(parts).await.unwrap()
}

fn call(timeout: Duration) -> Call {
    Call { peer: Peer::Unknown, timeout: Some(timeout), trace: None }
}

/// A bug, with a secret at hand.
struct Panics;

impl UseCase for Panics {
    const KIND: Kind = Kind::Issue;
    type Output = ();

    async fn run(&self, _: &Broker, _: &mut Draft) -> Result<(), Error> {
        panic!("cannot use dps_canary")
    }
}

/// A change that is still being written when the deadline passes.
struct WritesForEver;

impl UseCase for WritesForEver {
    const KIND: Kind = Kind::Revoke;
    type Output = ();

    async fn run(&self, _: &Broker, draft: &mut Draft) -> Result<(), Error> {
        drop(Journal::seal(draft.event().clone()));
        std::future::pending::<()>().await;
        draft.written();
        Ok(())
    }
}

/// Waits for somebody else, as for an issuer's keys.
struct Waits(Arc<Notify>);

impl UseCase for Waits {
    const KIND: Kind = Kind::Issue;
    type Output = ();

    async fn run(&self, _: &Broker, draft: &mut Draft) -> Result<(), Error> {
        draft.stage = Stage::Known;
        self.0.notified().await;
        draft.detail("it came to its end".to_owned());
        Ok(())
    }
}

/// Is ready at once: what is waited for is the commit.
struct Ready;

impl UseCase for Ready {
    const KIND: Kind = Kind::Issue;
    type Output = ();

    async fn run(&self, _: &Broker, draft: &mut Draft) -> Result<(), Error> {
        draft.stage = Stage::Known;
        draft.detail("it came to its end".to_owned());
        Ok(())
    }
}

/// Mints elsewhere, and may come to nothing after that.
struct Mints(Arc<Remote>, Option<Error>);

impl UseCase for Mints {
    const KIND: Kind = Kind::Issue;
    type Output = ();

    async fn run(&self, broker: &Broker, draft: &mut Draft) -> Result<(), Error> {
        draft.stage = Stage::Known;
        draft.minted = Some(minted(&self.0, &broker.tasks));
        self.1.clone().map_or(Ok(()), Err)
    }
}

#[tokio::test]
async fn g5_what_was_minted_elsewhere_is_taken_back_unless_its_event_is_durable() {
    let folder = TempDir::new().unwrap();
    let (broker, driver) = (broker(&folder).await, Remote::new(Minting::Remote));
    let withdrawn = || driver.withdrawn.lock().len();
    let mints = |error| Mints(Arc::clone(&driver), error);
    broker.decide(call(Duration::from_secs(10)), mints(None)).await.unwrap();
    assert_eq!((broker.tasks.len(), withdrawn()), (0, 0), "it was handed out");

    let failed = mints(Some(Error::Internal("a bug".to_owned())));
    broker.decide(call(Duration::from_secs(10)), failed).await.unwrap_err();
    broker.journal.close().await;
    let unrecorded = broker.decide(call(Duration::from_secs(10)), mints(None)).await.unwrap_err();
    assert_eq!(unrecorded.error.reason(), Reason::AuditUnavailable);
    broker.tasks.close();
    broker.tasks.wait().await;
    assert_eq!(withdrawn(), 2);
}

/// Begins a use case, hangs up, and returns what is recorded of it when the broker has closed.
async fn hang_up<U: UseCase>(use_case: U, then: impl FnOnce()) -> Vec<Event> {
    let folder = TempDir::new().unwrap();
    let broker = broker(&folder).await;
    let mut asked = Box::pin(broker.decide(call(Duration::from_secs(10)), use_case));
    assert!(futures_util::poll!(asked.as_mut()).is_pending());
    drop(asked);
    then();
    broker.close().await;
    let of_kind = Filter { kind: Some(Kind::Issue), ..Filter::default() };
    let listed = broker.journal.archive().list(&of_kind, None, 10).unwrap();
    assert!(broker.limits.enter(Peer::Unknown).is_ok());
    listed.events.into_iter().map(|found| found.event).collect()
}

#[tokio::test]
async fn what_waits_for_another_is_finished_when_the_caller_hangs_up() {
    let go_on = Arc::new(Notify::new());
    let events = hang_up(Waits(Arc::clone(&go_on)), || go_on.notify_one()).await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.reason, event.detail.as_deref()), (None, Some("it came to its end")));
}

#[tokio::test]
async fn what_is_being_committed_is_finished_when_the_caller_hangs_up() {
    let events = hang_up(Ready, || {}).await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.reason, event.detail.as_deref()), (None, Some("it came to its end")));
}

#[tokio::test]
async fn promise_9_a_panic_is_answered_and_recorded_without_its_message() {
    let folder = TempDir::new().unwrap();
    let broker = broker(&folder).await;
    let refusal = broker.decide(call(Duration::from_secs(10)), Panics).await.unwrap_err();
    assert!(matches!(&refusal.error, Error::Internal(text) if !text.contains("canary")));
    let event = broker.journal.find(refusal.decision_id).await.unwrap().unwrap();
    assert_eq!((event.kind, event.reason), (Kind::Issue, Some(Reason::Internal)));
    assert!(!event.detail.unwrap().contains("canary"));
    // its place is free again, and the next is served
    broker.decide(call(Duration::from_secs(10)), Panics).await.unwrap_err();
    broker.close().await;
}

#[tokio::test]
async fn a_change_that_is_cut_short_is_recorded() {
    let folder = TempDir::new().unwrap();
    let broker = broker(&folder).await;
    let refusal = broker.decide(call(Duration::from_millis(10)), WritesForEver).await.unwrap_err();
    assert!(matches!(refusal.error, Error::DeadlineExceeded));
    let event = broker.journal.find(refusal.decision_id).await.unwrap().unwrap();
    assert_eq!(event.reason, Some(Reason::DeadlineExceeded));
}
