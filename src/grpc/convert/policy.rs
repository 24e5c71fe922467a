//! Policy files, and what they change.

use std::fmt::Display;
use std::time::Duration;

use serde_json::Value;

use super::time::{timestamp, window};
use super::violations::{Violations, violation};
use crate::broker::FieldViolation;
use crate::broker::evidence::{
    self as evidence, DEFAULT_SINCE, DEFAULT_WINDOW, LostUses, Summary, Turn,
};
use crate::broker::manage::{Candidate, Difference, ExportPolicy, Exported, Planned, Rest};
use crate::pb;

/// How much of a file travels in one message.
const CHUNK: usize = 32 * 1024;

/// One thing that is wrong with a file.
#[derive(Debug)]
pub(in crate::grpc) struct Violation(FieldViolation);

impl Violation {
    pub(in crate::grpc) fn new(field: &str, description: impl Display) -> Self {
        Self(violation(field, description))
    }

    pub(in crate::grpc) fn into_list(self) -> Vec<FieldViolation> {
        vec![self.0]
    }
}

/// What was sent, as a candidate policy.
pub(in crate::grpc) fn candidate(
    options: Option<pb::PolicyFileOptions>,
    file: Vec<u8>,
) -> Result<Candidate, Violation> {
    let options = options.unwrap_or_default();
    let text = String::from_utf8(file)
        .map_err(|_| Violation::new("chunk", "a policy file is UTF-8 text"))?;
    let rest = match pb::Prune::try_from(options.prune) {
        Ok(pb::Prune::Unspecified | pb::Prune::Keep) => Rest::Keep,
        Ok(pb::Prune::Delete) => Rest::DeleteInNamedRegistries,
        Err(_) => {
            return Err(Violation::new("options.prune", "use PRUNE_KEEP or PRUNE_DELETE"));
        }
    };
    let base_revision = Some(options.base_revision).filter(|base| *base != 0);
    Ok(Candidate { text: text.into(), rest, base_revision })
}

pub(in crate::grpc) fn export(
    message: &pb::ExportPolicyRequest,
) -> Result<ExportPolicy, Vec<FieldViolation>> {
    let mut violations = Violations::default();
    let registry = violations.optional("registry", &message.registry);
    violations.finish(Some(ExportPolicy { registry }))
}

/// The file in pieces; at least one.
pub(in crate::grpc) fn exported(
    exported: Exported,
) -> impl Iterator<Item = pb::ExportPolicyResponse> + Send {
    let Exported { text, revision } = exported;
    let bytes = bytes::Bytes::from(text);
    let pieces = bytes.len().div_ceil(CHUNK).max(1);
    (0..pieces).map(move |piece| {
        let start = piece * CHUNK;
        let chunk = bytes.slice(start..(start + CHUNK).min(bytes.len())).to_vec();
        pb::ExportPolicyResponse { chunk, revision }
    })
}

/// What would be changed.
pub(in crate::grpc) fn planned(
    planned: Planned,
) -> impl Iterator<Item = pb::PlanPolicyResponse> + Send {
    let Planned { changes, uses, revision } = planned;
    changes.into_iter().zip(uses).map(move |(change, uses)| {
        let LostUses { count, last } = uses.unwrap_or_default();
        pb::PlanPolicyResponse {
            change: Some(policy_change(change)),
            lost_uses: count,
            last_use_time: last.map(timestamp),
            revision,
            uses_unknown: uses.is_none(),
        }
    })
}

/// What was changed; at least one message, with the revision.
pub(in crate::grpc) fn applied(
    applied: Planned,
) -> impl Iterator<Item = pb::ApplyPolicyResponse> + Send {
    let Planned { changes, uses: _, revision } = applied;
    let none = changes.is_empty().then_some(pb::ApplyPolicyResponse { change: None, revision });
    let all = changes.into_iter().map(move |change| pb::ApplyPolicyResponse {
        change: Some(policy_change(change)),
        revision,
    });
    none.into_iter().chain(all)
}

/// How far to look back for uses.
pub(in crate::grpc) fn usage_window(
    message: &pb::PlanPolicyRequest,
) -> Result<Duration, Vec<FieldViolation>> {
    let mut violations = Violations::default();
    let parsed = window("usage_window", message.usage_window, DEFAULT_WINDOW, &mut violations);
    violations.finish(parsed)
}

/// How far to look back for requests.
pub(in crate::grpc) fn since(
    message: &pb::ReplayPolicyRequest,
) -> Result<Duration, Vec<FieldViolation>> {
    let mut violations = Violations::default();
    let parsed = window("since", message.since, DEFAULT_SINCE, &mut violations);
    violations.finish(parsed)
}

/// A request that would be decided otherwise.
pub(in crate::grpc) fn difference(one: &evidence::Difference) -> pb::ReplayPolicyResponse {
    let reason = match &one.turn {
        Turn::NewlyRefused(reason) => reason.clone(),
        Turn::Same | Turn::NewlyAllowed => String::new(),
    };
    pb::ReplayPolicyResponse {
        decision_id: one.id.to_string(),
        time: Some(timestamp(one.time)),
        caller: one.caller.clone(),
        request: format!("{} {}", one.registry, one.asked),
        newly_allowed: one.turn == Turn::NewlyAllowed,
        reason,
        ..pb::ReplayPolicyResponse::default()
    }
}

/// The last message of a replay.
pub(in crate::grpc) fn summary(summary: Summary) -> pb::ReplayPolicyResponse {
    pb::ReplayPolicyResponse {
        decided: summary.decided,
        newly_allowed_count: summary.newly_allowed,
        newly_refused_count: summary.newly_refused,
        ..pb::ReplayPolicyResponse::default()
    }
}

fn policy_change(change: Difference) -> pb::PolicyChange {
    let members = members(change.before.as_ref(), change.after.as_ref());
    let action = match (&change.before, &change.after) {
        (None, _) => "create",
        (Some(_), None) => "delete",
        (Some(_), Some(_)) => "update",
    };
    let json = |side: Option<Value>| side.map_or_else(String::new, |value| value.to_string());
    pb::PolicyChange {
        kind: change.kind.to_owned(),
        registry: change.registry,
        name: change.name,
        action: action.to_owned(),
        members,
        before: json(change.before),
        after: json(change.after),
    }
}

/// What every change marks, so that it says nothing.
const MARKS: [&str; 3] = ["revision", "update_time", "updated_by"];

/// The members that differ, by their names, but the marks of the change.
fn members(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let object = |side: Option<&Value>| side.and_then(Value::as_object).cloned();
    let Some((before, after)) = object(before).zip(object(after)) else { return Vec::new() };
    let differs =
        |name: &&String| before.get(*name) != after.get(*name) && !MARKS.contains(&name.as_str());
    after.keys().filter(differs).cloned().collect()
}
