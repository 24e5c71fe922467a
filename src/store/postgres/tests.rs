//! Tests of what only PostgreSQL does: several processes on one database, and what can become of it.

mod chains;
mod changes;
mod partitions;
mod proxy;
mod start;
mod tls;
mod trouble;

use crate::store::for_test::World;
use crate::store::{Chain, JournalRow, Store};

/// All events of a chain, which follow each other.
fn whole(store: &Store, chain: Chain) -> Vec<JournalRow> {
    let rows = store.journal_reader(chain).unwrap().after(0, u32::MAX).unwrap();
    for pair in rows.windows(2) {
        let next = crate::store::tests::sample::row_after(pair[0].head());
        assert_eq!((pair[1].sequence, pair[1].hash), (next.sequence, next.hash), "chain {chain}");
    }
    rows
}

/// Ends all connections of a database, as a restart of the server does.
fn cut_all(world: &World) {
    world.database().execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
}
