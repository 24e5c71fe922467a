//! What the tests put together: an issuer, the broker, its clients, and a look into its files.

mod ask;
mod held;
#[path = "../../e2e/support/issuer.rs"]
#[expect(dead_code, reason = "shared with the end-to-end tests, which use the rest")]
mod issuer;
mod operator;
mod refused;
mod running;
mod site;
mod world;

use std::time::Duration;

pub(crate) use self::ask::{Answer, basic, http, permission, pull, push, request};
pub(crate) use self::held::Held;
pub(crate) use self::issuer::Issuer;
pub(crate) use self::operator::Operator;
pub(crate) use self::refused::decision_id;
pub(crate) use self::running::{Running, bearer};
pub(crate) use self::site::{AUDIENCE, SERVICE, Site};
use self::world::World;

/// Asks again until there is an answer; for what has no event to wait for. Gives up, with a panic, after half a minute.
pub(crate) async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let asking = async {
        loop {
            ticks.tick().await;
            if let Some(answer) = probe().await {
                return answer;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
