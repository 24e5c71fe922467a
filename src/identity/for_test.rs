//! Identities that nobody proved: for the unit tests of other modules. Not part of the program.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Bearer, Identity, Kind, PasswordEntry, PasswordHolder, Workload};
use crate::model::{IssuerUrl, Secret};
use crate::seal::Session;

/// Nobody.
pub(crate) const fn anonymous() -> Identity {
    Identity(Kind::Anonymous)
}

/// The holder of a token's password.
pub(crate) const fn password(entry: PasswordEntry) -> Identity {
    Identity(Kind::Password(PasswordHolder { entry }))
}

/// The holder of a session.
pub(crate) fn session(session: Session) -> Identity {
    Identity(Kind::Session(session.into()))
}

/// A workload with exactly these claims.
pub(crate) fn workload(
    issuer: IssuerUrl,
    subject: &str,
    claims: Map<String, Value>,
    expire_time: Timestamp,
) -> Identity {
    Identity(Kind::Workload(Workload::for_test(issuer, subject, claims, expire_time)))
}

/// A bearer token that a verifier accepted.
pub(crate) fn verified_bearer(token: &str) -> Bearer {
    let bearer = Bearer::new(Secret::new(token));
    bearer.verified();
    bearer
}
