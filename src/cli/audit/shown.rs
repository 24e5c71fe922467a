//! An event as it is shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::audit::{Event, Found};
use crate::model::{JsonObject, Permission, Permissions};
use crate::store::Chain;

/// An event with its place in the chain.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Shown {
    chain: Chain,
    sequence: u64,
    #[serde(flatten)]
    event: Event,
}

impl From<Found> for Shown {
    fn from(found: Found) -> Self {
        Self { chain: found.chain, sequence: found.sequence, event: found.event }
    }
}

impl Shown {
    /// An event with its place in the chain.
    pub(super) const fn new(chain: Chain, sequence: u64, event: Event) -> Self {
        Self { chain, sequence, event }
    }

    /// The event as a row, by itself: with the issuer.
    pub(super) fn row_of_its_own(&self) -> [String; 6] {
        self.row(self.name().map(Name::with_issuer))
    }

    /// The head of a table of events.
    pub(super) const HEAD: [&str; 6] = ["time", "kind", "outcome", "who", "what", "id"];

    /// The events as rows of that table. An issuer is named only where two of them have the same subject.
    pub(super) fn rows(events: &[Self]) -> Vec<[String; 6]> {
        let mut issuers = BTreeMap::<_, BTreeSet<_>>::new();
        for name in events.iter().filter_map(Self::name) {
            issuers.entry(name.subject).or_default().insert(name.issuer);
        }
        let row = |event: &Self| {
            let name = event.name().map(|name| {
                let is_shared = issuers.get(&name.subject).is_some_and(|all| all.len() > 1);
                if is_shared { name.with_issuer() } else { name.subject }
            });
            event.row(name)
        };
        events.iter().map(row).collect()
    }

    fn row(&self, name: Option<String>) -> [String; 6] {
        let event = &self.event;
        [
            format!("{:.0}", event.time),
            event.kind.to_string(),
            self.outcome(),
            name.unwrap_or_else(|| "-".to_owned()),
            self.what().unwrap_or_else(|| "-".to_owned()),
            event.id.to_string(),
        ]
    }

    /// The event as names and values.
    pub(in crate::cli) fn lines(&self) -> Vec<(&'static str, Option<String>)> {
        let event = &self.event;
        let grant = event.grant.as_ref();
        let claims = event.claims.as_ref().map(|claims| claims.json().to_owned());
        vec![
            ("decision", Some(event.id.to_string())),
            // where there is only one chain, it is 0
            ("chain", Some(self.chain).filter(|chain| chain.0 > 0).map(|chain| chain.to_string())),
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
            ("supersedes", event.supersedes.map(|earlier| earlier.to_string())),
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

    /// The reason of a refusal; else `allowed`, `partly` or `nothing` of what was asked for; else `done`.
    fn outcome(&self) -> String {
        let outcome =
            self.event.reason.map_or_else(|| self.success().to_owned(), |r| r.to_string());
        match self.event.count {
            Some(count) => format!("{outcome} x{count}"),
            None => outcome,
        }
    }

    fn success(&self) -> &'static str {
        let Some(request) = &self.event.request else { return "done" };
        match &self.event.grant {
            Some(grant) if request.permissions.is_subset_of(&grant.permissions) => "allowed",
            Some(grant) if grant.permissions.is_empty() => "nothing",
            Some(_) => "partly",
            None => "allowed",
        }
    }

    /// What was verified of who asked.
    fn facts(&self) -> Map<String, Value> {
        self.event.identity.as_ref().map(JsonObject::members).unwrap_or_default()
    }

    /// Who asked, with the kind of identity and the issuer.
    fn who(&self) -> Option<String> {
        let kind = self.facts().get("kind").and_then(text);
        let name = self.name().map(Name::with_issuer);
        let all: Vec<_> =
            [kind.filter(|kind| Some(kind) != name.as_ref()), name].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// The subject of an identity token, a token's name, whom a session was given to, or who made a change; else the kind of identity.
    fn name(&self) -> Option<Name> {
        let facts = self.facts();
        let field = |key| facts.get(key).and_then(text).filter(|text| !text.is_empty());
        let actor = || text(self.event.change.as_ref()?.get("actor")?);
        let subject = ["subject", "tokenName", "holder", "name", "kind"]
            .into_iter()
            .find_map(field)
            .or_else(actor)?;
        Some(Name { subject, issuer: field("issuer") })
    }

    /// What was asked for and how much of it was given, or what was changed.
    fn what(&self) -> Option<String> {
        if let Some(request) = &self.event.request {
            let granted = self.event.grant.as_ref().map(|grant| &grant.permissions);
            let asked: Vec<_> = request.permissions.iter().map(|one| asked(one, granted)).collect();
            let asked = if asked.is_empty() { "login".to_owned() } else { asked.join(" ") };
            return Some(format!("{} {asked}", request.registry));
        }
        let change = self.event.change.as_ref()?;
        let field = |key| change.get(key).and_then(text);
        let named =
            || Some(format!("{} {}/{}", field("kind")?, field("registry")?, field("name")?));
        // a request that concerns no definition by its name, such as a policy file that changed nothing
        named().or_else(|| field("method"))
    }
}

/// Who asked.
struct Name {
    subject: String,
    issuer: Option<String>,
}

impl Name {
    fn with_issuer(self) -> String {
        match self.issuer {
            Some(issuer) => format!("{} of {issuer}", self.subject),
            None => self.subject,
        }
    }
}

/// One permission that was asked for; when less was given, that first: `field/agent:content/read of content/read,content/write`.
fn asked(asked: &Permission, granted: Option<&Permissions>) -> String {
    let Permission { repository, actions } = asked;
    let given = granted.map_or(*actions, |granted| granted.actions_on(repository));
    let given = given.intersection(*actions);
    if given == *actions {
        format!("{repository}:{actions}")
    } else if given.is_empty() {
        format!("{repository}:nothing of {actions}")
    } else {
        format!("{repository}:{given} of {actions}")
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
