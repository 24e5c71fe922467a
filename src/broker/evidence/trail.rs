//! Verifies the audit trail for an operator.

use std::sync::Arc;

use super::unreadable;
use crate::audit::{Checkpoint, Finding, Report};
use crate::broker::manage::{Operator, Place, Read, Reading, Role, Target};
use crate::broker::{Broker, Call, Error, Refusal};

/// Follows all chains.
#[derive(Clone, Debug)]
pub struct VerifyTrail {
    /// A checkpoint that was kept elsewhere.
    pub checkpoint: Option<Checkpoint>,
}

/// That the operator may verify.
#[derive(Debug)]
struct MayVerify;

impl Read for MayVerify {
    type Output = ();

    fn target(&self) -> Target<'_> {
        Target {
            method: "VerifyAuditLog",
            role: Role::Viewer,
            place: Place::Everywhere,
            definition: None,
        }
    }

    async fn read(&self, _: &Reading<'_>) -> Result<(), Error> {
        Ok(())
    }
}

impl Broker {
    /// Verifies the whole trail: what it found, or the first bad event. It takes as long as the trail is, so it has no deadline but the
    /// caller's patience, and there is one at a time.
    pub async fn verify_trail(
        self: &Arc<Self>,
        call: Call,
        operator: Operator,
        verify: VerifyTrail,
    ) -> Result<Result<Report, Finding>, Refusal> {
        self.read(call, operator, MayVerify).await?;
        let Ok(place) = Arc::clone(&self.verifying).try_acquire_owned() else {
            let retry_after = std::time::Duration::from_secs(10);
            return Err(self.unrecorded(Error::Overloaded { retry_after }));
        };
        let archive = self.journal.archive().clone();
        // it cannot be cut short: the place stays taken until it ends, also when the caller hangs up
        let verified = tokio::task::spawn_blocking(move || {
            let verified = archive.verify(verify.checkpoint.as_ref());
            drop(place);
            verified
        });
        match verified.await {
            // that it cannot be read is no damage
            Ok(Err(Finding::Unreadable(error))) => Err(self.unrecorded(unreadable(error))),
            Ok(verified) => Ok(verified),
            Err(_panic) => {
                let problem = "verifying the audit trail panicked".to_owned();
                Err(self.unrecorded(Error::Internal(problem)))
            }
        }
    }
}
