//! The keys of one issuer as they are now: kept while they are fresh, fetched by one caller for all, and served stale for a
//! bounded time while the issuer is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::key_set::KeySet;
use super::source::Source;
use crate::identity::Check;
use crate::model::Clock;

/// For how long keys serve on after they should have been fetched again, while that fails.
const STALE: Duration = Duration::from_hours(24);
/// The shortest time between two tries for an issuer that failed and of which there are no keys.
const RETRY: Duration = Duration::from_secs(10);

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    source: Source,
    clock: Arc<dyn Clock>,
    state: ArcSwapOption<State>,
    /// Counts the tries that began.
    tries: AtomicU64,
    /// Held by whoever asks the source.
    last: Mutex<LastTry>,
}

/// Keys, and until when they are good.
#[derive(Debug)]
pub(super) struct State {
    /// The keys.
    pub(super) keys: Arc<KeySet>,
    /// Counts how often the keys really changed: a verdict holds for one generation.
    pub(super) generation: u64,
    /// The try that brought them or found them unchanged.
    number: u64,
    fresh_until: Timestamp,
    stale_until: Timestamp,
}

/// How the last try ended.
#[derive(Debug, Default)]
struct LastTry {
    began: Option<Timestamp>,
    problem: Option<String>,
}

/// Why there is no key.
#[derive(Debug)]
pub(super) enum NoKeys {
    /// There is none that may be used; to ask again would not help.
    Check(Check),
    /// The keys cannot be had now.
    Unavailable { problem: String, retry_after: Duration },
}

impl Keys {
    pub(super) fn new(source: Source, clock: Arc<dyn Clock>) -> Self {
        Self {
            source,
            clock,
            state: ArcSwapOption::empty(),
            tries: AtomicU64::new(0),
            last: Mutex::new(LastTry::default()),
        }
    }

    /// Reads a file's keys now, so that a bad file is found at start. Nothing is fetched.
    ///
    /// # Errors
    /// The file cannot be used.
    pub(super) fn preload(&self) -> Result<(), String> {
        if let Some(loaded) = self.source.at_start()? {
            self.store(loaded, 0, self.clock.now());
        }
        Ok(())
    }

    /// The keys as they are now.
    pub(super) async fn current(&self) -> Result<Arc<State>, NoKeys> {
        let now = self.clock.now();
        match self.state.load_full() {
            Some(state) if now < state.fresh_until => Ok(state),
            // somebody is asking already: what is stale serves meanwhile
            Some(state) if now < state.stale_until && self.last.try_lock().is_err() => Ok(state),
            _ => self.renew().await,
        }
    }

    /// The keys with a key for a token. An unknown id is looked up once more at the source, as often as its pace allows.
    pub(super) async fn find(&self, id: Option<&str>) -> Result<Arc<State>, NoKeys> {
        let arrival = self.tries.load(Ordering::SeqCst);
        let state = self.current().await?;
        match state.keys.find(id) {
            Ok(_) => return Ok(state),
            Err(Check::KeyUnknown) if state.number <= arrival => {}
            // asked after this caller came: the answer is as new as it can be
            Err(check) => return Err(NoKeys::Check(check)),
        }
        let state = self.ask_again(arrival).await?;
        state.keys.find(id).map_err(NoKeys::Check)?;
        Ok(state)
    }

    /// The generation of the keys, when they need not be asked for.
    pub(super) fn generation(&self, now: Timestamp) -> Option<u64> {
        let state = self.state.load();
        state.as_ref().filter(|state| now < state.fresh_until).map(|state| state.generation)
    }

    async fn renew(&self) -> Result<Arc<State>, NoKeys> {
        let mut last = self.last.lock().await;
        let now = self.clock.now();
        let state = self.state.load_full();
        if let Some(state) = state.as_ref().filter(|state| now < state.fresh_until) {
            return Ok(Arc::clone(state));
        }
        let usable = state.filter(|state| now < state.stale_until);
        let pause = RETRY.min(self.source.pace());
        if let (None, Some(problem), Some(retry_after)) =
            (&usable, &last.problem, last.wait(pause, now))
        {
            return Err(NoKeys::Unavailable { problem: problem.clone(), retry_after });
        }
        match (self.ask(&mut last, now).await, usable) {
            (Ok(state), _) => Ok(state),
            (Err(_), Some(usable)) => Ok(self.serve_on(&usable, now)),
            (Err(problem), None) => Err(NoKeys::Unavailable { problem, retry_after: pause }),
        }
    }

    async fn ask_again(&self, arrival: u64) -> Result<Arc<State>, NoKeys> {
        let mut last = self.last.lock().await;
        if let Some(state) = self.state.load_full().filter(|state| state.number > arrival) {
            return Ok(state);
        }
        let now = self.clock.now();
        let pace = self.source.pace();
        if let Some(retry_after) = last.wait(pace, now) {
            let asked = || "it was asked for an unknown key a moment ago".to_owned();
            let problem = last.problem.clone().unwrap_or_else(asked);
            return Err(NoKeys::Unavailable { problem, retry_after });
        }
        self.ask(&mut last, now)
            .await
            .map_err(|problem| NoKeys::Unavailable { problem, retry_after: pace })
    }

    /// Asks the source. If the caller goes away meanwhile, the try still counts for the pace of unknown ids.
    async fn ask(&self, last: &mut LastTry, now: Timestamp) -> Result<Arc<State>, String> {
        let number = self.tries.fetch_add(1, Ordering::SeqCst) + 1;
        last.began = Some(now);
        let answer = self.source.load().await;
        match answer {
            Ok(loaded) => {
                last.problem = None;
                Ok(self.store(loaded, number, now))
            }
            Err(problem) => {
                tracing::warn!(
                    issuer = self.source.issuer(),
                    problem,
                    "an issuer's keys cannot be had"
                );
                last.problem = Some(problem.clone());
                Err(problem)
            }
        }
    }

    /// What could not be fetched again serves until the next try.
    fn serve_on(&self, state: &State, now: Timestamp) -> Arc<State> {
        let state = Arc::new(State {
            keys: Arc::clone(&state.keys),
            fresh_until: after(now, self.source.pace()).min(state.stale_until),
            ..*state
        });
        self.state.store(Some(Arc::clone(&state)));
        state
    }

    fn store(
        &self,
        (keys, fresh): (Arc<KeySet>, Duration),
        number: u64,
        now: Timestamp,
    ) -> Arc<State> {
        let before = self.state.load_full();
        let generation = match &before {
            Some(before) if before.keys.is_same(&keys) => before.generation,
            Some(before) => before.generation + 1,
            None => 0,
        };
        let state = Arc::new(State {
            keys,
            generation,
            number,
            fresh_until: after(now, fresh),
            stale_until: after(now, fresh + STALE),
        });
        self.state.store(Some(Arc::clone(&state)));
        state
    }
}

impl LastTry {
    /// How long to wait so that `pause` lies between the tries; `None` when it has passed.
    fn wait(&self, pause: Duration, now: Timestamp) -> Option<Duration> {
        let until = after(self.began?, pause);
        Duration::try_from(until.duration_since(now)).ok().filter(|wait| !wait.is_zero())
    }
}

fn after(time: Timestamp, wait: Duration) -> Timestamp {
    time.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
