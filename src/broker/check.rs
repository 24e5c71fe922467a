//! `CheckAccess`: what `IssueAccessToken` would answer, without giving anything.

use super::decision::UseCase;
use super::draft::Draft;
use super::{Broker, Checked, Error};
use crate::audit::Kind;
use crate::identity::Presented;
use crate::model::{AccessRequest, Reason};
use crate::policy;

#[derive(Debug)]
pub(super) struct Check {
    pub(super) presented: Presented,
    pub(super) request: AccessRequest,
}

impl UseCase for Check {
    const KIND: Kind = Kind::Check;
    type Output = Checked;

    async fn run(&self, broker: &Broker, draft: &mut Draft) -> Result<Checked, Error> {
        draft.request(&self.request);
        let in_force = draft.in_force();
        let identity = broker.identify_caller(&self.presented, &in_force, draft).await?;
        let decision_id = draft.id();
        let permit =
            match policy::decide(&in_force.snapshot, &identity, &self.request, draft.time()) {
                Ok(permit) => permit,
                Err(denial) => {
                    draft.refuse(Reason::AccessDenied, denial.to_string());
                    return Ok(Checked { decision_id, allowed: None });
                }
            };
        in_force.refuse_doubtful(&permit)?;
        broker.registry(permit.registry())?.driver.enforceable(&permit)?;
        let allowed =
            (permit.token_name().clone(), permit.scope_map().clone(), permit.expire_time());
        Ok(Checked { decision_id, allowed: Some(allowed) })
    }
}
