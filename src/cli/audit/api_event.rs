//! An audit event as the API gives it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::shown::Shown;
use crate::audit::{Event, Kind};
use crate::cli::{Failure, json_struct, wire};
use crate::model::{Claims, DecisionId};
use crate::pb;
use crate::store::Chain;

/// The event, to be shown like one that is read from the files.
pub(in crate::cli) fn shown(event: pb::AuditEvent) -> Result<Shown, Failure> {
    let (chain, sequence, id) = (Chain(event.chain), event.sequence, event.id.clone());
    let event = read(event).map_err(|problem| {
        Failure::failed(format!(
            "event `{id}` cannot be read ({problem}): the broker is of another version"
        ))
    })?;
    Ok(Shown::new(chain, sequence, event))
}

/// The event; what is empty is absent.
fn read(event: pb::AuditEvent) -> Result<Event, String> {
    let id: DecisionId = word(&event.id)?.ok_or("it has no id")?;
    let time = wire::optional_time(event.time.as_ref()).ok_or("it has no time")?;
    let kind: Kind = word(&event.kind)?.ok_or("it has no kind")?;
    let text = |text: String| (!text.is_empty()).then_some(text);
    let number = |number: u64| (number > 0).then_some(number);
    Ok(Event {
        reason: word(&event.reason)?,
        detail: text(event.detail),
        peer: text(event.peer),
        trace: text(event.trace),
        identity: object(event.identity)?,
        claims: event.claims.map(|claims| Claims::of(&json_struct::object(claims))),
        request: object(event.request)?,
        policy_revision: number(event.policy_revision),
        grant: object(event.grant)?,
        change: object(event.change)?,
        count: number(event.count),
        supersedes: word(&event.supersedes)?,
        usage: object(event.r#use)?,
        ..Event::new(id, time, kind)
    })
}

/// A value that is written as one text; absent when that is empty.
fn word<T: DeserializeOwned>(text: &str) -> Result<Option<T>, String> {
    let value = (!text.is_empty()).then(|| serde_json::from_value(Value::from(text)));
    value.transpose().map_err(|error| error.to_string())
}

/// A value that is written as an object.
fn object<T: DeserializeOwned>(fields: Option<prost_types::Struct>) -> Result<Option<T>, String> {
    // by way of text: some values keep the text of their JSON
    let value = fields.map(|fields| {
        let text = serde_json::to_string(&json_struct::object(fields))?;
        serde_json::from_str(&text)
    });
    value.transpose().map_err(|error: serde_json::Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> prost_types::Value {
        prost_types::Value { kind: Some(prost_types::value::Kind::StringValue(text.to_owned())) }
    }

    #[test]
    fn an_event_of_the_api_is_shown_like_one_of_the_files() {
        let identity = [("kind", "workload"), ("subject", "ci"), ("issuer", "https://i")];
        let fields = identity.map(|(name, value)| (name.to_owned(), text(value))).into();
        let event = pb::AuditEvent {
            sequence: 7,
            id: "0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11".into(),
            time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            kind: "issue".into(),
            reason: "ACCESS_DENIED".into(),
            identity: Some(prost_types::Struct { fields }),
            ..Default::default()
        };
        let row = Shown::rows(&[shown(event.clone()).unwrap()])[0].join("|");
        assert!(row.starts_with("1970-01-01T00:00:00Z|issue|ACCESS_DENIED|ci|-|0199"), "{row}");
        let unknown = pb::AuditEvent { kind: "of-the-future".into(), ..event };
        let error = shown(unknown).unwrap_err().to_string();
        assert!(error.contains("another version"), "{error}");
    }
}
