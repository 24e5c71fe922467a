//! Reads what strace saw: writes to the journal, their syncs, and replies.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::Outcome;

/// The end of the name of the write-ahead log, as strace shows it.
const JOURNAL: &str = "/dockpass.db-wal>";

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
pub(super) struct Trace(Vec<Event>);

/// strace, about to run the program that is appended: every write, every sync, with the files behind the descriptors.
pub(super) fn strace(file: &Path) -> Command {
    let mut command = Command::new("strace");
    let calls = "trace=write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync";
    // -D: the program keeps its place as our child, so that ending it ends both
    command.args(["-D", "-f", "-y", "-s", "4096", "-e", calls, "-e", "signal=none", "-o"]);
    command.arg(file).arg(env!("CARGO_BIN_EXE_dockpass"));
    command
}

/// The trace of a program that commits to SQLite and then says `dps_`, so many times.
pub(super) async fn of_sqlite(synchronous: &str, times: usize) -> Trace {
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
    pub(super) fn read(file: &Path, mark: &str) -> Self {
        let text = std::fs::read(file).unwrap();
        let mut reader = Reader::default();
        let text = String::from_utf8_lossy(&text);
        Self(text.lines().filter_map(|line| reader.read(line, mark)).collect())
    }

    /// How many replies there are.
    pub(super) fn replies(&self) -> usize {
        self.0.iter().filter(|event| **event == Event::Reply).count()
    }

    /// The replies (counted from 0) that left without a journal write since the reply before, or before its sync came back.
    ///
    /// Only for one call at a time: each reply has its own event.
    pub(super) fn replies_before_sync(&self) -> Vec<usize> {
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

/// Reads line after line. While one thread is inside a call, another one's line may come between:
/// `12 fdatasync(9</folder/dockpass.db-wal> <unfinished ...>` … `12 <... fdatasync resumed>) = 0`.
#[derive(Default)]
struct Reader<'a> {
    /// The threads that are inside a sync of the journal.
    syncing: BTreeSet<&'a str>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, line: &'a str, mark: &str) -> Option<Event> {
        let (thread, call) = line.split_once(' ')?;
        let call = call.trim_start();
        let came_back = call.ends_with("= 0");
        if call.starts_with("<... ") {
            let was_syncing = call.contains("sync resumed") && self.syncing.remove(thread);
            return (was_syncing && came_back).then_some(Event::JournalSynced);
        }
        let is_sync = call.starts_with("fsync(") || call.starts_with("fdatasync(");
        match (is_sync, call.contains(JOURNAL)) {
            (true, true) if call.ends_with("<unfinished ...>") => {
                self.syncing.insert(thread);
                None
            }
            (true, true) => came_back.then_some(Event::JournalSynced),
            (true, false) => None,
            (false, true) => Some(Event::JournalWritten),
            (false, false) => call.contains(mark).then_some(Event::Reply),
        }
    }
}
