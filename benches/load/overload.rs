//! Three times as many requests as the server can answer.

use serde::Serialize;

use crate::configuration::InFlight;
use crate::generate::{Job, Protocol, Supply, Tally, measure as generate};
use crate::machine::{Memory, memory};
use crate::requests::Ask;
use crate::scenario::{Beside, Scenario, USUAL, World, lanes};
use crate::turns::Bench;

/// The name of this part.
pub(crate) const NAME: &str = "overload";

/// How many times its capacity the server is asked.
const TIMES: f64 = 3.0;
/// The status of `RESOURCE_EXHAUSTED`.
const EXHAUSTED: &str = "8";

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Overload {
    /// 256 in flight, a new one for each that was answered.
    pub(crate) capacity: Tally,
    /// Three times as many a second, whether they were answered or not.
    pub(crate) beyond: Tally,
    /// How many were asked for a second.
    pub(crate) asked: u32,
    pub(crate) before: Memory,
    pub(crate) after: Memory,
}

/// Measures the capacity first, over the same connections.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Overload> {
    let scenario = Scenario {
        name: NAME,
        ask: Ask::Issue,
        lanes: lanes(64, 4),
        world: World { in_flight: InFlight::Limited, ..USUAL },
        beside: Beside::Nothing,
    };
    let server = bench.server(&scenario)?;
    let job = bench.job(&scenario, &server)?;
    let capacity = generate(&job)?;
    let before = memory(server.process.id())?;
    let asked = rate(capacity.per_second * TIMES);
    let beyond = generate(&beyond(job, asked))?;
    anyhow::ensure!(beyond.failed == 0, "{} failed: {:?}", beyond.failed, beyond.failure);
    let after = memory(server.process.id())?;
    Ok(Overload { capacity, beyond, asked, before, after })
}

fn beyond(mut job: Job, per_second: u32) -> Job {
    if let Protocol::Grpc { expected, .. } = &mut job.protocol {
        expected.refusal = Some(EXHAUSTED.to_owned());
    }
    Job { supply: Supply::Paced { per_second }, measured_ms: job.measured_ms.max(2_000), ..job }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive, and far below four thousand million"
)]
fn rate(per_second: f64) -> u32 {
    per_second as u32
}
