//! GitLab: the job declares `id_tokens: { DOCKPASS_ID_TOKEN: { aud: … } }`, and the runner sets the variable.

use super::{Attempt, variable};
use crate::cli::Environment;

/// The variable that the job declares.
pub(super) const VARIABLE: &str = "DOCKPASS_ID_TOKEN";

/// The job's token.
pub(super) fn token(environment: &Environment) -> Attempt {
    match (variable(environment, VARIABLE), environment.value("GITLAB_CI")) {
        (Attempt::Absent(_), Some(_)) => Attempt::Absent(
            "the job declares no token: add `id_tokens: { DOCKPASS_ID_TOKEN: { aud: AUDIENCE } }`",
        ),
        (attempt, _) => attempt,
    }
}
