//! Who keeps the link: connects, probes, and connects again when it fell.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::alarm::Alarm;
use super::link::{Link, Trouble};
use super::script;
use super::target::Target;
use super::timing::{Timing, jittered};

/// A link that lasted for so long is tried again soon when it falls.
const STEADY: Duration = Duration::from_secs(10);

/// Keeps the link, for ever. Only here is asked whether Redis is back, so no caller pays for it.
pub(super) async fn keep(link: Arc<Link>, target: Target, timing: Timing) {
    let (mut pause, alarm) = (timing.pause.0, Alarm::default());
    loop {
        let trouble = match target.connect(timing.connect).await {
            Ok(connection) => {
                let (line, risen) = (link.rise(connection), Instant::now());
                let mut shown = false;
                while link.holds(&line) {
                    let by = Instant::now() + timing.budget;
                    if script::probe(&link, by).await.is_ok() && !shown {
                        tracing::info!("cache: Redis answers; what is minted is shared");
                        shown = true;
                    }
                    // whether it was the time or the fall is seen at the head of the loop
                    drop(timeout(timing.probe, link.fallen()).await);
                }
                if risen.elapsed() >= STEADY {
                    pause = timing.pause.0;
                }
                Trouble::Late
            }
            Err(trouble) => trouble,
        };
        alarm.raise(Instant::now(), |more| {
            tracing::warn!(%trouble, more, "cache: Redis is not asked for a while; each replica mints for itself");
        });
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(timing.pause.1);
    }
}
