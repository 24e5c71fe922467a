//! The facts of an identity as plain data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{CredentialRef, RegistryName, TokenName, TokenUid};
use crate::seal::Ceiling;

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
        access_token: crate::model::AccessTokenId,
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
    pub fn from_event(
        mut facts: Map<String, Value>,
        claims: Option<Map<String, Value>>,
    ) -> Option<Self> {
        if let Some(claims) = claims {
            facts.insert("claims".to_owned(), Value::Object(claims));
        }
        serde_json::from_value(Value::Object(facts)).ok()
    }
}
