//! What a value must tell of itself to be cached.

use jiff::Timestamp;
use zeroize::Zeroizing;

/// Something that ends.
pub trait Expires {
    /// When it was made.
    fn issue_time(&self) -> Timestamp;

    /// When it ends.
    fn expire_time(&self) -> Timestamp;
}

/// A value that replicas may share. Its bytes are sealed before they leave the process.
pub trait Shareable: Expires + Send + Sync + 'static {
    /// Names the kind of value and the form of its bytes; a seal is bound to it, so a new form needs a new name.
    const FORM: &'static str;

    /// The bytes; `None` for a value that cannot be written.
    fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>>;

    /// The value of bytes that [`Shareable::to_bytes`] made; `None` for anything else.
    fn from_bytes(opened: &Opened) -> Option<Self>
    where
        Self: Sized;
}

/// Bytes that a replica sealed under the very key that they were found under. Made only by opening that seal.
#[derive(Debug)]
pub struct Opened(Zeroizing<Vec<u8>>);

impl Opened {
    pub(super) const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Bytes that nobody sealed.
    #[cfg(test)]
    pub(crate) fn for_test(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
