//! Decides what was recorded again, under whatever policy. What comes out is no permit: nothing can be issued with it.

use jiff::Timestamp;

use super::{Denial, Snapshot, decide, decide_available};
use crate::identity::{Evidence, ask_as_recorded};
use crate::model::{AccessRequest, CredentialRef, Permissions, Token};

/// What a request is held to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Measure {
    /// All of it or nothing.
    All,
    /// What of it is allowed, as at the docker token endpoint.
    Available,
}

/// What a policy says to what was recorded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// So much is allowed.
    Allowed(Permissions),
    /// Nothing, for this reason.
    Denied(Denial),
}

/// Decides a recorded request again, at the time at which it was decided. `None` when the evidence cannot be read back.
///
/// A session or a password rests on what its token is here: that a credential was generated or written anew since is not held
/// against it, since its holder would have got a new one.
pub fn replay(
    snapshot: &Snapshot,
    evidence: &Evidence,
    request: &AccessRequest,
    measure: Measure,
    time: Timestamp,
) -> Option<Verdict> {
    let evidence = at_home(snapshot, evidence.clone());
    ask_as_recorded(evidence, |identity| {
        let decided = match measure {
            Measure::All => decide(snapshot, identity, request, time),
            Measure::Available => decide_available(snapshot, identity, request, time),
        };
        match decided {
            Ok(permit) => Verdict::Allowed(permit.permissions().clone()),
            Err(denial) => Verdict::Denied(denial),
        }
    })
}

/// The evidence with the credential as it is in this policy.
fn at_home(snapshot: &Snapshot, mut evidence: Evidence) -> Evidence {
    if let Evidence::Password { token, credential, .. }
    | Evidence::Session { token, credential, .. } = &mut evidence
        && let Some(own) = snapshot.token(*token)
    {
        renew(own, credential);
    }
    evidence
}

fn renew(token: &Token, credential: &mut CredentialRef) {
    match credential {
        CredentialRef::Anonymous => {}
        CredentialRef::Federated { name, revision } => {
            let own = token.federated_credentials.iter().find(|own| own.name == *name);
            *revision = own.map_or(*revision, |own| own.revision);
        }
        CredentialRef::Password { slot, generation } => {
            let own = token.passwords.iter().find(|own| own.slot == *slot);
            *generation = own.map_or(*generation, |own| own.generation);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::for_test::{
        OWN, compile, credential, definitions, now, permissions_of, request, scope_map, token,
        workload,
    };
    use super::*;

    /// One token that may pull, or push as well.
    fn policy(actions: &str) -> Snapshot {
        let map = scope_map("servers-map", &[("servers/*", actions)]);
        let by = credential("main", OWN, "job", json!({}));
        compile(definitions(vec![map], vec![token("nginx-ci", "servers-map", vec![by])]))
    }

    #[test]
    fn what_was_recorded_is_decided_as_if_it_was_asked_now() {
        let evidence = workload(OWN, "job", json!({"sub": "job"})).evidence();
        let push = request(&[("servers/nginx", "push")]);
        let ask = |snapshot: &Snapshot, measure| {
            replay(snapshot, &evidence, &push, measure, now()).unwrap()
        };
        let both = permissions_of(&[("servers/nginx", "push")]);
        assert_eq!(ask(&policy("push"), Measure::All), Verdict::Allowed(both));
        assert!(matches!(ask(&policy("pull"), Measure::All), Verdict::Denied(_)));
        let part = permissions_of(&[("servers/nginx", "pull")]);
        assert_eq!(ask(&policy("pull"), Measure::Available), Verdict::Allowed(part));
    }

    #[test]
    fn somebody_else_is_denied_also_in_a_replay() {
        let evidence = workload(OWN, "other", json!({"sub": "other"})).evidence();
        let verdict = replay(
            &policy("push"),
            &evidence,
            &request(&[("servers/nginx", "pull")]),
            Measure::All,
            now(),
        );
        assert_eq!(verdict, Some(Verdict::Denied(Denial::NoToken)));
    }
}
