//! The decision.

use std::borrow::Cow;
use std::cmp::Reverse;

use jiff::Timestamp;

use super::admission::{self, Admission};
use super::bounds::Bounds;
use super::registry::Registry;
use super::snapshot::Snapshot;
use super::{Denial, Permit};
use crate::identity::Identity;
use crate::model::{
    AccessRequest, ActionSet, FederatedCredentialName, Lifetime, Permission, Permissions,
    RepositoryName, Status, Token, TokenName,
};

/// Allows all of the request by one token, or denies it.
///
/// Of several tokens that allow it, the first by name; of several federated credentials of that token that admit the
/// identity, the one that allows the longest lifetime, then the first by name.
pub fn decide<'a>(
    snapshot: &'a Snapshot,
    identity: &'a Identity,
    request: &'a AccessRequest,
    now: Timestamp,
) -> Result<Permit<'a>, Denial> {
    search(snapshot, identity, request, now, Reach::All)
}

/// Allows what one token allows of the request, for the docker token endpoint: the first token by name that allows all of it,
/// else the first that allows any of it, else the first that admits the identity (a permit with no permissions: a docker login).
pub fn decide_available<'a>(
    snapshot: &'a Snapshot,
    identity: &'a Identity,
    request: &'a AccessRequest,
    now: Timestamp,
) -> Result<Permit<'a>, Denial> {
    search(snapshot, identity, request, now, Reach::None)
}

/// How much of a request is allowed; what is better sorts first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Reach {
    All,
    Some,
    None,
}

fn search<'a>(
    snapshot: &'a Snapshot,
    identity: &'a Identity,
    request: &'a AccessRequest,
    now: Timestamp,
    least: Reach,
) -> Result<Permit<'a>, Denial> {
    let registry = snapshot
        .registry(&request.registry)
        .ok_or_else(|| Denial::UnknownRegistry { registry: request.registry.clone() })?;
    let query = Query { registry, request, now, least };
    let mut best: Option<Offer<'_>> = None;
    let mut nearest: Option<Denial> = None;
    admission::find(snapshot, registry, identity, now, |admission| match query.offer(admission) {
        Ok(offer) if best.as_ref().is_none_or(|best| offer.rank() < best.rank()) => {
            best = Some(offer);
        }
        Ok(_) => {}
        Err(denial) => nearest = nearest.take().into_iter().chain([denial]).min(),
    })?;
    match best {
        Some(offer) => query.permit(&offer, snapshot.revision()),
        None => Err(nearest.unwrap_or_else(|| query.not_admitted())),
    }
}

/// How much one token allows.
struct Reached<'a> {
    reach: Reach,
    /// The first thing that is wanted and not allowed, and the actions that are missing.
    lacking: Option<(&'a Permission, ActionSet)>,
}

struct Query<'a> {
    registry: &'a Registry,
    request: &'a AccessRequest,
    now: Timestamp,
    /// The least reach that will do.
    least: Reach,
}

/// What one token would allow by one credential.
struct Offer<'a> {
    admission: Admission<'a>,
    reach: Reach,
    bounds: Bounds,
    lifetime: Lifetime,
}

impl Offer<'_> {
    /// Which of two offers is taken: the least.
    fn rank(&self) -> (Reach, &TokenName, Reverse<Lifetime>, Option<&FederatedCredentialName>) {
        let token = &self.admission.principal.token.name;
        (self.reach, token, Reverse(self.lifetime), self.admission.grounds.federated_name())
    }
}

impl<'a> Query<'a> {
    fn offer(&self, admission: Admission<'a>) -> Result<Offer<'a>, Denial> {
        let token = admission.principal.token;
        let token_name = || token.name.clone();
        if let Some(named) = self.request.token_name.as_ref().filter(|name| **name != token.name) {
            return Err(self.named_token_does_not_admit(named));
        }
        let plain = admission.grounds.is_plain();
        if !plain && token.status != Status::Enabled {
            return Err(Denial::TokenDisabled { token_name: token_name() });
        }
        if !plain && !token.is_usable(self.now) {
            return Err(Denial::TokenExpired { token_name: token_name() });
        }
        let Reached { reach, lacking } = self.reach(&admission);
        if reach > self.least {
            return Err(outside(token, lacking));
        }
        let bounds = self.bounds(&admission);
        let lifetime = bounds
            .lifetime_at(self.now)
            .ok_or_else(|| Denial::EndsTooSoon { token_name: token_name() })?;
        Ok(Offer { admission, reach, bounds, lifetime })
    }

    /// How much of what is wanted the token allows. Of nothing, it allows all.
    fn reach(&self, admission: &Admission<'_>) -> Reached<'a> {
        let (mut any, mut lacking) = (false, None);
        for wanted in &self.request.permissions {
            let allowed = wanted.actions.intersection(allowed(admission, &wanted.repository));
            any |= !allowed.is_empty();
            if allowed != wanted.actions {
                let missing = wanted.actions.difference(allowed);
                lacking.get_or_insert((wanted, missing));
            }
        }
        let reach = match lacking {
            None => Reach::All,
            Some(_) if any => Reach::Some,
            Some(_) => Reach::None,
        };
        Reached { reach, lacking }
    }

    fn bounds(&self, admission: &Admission<'_>) -> Bounds {
        let limits = &self.registry.bounds;
        let asked = self.request.lifetime.unwrap_or(limits.default_lifetime);
        let lengths = [admission.principal.boundary.max_lifetime, limits.max_lifetime];
        if admission.grounds.is_plain() {
            return Bounds::new(asked, lengths, []);
        }
        let [boundary, registry] = lengths;
        Bounds::new(
            asked,
            [boundary, admission.grounds.max_lifetime(), registry],
            [admission.principal.token.expire_time, admission.grounds.end()],
        )
    }

    /// The permit of what was found to be best; none on a credential that is not there, whose bounds nobody knows.
    fn permit(&self, offer: &Offer<'a>, policy_revision: u64) -> Result<Permit<'a>, Denial> {
        let Admission { principal, grounds } = offer.admission;
        if !grounds.are_there() {
            return Err(self.not_admitted());
        }
        let permissions = match offer.reach {
            Reach::All => Cow::Borrowed(&self.request.permissions),
            Reach::Some => Cow::Owned(
                self.request.permissions.filtered(|name| allowed(&offer.admission, name)),
            ),
            Reach::None => Cow::Owned(Permissions::default()),
        };
        Ok(Permit {
            registry: &self.registry.bounds,
            token: principal.token,
            boundary: principal.boundary,
            grounds,
            permissions,
            issue_time: self.now,
            bounds: offer.bounds,
            lifetime: offer.lifetime,
            form: self.request.form,
            policy_revision,
        })
    }

    fn not_admitted(&self) -> Denial {
        match &self.request.token_name {
            Some(named) => self.named_token_does_not_admit(named),
            None => Denial::NoToken,
        }
    }

    fn named_token_does_not_admit(&self, named: &TokenName) -> Denial {
        let token_name = named.clone();
        if self.registry.token(named.as_str()).is_some() {
            Denial::NotAdmitted { token_name }
        } else {
            Denial::UnknownToken { token_name }
        }
    }
}

fn outside(token: &Token, lacking: Option<(&Permission, ActionSet)>) -> Denial {
    match lacking {
        Some((wanted, missing)) => Denial::OutsideScopeMap {
            token_name: token.name.clone(),
            repository: wanted.repository.clone(),
            missing,
        },
        None => Denial::NoToken,
    }
}

/// The actions on `repository` that the scope map holds and the identity itself lets through.
fn allowed(admission: &Admission<'_>, repository: &RepositoryName) -> ActionSet {
    let actions = admission.principal.boundary.trie.actions_on(repository);
    admission.grounds.narrow(repository, actions)
}

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod tests;
