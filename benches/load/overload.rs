//! Three times as many requests as the server can answer.

use serde::Serialize;

use crate::configuration::InFlight;
use crate::generate::{Job, Protocol, Supply, Tally, measure as generate};
use crate::machine::{Memory, memory};
use crate::report::{median, micros};
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
    pub(crate) rounds: Vec<Round>,
    pub(crate) before: Memory,
    pub(crate) after: Memory,
}

/// One measurement, after another of the capacity over the same connections.
#[derive(Serialize)]
pub(crate) struct Round {
    /// 256 in flight, a new one for each that was answered.
    pub(crate) capacity: Tally,
    /// Three times as many a second, whether they were answered or not.
    pub(crate) beyond: Tally,
}

impl Overload {
    /// The median of a figure.
    pub(crate) fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(figure).collect())
    }
}

impl Round {
    /// How much longer the slowest of a hundred accepted requests takes than at capacity.
    pub(crate) fn p99_ratio(&self) -> f64 {
        micros(self.beyond.p99) / micros(self.capacity.p99)
    }

    /// The share of answers that were refusals.
    pub(crate) fn refused(&self) -> f64 {
        let Tally { completed, refused, .. } = &self.beyond;
        micros(refused.count) / micros(refused.count + completed)
    }

    /// All answers a second.
    pub(crate) fn answers(&self) -> f64 {
        self.beyond.per_second / (1.0 - self.refused())
    }
}

/// Measures capacity and overload in turns.
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
    let (mut rounds, mut before) = (Vec::new(), None);
    for _ in 0..bench.effort.pairs {
        let capacity = generate(&job)?;
        before.get_or_insert(memory(server.process.id())?);
        let beyond = generate(&beyond(job.clone(), rate(capacity.per_second * TIMES)))?;
        anyhow::ensure!(beyond.failed == 0, "{} failed: {:?}", beyond.failed, beyond.failure);
        rounds.push(Round { capacity, beyond });
    }
    let after = memory(server.process.id())?;
    Ok(Overload { rounds, before: before.unwrap_or(after), after })
}

fn beyond(mut job: Job, per_second: u32) -> Job {
    if let Protocol::Grpc { expected, .. } = &mut job.protocol {
        expected.refusal = Some(EXHAUSTED.to_owned());
    }
    Job { supply: Supply::Paced { per_second }, ..job }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive, and far below four thousand million"
)]
fn rate(per_second: f64) -> u32 {
    per_second as u32
}
