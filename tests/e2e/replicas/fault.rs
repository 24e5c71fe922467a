//! A fault under load: it begins, lasts, ends, and then all has to be as before.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Load, Replicas, Row};

/// How many requests have to succeed in a row before and after a fault.
const HEALTHY: usize = 100;

/// Something bad that happens to what the replicas depend on.
pub(super) trait Fault {
    /// What happens, for the table.
    fn name(&self) -> String;

    /// How long the load meets it.
    fn lasts(&self) -> Duration;

    /// Lets it happen.
    async fn begin(&self, replicas: &mut Replicas);

    /// Waits for what replicas say of themselves when it has lasted.
    async fn shows(&self, replicas: &Replicas);

    /// Ends it, and waits until the dependency is there again.
    async fn end(&self, replicas: &mut Replicas);

    /// Lets it happen under load, notes what it did, and waits until all is well again.
    async fn happen(&self, replicas: &mut Replicas, load: &Load) -> Row {
        load.healthy(HEALTHY).await;
        let began = Instant::now();
        self.begin(replicas).await;
        load.run(self.lasts()).await;
        self.shows(replicas).await;
        self.end(replicas).await;
        let over = Instant::now();
        load.healthy(HEALTHY).await;
        replicas.ready().await;
        let row = Row::of(self.name(), (began, over), load.record().ended_since(began));
        row.note();
        row
    }
}
