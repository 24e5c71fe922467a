//! The docker token endpoint: what a docker client presents is exchanged for a registry's JWT.

use super::decision::UseCase;
use super::draft::{Draft, Given};
use super::{Broker, DockerToken, DockerTokenRequest, Error, FieldViolation};
use crate::audit::Kind;
use crate::identity::{self, Identity, Presented};
use crate::model::{AccessRequest, AccessTokenId, Form, Permissions, Reuse, Secret, TokenName};
use crate::policy::{self, Denial, Permit};
use crate::registry::{Registry, TokenServer};

use super::policies::InForce;

/// Usernames that name no token: the identity says who calls.
const NO_TOKEN_NAMED: [&str; 3] = ["", "oidc", "<token>"];

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) request: DockerTokenRequest,
}

impl UseCase for Exchange {
    const KIND: Kind = Kind::Exchange;
    type Output = DockerToken;

    async fn run(&self, broker: &Broker, draft: &mut Draft) -> Result<DockerToken, Error> {
        self.account_agrees()?;
        let registry = broker.registries.by_service(&self.request.service);
        let in_force = draft.in_force();
        // who asks comes first: whether there is such a registry must not show in what a stranger is told
        let identity = self.identify(broker, registry, &in_force, draft).await?;
        let registry = registry.ok_or(Denial::NoToken)?;
        let server = registry.driver.token_server().ok_or(Denial::NoToken)?;
        let request = self.access_request(registry, &identity)?;
        draft.request(&request);
        let permit =
            policy::decide_available(&in_force.snapshot, &identity, &request, draft.time())
                .map_err(session_expired)?;
        in_force.refuse_doubtful(&permit)?;
        let id = access_token_id(&identity, draft);
        let token = server.registry_token(&permit, id)?;
        if let Some(detail) = shortfall(&request.permissions, &token.granted) {
            draft.detail(detail);
        }
        draft.grant(
            &permit,
            id,
            Given { permissions: &token.granted, expire_time: permit.expire_time(), reused: false },
        );
        Ok(DockerToken {
            refresh_token: self.refresh_token(server, &permit, &identity, id)?,
            jwt: token.jwt,
            expires_in: token.expires_in,
            issue_time: token.issue_time,
            granted: token.granted,
        })
    }
}

impl Exchange {
    /// `account` is no identity, but one that differs from the username is a mistake or a trick.
    fn account_agrees(&self) -> Result<(), Error> {
        match (&self.request.account, self.request.presented.username()) {
            (Some(account), Some(username)) if account != username => {
                Err(Error::InvalidRequest(vec![FieldViolation {
                    field: "account".to_owned(),
                    description: "account and the username of the Basic credentials differ"
                        .to_owned(),
                }]))
            }
            _ => Ok(()),
        }
    }

    async fn identify(
        &self,
        broker: &Broker,
        registry: Option<&Registry>,
        in_force: &InForce,
        draft: &mut Draft,
    ) -> Result<Identity, Error> {
        if let Some(identity) = draft.verified.clone() {
            draft.identity(&identity);
            return Ok(identity);
        }
        let presented = &self.request.presented;
        let anonymous = registry.is_some_and(|registry| registry.anonymous);
        let identity = if anonymous && matches!(presented, Presented::Nothing) {
            broker.verifiers.anonymous()
        } else {
            let passwords = in_force.snapshot.passwords();
            broker.verifiers.verify_docker_client(presented, passwords).await?
        };
        let identity = broker.admit(identity, draft)?;
        match identity.kind() {
            identity::Kind::Session(session) if in_force.is_revoked(session.id) => {
                Err(Error::Denied(Denial::Revoked))
            }
            _ => Ok(identity),
        }
    }

    fn access_request(
        &self,
        registry: &Registry,
        identity: &Identity,
    ) -> Result<AccessRequest, Error> {
        Ok(AccessRequest {
            registry: registry.name.clone(),
            permissions: self.request.permissions.clone(),
            lifetime: None,
            token_name: self.named_token(identity)?,
            form: Form::PasswordAndBearer,
            reuse: Reuse::Never,
        })
    }

    /// The token that the username beside an identity token or a session names: a session of another token is refused.
    /// A token's password was held against the username when it was verified.
    fn named_token(&self, identity: &Identity) -> Result<Option<TokenName>, Error> {
        let username = self.request.presented.username().unwrap_or_default();
        let names_a_token =
            matches!(identity.kind(), identity::Kind::Workload(_) | identity::Kind::Session(_));
        if !names_a_token || NO_TOKEN_NAMED.contains(&username) {
            return Ok(None);
        }
        username.parse().map(Some).map_err(|_| Error::Denied(Denial::NoToken))
    }

    /// A session for a workload; the same session for a session; none for a token's password, which docker would forget for it.
    fn refresh_token(
        &self,
        server: &dyn TokenServer,
        permit: &Permit<'_>,
        identity: &Identity,
        id: AccessTokenId,
    ) -> Result<Option<Secret>, Error> {
        if !self.request.offline && !self.request.refresh_grant {
            return Ok(None);
        }
        match identity.kind() {
            identity::Kind::Session(_) => Ok(self.request.presented.secret().cloned()),
            identity::Kind::Workload(_) => Ok(Some(server.refresh_token(permit, id)?)),
            identity::Kind::Anonymous | identity::Kind::Password(_) => Ok(None),
        }
    }
}

/// What the registry logs: the access token that the session is the password of, or else this very decision.
fn access_token_id(identity: &Identity, draft: &Draft) -> AccessTokenId {
    match identity.kind() {
        identity::Kind::Session(session) => session.id,
        _ => draft.id().into(),
    }
}

/// What an operator should know of an answer that gives less than was asked for: to the client it is a success all the same.
fn shortfall(asked: &Permissions, granted: &Permissions) -> Option<String> {
    if asked.is_subset_of(granted) {
        return None;
    }
    if granted.is_empty() {
        return Some("nothing of it is allowed".to_owned());
    }
    Some(format!("granted in part: {granted}"))
}

fn session_expired(denial: Denial) -> Error {
    match denial {
        Denial::SessionExpired => Error::SessionExpired,
        other => Error::Denied(other),
    }
}

#[cfg(test)]
mod tests;
