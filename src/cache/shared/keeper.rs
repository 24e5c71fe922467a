//! Who keeps the link: connects, probes, and connects again when it fell.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::alarm::Alarm;
use super::link::{Line, Link, Trouble};
use super::script;
use super::target::Target;
use super::timing::{Timing, jittered};
use crate::telemetry::metrics::{self, CacheQuestion};

/// A link that lasted for so long is tried again soon when it falls.
const STEADY: Duration = Duration::from_secs(10);

/// Keeps the link, for ever. Only here is asked whether Redis is back, so no caller pays for it.
pub(super) async fn keep(link: Arc<Link>, target: Target, timing: Timing) {
    metrics::cache_redis_up(false);
    let (mut pause, alarm) = (timing.pause.0, Alarm::default());
    loop {
        let trouble = match connect(&target, timing).await {
            Ok(line) => {
                let risen = Instant::now();
                link.rise(&line);
                tracing::info!("cache: Redis answers; what is minted is shared");
                let trouble = watch(&link, &line, timing).await;
                if risen.elapsed() >= STEADY {
                    pause = timing.pause.0;
                }
                trouble
            }
            Err(trouble) => trouble,
        };
        alarm.raise(Instant::now(), |more| {
            tracing::warn!(%trouble, more, "cache: Redis is left alone for a while; each replica mints for itself");
        });
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(timing.pause.1);
    }
}

/// A connection over which an answer came in time.
async fn connect(target: &Target, timing: Timing) -> Result<Arc<Line>, Trouble> {
    let line = Line::new(target.connect(timing.connect).await?);
    let answer: Result<Vec<u8>, Trouble> =
        line.ask(&script::probe(), Instant::now() + timing.budget).await;
    answer.map(|_empty| line)
}

/// Probes now and then, so that a link on which nobody asks is known to be down; ends when it fell.
async fn watch(link: &Link, line: &Arc<Line>, timing: Timing) -> Trouble {
    while link.holds(line) {
        // whether it was the time or the fall is seen at the head of the loop
        if timeout(timing.probe, link.fallen()).await.is_err() {
            let by = Instant::now() + timing.budget;
            let probe: Result<Vec<u8>, Trouble> =
                link.ask(CacheQuestion::Probe, &script::probe(), by).await;
            // the link has noted how it ended
            drop(probe);
        }
    }
    line.trouble()
}
