//! Where definitions, their history, revocations and audit rows are kept.

mod index;
mod sqlite;

pub(crate) use self::sqlite::nanoseconds;
pub use self::sqlite::*;
