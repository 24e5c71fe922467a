//! How an access token is written for the other replicas, before it is sealed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::AccessToken;
use crate::cache::{Opened, Shareable};
use crate::model::{
    AccessTokenId, Action, ActionSet, Permission, Permissions, RegistryName, RepositoryName,
    ScopeMapName, Secret, TokenName,
};

/// An access token as it is written. A change here needs a new [`Shareable::FORM`].
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    id: AccessTokenId,
    registry: RegistryName,
    registry_host: &'a str,
    token_name: TokenName,
    scope_map: ScopeMapName,
    permissions: Vec<Entry>,
    /// Nanoseconds since 1970, so that nothing is rounded.
    issue_time: i128,
    expire_time: i128,
    username: &'a str,
    password: &'a str,
    bearer_token: Option<&'a str>,
}

/// A repository and its actions, as bits.
#[derive(Serialize, Deserialize)]
struct Entry(RepositoryName, u8);

/// More than all that is not a text of the token's own, nor a repository.
const REST: usize = 1024;

/// More than the length, the actions and their places need for each repository.
const ENTRY: usize = 16;

impl Shareable for AccessToken {
    const FORM: &'static str = "access token 1";

    fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let entry = |p: &Permission| Entry(p.repository.clone(), p.actions.bits());
        let wire = Wire {
            id: self.id,
            registry: self.registry.clone(),
            registry_host: &self.registry_host,
            token_name: self.token_name.clone(),
            scope_map: self.scope_map.clone(),
            permissions: self.permissions.iter().map(entry).collect(),
            issue_time: self.issue_time.as_nanosecond(),
            expire_time: self.expire_time.as_nanosecond(),
            username: &self.username,
            password: self.password.expose(),
            bearer_token: self.bearer_token.as_ref().map(Secret::expose),
        };
        // all of it at once: a buffer that grows leaves copies behind
        let bytes = Vec::with_capacity(wire.most_bytes());
        postcard::to_extend(&wire, bytes).ok().map(Zeroizing::new)
    }

    fn from_bytes(opened: &Opened) -> Option<Self> {
        let (wire, rest) = postcard::take_from_bytes::<Wire<'_>>(opened.as_bytes()).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let permissions: Option<Permissions> =
            wire.permissions.into_iter().map(permission).collect();
        Some(Self {
            id: wire.id,
            registry: wire.registry,
            registry_host: wire.registry_host.to_owned(),
            token_name: wire.token_name,
            scope_map: wire.scope_map,
            permissions: permissions?,
            issue_time: Timestamp::from_nanosecond(wire.issue_time).ok()?,
            expire_time: Timestamp::from_nanosecond(wire.expire_time).ok()?,
            username: wire.username.to_owned(),
            password: Secret::new(wire.password),
            bearer_token: wire.bearer_token.map(Secret::new),
        })
    }
}

impl Wire<'_> {
    fn most_bytes(&self) -> usize {
        let texts = [self.registry_host, self.username, self.password];
        let texts = texts.iter().map(|text| text.len()).sum::<usize>();
        let entry = |entry: &Entry| entry.0.as_str().len() + ENTRY;
        let permissions = self.permissions.iter().map(entry).sum::<usize>();
        REST + texts + permissions + self.bearer_token.map_or(0, str::len)
    }
}

fn permission(Entry(repository, bits): Entry) -> Option<Permission> {
    let actions: ActionSet = Action::ALL
        .into_iter()
        .filter(|action| bits & ActionSet::from(*action).bits() != 0)
        .collect();
    (actions.bits() == bits).then_some(Permission { repository, actions })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(repositories: usize, bearer_token: Option<&str>) -> AccessToken {
        let permission = |number| Permission {
            repository: format!("{}{number}", "r".repeat(200)).parse().unwrap(),
            actions: ActionSet::PULL,
        };
        AccessToken {
            id: AccessTokenId::new(Timestamp::UNIX_EPOCH),
            registry: "local".parse().unwrap(),
            registry_host: "localhost:5000".to_owned(),
            token_name: "nginx-ci".parse().unwrap(),
            scope_map: "servers-push".parse().unwrap(),
            permissions: (0..repositories).map(permission).collect(),
            issue_time: Timestamp::UNIX_EPOCH,
            expire_time: Timestamp::MAX,
            username: "nginx-ci".to_owned(),
            password: Secret::new("dps_canary"),
            bearer_token: bearer_token.map(Secret::new),
        }
    }

    fn restored(bytes: &[u8]) -> Option<AccessToken> {
        AccessToken::from_bytes(&Opened::for_test(bytes))
    }

    #[test]
    fn an_access_token_is_read_back_as_it_was_in_one_buffer() {
        for (repositories, bearer) in [(0, None), (1, Some("jwt")), (100, Some("j.w.t"))] {
            let token = token(repositories, bearer);
            let bytes = token.to_bytes().unwrap();
            let back = restored(&bytes).unwrap();
            assert_eq!(format!("{back:?}"), format!("{token:?}"));
            assert_eq!(back.password().expose(), "dps_canary");
            assert_eq!(back.bearer_token().map(Secret::expose), bearer);
            assert!(bytes.capacity() >= bytes.len() + ENTRY, "the buffer may have grown");
        }
    }

    proptest! {
        #[test]
        fn g3_what_is_not_exactly_an_access_token_is_none(
            cut in any::<prop::sample::Index>(),
            rubbish in proptest::collection::vec(any::<u8>(), 1..300),
        ) {
            let bytes = token(3, Some("jwt")).to_bytes().unwrap();
            prop_assert!(restored(&bytes[..cut.index(bytes.len())]).is_none());
            prop_assert!(restored(&[bytes.as_slice(), &rubbish].concat()).is_none());
        }
    }
}
