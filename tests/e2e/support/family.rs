//! A program with all the processes that it started, which a test stops, continues and kills together.

use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal to a process, and then to all that it started, theirs included: nobody is left to start another.
pub(crate) fn signal_family(root: Pid, signal: Signal) {
    // a process that stands still or is dead starts no others, but a dead one has no children any more
    let before = children(root);
    signal_one(root, signal);
    let mut family = children(root);
    family.extend(before);
    family.sort_unstable_by_key(|pid| pid.as_raw_nonzero());
    family.dedup();
    for child in family {
        signal_family(child, signal);
    }
}

fn signal_one(process: Pid, signal: Signal) {
    // it may have ended meanwhile
    kill_process(process, signal).unwrap_or_default();
}

fn children(process: Pid) -> Vec<Pid> {
    let raw = process.as_raw_nonzero();
    let file = PathBuf::from(format!("/proc/{raw}/task/{raw}/children"));
    let list = std::fs::read_to_string(file).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}
