//! Keys from a file, read again when it changes.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::key_set::KeySet;
use crate::model::IssuerUrl;

/// A JWKS file.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
    issuer: IssuerUrl,
}

/// What of a file changes with its content: device, inode, length, and both its times in nanoseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Stamp([i128; 5]);

impl KeyFile {
    pub(super) const fn new(path: PathBuf, issuer: IssuerUrl) -> Self {
        Self { path, issuer }
    }

    /// Reads the file, unless it still has the stamp that it was last read under.
    ///
    /// # Errors
    /// It cannot be read, or holds no usable key.
    pub(super) fn read(&self, last: Option<Stamp>) -> Result<Option<(KeySet, Stamp)>, String> {
        let problem = |error| format!("`{}` cannot be read: {error}", self.path.display());
        // the stamp is taken before the content: a change in between is seen the next time
        let stamp = Stamp::of(&std::fs::metadata(&self.path).map_err(problem)?);
        if last == Some(stamp) {
            return Ok(None);
        }
        let document = std::fs::read(&self.path).map_err(problem)?;
        let keys = KeySet::parse(&document, &self.issuer)
            .map_err(|problem| format!("`{}`: {problem}", self.path.display()))?;
        Ok(Some((keys, stamp)))
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let nanos =
            |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self([
            metadata.dev().into(),
            metadata.ino().into(),
            metadata.len().into(),
            nanos(metadata.mtime(), metadata.mtime_nsec()),
            nanos(metadata.ctime(), metadata.ctime_nsec()),
        ])
    }
}
