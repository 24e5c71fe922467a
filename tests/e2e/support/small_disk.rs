//! A disk of a few megabytes, which a test fills.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory (tmpfs), mounted over a folder. Only root may mount one; where it may not, `tests/run` leaves the tests out that need
/// it (their names start with `small_disk_`), and says so.
pub(crate) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Room for a fresh PostgreSQL and some thousands of events.
    pub(crate) const MEGABYTES: u32 = 96;

    /// Mounts one over `folder`.
    pub(crate) fn mount(folder: &Path, megabytes: u32) -> Self {
        let options = format!("size={megabytes}m,mode=0711");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "dockpass-test"]).arg(folder);
        let output = mount.output().unwrap();
        assert!(output.status.success(), "no small disk, for which one has to be root: {output:?}");
        Self { folder: folder.to_owned() }
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let mut piece = vec![0; 64 * 1024];
        loop {
            match ballast.write(&piece) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("cannot fill the disk: {error}"),
            }
        }
        piece.truncate(1);
        while ballast.write(&piece).is_ok_and(|written| written > 0) {}
    }

    /// Makes room again.
    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // lazily: what still looks at a file of it does not hold it
        drop(Command::new("umount").arg("--lazy").arg(&self.folder).output());
    }
}
