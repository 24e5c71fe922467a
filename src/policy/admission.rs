//! Which tokens an identity may act as, and on what grounds.

use std::sync::Arc;

use jiff::Timestamp;

use super::Denial;
use super::place::Place;
use super::registry::Registry;
use super::snapshot::{Principal, Snapshot};
use crate::identity::{Identity, Kind, PasswordEntry, Workload};
use crate::model::{
    ActionSet, CredentialRef, FederatedCredential, FederatedCredentialName, Lifetime, Password,
    RepositoryName, Token,
};
use crate::seal::{Ceiling, Session};

/// The name of the token that nobody may act as, where the registry's operator answers nobody.
pub(super) const ANONYMOUS: &str = "anonymous";

/// A token that the identity may act as, by one credential.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission<'a> {
    pub(super) principal: Principal<'a>,
    pub(super) grounds: Grounds<'a>,
}

/// Why an identity may act as a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grounds<'a> {
    Anonymous,
    Workload(&'a Workload, &'a Place),
    Password(&'a Password),
    Session(&'a Arc<Session>, Basis<'a>),
}

/// What a session rests on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Basis<'a> {
    Federated(&'a FederatedCredential),
    Password(&'a Password),
}

/// Calls `admitted` with every token and credential that admit the identity; with one that does at least once.
/// Whether the token may be used now is not looked at.
pub(super) fn find<'a>(
    snapshot: &'a Snapshot,
    registry: &'a Registry,
    identity: &'a Identity,
    now: Timestamp,
    mut admitted: impl FnMut(Admission<'a>),
) -> Result<(), Denial> {
    match identity.kind() {
        Kind::Anonymous => {
            let token = registry.token(ANONYMOUS);
            if let Some(principal) = token.and_then(|token| registry.principal(token)) {
                admitted(Admission { principal, grounds: Grounds::Anonymous });
            }
        }
        Kind::Workload(workload) => {
            let Some(index) = registry.credentials_of(workload.issuer()) else { return Ok(()) };
            index.find(workload, |place| {
                if let Some(principal) = registry.principal_at(place) {
                    admitted(Admission { principal, grounds: Grounds::Workload(workload, place) });
                }
            });
        }
        Kind::Password(holder) => {
            admitted(by_password(snapshot, registry, holder.entry(), now)?);
        }
        Kind::Session(session) => admitted(by_session(snapshot, registry, session, now)?),
    }
    Ok(())
}

impl Grounds<'_> {
    /// Of `actions` on `repository`, what the identity itself lets through.
    pub(super) fn narrow(&self, repository: &RepositoryName, actions: ActionSet) -> ActionSet {
        match self {
            Self::Anonymous => actions.intersection(ActionSet::PULL),
            Self::Workload(..) | Self::Password(_) => actions,
            Self::Session(session, _) => match &session.ceiling {
                Ceiling::Permissions(ceiling) => {
                    actions.intersection(ceiling.actions_on(repository))
                }
                Ceiling::ScopeMap => actions,
            },
        }
    }

    /// True when nothing of the token and the credential but the scope map bounds what is allowed.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Workload(_, place) if place.is_plain())
    }

    /// True when the credential of what was found is there, as it always is: without, nothing may rest on it.
    pub(super) fn are_there(&self) -> bool {
        match self {
            Self::Workload(_, place) => place.credential().is_some(),
            Self::Anonymous | Self::Password(_) | Self::Session(..) => true,
        }
    }

    /// The federated credential that admitted the workload, or that the session rests on.
    fn federated(&self) -> Option<&FederatedCredential> {
        match self {
            Self::Workload(_, place) => place.credential(),
            Self::Session(_, Basis::Federated(credential)) => Some(credential),
            Self::Anonymous | Self::Password(_) | Self::Session(..) => None,
        }
    }

    /// The longest lifetime that the credential allows.
    pub(super) fn max_lifetime(&self) -> Option<Lifetime> {
        self.federated()?.max_lifetime
    }

    /// When what was presented, or the password that it rests on, ends; for an identity token where the credential binds it.
    pub(super) fn end(&self) -> Option<Timestamp> {
        match self {
            Self::Anonymous => None,
            Self::Workload(workload, place) => {
                place.credential()?.bind_to_identity_expiry.then(|| workload.expire_time())
            }
            Self::Password(password) => password.expire_time,
            Self::Session(session, basis) => {
                let password = match basis {
                    Basis::Federated(_) => None,
                    Basis::Password(password) => password.expire_time,
                };
                Some(password.map_or(session.expire_time, |end| end.min(session.expire_time)))
            }
        }
    }

    /// The federated credential, to choose between several of one token.
    pub(super) fn federated_name(&self) -> Option<&FederatedCredentialName> {
        match self {
            Self::Workload(_, place) => place.credential().map(|own| &own.name),
            Self::Anonymous | Self::Password(_) | Self::Session(..) => None,
        }
    }

    /// What a session that is made of it rests on.
    pub(super) fn credential(&self) -> CredentialRef {
        match self {
            Self::Anonymous => CredentialRef::Anonymous,
            // INVARIANT: no permit is made of a place without a credential; on nobody's, nothing could rest
            Self::Workload(_, place) => {
                place.credential().map_or(CredentialRef::Anonymous, |own| {
                    CredentialRef::Federated { name: own.name.clone(), revision: own.revision }
                })
            }
            Self::Password(password) => {
                CredentialRef::Password { slot: password.slot, generation: password.generation }
            }
            Self::Session(session, _) => session.credential.clone(),
        }
    }
}

fn by_password<'a>(
    snapshot: &'a Snapshot,
    registry: &Registry,
    entry: &PasswordEntry,
    now: Timestamp,
) -> Result<Admission<'a>, Denial> {
    if entry.registry != registry.bounds.name {
        return Err(Denial::OtherRegistry { registry: registry.bounds.name.clone() });
    }
    let principal = snapshot.principal_of(entry.token).ok_or(Denial::PasswordGone)?;
    let presented = CredentialRef::Password { slot: entry.slot, generation: entry.generation };
    match basis(principal.token, &presented, now) {
        Some(Basis::Password(password)) => {
            Ok(Admission { principal, grounds: Grounds::Password(password) })
        }
        _ => Err(Denial::PasswordGone),
    }
}

fn by_session<'a>(
    snapshot: &'a Snapshot,
    registry: &Registry,
    session: &'a Arc<Session>,
    now: Timestamp,
) -> Result<Admission<'a>, Denial> {
    if session.registry != registry.bounds.uid {
        return Err(Denial::OtherRegistry { registry: registry.bounds.name.clone() });
    }
    let left = session.expire_time.duration_since(now);
    if left < Lifetime::MIN.as_duration().try_into().unwrap_or_default() {
        return Err(Denial::SessionExpired);
    }
    let principal = snapshot
        .principal_of(session.token)
        .filter(|principal| principal.token.registry == registry.bounds.name)
        .ok_or(Denial::SessionGone)?;
    let basis = basis(principal.token, &session.credential, now).ok_or(Denial::SessionGone)?;
    Ok(Admission { principal, grounds: Grounds::Session(session, basis) })
}

/// The credential of the token that is meant, if it is still the same and has not ended.
/// Nothing rests on anonymous access: whoever has no credential asks again without one.
fn basis<'a>(token: &'a Token, credential: &CredentialRef, now: Timestamp) -> Option<Basis<'a>> {
    match credential {
        CredentialRef::Anonymous => None,
        CredentialRef::Federated { name, revision } => token
            .federated_credentials
            .iter()
            .find(|own| own.name == *name && own.revision == *revision)
            .map(Basis::Federated),
        CredentialRef::Password { slot, generation } => token
            .passwords
            .iter()
            .find(|own| own.slot == *slot && own.generation == *generation)
            .filter(|own| own.expire_time.is_none_or(|end| now < end))
            .map(Basis::Password),
    }
}
