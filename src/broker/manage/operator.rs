//! Who asks to manage, before and after it is known who that is.

use serde::Serialize;

use super::authority::Authority;
use super::role::{Role, Roles};
use super::target::Target;
use crate::broker::draft::Draft;
use crate::broker::{Broker, Error};
use crate::identity::{Identity, Kind, Presented};

/// Who asks to manage.
#[derive(Clone, Debug)]
pub enum Operator {
    /// What was presented over the network.
    Presented(Presented),
    /// A user of this machine, over the Unix socket.
    Local(LocalUser),
    /// Whoever an earlier step of the same call verified.
    Known(Known),
}

/// An operator whom the broker has verified already.
#[derive(Clone, Debug)]
pub struct Known(Identity);

/// A user of this machine, by the credentials of a Unix socket's peer: whoever may open that socket manages everything.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename = "localUser")]
pub struct LocalUser {
    /// The user id.
    pub uid: u32,
    /// The process that connected; absent where the system does not tell.
    pub pid: Option<i32>,
    /// The user's name; empty when the system knows none.
    pub name: String,
}

#[cfg(test)]
impl Known {
    pub(super) const fn for_test(identity: Identity) -> Self {
        Self(identity)
    }
}

impl Operator {
    /// The same operator for the next step of the same call: an identity that was verified is not verified again, since it may be of
    /// single use.
    pub(super) fn known(&self, authority: &Authority) -> Self {
        match authority.identity() {
            Some(identity) => Self::Known(Known(identity.clone())),
            None => self.clone(),
        }
    }
}

impl Broker {
    /// Verifies the operator, and that its role is enough. From here on the event is recorded by itself.
    pub(super) async fn authorize(
        &self,
        operator: &Operator,
        target: &Target<'_>,
        draft: &mut Draft,
    ) -> Result<Authority, Error> {
        let authority = self.identify_operator(operator, draft).await?;
        draft.change(target.record());
        authority.require(target.role, target.place)?;
        Ok(authority)
    }

    async fn identify_operator(
        &self,
        operator: &Operator,
        draft: &mut Draft,
    ) -> Result<Authority, Error> {
        let identity = match operator {
            Operator::Presented(presented) => {
                let in_force = draft.in_force();
                self.identify_caller(presented, &in_force, draft).await?
            }
            Operator::Known(Known(identity)) => {
                draft.identity(identity);
                identity.clone()
            }
            Operator::Local(user) => {
                draft.local_user(user);
                let actor = format!("local user {} (uid {})", user.name, user.uid);
                return Ok(Authority::new(actor, None, Roles::everywhere(Role::Editor)));
            }
        };
        let roles = self.admins.roles_of(&identity);
        Ok(Authority::new(actor(&identity), Some(identity), roles))
    }
}

/// How an operator is named as the author of a change.
fn actor(identity: &Identity) -> String {
    match identity.kind() {
        Kind::Workload(workload) => format!("{} of {}", workload.subject(), workload.issuer()),
        // they have no role, so they change nothing
        Kind::Anonymous | Kind::Password(_) | Kind::Session(_) => String::new(),
    }
}
