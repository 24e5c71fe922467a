//! Server and echo in turns, so that whatever else the machine does meets both.

use anyhow::Context;

use crate::changes::Changes;
use crate::configuration::{Tls, Transport};
use crate::generate::{Job, Supply, Tally, measure};
use crate::issuer::Issuer;
use crate::programs::Programs;
use crate::requests::Ask;
use crate::scenario::{Beside, Scenario, Yardstick};
use crate::server::{Echoes, Server};
use crate::{requests, syscalls};

/// How long it may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) pairs: usize,
    pub(crate) measured_ms: u64,
    /// Calls of callers that were never seen.
    pub(crate) cold: usize,
}

impl Effort {
    pub(crate) const FULL: Self = Self { pairs: 5, measured_ms: 800, cold: 10_000 };
    pub(crate) const QUICK: Self = Self { pairs: 1, measured_ms: 1_000, cold: 3_000 };
}

/// Before anything is measured, milliseconds.
const WARM_UP: u64 = 300;

/// A scenario and its pairs: the server, then the echo.
pub(crate) struct Measured {
    pub(crate) scenario: Scenario,
    pub(crate) pairs: Vec<(Tally, Tally)>,
    /// System calls of the server for one request.
    pub(crate) syscalls: Option<f64>,
    /// The changes of policy that were made meanwhile, a second.
    pub(crate) changes: Option<f64>,
}

/// All that is needed to measure.
pub(crate) struct Bench {
    pub(crate) programs: Programs,
    pub(crate) issuer: Issuer,
    pub(crate) tls: Tls,
    pub(crate) effort: Effort,
    echoes: Echoes,
}

impl Bench {
    pub(crate) fn new(programs: Programs, effort: Effort) -> anyhow::Result<Self> {
        let tls = Tls::new()?;
        let echoes = Echoes::start(&tls)?;
        Ok(Self { programs, issuer: Issuer::new()?, tls, effort, echoes })
    }

    /// Measures one scenario after another.
    pub(crate) fn measure(&self, scenarios: &[Scenario]) -> anyhow::Result<Vec<Measured>> {
        let mut measured = Vec::new();
        let mut running: Option<Server> = None;
        for scenario in scenarios {
            let server = match running.take() {
                Some(server) if server.world == scenario.world => server,
                other => {
                    drop(other);
                    self.server(scenario)?
                }
            };
            measured.push(
                self.pairs(scenario, &server)
                    .with_context(|| format!("scenario `{}`", scenario.name))?,
            );
            running = Some(server);
        }
        Ok(measured)
    }

    /// Starts the server of a scenario.
    pub(crate) fn server(&self, scenario: &Scenario) -> anyhow::Result<Server> {
        let program = self.programs.of(scenario.world.build)?;
        Server::start(program, &self.issuer, &self.tls, scenario.world)
    }

    fn pairs(&self, scenario: &Scenario, server: &Server) -> anyhow::Result<Measured> {
        let hello = self.hello(scenario, server)?;
        let changes = match scenario.beside {
            Beside::Nothing => None,
            Beside::PolicyChanges => Some(Changes::start(server)?),
        };
        let mut pairs = Vec::new();
        for _ in 0..self.effort.pairs {
            let tally = measure(&self.job(scenario, server)?)?;
            anyhow::ensure!(tally.failed == 0, "{} failed: {:?}", tally.failed, tally.failure);
            pairs.push((tally, measure(&hello)?));
        }
        let changes = changes.map(Changes::stop).transpose()?;
        let syscalls = match scenario.ask {
            // what is used once has no steady state
            Ask::Cold => None,
            _ => syscalls::count(&self.job(scenario, server)?)?,
        };
        Ok(Measured { scenario: *scenario, pairs, syscalls, changes })
    }

    /// What the generator is told to ask the yardstick.
    fn hello(&self, scenario: &Scenario, server: &Server) -> anyhow::Result<Job> {
        let echo = self.echoes.of(scenario);
        if scenario.yardstick == Yardstick::SameBytes {
            let same = self.job(scenario, server)?;
            return Ok(Job { target: echo.address, server: echo.process.id(), ..same });
        }
        Ok(Job {
            target: echo.address,
            certificate: self.certificate(scenario),
            server: echo.process.id(),
            protocol: requests::hello(scenario.ask),
            authorizations: Vec::new(),
            supply: Supply::Endless,
            lanes: scenario.lanes,
            warm_up_ms: WARM_UP / 2,
            measured_ms: self.effort.measured_ms,
        })
    }

    /// What the generator is told to ask the server.
    pub(crate) fn job(&self, scenario: &Scenario, server: &Server) -> anyhow::Result<Job> {
        let ask = scenario.ask;
        let cold = self.effort.cold;
        Ok(Job {
            target: if ask == Ask::Exchange { server.http } else { server.grpc },
            certificate: self.certificate(scenario),
            server: server.process.id(),
            protocol: requests::protocol(ask, scenario.hpack),
            authorizations: requests::authorizations(ask, cold, &self.issuer, server.grpc)?,
            supply: if ask == Ask::Cold { Supply::Once } else { Supply::Endless },
            lanes: scenario.lanes,
            warm_up_ms: WARM_UP,
            measured_ms: self.effort.measured_ms,
        })
    }

    fn certificate(&self, scenario: &Scenario) -> Option<String> {
        match scenario.world.transport {
            Transport::Plain => None,
            Transport::Tls => Some(self.tls.certificate.clone()),
        }
    }
}
