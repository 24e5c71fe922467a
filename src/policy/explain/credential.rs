//! Each credential of a token against the identity.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Question;
use crate::identity::Evidence;
use crate::model::{ClaimCondition, CredentialRef, FederatedCredential, Lifetime, Password, Token};

/// The most characters of a value that are shown.
const SHOWN: usize = 200;

/// What was seen at one credential.
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) mismatches: Vec<String>,
    /// The longest lifetime that it allows.
    pub(super) max_lifetime: Option<Lifetime>,
    /// When what was presented ends, where that counts.
    pub(super) ends: Vec<Timestamp>,
}

impl Question<'_> {
    /// The credentials of the token that are of the kind that was presented.
    pub(super) fn credentials(&self, token: &Token) -> Vec<Seen> {
        match self.evidence {
            Evidence::Anonymous => vec![anonymous(token)],
            Evidence::Workload { issuer, subject, claims, expire_time } => token
                .federated_credentials
                .iter()
                .map(|credential| Seen {
                    name: credential.name.to_string(),
                    mismatches: workload_mismatches(credential, issuer, subject, claims),
                    max_lifetime: credential.max_lifetime,
                    ends: credential
                        .bind_to_identity_expiry
                        .then_some(*expire_time)
                        .into_iter()
                        .collect(),
                })
                .collect(),
            Evidence::Password { registry, token: uid, credential, .. } => {
                let foreign = *uid != token.uid || *registry != token.registry;
                token.passwords.iter().map(|own| self.password(own, credential, foreign)).collect()
            }
            Evidence::Session { .. } => self.session(token),
        }
    }

    fn password(&self, own: &Password, presented: &CredentialRef, foreign: bool) -> Seen {
        let reference = CredentialRef::Password { slot: own.slot, generation: own.generation };
        let mut mismatches = Vec::new();
        if foreign {
            mismatches.push("the password is one of another token".to_owned());
        } else if reference != *presented {
            mismatches.push(format!("presented was another filling or slot: {presented}"));
        }
        if own.expire_time.is_some_and(|end| end <= self.now) {
            mismatches.push("it has expired".to_owned());
        }
        Seen {
            name: own.slot.to_string(),
            mismatches,
            max_lifetime: None,
            ends: own.expire_time.into_iter().collect(),
        }
    }

    fn session(&self, token: &Token) -> Vec<Seen> {
        let Evidence::Session { registry, token: uid, credential, expire_time, .. } = self.evidence
        else {
            return Vec::new();
        };
        let mut seen = match credential {
            CredentialRef::Anonymous => Vec::new(),
            CredentialRef::Federated { .. } => {
                token.federated_credentials.iter().map(|own| basis(own, credential)).collect()
            }
            CredentialRef::Password { .. } => {
                token.passwords.iter().map(|own| self.password(own, credential, false)).collect()
            }
        };
        for seen in &mut seen {
            if *uid != token.uid {
                seen.mismatches.push("the session is one of another token".to_owned());
            }
            if *registry != self.bounds.uid {
                seen.mismatches.push("the session is one of another registry".to_owned());
            }
            if expire_time.duration_since(self.now).as_secs() < 60 {
                seen.mismatches.push("the session has expired".to_owned());
            }
            seen.ends.push(*expire_time);
        }
        seen
    }
}

fn anonymous(token: &Token) -> Seen {
    let mismatch = (token.name.as_str() != "anonymous")
        .then(|| "without a credential, only the token named `anonymous` is acted as".to_owned());
    Seen {
        name: CredentialRef::Anonymous.to_string(),
        mismatches: mismatch.into_iter().collect(),
        max_lifetime: None,
        ends: Vec::new(),
    }
}

fn basis(own: &FederatedCredential, presented: &CredentialRef) -> Seen {
    let reference = CredentialRef::Federated { name: own.name.clone(), revision: own.revision };
    let mismatch = (reference != *presented)
        .then(|| format!("the session rests on {presented}, of the time when it was made"));
    Seen {
        name: own.name.to_string(),
        mismatches: mismatch.into_iter().collect(),
        max_lifetime: own.max_lifetime,
        ends: Vec::new(),
    }
}

fn workload_mismatches(
    credential: &FederatedCredential,
    issuer: &str,
    subject: &str,
    claims: &Map<String, Value>,
) -> Vec<String> {
    let mut mismatches = Vec::new();
    if credential.issuer.as_str() != issuer {
        mismatches.push(format!(
            "issuer: wanted `{}`, seen `{}`",
            credential.issuer,
            short(issuer)
        ));
    }
    if let Some(rule) = credential.subject.as_ref().filter(|rule| !rule.matches(subject)) {
        mismatches.push(format!("subject: wanted `{}`, seen `{}`", rule.0, short(subject)));
    }
    let failed = credential.claims.iter().filter(|condition| !condition.holds(claims));
    mismatches.extend(failed.map(|condition| claim_mismatch(condition, claims)));
    mismatches
}

fn claim_mismatch(condition: &ClaimCondition, claims: &Map<String, Value>) -> String {
    let wanted: Vec<String> = condition.accepted.iter().map(ToString::to_string).collect();
    let seen = condition.name.find(claims).map_or_else(
        || "no such claim".to_owned(),
        |value| format!("`{}`", short(&value.to_value().to_string())),
    );
    format!("claim `{}`: wanted {}, seen {seen}", condition.name, wanted.join(" or "))
}

/// What a stranger wrote comes back shortened and printable.
fn short(text: &str) -> String {
    let shown: String =
        text.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { format!("{shown}…") } else { shown }
}
