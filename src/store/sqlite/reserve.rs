//! Disk space that is kept back, so that disabling, revoking and pruning still work on a full disk.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, fallocate};

/// How much is kept: some thousand changes, or the deletion of some thousand events.
const SIZE: u64 = 4 << 20;
/// Less than this is not worth a file.
const LEAST: u64 = 64 << 10;

/// The reserve, a file beside the database.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// The reserve in a file, which is made by [`Self::refill`].
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Gives the space back to the disk.
    pub(super) fn release(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "the disk reserve could not be released");
        }
    }

    /// Takes the space again, or as much of it as there is.
    pub(super) fn refill(&self) {
        if self.is_full() {
            return;
        }
        let mut size = SIZE;
        while size >= LEAST {
            match self.allocate(size) {
                Ok(()) => return,
                Err(_) => size /= 2,
            }
        }
        tracing::warn!("the disk is too full to keep a reserve for changes of policy");
    }

    fn is_full(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() >= SIZE)
    }

    fn allocate(&self, size: u64) -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&self.path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, size) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP) => write_zeros(&file, size),
            Err(error) => Err(error.into()),
        }
    }
}

/// For file systems without fallocate.
fn write_zeros(mut file: &fs::File, size: u64) -> std::io::Result<()> {
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), size), &mut file)?;
    file.sync_data()
}
