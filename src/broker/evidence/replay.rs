//! Replays recorded requests under a candidate policy, beside the policy in force: what would newly be allowed or refused.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use jiff::Timestamp;

use super::explain::{Question, asked};
use super::visible;
use crate::audit::{Archive, ArchiveError, Event, Filter, Kind};
use crate::broker::manage::Authority;
use crate::model::{DecisionId, Permissions, RegistryName};
use crate::policy::{Measure, Snapshot, Verdict, replay};

/// How many events are read at once.
const PIECE: u32 = 1_000;

/// How many verdicts are remembered: most requests of a week are the same.
const MAX_VERDICTS: usize = 20_000;

/// A request that the candidate decides otherwise than the policy in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// The decision that was recorded.
    pub id: DecisionId,
    /// When it was made.
    pub time: Timestamp,
    /// Who asked: issuer and subject, or the token's name.
    pub caller: String,
    /// The registry asked for.
    pub registry: RegistryName,
    /// What was asked for.
    pub asked: Permissions,
    /// What becomes of it.
    pub turn: Turn,
}

/// What becomes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Turn {
    /// Nothing: both policies allow the same of it.
    Same,
    /// The policy in force refuses it, in part or all of it, and the candidate does less so.
    NewlyAllowed,
    /// The policy in force allows more of it than the candidate, and why.
    NewlyRefused(String),
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// How many requests were decided again.
    pub decided: u64,
    /// How many of them would be newly allowed.
    pub newly_allowed: u64,
    /// How many of them would be newly refused.
    pub newly_refused: u64,
}

/// What is replayed, under what. Made by [`super::ReplayPolicy`] only.
#[derive(Debug)]
pub struct Replay {
    pub(in crate::broker) candidate: Arc<Snapshot>,
    pub(in crate::broker) present: Arc<Snapshot>,
    pub(in crate::broker) authority: Authority,
    pub(in crate::broker) since: Timestamp,
}

impl Replay {
    /// Decides what was recorded again, newest first, and shows the differences until `show` says that nobody wants more. Blocks.
    pub(in crate::broker) fn run(
        &self,
        archive: &Archive,
        is_wanted: impl Fn() -> bool,
        mut show: impl FnMut(Difference) -> bool,
    ) -> Result<Summary, ArchiveError> {
        let filter = Filter { since: Some(self.since), ..Filter::default() };
        let (mut summary, mut turns) = (Summary::default(), Turns::default());
        let mut before = None;
        loop {
            let page = archive.list(&filter, before.as_ref(), PIECE)?;
            let events = page.events.into_iter().map(|found| found.event);
            for event in events.filter(|event| visible::may_see(&self.authority, event)) {
                let Some((question, measure)) = question(&event) else { continue };
                let Some(turn) = turns.of(self, &question, measure, event.time) else { continue };
                summary.decided += 1;
                match turn {
                    Turn::Same => continue,
                    Turn::NewlyAllowed => summary.newly_allowed += 1,
                    Turn::NewlyRefused(_) => summary.newly_refused += 1,
                }
                let shown = difference(&event, question, turn);
                if shown.is_some_and(|shown| !show(shown)) {
                    return Ok(summary);
                }
            }
            before = page.next;
            if before.is_none() || !is_wanted() {
                return Ok(summary);
            }
        }
    }

    fn turn(&self, question: &Question, measure: Measure, time: Timestamp) -> Option<Turn> {
        let Question { evidence, request } = question;
        let ask = |snapshot| replay(snapshot, evidence, request, measure, time);
        let (now, then) = (ask(&self.present)?, ask(&self.candidate)?);
        let nothing = Permissions::default();
        let given = |verdict: &Verdict| match verdict {
            Verdict::Allowed(permissions) => permissions.clone(),
            Verdict::Denied(_) => nothing.clone(),
        };
        let (given_now, given_then) = (given(&now), given(&then));
        Some(match (&now, &then) {
            (Verdict::Allowed(_), Verdict::Denied(denial)) => {
                Turn::NewlyRefused(denial.to_string())
            }
            (Verdict::Denied(_), Verdict::Allowed(_)) => Turn::NewlyAllowed,
            _ if !given_now.is_subset_of(&given_then) => {
                Turn::NewlyRefused(format!("only {given_then} would be allowed"))
            }
            _ if !given_then.is_subset_of(&given_now) => Turn::NewlyAllowed,
            _ => Turn::Same,
        })
    }
}

/// What was asked of policy, and how it was held to it.
fn question(event: &Event) -> Option<(Question, Measure)> {
    let measure = match event.kind {
        Kind::Check | Kind::Issue => Measure::All,
        Kind::Exchange => Measure::Available,
        _ => return None,
    };
    // one that was decided again counts once
    let (_, question) = asked(event)?;
    Some((question, measure))
}

fn difference(event: &Event, question: Question, turn: Turn) -> Option<Difference> {
    let facts = event.identity.as_ref()?.members();
    let fact = |name: &str| facts.get(name).and_then(|value| value.as_str());
    let caller = match (fact("issuer"), fact("subject")) {
        (Some(issuer), Some(subject)) => format!("{issuer} {subject}"),
        _ => ["holder", "tokenName", "kind"]
            .into_iter()
            .find_map(fact)
            .unwrap_or_default()
            .to_owned(),
    };
    Some(Difference {
        id: event.id,
        time: event.time,
        caller,
        registry: question.request.registry,
        asked: question.request.permissions,
        turn,
    })
}

/// What became of questions that were asked before: a job asks the same each time. Verdicts that hang on the time (an end that comes
/// near) are those of the newest one.
#[derive(Default)]
struct Turns {
    hasher: RandomState,
    known: HashMap<(u64, u64), Option<Turn>>,
}

impl Turns {
    fn of(
        &mut self,
        replay: &Replay,
        question: &Question,
        measure: Measure,
        time: Timestamp,
    ) -> Option<Turn> {
        // the whole question; what differs with every identity token makes another one
        let text = format!("{question:?}");
        let key = (self.hasher.hash_one((&text, measure)), self.hasher.hash_one((measure, &text)));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let turn = replay.turn(question, measure, time);
        if self.known.len() < MAX_VERDICTS {
            self.known.insert(key, turn.clone());
        }
        turn
    }
}
