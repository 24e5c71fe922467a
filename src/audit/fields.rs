//! An event as the two JSON objects that are kept of it, and back: what everybody may see, and who called.

use serde::Deserialize;
use serde_json::Value;

use super::json::{Object, text};
use super::{Event, Grant, Kind, RequestRecord, Use};
use crate::model::{Claims, CredentialRef, DecisionId, JsonObject, Permissions, Reason};
use crate::store::{Body, JournalRow};

use jiff::Timestamp;

/// Most events fit.
const CAPACITY: usize = 1024;

/// An event as it is kept: what identifies it, its two objects, and the claims.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) id: DecisionId,
    pub(super) time: Timestamp,
    pub(super) body: Body,
    pub(super) claims: Option<Claims>,
}

impl Fields {
    pub(super) fn of(event: &Event) -> Self {
        let mut json = String::with_capacity(CAPACITY);
        // without `..`: a new field does not compile until it has its place here
        let Event {
            id,
            time,
            claims,
            kind,
            reason,
            detail,
            peer,
            trace,
            identity,
            supersedes,
            request,
            policy_revision,
            grant,
            change,
            count,
            usage,
        } = event;
        let mut open = Object::begin(&mut json);
        change.as_ref().inspect(|change| open.value("change", change));
        count.inspect(|count| open.number("count", *count));
        detail.as_ref().inspect(|detail| open.text("detail", detail));
        grant.as_ref().inspect(|grant| write_grant(open.member("grant"), grant));
        open.text("kind", kind.as_str());
        policy_revision.inspect(|revision| open.number("policyRevision", *revision));
        reason.inspect(|reason| open.text("reason", reason.as_str()));
        request.as_ref().inspect(|request| write_request(open.member("request"), request));
        supersedes.inspect(|earlier| open.text("supersedes", earlier.encode(&mut [0; 36])));
        trace.as_ref().inspect(|trace| open.text("trace", trace));
        usage.as_ref().inspect(|usage| open.value("use", usage));
        open.end();
        let length = json.len();
        let mut personal = Object::begin(&mut json);
        identity
            .as_ref()
            .inspect(|identity| personal.member("identity").push_str(identity.as_str()));
        peer.as_ref().inspect(|peer| personal.text("peer", peer));
        personal.end();
        Self { id: *id, time: *time, body: Body::new(json, length), claims: claims.clone() }
    }
}

fn write_request(json: &mut String, request: &RequestRecord) {
    let RequestRecord { registry, permissions, lifetime, token_name, with_bearer_token, fresh } =
        request;
    let mut object = Object::begin(json);
    object.mark("fresh", *fresh);
    lifetime.inspect(|lifetime| object.text("lifetime", &lifetime.to_string()));
    write_permissions(object.member("permissions"), permissions);
    object.text("registry", registry.as_str());
    token_name.as_ref().inspect(|name| object.text("tokenName", name.as_str()));
    object.mark("withBearerToken", *with_bearer_token);
    object.end();
}

fn write_grant(json: &mut String, grant: &Grant) {
    let Grant {
        access_token,
        token,
        token_name,
        scope_map,
        credential,
        permissions,
        expire_time,
        reused,
    } = grant;
    let mut object = Object::begin(json);
    object.text("accessToken", access_token.encode(&mut [0; 36]));
    write_credential(&mut object, credential);
    object.time("expireTime", *expire_time);
    write_permissions(object.member("permissions"), permissions);
    object.mark("reused", *reused);
    object.text("scopeMap", scope_map.as_str());
    object.text("token", token.encode(&mut [0; 36]));
    object.text("tokenName", token_name.as_str());
    object.end();
}

fn write_credential(grant: &mut Object<'_>, credential: &CredentialRef) {
    match credential {
        CredentialRef::Federated { name, revision } => {
            let mut outer = Object::begin(grant.member("credential"));
            let mut federated = Object::begin(outer.member("federated"));
            federated.text("name", name.as_str());
            federated.number("revision", *revision);
            federated.end();
            outer.end();
        }
        other => grant.value("credential", other),
    }
}

fn write_permissions(json: &mut String, permissions: &Permissions) {
    let mut separator = '[';
    for permission in permissions {
        json.push(separator);
        separator = ',';
        let mut object = Object::begin(json);
        let actions = object.member("actions");
        let mut before = '[';
        for action in permission.actions.iter() {
            actions.push(before);
            before = ',';
            text(actions, action.as_str());
        }
        actions.push_str(if before == '[' { "[]" } else { "]" });
        object.text("repository", permission.repository.as_str());
        object.end();
    }
    json.push_str(if separator == '[' { "[]" } else { "]" });
}

/// The event of a row.
///
/// # Errors
/// The row was damaged: with what is wrong.
pub(super) fn event_of(row: &JournalRow) -> Result<Event, serde_json::Error> {
    let event = event_without_claims(row)?;
    if let Some(claims) = &row.claims {
        claims.members()?;
    }
    Ok(Event { claims: row.claims.clone(), ..event })
}

/// As [`event_of`], for whoever does not look at the claims.
pub(super) fn event_without_claims(row: &JournalRow) -> Result<Event, serde_json::Error> {
    let open: Open = serde_json::from_str(row.body.open())?;
    let personal: Personal = serde_json::from_str(row.body.personal())?;
    Ok(Event {
        id: row.id,
        time: row.time,
        kind: open.kind,
        reason: open.reason,
        detail: open.detail,
        peer: personal.peer,
        trace: open.trace,
        identity: personal.identity,
        claims: None,
        supersedes: open.supersedes,
        request: open.request,
        policy_revision: open.policy_revision,
        grant: open.grant,
        change: open.change,
        count: open.count,
        usage: open.usage,
    })
}

/// What everybody may see.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    change: Option<Value>,
    count: Option<u64>,
    detail: Option<String>,
    grant: Option<Grant>,
    kind: Kind,
    policy_revision: Option<u64>,
    reason: Option<Reason>,
    request: Option<RequestRecord>,
    supersedes: Option<DecisionId>,
    trace: Option<String>,
    #[serde(rename = "use")]
    usage: Option<Use>,
}

/// Who called.
#[derive(Deserialize)]
struct Personal {
    identity: Option<JsonObject>,
    peer: Option<String>,
}

#[cfg(test)]
mod tests;
