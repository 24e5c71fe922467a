//! May they: from an identity and a request to a [`Permit`] or a [`Denial`].
//!
//! [`decide`] is pure, synchronous and cannot fail: what no rule names is denied.

mod decide;
mod explain;
mod file;
#[cfg(test)]
mod for_test;
mod permit;
mod snapshot;
mod tests_section;

pub use self::decide::{decide, decide_available};
pub use self::explain::{CredentialTrace, EntryTrace, TokenTrace, Trace, explain};
pub use self::file::{Change, PolicyFile};
pub use self::permit::{Denial, Permit, ReuseKey};
pub use self::snapshot::{Context, Error, Issuer, RegistryBounds, Snapshot};
pub use self::tests_section::{PolicyTest, TestOutcome, run_tests};
