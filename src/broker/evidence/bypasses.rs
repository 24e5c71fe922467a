//! Ways into a registry beside dockpass, as the registry itself reported them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::audit::{Archive, ArchiveError, Bypass, Event, Filter, Outcome};
use crate::model::RegistryName;

/// How many bypasses are looked at, the newest first.
const MAX_EVENTS: u32 = 2_000;

/// How many sentences are made of them.
const MAX_FINDINGS: usize = 50;

/// The bypasses of a registry since a time, alike ones together, the most recent first. Blocks.
pub(super) fn findings(
    archive: &Archive,
    registry: &RegistryName,
    since: Timestamp,
) -> Result<Vec<String>, ArchiveError> {
    let filter = Filter {
        registry: Some(registry.clone()),
        outcome: Some(Outcome::Bypass),
        since: Some(since),
        ..Filter::default()
    };
    let page = archive.list(&filter, None, MAX_EVENTS)?;
    let mut alike = BTreeMap::<String, (u64, Timestamp)>::new();
    for event in page.events.iter().map(|found| &found.event) {
        let Some(what) = sentence(event) else { continue };
        let (count, last) = alike.entry(what).or_insert((0, event.time));
        *count += 1;
        *last = event.time.max(*last);
    }
    let mut alike: Vec<_> = alike.into_iter().collect();
    alike.sort_by(|(_, (_, a)), (_, (_, b))| b.cmp(a));
    let more = alike.len().saturating_sub(MAX_FINDINGS);
    let shown = alike.into_iter().take(MAX_FINDINGS);
    let mut findings: Vec<String> = shown
        .map(|(what, (count, last))| format!("{what}: {count} times, last at {last:.0}"))
        .collect();
    if more > 0 {
        findings.push(format!("and {more} more ways around dockpass: see the audit trail"));
    }
    if page.next.is_some() {
        findings.push("there were more uses around dockpass than were looked at".to_owned());
    }
    Ok(findings)
}

/// What was done, by whom, and why dockpass does not explain it.
fn sentence(event: &Event) -> Option<String> {
    let usage = event.usage.as_ref()?;
    let why = match usage.bypass? {
        Bypass::Ended => "with an access token that had ended",
        Bypass::NoAccessToken => "without an access token of dockpass",
        Bypass::NotGiven => "with an access token that was not given for it",
        Bypass::OtherRegistry => "with an access token of another registry",
        Bypass::Unknown => "with an access token that dockpass did not give",
    };
    let facts = event.identity.as_ref().map(crate::model::JsonObject::members);
    let who = facts.as_ref().and_then(|facts| facts.get("subject")?.as_str());
    let by = who.map(|who| format!(" by `{who}`")).unwrap_or_default();
    let from = event.peer.as_ref().map(|peer| format!(" from {peer}")).unwrap_or_default();
    let done = event.kind.deed()?.past();
    Some(format!("`{}` was {done}{by}{from} {why}", usage.repository))
}
