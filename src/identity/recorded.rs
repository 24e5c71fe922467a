//! An identity out of the audit trail, so that what it asked for can be decided again. Nobody proved it now: a question can be asked of
//! it, and nothing else; a test of the tree holds that only `policy::replay` does.

use super::{Evidence, Identity, Kind, PasswordEntry, PasswordHolder, Workload};
use crate::seal::Session;

/// Asks a question of the identity that the evidence was recorded of. `None` when the evidence is of nobody that could be.
pub fn ask_as_recorded<T>(evidence: Evidence, question: impl FnOnce(&Identity) -> T) -> Option<T> {
    let kind = match evidence {
        Evidence::Anonymous => Kind::Anonymous,
        Evidence::Password { registry, token_name, token, credential, expire_time } => {
            let crate::model::CredentialRef::Password { slot, generation } = credential else {
                return None;
            };
            let entry =
                PasswordEntry { registry, token, token_name, slot, generation, expire_time };
            Kind::Password(PasswordHolder { entry })
        }
        Evidence::Session {
            access_token,
            registry,
            token,
            credential,
            holder,
            ceiling,
            expire_time,
        } => {
            let session = Session {
                id: access_token,
                registry,
                token,
                credential,
                holder,
                ceiling,
                expire_time,
            };
            Kind::Session(session.into())
        }
        Evidence::Workload { issuer, subject, claims, expire_time } => {
            let issuer = issuer.parse().ok()?;
            Kind::Workload(Workload::recorded(issuer, &subject, claims, expire_time))
        }
    };
    Some(question(&Identity(kind)))
}
