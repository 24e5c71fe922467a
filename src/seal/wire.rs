//! How a session is written before it is sealed: postcard, with short forms so that a hundred repositories fit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ceiling, Session};
use crate::model::{
    AccessTokenId, Action, ActionSet, CredentialRef, Permission, RegistryUid, RepositoryName,
    TokenUid,
};

/// A session as it is written. A change here needs a new domain in [`super::session`].
#[derive(Serialize, Deserialize)]
struct Wire {
    id: AccessTokenId,
    registry: RegistryUid,
    token: TokenUid,
    credential: CredentialRef,
    holder: String,
    /// `None`: what the scope map allows.
    ceiling: Option<Vec<Entry>>,
    /// Nanoseconds since 1970, so that nothing is rounded.
    expire_time: i128,
}

/// A repository and its actions, as bits.
#[derive(Serialize, Deserialize)]
struct Entry(RepositoryName, u8);

/// The bytes of a session.
pub(super) fn encode(session: &Session) -> Result<Vec<u8>, postcard::Error> {
    let ceiling = match &session.ceiling {
        Ceiling::Permissions(permissions) => Some(
            permissions.iter().map(|p| Entry(p.repository.clone(), p.actions.bits())).collect(),
        ),
        Ceiling::ScopeMap => None,
    };
    postcard::to_stdvec(&Wire {
        id: session.id,
        registry: session.registry,
        token: session.token,
        credential: session.credential.clone(),
        holder: session.holder.clone(),
        ceiling,
        expire_time: session.expire_time.as_nanosecond(),
    })
}

/// The session of bytes that [`encode`] made; `None` for anything else.
pub(super) fn decode(bytes: &[u8]) -> Option<Session> {
    let (wire, rest) = postcard::take_from_bytes::<Wire>(bytes).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let ceiling = match wire.ceiling {
        Some(entries) => {
            Ceiling::Permissions(entries.into_iter().map(permission).collect::<Option<_>>()?)
        }
        None => Ceiling::ScopeMap,
    };
    Some(Session {
        id: wire.id,
        registry: wire.registry,
        token: wire.token,
        credential: wire.credential,
        holder: wire.holder,
        ceiling,
        expire_time: Timestamp::from_nanosecond(wire.expire_time).ok()?,
    })
}

fn permission(Entry(repository, bits): Entry) -> Option<Permission> {
    let actions: ActionSet = Action::ALL
        .into_iter()
        .filter(|action| bits & ActionSet::from(*action).bits() != 0)
        .collect();
    (actions.bits() == bits).then_some(Permission { repository, actions })
}
