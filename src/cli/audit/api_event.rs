//! An audit event as the API gives it.

use serde_json::{Map, Value, json};

use super::shown::Shown;
use crate::audit::Event;
use crate::cli::{Failure, json_struct, wire};
use crate::pb;

/// The event, to be shown like one that is read from the files.
pub(in crate::cli) fn shown(event: pb::AuditEvent) -> Result<Shown, Failure> {
    let (sequence, id) = (event.sequence, event.id.clone());
    let event: Event = serde_json::from_value(members(event)).map_err(|error| {
        Failure::failed(format!(
            "event `{id}` cannot be read ({error}): the broker is of another version"
        ))
    })?;
    Ok(Shown::new(sequence, event))
}

/// The members of the event; what is empty is absent.
fn members(event: pb::AuditEvent) -> Value {
    let text = |text: String| (!text.is_empty()).then(|| json!(text));
    let number = |number: u64| (number > 0).then(|| json!(number));
    let object = |fields: Option<prost_types::Struct>| {
        fields.map(|fields| Value::Object(json_struct::object(fields)))
    };
    let time = wire::optional_time(event.time.as_ref());
    let members = [
        ("id", text(event.id)),
        ("time", time.map(|time| json!(time))),
        ("kind", text(event.kind)),
        ("reason", text(event.reason)),
        ("detail", text(event.detail)),
        ("peer", text(event.peer)),
        ("trace", text(event.trace)),
        ("identity", object(event.identity)),
        ("claims", object(event.claims)),
        ("request", object(event.request)),
        ("policyRevision", number(event.policy_revision)),
        ("grant", object(event.grant)),
        ("change", object(event.change)),
        ("count", number(event.count)),
        ("supersedes", text(event.supersedes)),
        ("use", object(event.r#use)),
    ];
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
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
