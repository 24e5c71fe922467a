//! The sealed format `dps_`: a session that only dockpass can read, and the key ring that seals it.

mod key_ring;
pub(crate) mod private_file;
mod session;
mod wire;

pub use self::key_ring::{Error, KeyRing, Reload};
pub use self::session::{Ceiling, InvalidSession, Session};
