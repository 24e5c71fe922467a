//! The facts of an identity as plain data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Kind, PasswordHolder, Workload};
use crate::model::{
    AccessTokenId, Claims, CredentialRef, JsonObject, RegistryName, RegistryUid, TokenName,
    TokenUid,
};
use crate::seal::{Ceiling, Session};

/// What was verified of a caller: enough to decide again. It proves nothing; only an `Identity` does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Evidence {
    /// Nobody.
    Anonymous,
    /// A token's password.
    Password {
        /// The registry of the token.
        registry: RegistryName,
        /// The token's name.
        token_name: TokenName,
        /// The token.
        token: TokenUid,
        /// Which password, in which filling.
        credential: CredentialRef,
        /// When the password ends.
        expire_time: Option<Timestamp>,
    },
    /// A session.
    Session {
        /// The access token that it is the password of.
        access_token: AccessTokenId,
        /// The registry it is for.
        registry: RegistryUid,
        /// The token that it acts as.
        token: TokenUid,
        /// What it rests on.
        credential: CredentialRef,
        /// Whom it was given to.
        holder: String,
        /// The most it allows.
        ceiling: Ceiling,
        /// When it ends.
        expire_time: Timestamp,
    },
    /// An identity token.
    Workload {
        /// `iss`.
        issuer: String,
        /// `sub`.
        subject: String,
        /// All claims.
        claims: Map<String, Value>,
        /// `exp`.
        expire_time: Timestamp,
    },
}

impl Evidence {
    /// Puts together again what an audit event holds apart: the facts, and the claims of a workload.
    pub fn from_event(facts: &JsonObject, claims: Option<&Claims>) -> Option<Self> {
        let mut facts = facts.members();
        if let Some(claims) = claims {
            facts.insert("claims".to_owned(), Value::Object(claims.members().ok()?));
        }
        serde_json::from_value(Value::Object(facts)).ok()
    }

    pub(super) fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Anonymous => Self::Anonymous,
            Kind::Password(holder) => Self::of_password(holder),
            Kind::Session(session) => Self::of_session(session),
            Kind::Workload(workload) => Self::of_workload(workload),
        }
    }

    fn of_password(holder: &PasswordHolder) -> Self {
        let entry = holder.entry();
        Self::Password {
            registry: entry.registry.clone(),
            token_name: entry.token_name.clone(),
            token: entry.token,
            credential: CredentialRef::Password { slot: entry.slot, generation: entry.generation },
            expire_time: entry.expire_time,
        }
    }

    fn of_session(session: &Session) -> Self {
        Self::Session {
            access_token: session.id,
            registry: session.registry,
            token: session.token,
            credential: session.credential.clone(),
            holder: session.holder.clone(),
            ceiling: session.ceiling.clone(),
            expire_time: session.expire_time,
        }
    }

    fn of_workload(workload: &Workload) -> Self {
        Self::Workload {
            issuer: workload.issuer().as_str().to_owned(),
            subject: workload.subject().to_owned(),
            claims: workload.claims().to_map(),
            expire_time: workload.expire_time(),
        }
    }
}

/// What is written of evidence that holds no claims.
pub(super) fn facts(evidence: &impl Serialize) -> JsonObject {
    // INVARIANT: evidence is written as an object
    JsonObject::of(evidence).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Identity, PasswordEntry, for_test};
    use super::*;
    use crate::model::PasswordSlot;

    fn noon() -> Timestamp {
        "2026-09-01T12:00:00Z".parse().unwrap()
    }

    fn all() -> [Evidence; 4] {
        identities().map(|identity| identity.evidence())
    }

    /// One of each kind.
    fn identities() -> [Identity; 4] {
        let entry = PasswordEntry {
            registry: "local".parse().unwrap(),
            token: TokenUid::new(noon()),
            token_name: "nginx-ci".parse().unwrap(),
            slot: PasswordSlot::Password2,
            generation: 7,
            expire_time: None,
        };
        let session = Session {
            id: AccessTokenId::new(noon()),
            registry: RegistryUid([1; 16]),
            token: TokenUid::new(noon()),
            credential: CredentialRef::Anonymous,
            holder: "nobody".to_owned(),
            ceiling: Ceiling::ScopeMap,
            expire_time: noon(),
        };
        let Value::Object(claims) = json!({"sub": "job", "big": 9_007_199_254_740_993_i64}) else {
            panic!("claims are an object")
        };
        let issuer = "https://issuer.example.com".parse().unwrap();
        [
            for_test::anonymous(),
            for_test::password(entry),
            for_test::session(session),
            for_test::workload(issuer, "job", claims, noon()),
        ]
    }

    #[test]
    fn evidence_is_read_back_as_it_was_written() {
        for evidence in all() {
            let text = serde_json::to_string(&evidence).unwrap();
            assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence, "{text}");
        }
    }

    #[test]
    fn what_an_audit_event_holds_apart_is_put_together_again() {
        for identity in identities() {
            let (facts, claims) = identity.facts();
            let evidence = identity.evidence();
            assert_eq!(Evidence::from_event(&facts, claims.as_ref()), Some(evidence), "{facts:?}");
        }
    }

    #[test]
    fn evidence_names_the_filling_of_a_password() {
        let [_, password, ..] = all();
        let slot = PasswordSlot::Password2;
        let expected = CredentialRef::Password { slot, generation: 7 };
        assert!(
            matches!(password, Evidence::Password { credential, .. } if credential == expected)
        );
    }
}
