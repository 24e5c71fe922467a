//! gRPC calls by bare HTTP/2 (RFC 9113). A connection is one caller's, as with real clients.
//!
//! What is sent is encoded once and then copied, and what comes back is read as far as the status needs: so the machine is
//! left to the server.

mod connection;
mod frame;
mod prepared;

use std::sync::Arc;

use tokio::task::JoinSet;

use self::connection::Connection;
use self::prepared::Prepared;
use super::{Shared, connect};

/// Opens the connections, and starts what asks on them.
pub(super) async fn open(
    shared: &Arc<Shared>,
    lanes: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let prepared = Arc::new(Prepared::new(&shared.job)?);
    let connector = connect::connector(&shared.job)?;
    for number in 0..shared.job.lanes.connections {
        let stream = connect::tcp(&shared.job).await?;
        let (prepared, shared) = (Arc::clone(&prepared), Arc::clone(shared));
        match &connector {
            None => lanes.spawn(Connection::new(stream, number, prepared, shared).run()),
            Some(connector) => {
                let stream = connect::tls(connector, stream).await?;
                lanes.spawn(Connection::new(stream, number, prepared, shared).run())
            }
        };
    }
    Ok(())
}
