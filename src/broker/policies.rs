//! The policy in force: the compiled snapshot and the revocations, as of one revision of the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::Error as BrokerError;
use super::touched::Touched;
use crate::model::AccessTokenId;
use crate::policy::{self, Context, Permit, Snapshot};
use crate::store::{self, Store};
use crate::telemetry::metrics;

/// What decisions are made by; taken once per decision.
#[derive(Debug)]
pub(super) struct InForce {
    /// The compiled definitions.
    pub(super) snapshot: Arc<Snapshot>,
    /// The store's revision that was looked at: that of the snapshot, or newer when the newer one does not compile.
    pub(super) revision: u64,
    /// The definitions that the store has at this revision are those of the snapshot.
    currency: Currency,
    revoked: HashMap<AccessTokenId, Timestamp>,
}

/// Whether a snapshot is what the store holds.
#[derive(Debug, Eq, PartialEq)]
enum Currency {
    /// It is.
    Newest,
    /// The store holds something else, which does not compile here, and differs in this.
    Outdated(Touched),
}

impl InForce {
    /// True when the snapshot is what the store holds at this revision.
    pub(super) fn is_newest(&self) -> bool {
        self.currency == Currency::Newest
    }

    /// Refuses a permit of which it is not known whether the store still allows it.
    pub(super) fn refuse_doubtful(&self, permit: &Permit<'_>) -> Result<(), BrokerError> {
        match &self.currency {
            Currency::Newest => Ok(()),
            Currency::Outdated(touched) => touched.refuse(permit),
        }
    }

    /// True when the access token was taken back.
    pub(super) fn is_revoked(&self, id: AccessTokenId) -> bool {
        self.revoked.contains_key(&id)
    }

    /// True when what was decided by `earlier` would be decided again: the same definitions, and what is given is not taken back.
    pub(super) fn upholds(&self, earlier: &Self, given: Option<AccessTokenId>) -> bool {
        Arc::ptr_eq(&self.snapshot, &earlier.snapshot)
            && self.currency == earlier.currency
            && given.is_none_or(|id| !self.is_revoked(id))
    }
}

/// Loads policy from the store and keeps the newest that compiles.
#[derive(Debug)]
pub(super) struct Policies {
    store: Store,
    context: Context,
    in_force: ArcSwap<InForce>,
    loading: Mutex<()>,
    /// The last time that the store was asked for its revision, it answered.
    followed: AtomicBool,
}

/// Why there is no policy to start with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stored definitions do not compile under this configuration.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// The store does not do its work.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Policies {
    /// Loads what the store holds.
    pub(super) async fn load(
        store: Store,
        context: &Context,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let revision = store.policy_revision().await?;
        let definitions = store.definitions().await?;
        let snapshot = Arc::new(Snapshot::compile(definitions, context)?);
        let revoked = store.revocations(now).await?.into_iter().collect();
        let currency = Currency::Newest;
        let in_force = ArcSwap::from_pointee(InForce { snapshot, revision, currency, revoked });
        metrics::policy_revision(revision, revision);
        let (context, followed) = (context.clone(), AtomicBool::new(true));
        Ok(Self { store, context, in_force, loading: Mutex::new(()), followed })
    }

    /// What is in force now.
    pub(super) fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// Loads again when the store is ahead of what is in force. Many callers load once.
    pub(super) async fn catch_up(&self, now: Timestamp) -> Result<(), store::Error> {
        let revision = self.store.policy_revision().await;
        self.followed.store(revision.is_ok(), Ordering::Relaxed);
        let revision = revision?;
        let present = self.in_force().revision;
        metrics::policy_revision(revision, present);
        if revision < present {
            return self.go_back(now).await;
        }
        self.at_least(revision, now).await
    }

    /// Loads everything again when the store has an older revision than what is in force: a backup was restored, or a standby that had not
    /// received everything took over. Its revisions from then on are others than those that were seen.
    async fn go_back(&self, now: Timestamp) -> Result<(), store::Error> {
        let _loading = self.loading.lock().await;
        let (present, revision) = (self.in_force(), self.store.policy_revision().await?);
        if revision >= present.revision {
            // what was compared was read before another change
            return Ok(());
        }
        tracing::error!(
            policy.revision = revision,
            policy.revision.before = present.revision,
            "the store lost changes of policy: what it holds now is in force"
        );
        let definitions = self.store.definitions().await?;
        let revoked = self.store.revocations(now).await?.into_iter().collect();
        let context = self.context.clone();
        let compiled =
            tokio::task::spawn_blocking(move || Snapshot::compile(definitions, &context)).await;
        let (snapshot, currency) = if let Ok(Ok(snapshot)) = compiled {
            (Arc::new(snapshot), Currency::Newest)
        } else {
            tracing::error!("what the store holds now does not compile: nothing is allowed");
            (Arc::clone(&present.snapshot), Currency::Outdated(Touched::All))
        };
        self.in_force.store(Arc::new(InForce { snapshot, revision, currency, revoked }));
        metrics::policy_revision(revision, revision);
        Ok(())
    }

    /// True when the store answered when it was last asked whether there is newer policy.
    pub(super) fn is_followed(&self) -> bool {
        self.followed.load(Ordering::Relaxed)
    }

    /// Brings a change in force that is stored already. That it cannot be read back is no failure of the change: what is decided by the older
    /// policy is decided again, because its event learns of the newer revision.
    pub(super) async fn follow(&self, revision: u64, now: Timestamp) {
        if let Err(error) = self.at_least(revision, now).await {
            tracing::warn!(policy.revision = revision, %error, "a change is stored, and cannot be read back yet");
        }
    }

    /// Makes sure that what is in force is at least as new as `revision`.
    ///
    /// A newer policy that does not compile leaves the present one in force (promise 10), with an error in the log, but for what it changes
    /// ([`InForce::refuse_doubtful`]); revocations are in force all the same.
    pub(super) async fn at_least(&self, revision: u64, now: Timestamp) -> Result<(), store::Error> {
        let _loading = self.loading.lock().await;
        let present = self.in_force();
        if present.revision >= revision {
            return Ok(());
        }
        let learned = Instant::now();
        let changes = self.store.changes_since(present.snapshot.revision()).await?;
        // read after the changes: what is taken back in between is in force early, never late
        let revoked = self.store.revocations(now).await?.into_iter().collect();
        let revision = changes.revision;
        let touched = Touched::by(&changes.definitions);
        let applied = apply(&present.snapshot, changes).await;
        let (snapshot, currency) = applied.map_or_else(
            |error| {
                tracing::error!(policy.revision = revision, %error, "the stored policy does not compile; the previous one stays in force");
                (Arc::clone(&present.snapshot), Currency::Outdated(touched))
            },
            |snapshot| (snapshot, Currency::Newest),
        );
        self.in_force.store(Arc::new(InForce { snapshot, revision, currency, revoked }));
        metrics::policy_in_force(revision, learned.elapsed());
        Ok(())
    }
}

/// On a blocking thread: when very much changed at once, it takes longer than a request may wait.
async fn apply(snapshot: &Arc<Snapshot>, changes: store::Changes) -> Result<Arc<Snapshot>, String> {
    let before = Arc::clone(snapshot);
    // a revocation is cheap, or whoever takes back what is its own could slow down everybody
    if changes.definitions.is_empty() {
        return Ok(before);
    }
    let applied =
        tokio::task::spawn_blocking(move || before.apply(changes.definitions, changes.revision));
    match applied.await {
        Ok(Ok(snapshot)) => Ok(Arc::new(snapshot)),
        Ok(Err(error)) => Err(error.to_string()),
        // the text of a panic could hold what was being worked on
        Err(_panic) => Err("the compiler of policy panicked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::audit::{Event, Journal, Kind};
    use crate::model::{ActionSet, DecisionId, Definitions, Lifetime, RegistryUid, ScopeMap, Text};
    use crate::policy::RegistryBounds;
    use crate::store::Config;
    use crate::store::for_test::World;

    fn now() -> Timestamp {
        "2026-11-22T06:00:00Z".parse().unwrap()
    }

    fn event(kind: Kind) -> Event {
        Event::new(DecisionId::new(now()), now(), kind)
    }

    fn context() -> Context {
        let local = RegistryBounds {
            name: "local".parse().unwrap(),
            uid: RegistryUid([1; 16]),
            default_lifetime: Lifetime::DEFAULT,
            max_lifetime: None,
        };
        Context { registries: vec![local], issuers: Vec::new() }
    }

    fn scope_map() -> ScopeMap {
        ScopeMap {
            registry: "local".parse().unwrap(),
            name: "servers-push".parse().unwrap(),
            description: Text::new(),
            owner: Text::new(),
            permissions: [("servers/nginx".parse().unwrap(), ActionSet::PULL)].into(),
            max_lifetime: None,
            system: false,
            revision: 1,
            create_time: now(),
            update_time: now(),
            updated_by: "test".into(),
        }
    }

    async fn revoke(store: &Store, id: AccessTokenId) -> u64 {
        let seal = Journal::seal(event(Kind::Revoke));
        let end = now() + SignedDuration::from_mins(15);
        store.revoke(id, end, seal).await.unwrap().policy_revision
    }

    #[tokio::test]
    async fn a_revocation_overturns_only_what_gives_the_revoked_access_token() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Config::default(), folder.path()).await.unwrap();
        let policies = Policies::load(store.clone(), &context(), now()).await.unwrap();
        let (revoked, other) = (AccessTokenId::new(now()), AccessTokenId::new(now()));

        let earlier = policies.in_force();
        policies.at_least(revoke(&store, revoked).await, now()).await.unwrap();
        let later = policies.in_force();
        assert!(later.revision > earlier.revision && later.is_revoked(revoked));
        assert!(later.upholds(&earlier, None) && later.upholds(&earlier, Some(other)));
        assert!(!later.upholds(&earlier, Some(revoked)));

        // definitions that differ, and a revocation after them: both are seen
        let revision = later.revision + 1;
        let after = Definitions { revision, scope_maps: vec![scope_map()], tokens: Vec::new() };
        let seal = Journal::seal(event(Kind::PolicyChange));
        store.replace_definitions(after, "test".to_owned(), now(), seal).await.unwrap();
        policies.at_least(revoke(&store, other).await, now()).await.unwrap();
        let latest = policies.in_force();
        assert_eq!(latest.snapshot.revision(), revision + 1);
        assert!(latest.is_revoked(revoked) && latest.is_revoked(other));
        assert!(!latest.upholds(&later, None), "definitions changed: everything is decided again");
    }

    /// The first change of a store.
    async fn put_scope_map(store: &Store) {
        let after = Definitions { revision: 1, scope_maps: vec![scope_map()], tokens: Vec::new() };
        let seal = Journal::seal(event(Kind::PolicyChange));
        store.replace_definitions(after, "test".to_owned(), now(), seal).await.unwrap();
    }

    #[tokio::test]
    async fn promise_4_a_store_that_lost_changes_is_read_anew() {
        let world = World::postgres().await;
        let store = &world.store;
        let policies = Policies::load(store.clone(), &context(), now()).await.unwrap();
        put_scope_map(store).await;
        let revoked = AccessTokenId::new(now());
        policies.at_least(revoke(store, revoked).await, now()).await.unwrap();
        assert_eq!(policies.in_force().snapshot.definitions().scope_maps.len(), 1);
        // as a standby that had not received everything takes over
        world.database().execute("UPDATE state SET policy_revision = 0");
        world.database().execute("DELETE FROM scope_map");
        world.database().execute("DELETE FROM revocation");
        policies.catch_up(now()).await.unwrap();
        let back = policies.in_force();
        assert_eq!((back.revision, back.is_newest()), (0, true));
        assert_eq!(back.snapshot.definitions().scope_maps.len(), 0);
        assert!(!back.is_revoked(revoked));
    }

    #[tokio::test]
    async fn promise_4_a_store_that_went_back_to_what_does_not_compile_allows_nothing() {
        let world = World::postgres().await;
        let store = &world.store;
        let policies = Policies::load(store.clone(), &context(), now()).await.unwrap();
        put_scope_map(store).await;
        policies.catch_up(now()).await.unwrap();
        world.database().execute("UPDATE state SET policy_revision = 0");
        // of a registry that is not configured
        let body = "replace(body, '\"local\"', '\"gone\"')";
        world.database().execute(format!("UPDATE scope_map SET registry = 'gone', body = {body}"));
        policies.catch_up(now()).await.unwrap();
        let back = policies.in_force();
        assert_eq!((back.revision, &back.currency), (0, &Currency::Outdated(Touched::All)));
    }
}
