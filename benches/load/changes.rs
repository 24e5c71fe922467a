//! Changes of policy, as another process makes them in the store of a running server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use dockpass::audit::{Event, Journal, Kind};
use dockpass::config::Config;
use dockpass::model::{Clock, DecisionId, DefinitionChange, ScopeMap, SystemClock};
use dockpass::store::Store;
use tokio::runtime::Runtime;

use crate::server::Server;

/// Ten a second.
const EVERY: Duration = Duration::from_millis(100);

/// A thread that changes one scope map again and again.
pub(crate) struct Changes {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<f64>>,
}

impl Changes {
    pub(crate) fn start(server: &Server) -> anyhow::Result<Self> {
        let mut editor = Editor::open(server)?;
        let stopping = Arc::new(AtomicBool::new(false));
        let asked_to_stop = Arc::clone(&stopping);
        let thread = std::thread::spawn(move || {
            let (begun, mut made) = (Instant::now(), 0.0);
            let mut due = begun;
            while !asked_to_stop.load(Ordering::Relaxed) {
                editor.change(|map| map.description = format!("change {made}").into())?;
                made += 1.0;
                due += EVERY;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            Ok(made / begun.elapsed().as_secs_f64())
        });
        Ok(Self { stopping, thread })
    }

    /// Ends it; returns how many were made a second.
    pub(crate) fn stop(self) -> anyhow::Result<f64> {
        self.stopping.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("changing policy panicked")?
    }
}

/// Changes the scope map of the first token.
pub(crate) struct Editor {
    runtime: Runtime,
    store: Store,
    revision: u64,
    map: ScopeMap,
}

impl Editor {
    pub(crate) fn open(server: &Server) -> anyhow::Result<Self> {
        let config = Config::load(&server.config)?;
        let runtime = Runtime::new()?;
        let (store, definitions) = runtime.block_on(async {
            let store = Store::open(&config.store, &config.data_dir).await?;
            let definitions = store.definitions().await?;
            anyhow::Ok((store, definitions))
        })?;
        let first = definitions.scope_maps.iter().min_by_key(|map| map.name.as_str());
        let map = first.context("no scope map")?.clone();
        Ok(Self { runtime, store, revision: definitions.revision, map })
    }

    /// Makes a change durable, with its audit event.
    pub(crate) fn change(&mut self, edit: impl FnOnce(&mut ScopeMap)) -> anyhow::Result<()> {
        let now = SystemClock.now();
        let revision = self.revision + 1;
        edit(&mut self.map);
        self.map.revision = revision;
        self.map.update_time = now;
        let change = DefinitionChange::ScopeMapPut(Box::new(self.map.clone()));
        let event = Event::new(DecisionId::new(now), now, Kind::PolicyChange);
        let (actor, seal) = ("benchmark".to_owned(), Journal::seal(event));
        let changed = self.store.change_definitions(revision, vec![change], actor, now, seal);
        self.runtime.block_on(changed)?;
        self.revision = revision;
        Ok(())
    }
}
