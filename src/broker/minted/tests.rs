//! What becomes of what was minted elsewhere when its event is durable, and when it is not.

use async_trait::async_trait;
use jiff::SignedDuration;
use parking_lot::Mutex;

use super::*;
use crate::cache::{Cache, Found};
use crate::model::{Form, Lifetime, Permissions};
use crate::registry::{Finding, TokenServer};

/// A driver whose credentials are kept elsewhere.
#[derive(Debug)]
pub(crate) struct Remote {
    minting: Minting,
    pub(crate) withdrawn: Mutex<Vec<AccessTokenId>>,
}

impl Remote {
    pub(crate) fn new(minting: Minting) -> Arc<Self> {
        Arc::new(Self { minting, withdrawn: Mutex::default() })
    }
}

#[async_trait]
impl Driver for Remote {
    fn name(&self) -> &'static str {
        "remote"
    }

    fn minting(&self) -> Minting {
        self.minting
    }

    async fn issue(&self, permit: &Permit<'_>, id: AccessTokenId) -> Result<AccessToken, Error> {
        Ok(AccessToken::for_test(permit, id))
    }

    async fn withdraw(&self, access_token: &AccessToken) -> Result<(), Error> {
        self.withdrawn.lock().push(access_token.id());
        Ok(())
    }

    fn enforceable(&self, _: &Permit<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn token_server(&self) -> Option<&dyn TokenServer> {
        None
    }

    async fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// An access token of this driver that is not yet recorded.
pub(crate) fn minted(driver: &Arc<Remote>, tasks: &TaskTracker) -> Minted {
    let permit = Permit::for_test(Permissions::default(), now(), Lifetime::DEFAULT, Form::Password);
    Minted {
        access_token: Arc::new(AccessToken::for_test(&permit, AccessTokenId::new(now()))),
        unrecorded: None,
        driver: Arc::<Remote>::clone(driver) as Arc<dyn Driver>,
        tasks: tasks.clone(),
        record: Record::Pending,
    }
}

async fn withdrawn(driver: &Remote, tasks: &TaskTracker) -> Vec<AccessTokenId> {
    tasks.close();
    tasks.wait().await;
    std::mem::take(&mut *driver.withdrawn.lock())
}

#[tokio::test]
async fn g5_what_is_not_recorded_is_taken_back_where_it_was_minted() {
    let (driver, tasks) = (Remote::new(Minting::Remote), TaskTracker::new());
    let unrecorded = minted(&driver, &tasks);
    let id = unrecorded.access_token.id();
    minted(&driver, &tasks).recorded();
    drop(unrecorded);
    assert_eq!(withdrawn(&driver, &tasks).await, [id]);
}

#[tokio::test]
async fn what_nobody_else_knows_of_needs_not_be_taken_back() {
    let (driver, tasks) = (Remote::new(Minting::Local), TaskTracker::new());
    drop(minted(&driver, &tasks));
    assert_eq!(withdrawn(&driver, &tasks).await, []);
}

/// Takes what lasts for ten minutes.
struct TenMinutes<'a>(&'a Remote, &'a Permit<'a>);

impl Order<AccessToken, Error> for TenMinutes<'_> {
    fn sharing(&self) -> Sharing {
        Sharing::Mints
    }

    fn accepts(&self, access_token: &AccessToken) -> bool {
        access_token.expire_time() >= now() + SignedDuration::from_mins(10)
    }

    async fn mint(&self) -> Result<AccessToken, Error> {
        self.0.issue(self.1, AccessTokenId::new(now())).await
    }

    fn withdraw(&self, _: AccessToken) {}
}

#[tokio::test]
async fn g5_what_is_not_recorded_is_not_given_again() {
    let (driver, tasks) = (Remote::new(Minting::Remote), TaskTracker::new());
    let permit = Permit::for_test(Permissions::default(), now(), Lifetime::DEFAULT, Form::Password);
    let (cache, key) = (Cache::in_memory(10), *permit.reuse_key().as_bytes());
    let mut ids = Vec::new();
    for _ in 0..2 {
        let found = cache.get_or_mint(key, &TenMinutes(&driver, &permit)).await.unwrap();
        let Found { value, unrecorded: Some(unrecorded) } = found else { panic!("it is reused") };
        ids.push(value.id());
        let mut pending = minted(&driver, &tasks);
        pending.unrecorded = Some(unrecorded);
        drop(pending);
    }
    assert_ne!(ids[0], ids[1]);
    let found = cache.get_or_mint(key, &TenMinutes(&driver, &permit)).await.unwrap();
    found.unrecorded.expect("it is new").recorded();
    let again = cache.get_or_mint(key, &TenMinutes(&driver, &permit)).await.unwrap();
    assert!(again.unrecorded.is_none() && again.value.id() == found.value.id());
}
