//! Audit events, and what is asked of the trail.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::json::{members_of, object};
use super::page::page_size;
use super::time::{time, timestamp};
use super::violations::Violations;
use crate::audit::{
    ChainReport, Checkpoint, Filter, Finding, Found, Hex, Kind, Outcome, Page, Places, Report,
};
use crate::broker::FieldViolation;
use crate::broker::evidence::{
    ExplainDecision, Explained, GetEvent, ListEvents, VerifyTrail, WatchEvents,
};
use crate::pb;

type Parsed<T> = Result<T, Vec<FieldViolation>>;

pub(in crate::grpc) fn list(message: &pb::ListAuditEventsRequest) -> Parsed<ListEvents> {
    let mut violations = Violations::default();
    let filter = filter(message.filter.as_ref(), &mut violations);
    let limit = violations.check("page_size", page_size(message.page_size));
    let foreign = "it is not a page token of this list: start without one";
    let before = violations.check("page_token", before(&message.page_token).ok_or(foreign));
    let parsed = limit.zip(before);
    violations.finish(parsed.map(|(limit, before)| ListEvents { filter, before, limit }))
}

pub(in crate::grpc) fn listed(page: &Page) -> pb::ListAuditEventsResponse {
    pb::ListAuditEventsResponse {
        audit_events: page.events.iter().map(event).collect(),
        next_page_token: page.next.as_ref().map_or_else(String::new, page_token),
    }
}

/// A place in each chain: it is the same in every list, whatever it is filtered by.
fn page_token(place: &Places) -> String {
    URL_SAFE_NO_PAD.encode(format!("audit events\n{place}"))
}

#[expect(clippy::option_option, reason = "no token is another thing than one that cannot be read")]
fn before(token: &str) -> Option<Option<Places>> {
    if token.is_empty() {
        return Some(None);
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("audit events\n")?.parse().ok().map(Some)
}

pub(in crate::grpc) fn watch(message: &pb::WatchAuditEventsRequest) -> Parsed<WatchEvents> {
    let mut violations = Violations::default();
    let filter = filter(message.filter.as_ref(), &mut violations);
    let after = match (message.after.as_str(), message.after_sequence) {
        ("", 0) => Some(None),
        ("", sequence) => Some(Some(Places::from(sequence))),
        (place, 0) => violations.check("after", place.parse()).map(Some),
        _ => violations.check("after_sequence", Err("it goes without `after`")),
    };
    violations.finish(after.map(|after| WatchEvents { filter, after }))
}

pub(in crate::grpc) fn watched(watched: &(Found, Places)) -> pb::WatchAuditEventsResponse {
    let (found, place) = watched;
    pb::WatchAuditEventsResponse { audit_event: Some(event(found)), place: place.to_string() }
}

pub(in crate::grpc) fn get(message: &pb::GetAuditEventRequest) -> Parsed<GetEvent> {
    let mut violations = Violations::default();
    let id = violations.check("id", message.id.parse());
    violations.finish(id.map(|id| GetEvent { id }))
}

pub(in crate::grpc) fn explain(message: &pb::ExplainDecisionRequest) -> Parsed<ExplainDecision> {
    let mut violations = Violations::default();
    let id = violations.check("decision_id", message.decision_id.parse());
    violations.finish(id.map(|id| ExplainDecision { id }))
}

pub(in crate::grpc) fn explained(explained: &Explained) -> pb::ExplainDecisionResponse {
    let text = match &explained.trace {
        Some(trace) => trace.to_string(),
        None => "policy was not asked: the reason is in the event".to_owned(),
    };
    pb::ExplainDecisionResponse {
        audit_event: Some(event(&explained.found)),
        trace: explained.trace.as_ref().map(object),
        text,
    }
}

pub(in crate::grpc) fn verify(message: &pb::VerifyAuditLogRequest) -> Parsed<VerifyTrail> {
    let mut violations = Violations::default();
    let checkpoint: Option<Option<Checkpoint>> = if message.checkpoint.is_empty() {
        Some(None)
    } else {
        let parsed = serde_json::from_str(&message.checkpoint);
        let problem = "it is no checkpoint: give one line of JSON as the log or an export has it";
        violations.check("checkpoint", parsed.map_err(|_| problem)).map(Some)
    };
    violations.finish(checkpoint.map(|checkpoint| VerifyTrail { checkpoint }))
}

pub(in crate::grpc) fn verified(verified: &Result<Report, Finding>) -> pb::VerifyAuditLogResponse {
    match verified {
        Ok(report) => {
            let only = report.only().map(chain).unwrap_or_default();
            pb::VerifyAuditLogResponse {
                intact: true,
                finding: String::new(),
                events: report.events,
                start_sequence: only.start_sequence,
                last_sequence: only.last_sequence,
                hash: only.hash,
                covered_sequence: only.covered_sequence,
                keys: report.keys.iter().cloned().collect(),
                chains: report.chains.iter().map(chain).collect(),
            }
        }
        Err(finding) => pb::VerifyAuditLogResponse {
            finding: finding.to_string(),
            ..pb::VerifyAuditLogResponse::default()
        },
    }
}

fn chain(report: &ChainReport) -> pb::VerifiedChain {
    pb::VerifiedChain {
        chain: report.chain.0,
        events: report.events,
        start_sequence: report.start,
        last_sequence: report.last,
        hash: Hex(report.hash).to_string(),
        covered_sequence: report.covered,
    }
}

fn filter(message: Option<&pb::AuditFilter>, violations: &mut Violations) -> Filter {
    let Some(message) = message else { return Filter::default() };
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Filter {
        since: time("filter.since", message.since, violations),
        until: time("filter.until", message.until, violations),
        kind: kind(&message.kind, violations),
        outcome: outcome(&message.outcome, violations),
        registry: violations.optional("filter.registry", &message.registry),
        repository: violations.optional("filter.repository", &message.repository),
        token: violations.optional("filter.token_name", &message.token_name),
        scope_map: violations.optional("filter.scope_map", &message.scope_map),
        credential: None,
        issuer: text(&message.issuer),
        subject: text(&message.subject),
        access_token: violations.optional("filter.access_token_id", &message.access_token_id),
    }
}

fn kind(word: &str, violations: &mut Violations) -> Option<Kind> {
    if word.is_empty() {
        return None;
    }
    let kind = serde_json::from_value(Value::from(word));
    violations.check("filter.kind", kind.map_err(|_| "no event is of that kind"))
}

fn outcome(word: &str, violations: &mut Violations) -> Option<Outcome> {
    match word {
        "" => None,
        "ALLOWED" => Some(Outcome::Allowed),
        "REFUSED" => Some(Outcome::Refused),
        "BYPASS" => Some(Outcome::Bypass),
        reason => {
            let problem = "use ALLOWED, REFUSED, BYPASS or a reason word such as ACCESS_DENIED";
            let reason = reason.parse().map_err(|_| problem);
            violations.check("filter.outcome", reason).map(Outcome::Because)
        }
    }
}

/// An event, as operators get it.
pub(in crate::grpc) fn event(found: &Found) -> pb::AuditEvent {
    let event = &found.event;
    let claims = event.claims.as_ref().and_then(|claims| claims.members().ok());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    pb::AuditEvent {
        chain: found.chain.0,
        sequence: found.sequence,
        id: event.id.to_string(),
        time: Some(timestamp(event.time)),
        kind: event.kind.to_string(),
        reason: event.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        detail: text(&event.detail),
        peer: text(&event.peer),
        trace: text(&event.trace),
        identity: event.identity.as_ref().map(|facts| members_of(facts.members())),
        claims: claims.map(members_of),
        request: event.request.as_ref().map(object),
        policy_revision: event.policy_revision.unwrap_or_default(),
        grant: event.grant.as_ref().map(object),
        change: event.change.as_ref().map(object),
        count: event.count.unwrap_or_default(),
        supersedes: event.supersedes.map(|earlier| earlier.to_string()).unwrap_or_default(),
        r#use: event.usage.as_ref().map(object),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_holds_a_place_in_each_chain() {
        for places in ["7", "0:7,3:9"].map(|text| text.parse::<Places>().unwrap()) {
            assert_eq!(before(&page_token(&places)), Some(Some(places)));
        }
        let other_list = URL_SAFE_NO_PAD.encode("tokens\n7");
        for foreign in ["7", other_list.as_str()] {
            assert_eq!(before(foreign), None);
        }
    }

    #[test]
    fn a_report_of_several_chains_is_not_taken_for_one_of_the_first() {
        let chain = |number, last| ChainReport {
            chain: crate::store::Chain(number),
            last,
            ..ChainReport::default()
        };
        let report = |chains| Ok(Report { chains, ..Report::default() });
        let one = verified(&report(vec![chain(0, 5)]));
        assert_eq!((one.last_sequence, one.chains.len()), (5, 1));
        let two = verified(&report(vec![chain(0, 5), chain(1, 9)]));
        assert_eq!((two.last_sequence, two.hash.as_str()), (0, ""));
        assert_eq!((two.chains[1].chain, two.chains[1].last_sequence), (1, 9));
    }
}
