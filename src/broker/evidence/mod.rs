//! Evidence: what was really used, by whom, and what follows from the audit trail for policy.
//!
//! A registry reports uses (`notification`), which are joined to the decisions that allowed them (`join`). Operators look into the trail
//! (`search`, `watch`, `explain`, `trail`), see who used what (`uses`, `last_use`, `review`), and decide recorded requests again (`replay`).

mod bypasses;
mod explain;
mod findings;
mod join;
mod last_use;
mod lost;
mod notification;
mod plan;
mod recent;
mod replay;
mod replaying;
mod review;
mod search;
mod tally;
mod trail;
mod uses;
mod visible;
mod watch;

use std::time::Duration;

use super::Error;
use crate::audit::ArchiveError;

pub use self::explain::{ExplainDecision, Explained};
pub use self::last_use::LastUses;
pub use self::notification::Report;
pub use self::plan::LostUses;
pub use self::replay::{Difference, Replay, Summary, Turn};
pub use self::replaying::{DEFAULT_SINCE, ReplayPolicy, Replayed};
pub use self::review::{DEFAULT_UNUSED, Review, ReviewAccess, TokenReview};
pub use self::search::{GetEvent, ListEvents};
pub use self::tally::{Caller, PermissionUse};
pub use self::trail::VerifyTrail;
pub use self::uses::{DEFAULT_WINDOW, Uses};
pub use self::watch::{WatchEvents, Watching};

pub(super) use self::lost::Changed;
pub(super) use self::recent::Recent;
pub(super) use self::replaying::MAX_REPLAYS;
pub(super) use self::watch::MAX_WATCHERS;

/// The trail cannot be read.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: ArchiveError) -> Error {
    Error::Store { problem: error.to_string(), retry_after: Duration::from_secs(1) }
}
