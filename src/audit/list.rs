//! Lists events of all chains, newest first.

mod source;

use self::source::{Piece, Source};
use super::archive::snapshot;
use super::{Archive, ArchiveError, Filter, Found, Places};

/// A piece of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The events, newest first.
    pub events: Vec<Found>,
    /// Where the next page goes on: give it as `before`; absent = there is no more.
    pub next: Option<Places>,
    /// Where this page began.
    pub begin: Places,
}

impl Archive {
    /// The events that fit, newest first: at most `limit`, before the places `before` when they are given. A chain without a place there has no
    /// events in the list: it had no more of them, or is newer than the list. The order is that of each chain, and between chains that of time.
    ///
    /// # Errors
    /// The journal cannot be read, or one of the events is damaged.
    pub fn list(
        &self,
        filter: &Filter,
        before: Option<&Places>,
        limit: u32,
    ) -> Result<Page, ArchiveError> {
        let chains = self.chains()?.into_iter().filter_map(|chain| {
            let before = before.map_or(Some(u64::MAX), |places| places.of(chain))?;
            Some(self.reader(chain).map(|reader| (chain, before, reader, self.index(chain))))
        });
        let files = chains.collect::<Result<Vec<_>, _>>()?;
        let snapshots: Vec<_> = files.iter().map(|(.., index)| snapshot(index.as_ref())).collect();
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let piece = Piece::of(wanted, files.len());
        let sources = files.iter().zip(&snapshots).map(|((chain, before, reader, _), snapshot)| {
            Source::open((*chain, reader), snapshot.as_ref(), filter, *before, piece)
        });
        fill(sources.collect::<Result<_, _>>()?, wanted)
    }
}

/// The first `wanted` events of all sources.
fn fill(mut sources: Vec<Source<'_>>, wanted: usize) -> Result<Page, ArchiveError> {
    let begin = places(&mut sources)?;
    let mut events = Vec::new();
    while events.len() < wanted {
        let Some(source) = newest(&mut sources)? else { break };
        events.extend(source.take());
    }
    let next = Some(places(&mut sources)?).filter(|places| !places.is_empty());
    Ok(Page { events, next, begin })
}

/// The source whose next event is the newest; of several the first.
fn newest<'a, 's>(
    sources: &'a mut [Source<'s>],
) -> Result<Option<&'a mut Source<'s>>, ArchiveError> {
    let mut newest = None;
    for source in sources {
        let Some(next) = source.peek()? else { continue };
        let time = next.event.time;
        if newest.as_ref().is_none_or(|(latest, _)| time > *latest) {
            newest = Some((time, source));
        }
    }
    Ok(newest.map(|(_, source)| source))
}

/// Before which place each source goes on, of those that have more.
fn places(sources: &mut [Source<'_>]) -> Result<Places, ArchiveError> {
    let mut places = Vec::with_capacity(sources.len());
    for source in sources {
        if let Some(next) = source.peek()? {
            places.push((next.chain, next.sequence.saturating_add(1)));
        }
    }
    Ok(places.into_iter().collect())
}
