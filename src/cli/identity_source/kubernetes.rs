//! Kubernetes: a service account token that is projected for the broker, with its audience.
//!
//! The default token of the API server is never touched: its audience is another, and it would let the broker act on the cluster.

use std::path::Path;

use super::{Attempt, file};

/// Where the pod mounts it: a `projected` volume at `/var/run/secrets/tokens` with `serviceAccountToken.path: dockpass`.
pub(super) const TOKEN_FILE: &str = "/var/run/secrets/tokens/dockpass";

/// The projected token, read anew: the kubelet renews it in place.
pub(super) fn token(path: &Path) -> Result<Attempt, String> {
    match path.try_exists() {
        Ok(true) => file::read(path).map(Attempt::Found),
        Ok(false) => {
            Ok(Attempt::Absent("no token is projected at /var/run/secrets/tokens/dockpass"))
        }
        Err(error) => Err(format!("cannot look at `{}`: {error}", path.display())),
    }
}
