//! Server and echo in turns, so that whatever else the machine does meets both.

use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dockpass::pb::access_service_client::AccessServiceClient;
use dockpass::pb::{
    AccessToken, Action, CheckAccessRequest, IssueAccessTokenRequest, RepositoryPermission,
};
use prost::Message;

use crate::issuer::{Algorithm, Issuer};
use crate::job::{Job, Protocol, Supply, Tally};
use crate::policy::REPOSITORY;
use crate::scenario::{Ask, Scenario};
use crate::server::{Echo, Server};
use crate::{echo, generator};

/// How many callers there are, where there is a new one not for each call.
const CALLERS: usize = 8;

/// How long it may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) pairs: usize,
    pub(crate) measured_ms: u64,
    /// Calls of callers that were never seen.
    pub(crate) cold: usize,
}

impl Effort {
    pub(crate) const FULL: Self = Self { pairs: 5, measured_ms: 2_000, cold: 10_000 };
    pub(crate) const QUICK: Self = Self { pairs: 1, measured_ms: 1_000, cold: 3_000 };
}

/// A scenario and its pairs: the server, then the echo.
pub(crate) struct Measured {
    pub(crate) scenario: Scenario,
    pub(crate) pairs: Vec<(Tally, Tally)>,
}

/// Measures one scenario after another.
pub(crate) fn measure(
    program: &Path,
    scenarios: &[Scenario],
    effort: Effort,
) -> anyhow::Result<Vec<Measured>> {
    let issuer = Issuer::new()?;
    let echoes = [Echo::start(echo::GRPC)?, Echo::start(echo::HTTP)?];
    let mut measured = Vec::new();
    let mut running: Option<(_, Server)> = None;
    for scenario in scenarios {
        let server = match running.take() {
            Some((world, server)) if world == scenario.world => server,
            other => {
                drop(other);
                Server::start(program, &issuer, scenario.world)?
            }
        };
        let pairs = pairs(scenario, effort, &issuer, &server, &echoes)
            .with_context(|| format!("scenario `{}`", scenario.name))?;
        measured.push(Measured { scenario: *scenario, pairs });
        running = Some((scenario.world, server));
    }
    Ok(measured)
}

fn pairs(
    scenario: &Scenario,
    effort: Effort,
    issuer: &Issuer,
    server: &Server,
    [grpc, http]: &[Echo; 2],
) -> anyhow::Result<Vec<(Tally, Tally)>> {
    let echo = if scenario.ask == Ask::Exchange { http } else { grpc };
    let hello = job_for_echo(scenario, effort, echo);
    (0..effort.pairs)
        .map(|_| {
            let tally = generator::measure(&job(scenario, effort, issuer, server)?)?;
            anyhow::ensure!(tally.failed == 0, "{} failed: {:?}", tally.failed, tally.failure);
            Ok((tally, generator::measure(&hello)?))
        })
        .collect()
}

fn job_for_echo(scenario: &Scenario, effort: Effort, echo: &Echo) -> Job {
    let hello = CheckAccessRequest { registry: "world".to_owned(), ..Default::default() };
    let protocol = match scenario.ask {
        Ask::Exchange => Protocol::Get { path: "/token".to_owned() },
        _ => grpc("CheckAccess", &hello, "0"),
    };
    Job {
        target: echo.address,
        server: echo.process.id(),
        protocol,
        authorizations: Vec::new(),
        supply: Supply::Endless,
        lanes: scenario.lanes,
        warm_up_ms: 200,
        measured_ms: effort.measured_ms,
    }
}

fn job(
    scenario: &Scenario,
    effort: Effort,
    issuer: &Issuer,
    server: &Server,
) -> anyhow::Result<Job> {
    let cold = scenario.ask == Ask::Cold;
    let (protocol, target) = match scenario.ask {
        Ask::Exchange => (exchange(), server.http),
        Ask::Check => (grpc("CheckAccess", &check(), "0"), server.grpc),
        Ask::Refused => {
            (grpc("IssueAccessToken", &issue("secret/app", Ask::Refused), "7"), server.grpc)
        }
        ask => (grpc("IssueAccessToken", &issue(REPOSITORY, ask), "0"), server.grpc),
    };
    let authorizations = match scenario.ask {
        Ask::Exchange => vec![session(issuer, server)?],
        Ask::Cold => bearers(issuer, Algorithm::Rs256, effort.cold)?,
        _ => bearers(issuer, Algorithm::Rs256, CALLERS)?,
    };
    Ok(Job {
        target,
        server: server.process.id(),
        protocol,
        authorizations,
        supply: if cold { Supply::Once } else { Supply::Endless },
        lanes: scenario.lanes,
        warm_up_ms: 400,
        measured_ms: effort.measured_ms,
    })
}

fn bearers(issuer: &Issuer, algorithm: Algorithm, count: usize) -> anyhow::Result<Vec<String>> {
    (0..count).map(|run| issuer.bearer(algorithm, run % CALLERS, run)).collect()
}

fn grpc(method: &str, message: &impl Message, expected: &str) -> Protocol {
    Protocol::Grpc {
        path: format!("/dockpass.v1.AccessService/{method}"),
        message: message.encode_to_vec(),
        expected: expected.to_owned(),
    }
}

fn permission(repository: &str) -> RepositoryPermission {
    let actions = [Action::ContentRead, Action::ContentWrite].map(i32::from);
    RepositoryPermission { repository: repository.to_owned(), actions: actions.to_vec() }
}

fn issue(repository: &str, ask: Ask) -> IssueAccessTokenRequest {
    IssueAccessTokenRequest {
        registry: "local".to_owned(),
        permissions: vec![permission(repository)],
        with_bearer_token: ask == Ask::Bearer,
        fresh: ask == Ask::Bearer,
        ..Default::default()
    }
}

fn check() -> CheckAccessRequest {
    CheckAccessRequest {
        registry: "local".to_owned(),
        permissions: vec![permission(REPOSITORY)],
        ..Default::default()
    }
}

fn exchange() -> Protocol {
    Protocol::Get {
        path: format!("/token?service=localhost:5000&scope=repository:{REPOSITORY}:pull,push"),
    }
}

/// `Basic` with a session credential, as docker keeps it after `docker login`.
fn session(issuer: &Issuer, server: &Server) -> anyhow::Result<String> {
    let identity = issuer.bearer(Algorithm::Es256, 0, 0)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let AccessToken { username, password, .. } = runtime.block_on(async {
        let mut client = AccessServiceClient::connect(format!("http://{}", server.grpc)).await?;
        let mut request = tonic::Request::new(issue(REPOSITORY, Ask::Issue));
        request.metadata_mut().insert("authorization", identity.parse()?);
        let issued = client.issue_access_token(request).await?.into_inner();
        issued.access_token.context("no access token")
    })?;
    Ok(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}
