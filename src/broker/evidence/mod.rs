//! Evidence: what was really used, by whom, and what follows from the audit trail for policy.
//!
//! A registry reports uses (`notification`), which are joined to the decisions that allowed them (`join`).

mod join;
mod notification;
mod recent;

pub use self::notification::Report;
pub(super) use self::recent::Recent;
