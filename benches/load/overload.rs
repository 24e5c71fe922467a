//! Three times as many requests at once as the server lets in.

use serde::Serialize;

use crate::configuration::InFlight;
use crate::generate::{Hpack, Job, Protocol, Tally, measure as generate};
use crate::machine::{Memory, memory};
use crate::report::{median, micros};
use crate::requests::Ask;
use crate::scenario::{Beside, Scenario, USUAL, World, Yardstick, lanes};
use crate::turns::Bench;

/// The name of this part.
pub(crate) const NAME: &str = "overload";

/// How many times its capacity the server is asked.
const TIMES: usize = 3;
/// Together as many at once as `[limits] in_flight` lets in.
const CONNECTIONS: usize = 16;
const STREAMS: usize = 64;
/// The status of `RESOURCE_EXHAUSTED`.
const EXHAUSTED: &str = "8";

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Overload {
    pub(crate) rounds: Vec<Round>,
    pub(crate) before: Memory,
    pub(crate) after: Memory,
}

/// One measurement at capacity, and one beyond.
#[derive(Serialize)]
pub(crate) struct Round {
    /// As many at once as the server lets in; a new one for each that was answered.
    pub(crate) capacity: Tally,
    /// Three times as many at once; a new one for each that was answered or refused.
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
        hpack: Hpack::Huffman,
        lanes: lanes(CONNECTIONS, STREAMS),
        world: World { in_flight: InFlight::Limited, ..USUAL },
        beside: Beside::Nothing,
        yardstick: Yardstick::Hello,
    };
    let server = bench.server(&scenario)?;
    let job = bench.job(&scenario, &server)?;
    let (mut rounds, mut before) = (Vec::new(), None);
    for _ in 0..bench.effort.pairs {
        let capacity = generate(&job)?;
        before.get_or_insert(memory(server.process.id())?);
        let beyond = generate(&beyond(job.clone()))?;
        anyhow::ensure!(beyond.failed == 0, "{} failed: {:?}", beyond.failed, beyond.failure);
        rounds.push(Round { capacity, beyond });
    }
    let after = memory(server.process.id())?;
    Ok(Overload { rounds, before: before.unwrap_or(after), after })
}

fn beyond(mut job: Job) -> Job {
    if let Protocol::Grpc { expected, .. } = &mut job.protocol {
        expected.refusal = Some(EXHAUSTED.to_owned());
    }
    Job { lanes: lanes(CONNECTIONS * TIMES, STREAMS), ..job }
}
