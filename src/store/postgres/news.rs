//! Listens for changes of the policy: one connection, made anew whenever it is lost.

use std::convert::Infallible;
use std::sync::{Once, Weak};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::error::Problem;
use super::link::{Link, SHORT, Shared};
use crate::store::{Error, PolicyNews};

/// What a change notifies.
const CHANNEL: &str = "dockpass_policy";
/// How long nothing may be heard before it is asked whether anybody is there.
const SILENCE: Duration = Duration::from_secs(10);
/// How long it waits after it failed, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Where news go to.
#[derive(Debug)]
pub(super) struct News {
    sender: watch::Sender<()>,
    started: Once,
}

impl News {
    pub(super) fn new() -> Self {
        Self { sender: watch::Sender::new(()), started: Once::new() }
    }

    /// What tells them; listening starts with the first.
    pub(super) fn subscribe(&self, link: &Shared) -> PolicyNews {
        let news = PolicyNews::new(self.sender.subscribe());
        self.started.call_once(|| {
            let (own, sender) = (Shared::downgrade(link), self.sender.clone());
            // it ends with the store, whose threads it runs on
            link.handle().spawn(async move { listen(own, sender).await });
        });
        news
    }
}

async fn listen(link: Weak<Link>, sender: watch::Sender<()>) {
    let mut pause = PAUSES.0;
    loop {
        let Some(address) = link.upgrade().map(|link| link.address().clone()) else { return };
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(SHORT)
            .connect_lazy_with(address.options);
        let mut heard = false;
        let Err(error) = hear(&pool, || {
            heard = true;
            sender.send_replace(());
        })
        .await;
        pause = if heard { PAUSES.0 } else { pause.saturating_mul(2).min(PAUSES.1) };
        tracing::warn!(%error, "changes of policy are not told by the database for now: they are looked for");
        sleep(pause).await;
    }
}

/// Tells that it listens from now on, as something may have been missed before, and then whatever comes.
async fn hear(pool: &sqlx::PgPool, mut tell: impl FnMut()) -> Result<Infallible, Error> {
    let mut listener = timeout(SHORT, async {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(listener)
    })
    .await
    .unwrap_or_else(|_| Err(Problem::Hangs))?;
    tell();
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(_))) => tell(),
            Ok(Ok(None)) => {
                return Err(Error::Unavailable(
                    "the connection to the database was lost".to_owned(),
                ));
            }
            Ok(Err(error)) => return Err(Problem::from(error).into()),
            Err(_) => {
                let ask = sqlx::query("SELECT 1").execute(&mut listener);
                timeout(SHORT, ask).await.map_err(|_| Problem::Hangs)?.map_err(Problem::from)?;
            }
        }
    }
}
