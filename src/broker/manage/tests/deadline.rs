//! A change whose deadline passes while it is stored: reply, store and audit trail tell the same.

use std::pin::pin;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::audit::Kind;
use crate::broker::Call;
use crate::broker::manage::for_test::{Office, call, local_user, new_map};
use crate::store::Store;

/// Keeps everybody else from writing to the store until it is told to go on.
async fn hold(store: Store) -> mpsc::Sender<()> {
    let (go_on, told) = mpsc::channel();
    let (begun, holds) = oneshot::channel();
    let seal = Box::new(move |_head| {
        begun.send(()).unwrap();
        // an error is another way to be told
        told.recv().ok();
        Vec::new()
    });
    // what is not awaited is done all the same
    let mut recorded = Box::pin(async move { store.record(seal).await });
    assert!(futures_util::poll!(recorded.as_mut()).is_pending());
    holds.await.unwrap();
    go_on
}

#[tokio::test]
async fn a_change_that_is_stored_after_its_deadline_is_no_failure() {
    let office = Office::open().await;
    let held = hold(office.store().await).await;
    let timeout = Duration::from_millis(500);
    let deadline = Instant::now() + timeout;
    let call = Call { timeout: Some(timeout), ..call() };
    let map = new_map("servers", &[("servers/*", "pull")]);
    let mut change = pin!(office.broker.change(call, local_user(), map));
    timeout_at(deadline, change.as_mut()).await.unwrap_err();
    held.send(()).unwrap();
    let replied = change.await.map(drop).map_err(|refusal| refusal.error.reason());
    let events = office.events(Kind::PolicyChange).await;
    let recorded: Vec<_> = events.iter().map(|event| event.reason).collect();
    let stored = office.store().await.definitions().await.unwrap().scope_maps.len();
    // on a machine so busy that it had not come to the store by then, it was not made, and everybody says so
    assert_eq!(recorded, [replied.err()]);
    assert_eq!(stored, usize::from(replied.is_ok()));
}
