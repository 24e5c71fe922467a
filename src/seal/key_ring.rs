//! The keys that seal sessions and cached access tokens.

use std::path::{Path, PathBuf};

/// A ring of AES-256-GCM keys: the first seals, all open.
pub struct KeyRing {}

impl KeyRing {
    /// Reads the ring from a file: one key a line, base64 of 32 bytes, `#` comments; the file must be readable by its owner only.
    ///
    /// # Errors
    /// Not readable, too open, empty, or a line that is no key: with the file and line named.
    pub fn load(path: &Path) -> Result<Self, Error> {
        todo!()
    }

    /// Reads the ring, or makes a file with one new key (mode 0600) when there is none.
    pub fn load_or_generate(path: &Path) -> Result<Self, Error> {
        todo!()
    }

    /// A ring of one new key that is kept in memory only.
    pub fn ephemeral() -> Result<Self, Error> {
        todo!()
    }

    /// Seals `plain`, bound to `context`: key id, nonce, ciphertext and tag.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        todo!()
    }

    /// Opens what [`KeyRing::seal`] made under the same context with any key of the ring.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        todo!()
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyRing(…)")
    }
}

/// Why there is no key ring.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system's random numbers failed.
    #[error("the random number generator failed")]
    Random,
    /// The file cannot be read or written.
    #[error("cannot use the seal keys in `{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A line is not a key, or the file is open to others.
    #[error("cannot use the seal keys in `{path}`: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
}
