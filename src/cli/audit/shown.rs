//! An event as it is shown.

use serde::Serialize;
use serde_json::Value;

use crate::audit::{Event, Found};
use crate::model::Permissions;

/// An event with its place in the chain.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Shown {
    sequence: u64,
    #[serde(flatten)]
    event: Event,
}

impl From<Found> for Shown {
    fn from(found: Found) -> Self {
        Self { sequence: found.sequence, event: found.event }
    }
}

impl Shown {
    /// The head of a table of events.
    pub(super) const HEAD: [&str; 6] = ["time", "kind", "outcome", "who", "what", "id"];

    /// The event as a row of that table.
    pub(super) fn row(&self) -> [String; 6] {
        let event = &self.event;
        [
            format!("{:.0}", event.time),
            event.kind.to_string(),
            self.outcome(),
            self.who().unwrap_or_else(|| "-".to_owned()),
            self.what().unwrap_or_else(|| "-".to_owned()),
            event.id.to_string(),
        ]
    }

    /// The event as names and values.
    pub(in crate::cli) fn lines(&self) -> Vec<(&'static str, Option<String>)> {
        let event = &self.event;
        let grant = event.grant.as_ref();
        let claims = event.claims.as_ref().map(|claims| Value::Object(claims.clone()).to_string());
        vec![
            ("decision", Some(event.id.to_string())),
            ("sequence", Some(self.sequence.to_string())),
            ("time", Some(event.time.to_string())),
            ("kind", Some(event.kind.to_string())),
            ("outcome", Some(self.outcome())),
            ("detail", event.detail.clone()),
            ("count", event.count.map(|count| count.to_string())),
            ("peer", event.peer.clone()),
            ("trace", event.trace.clone()),
            ("identity", self.who()),
            ("claims", claims),
            ("request", self.what()),
            ("lifetime wanted", event.request.as_ref().and_then(|r| Some(r.lifetime?.to_string()))),
            ("policy revision", event.policy_revision.map(|revision| revision.to_string())),
            ("token", grant.map(|grant| format!("{}, by {}", grant.token_name, grant.credential))),
            ("scope map", grant.map(|grant| grant.scope_map.to_string())),
            ("granted", grant.map(|grant| permissions(&grant.permissions))),
            ("access token", grant.map(|grant| grant.access_token.to_string())),
            ("expires", grant.map(|grant| grant.expire_time.to_string())),
            ("reused", grant.filter(|grant| grant.reused).map(|_| "yes".to_owned())),
            ("change", event.change.as_ref().map(Value::to_string)),
        ]
    }

    fn outcome(&self) -> String {
        let reason = self.event.reason.map(|reason| reason.to_string());
        let outcome = reason.unwrap_or_else(|| "ok".to_owned());
        match self.event.count {
            Some(count) => format!("{outcome} x{count}"),
            None => outcome,
        }
    }

    /// Who asked: the subject of an identity token, a token's name, whom a session was given to; or who made a change.
    fn who(&self) -> Option<String> {
        let event = &self.event;
        let actor = event.change.as_ref().and_then(|change| text(change.get("actor")?));
        let Some(identity) = &event.identity else { return actor };
        let kind = identity.get("kind").and_then(text).unwrap_or_default();
        let name =
            ["subject", "tokenName", "holder"].into_iter().find_map(|key| text(identity.get(key)?));
        let issuer = identity.get("issuer").and_then(text).map(|issuer| format!(" of {issuer}"));
        Some(format!("{kind} {}{}", name.unwrap_or_default(), issuer.unwrap_or_default()))
    }

    /// What was asked for, or what was changed.
    fn what(&self) -> Option<String> {
        if let Some(request) = &self.event.request {
            let asked = permissions(&request.permissions);
            return Some(format!(
                "{} {}",
                request.registry,
                if asked.is_empty() { "login" } else { &asked }
            ));
        }
        let change = self.event.change.as_ref()?;
        let field = |key| change.get(key).and_then(text);
        Some(format!("{} {}/{}", field("kind")?, field("registry")?, field("name")?))
    }
}

/// `servers/nginx:content/read,content/write` for each repository.
pub(in crate::cli) fn permissions(permissions: &Permissions) -> String {
    let shown = permissions.iter().map(|p| format!("{}:{}", p.repository, p.actions));
    shown.collect::<Vec<_>>().join(" ")
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
