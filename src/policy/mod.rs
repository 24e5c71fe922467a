//! May they: from an identity and a request to a [`Permit`] or a [`Denial`].
//!
//! [`decide()`] is pure, synchronous and cannot fail: what no rule names is denied. It asks an index, so its cost does not
//! grow with the number of definitions; [`explain()`] looks at everything, says what it saw, and always agrees.

mod admission;
mod apply;
mod boundaries;
mod bounds;
mod change;
mod check;
mod decide;
mod denial;
mod explain;
mod facet;
mod file;
mod handle;
mod index;
mod lookup;
mod names;
mod permit;
mod place;
mod registry;
mod replay;
mod reuse_key;
mod snapshot;
mod system;
mod tenant;
mod test_code;
mod tests_section;
mod token_key;
mod trie;

#[cfg(test)]
mod for_test;
#[cfg(test)]
mod permit_for_test;
#[cfg(test)]
mod properties;

pub use self::change::Change;
pub use self::decide::{decide, decide_available};
pub use self::denial::Denial;
pub use self::explain::{CredentialTrace, EntryTrace, TokenTrace, Trace, explain};
pub use self::file::{PolicyFile, Rest};
pub use self::permit::Permit;
pub use self::replay::{Measure, Verdict, replay};
pub use self::reuse_key::ReuseKey;
pub use self::snapshot::{Context, Error, Issuer, RegistryBounds, Snapshot};
pub use self::system::system_scope_maps;
pub use self::tests_section::{PolicyTest, TestOutcome, run_tests};
