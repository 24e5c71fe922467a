//! Reads what strace saw: writes to the journal, their syncs, and replies.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::Outcome;

/// What matters, in the order in which it happened.
#[derive(Debug, PartialEq)]
enum Event {
    /// A write to the write-ahead log began.
    JournalWritten,
    /// A sync of the write-ahead log came back without an error.
    JournalSynced,
    /// A write that carries a credential began.
    Reply,
}

/// The events of a traced program.
#[derive(Debug)]
pub struct Trace(Vec<Event>);

/// strace, about to run the program that is appended: every write, every sync, with the files behind the descriptors.
pub fn strace(file: &Path) -> Command {
    let mut command = Command::new("strace");
    let calls = "trace=write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync";
    // -D: the program keeps its place as our child, so that ending it ends both
    command.args(["-D", "-f", "-y", "-s", "4096", "-e", calls, "-e", "signal=none", "-o"]);
    command.arg(file).arg(env!("CARGO_BIN_EXE_dockpass"));
    command
}

/// The trace of a program that commits to SQLite and then says `dps_`, so many times.
pub async fn of_sqlite(synchronous: &str, times: usize) -> Trace {
    const PROGRAM: &str = "
import os, sqlite3, sys
journal = sqlite3.connect(sys.argv[1], isolation_level=None)
journal.execute('PRAGMA journal_mode=WAL')
journal.execute('CREATE TABLE event (body)')
journal.execute('PRAGMA synchronous=' + sys.argv[2])
for _ in range(int(sys.argv[3])):
    journal.execute('INSERT INTO event VALUES (1)')
    os.write(1, b'dps_')
";
    let folder = TempDir::new().unwrap();
    let (file, journal) = (folder.path().join("trace"), folder.path().join("dockpass.db"));
    let mut command = tokio::process::Command::new("strace");
    command.args(["-f", "-y", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o"]).arg(&file);
    command.args(["python3", "-c", PROGRAM]).arg(journal).args([synchronous, &times.to_string()]);
    Outcome::of(command, "").await.succeeded();
    Trace::read(&file, "dps_")
}

impl Trace {
    /// Reads strace's file; a reply is a write that carries `mark`.
    pub fn read(file: &Path, mark: &str) -> Self {
        let text = std::fs::read(file).unwrap();
        Self(String::from_utf8_lossy(&text).lines().filter_map(|l| Event::read(l, mark)).collect())
    }

    /// How many replies there are.
    pub fn replies(&self) -> usize {
        self.0.iter().filter(|event| **event == Event::Reply).count()
    }

    /// The replies (counted from 0) that left without a journal write since the reply before, or before its sync came back.
    ///
    /// Only for one call at a time: each reply has its own event.
    pub fn replies_before_sync(&self) -> Vec<usize> {
        let (mut early, mut reply, mut is_durable) = (Vec::new(), 0, false);
        for event in &self.0 {
            match event {
                Event::JournalWritten => is_durable = false,
                Event::JournalSynced => is_durable = true,
                Event::Reply => {
                    if !is_durable {
                        early.push(reply);
                    }
                    reply += 1;
                    // what was synced for this one does not count for the next
                    is_durable = false;
                }
            }
        }
        early
    }
}

impl Event {
    /// Lines such as `12 fdatasync(9</folder/dockpass.db-wal>) = 0` and, when threads interleave,
    /// `12 fdatasync(9</folder/dockpass.db-wal> <unfinished ...>` … `12 <... fdatasync resumed>) = 0`.
    fn read(line: &str, mark: &str) -> Option<Self> {
        let (_, call) = line.split_once(' ')?;
        let call = call.trim_start();
        let name = call.trim_start_matches("<... ").split(['(', ' ']).next()?;
        let is_sync = matches!(name, "fsync" | "fdatasync");
        let on_journal = call.contains("-wal>");
        if is_sync {
            // the journal's thread is the only one that syncs, so a resumed sync is the journal's
            let came_back = call.ends_with("= 0");
            return (came_back && (on_journal || call.starts_with("<...")))
                .then_some(Self::JournalSynced);
        }
        if call.starts_with("<...") {
            return None;
        }
        if on_journal {
            return Some(Self::JournalWritten);
        }
        call.contains(mark).then_some(Self::Reply)
    }
}
