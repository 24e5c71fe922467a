//! Management with 10,000 scope maps and 100,000 tokens: how long until an update of a scope map decides the next request, and
//! what it takes to list everything, page by page.
//!
//! `cargo bench --bench manage`. Printed. The goals are 50 ms, and memory that does not grow with the number of definitions.
//! All goes through the whole server and its API: an update counts as in force when a request that only the update allows is
//! allowed.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

#[path = "shared/configuration.rs"]
#[expect(dead_code, reason = "the load bench sets more")]
mod configuration;
#[path = "shared/issuer.rs"]
#[expect(dead_code, reason = "the algorithm of other benches")]
mod issuer;
#[path = "shared/policy.rs"]
mod policy;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use dockpass::app::App;
use dockpass::config::Config;
use dockpass::model::SystemClock;
use dockpass::pb;
use dockpass::pb::access_service_client::AccessServiceClient;
use dockpass::pb::scope_map_service_client::ScopeMapServiceClient;
use dockpass::pb::token_service_client::TokenServiceClient;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::transport::Channel;

use self::configuration::{Addresses, InFlight, Setting, Tls, Transport};
use self::issuer::{Algorithm, Issuer};

const TOKENS: usize = 100_000;
const UPDATES: usize = 100;
const PAGE: i32 = 1_000;
/// The caller of the benchmark: it manages, and it may act as the token of this number, which is tied to the map of this number.
const CALLER: usize = 7;

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (issuer, addresses) = (Issuer::new()?, Addresses::free()?);
    let config = configure(folder.path(), &issuer, &addresses)?;
    policy::fill(&config, TOKENS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = App::build(&Config::load(&config)?, Arc::new(SystemClock)).await?;
        let stop = CancellationToken::new();
        let serving = app.run(stop.clone());
        let measured = async {
            let address = format!("http://{}", addresses.grpc);
            let channel = Channel::from_shared(address)?.connect().await?;
            let caller = Caller { channel, issuer };
            let outcome = measure(&caller).await;
            stop.cancel();
            outcome
        };
        let (served, measured) = tokio::join!(serving, measured);
        served.and(measured)
    })
}

fn configure(
    folder: &Path,
    issuer: &Issuer,
    addresses: &Addresses,
) -> anyhow::Result<std::path::PathBuf> {
    let (transport, in_flight) = (Transport::Plain, InFlight::Limited);
    Setting { addresses, folder, data: folder, transport, in_flight, more: "" }
        .write(issuer, &Tls::new()?)?;
    let path = folder.join("dockpass.toml");
    let mut file = std::fs::OpenOptions::new().append(true).open(&path)?;
    let issuer = issuer::ISSUER;
    write!(
        file,
        "[[admins]]\nissuer = \"{issuer}\"\nrole = \"editor\"\nclaims.repository_id = [\"{CALLER}\"]\n"
    )?;
    Ok(path)
}

struct Caller {
    channel: Channel,
    issuer: Issuer,
}

impl Caller {
    fn request<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        let bearer = self.issuer.bearer(Algorithm::Es256, CALLER, 1)?;
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", bearer.parse()?);
        Ok(request)
    }
}

async fn measure(caller: &Caller) -> anyhow::Result<()> {
    let mut times = Vec::with_capacity(UPDATES);
    for number in 0..UPDATES {
        times.push(update(caller, &format!("new/r{number}")).await?);
    }
    times.sort_unstable();
    let at = |share: usize| times.get(share * UPDATES / 100).copied().unwrap_or_default();
    println!("{} scope maps, {TOKENS} tokens", TOKENS / 10);
    println!("update of one scope map until it decides (goal 50 ms):");
    println!("  median {:.1?}, p90 {:.1?}, longest {:.1?}", at(50), at(90), at(99));
    let before = resident_kib()?;
    let started = Instant::now();
    let ((maps, most), (tokens, later)) = (list_maps(caller).await?, list_tokens(caller).await?);
    println!(
        "list of {maps} scope maps and {tokens} tokens in pages of {PAGE}: {:.1?}",
        started.elapsed()
    );
    let most = most.max(later);
    println!("  resident memory {} MiB before, {} MiB at most", before / 1024, most / 1024);
    Ok(())
}

/// Allows a repository, and asks for it: how long both take together.
async fn update(caller: &Caller, repository: &str) -> anyhow::Result<Duration> {
    let pull = vec![pb::Action::ContentRead.into()];
    let update = pb::UpdateScopeMapRequest {
        scope_map: Some(pb::ScopeMap {
            registry: "local".to_owned(),
            name: format!("map-{CALLER:05}"),
            ..Default::default()
        }),
        add_permissions: vec![pb::PatternPermission {
            repository_pattern: repository.to_owned(),
            actions: pull.clone(),
        }],
        ..Default::default()
    };
    let check = pb::CheckAccessRequest {
        registry: "local".to_owned(),
        permissions: vec![pb::RepositoryPermission {
            repository: repository.to_owned(),
            actions: pull,
        }],
        ..Default::default()
    };
    let (update, check) = (caller.request(update)?, caller.request(check)?);
    let mut scope_maps = ScopeMapServiceClient::new(caller.channel.clone());
    let mut access = AccessServiceClient::new(caller.channel.clone());
    let started = Instant::now();
    scope_maps.update_scope_map(update).await?;
    let answer = access.check_access(check).await?.into_inner();
    let elapsed = started.elapsed();
    anyhow::ensure!(answer.allowed, "the update does not decide: {}", answer.reason);
    Ok(elapsed)
}

/// How many there are, and the most memory, in KiB, at the end of a page.
async fn list_maps(caller: &Caller) -> anyhow::Result<(usize, u64)> {
    let mut client = ScopeMapServiceClient::new(caller.channel.clone());
    let (mut count, mut most, mut page_token) = (0, 0, String::new());
    loop {
        let registry = "local".to_owned();
        let list = pb::ListScopeMapsRequest { registry, page_size: PAGE, page_token };
        let page = client.list_scope_maps(caller.request(list)?).await?.into_inner();
        count += page.scope_maps.len();
        page_token = page.next_page_token;
        most = most.max(resident_kib()?);
        if page_token.is_empty() {
            return Ok((count, most));
        }
    }
}

/// The same of tokens.
async fn list_tokens(caller: &Caller) -> anyhow::Result<(usize, u64)> {
    let mut client = TokenServiceClient::new(caller.channel.clone());
    let (mut count, mut most, mut page_token) = (0, 0, String::new());
    loop {
        let list = pb::ListTokensRequest {
            registry: "local".to_owned(),
            page_size: PAGE,
            page_token,
            ..Default::default()
        };
        let page = client.list_tokens(caller.request(list)?).await?.into_inner();
        count += page.tokens.len();
        page_token = page.next_page_token;
        most = most.max(resident_kib()?);
        if page_token.is_empty() {
            return Ok((count, most));
        }
    }
}

/// The memory of this process: server and client together.
fn resident_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(value.trim().trim_end_matches(" kB").parse()?)
}
