//! Who used what, as operators get it.

use super::action::pb_action;
use super::time::timestamp;
use crate::broker::evidence::PermissionUse;
use crate::pb;

pub(super) fn permission_use(one: &PermissionUse) -> pb::PermissionUse {
    pb::PermissionUse {
        token_name: one.token_name.to_string(),
        issuer: one.caller.issuer.clone(),
        subject: one.caller.subject.clone(),
        repository: one.repository.to_string(),
        action: pb_action(one.action).into(),
        count: one.count,
        last_time: Some(timestamp(one.last_time)),
        reported_count: one.reported,
    }
}
