//! The audit events of CI jobs that got what they asked for, as the program records them.

use anyhow::Context;
use dockpass::audit::{Event, Grant, Kind, RequestRecord};
use dockpass::model::{
    AccessTokenId, ActionSet, Claims, Clock, CredentialRef, DecisionId, JsonObject, Permission,
    Permissions, SystemClock, TokenUid,
};
use serde_json::json;

/// How many different jobs call; claims are stored once for each.
const JOBS: usize = 1_000;

/// Some jobs, which call in turn.
pub(crate) struct Jobs(Vec<Event>);

impl Jobs {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self((0..JOBS).map(event).collect::<anyhow::Result<_>>()?))
    }

    /// The event of a call, now.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> {
        self.0.iter().cycle().map(|event| {
            let now = SystemClock.now();
            Event { id: DecisionId::new(now), time: now, ..event.clone() }
        })
    }
}

fn event(job: usize) -> anyhow::Result<Event> {
    let now = SystemClock.now();
    let subject = format!("repo:acme/app-{job}:ref:refs/heads/main");
    let identity = json!({
        "kind": "workload", "issuer": "https://ci.example.com", "subject": subject,
        "expireTime": "2030-01-01T00:00:00Z",
    });
    let claims = json!({
        "iss": "https://ci.example.com", "sub": subject, "aud": "https://dockpass.example.com",
        "repository": format!("acme/app-{job}"), "repository_id": job.to_string(), "ref": "refs/heads/main",
        "repository_owner": "acme", "run_id": job.to_string(), "workflow": "build", "event_name": "push",
        "job_workflow_ref": format!("acme/app-{job}/.github/workflows/build.yml@refs/heads/main"),
    });
    let repository = format!("team/app-{job}").parse()?;
    let permissions: Permissions =
        [Permission { repository, actions: ActionSet::PUSH }].into_iter().collect();
    Ok(Event {
        peer: Some("192.0.2.7".to_owned()),
        identity: JsonObject::of(&identity),
        claims: Some(Claims::of(claims.as_object().context("no claims")?)),
        request: Some(RequestRecord {
            registry: "local".parse()?,
            permissions: permissions.clone(),
            lifetime: None,
            token_name: None,
            with_bearer_token: false,
            fresh: false,
        }),
        policy_revision: Some(7),
        grant: Some(grant(permissions)?),
        ..Event::new(DecisionId::new(now), now, Kind::Issue)
    })
}

fn grant(permissions: Permissions) -> anyhow::Result<Grant> {
    let now = SystemClock.now();
    Ok(Grant {
        access_token: AccessTokenId::new(now),
        token: TokenUid::new(now),
        token_name: "app-ci".parse()?,
        scope_map: "apps-push".parse()?,
        credential: CredentialRef::Federated { name: "main".parse()?, revision: 7 },
        permissions,
        expire_time: now,
        reused: false,
    })
}
