//! Where an issuer's keys come from: its own servers, or a file.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::discovery::Discovery;
use super::key_file::{KeyFile, Stamp};
use super::key_set::KeySet;
use crate::identity::IssuerConfig;

/// The shortest time between two fetches for ids that are unknown, and between a failure and the next try.
const FETCH_PACE: Duration = Duration::from_mins(1);
/// The same between two looks at a file, which is also for how long its keys are taken to be unchanged.
const FILE_PACE: Duration = Duration::from_secs(1);

/// Where keys come from.
#[derive(Debug)]
pub(super) struct Source {
    issuer: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Discovery(Discovery),
    File(KeyFile, Mutex<Option<(Arc<KeySet>, Stamp)>>),
}

/// Keys, and for how long they are fresh.
pub(super) type Loaded = (Arc<KeySet>, Duration);

impl Source {
    /// # Errors
    /// The HTTP client cannot be made.
    pub(super) fn build(config: &IssuerConfig) -> Result<Self, String> {
        let place = match &config.jwks_file {
            Some(path) => {
                Place::File(KeyFile::new(path.clone(), config.issuer.clone()), Mutex::default())
            }
            None => Place::Discovery(Discovery::build(config).map_err(|error| error.to_string())?),
        };
        Ok(Self { issuer: config.issuer.as_str().to_owned(), place })
    }

    /// Whose keys they are.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The shortest time between two tries.
    pub(super) const fn pace(&self) -> Duration {
        match self.place {
            Place::Discovery(_) => FETCH_PACE,
            Place::File(..) => FILE_PACE,
        }
    }

    /// The keys that can be had without the network.
    pub(super) fn at_start(&self) -> Result<Option<Loaded>, String> {
        match &self.place {
            Place::Discovery(_) => Ok(None),
            Place::File(file, last) => read(file, last).map(Some),
        }
    }

    /// The keys now.
    pub(super) async fn load(&self) -> Result<Loaded, String> {
        match &self.place {
            Place::Discovery(discovery) => {
                discovery.fetch().await.map(|(keys, fresh)| (Arc::new(keys), fresh))
            }
            Place::File(file, last) => read(file, last),
        }
    }
}

/// A look at a small local file, at most once a second: not worth a thread of its own.
fn read(file: &KeyFile, last: &Mutex<Option<(Arc<KeySet>, Stamp)>>) -> Result<Loaded, String> {
    let mut last = last.lock();
    if let Some((keys, stamp)) = file.read(last.as_ref().map(|(_, stamp)| *stamp))? {
        *last = Some((Arc::new(keys), stamp));
    }
    let keys = last.as_ref().map(|(keys, _)| Arc::clone(keys));
    keys.map(|keys| (keys, FILE_PACE)).ok_or_else(|| "the key file was not read".to_owned())
}
