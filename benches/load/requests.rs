//! The requests of each scenario.

use std::net::SocketAddr;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dockpass::pb::access_service_client::AccessServiceClient;
use dockpass::pb::{
    AccessToken, Action, CheckAccessRequest, IssueAccessTokenRequest, RepositoryPermission,
};
use prost::Message;

use crate::generate::{Expected, Hpack, Protocol};
use crate::issuer::{Algorithm, Issuer};
use crate::policy::REPOSITORY;

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ask {
    /// `IssueAccessToken` with identity tokens that were seen before.
    Issue,
    /// The same with `with_bearer_token` and `fresh`: a new signature each.
    Bearer,
    /// `IssueAccessToken`, each time with an identity that was never seen before.
    Cold,
    /// `CheckAccess`.
    Check,
    /// `IssueAccessToken` for a repository outside of the scope map.
    Refused,
    /// `IssueAccessToken` with identity tokens whose signature is wrong.
    Forged,
    /// A registry JWT at `/token` for a session credential.
    Exchange,
}

/// How many callers there are, where there is a new one not for each call.
const CALLERS: usize = 8;

/// What the server is asked, by a client with such an HPACK.
pub(crate) fn protocol(ask: Ask, hpack: Hpack) -> Protocol {
    match ask {
        Ask::Exchange => Protocol::Get {
            path: format!("/token?service=localhost:5000&scope=repository:{REPOSITORY}:pull,push"),
        },
        Ask::Check => grpc("CheckAccess", &check(REPOSITORY), "0", hpack),
        Ask::Refused => grpc("IssueAccessToken", &issue("secret/app", ask), "7", hpack),
        Ask::Forged => grpc("IssueAccessToken", &issue(REPOSITORY, ask), "16", hpack),
        Ask::Issue | Ask::Bearer | Ask::Cold => {
            grpc("IssueAccessToken", &issue(REPOSITORY, ask), "0", hpack)
        }
    }
}

/// What the echo is asked instead.
pub(crate) fn hello(ask: Ask) -> Protocol {
    let hello = CheckAccessRequest { registry: "world".to_owned(), ..Default::default() };
    match ask {
        Ask::Exchange => Protocol::Get { path: "/token".to_owned() },
        _ => grpc("CheckAccess", &hello, "0", Hpack::Huffman),
    }
}

/// Who asks at this address: one value of `authorization` a caller, or `cold` callers that nobody has seen.
pub(crate) fn authorizations(
    ask: Ask,
    cold: usize,
    issuer: &Issuer,
    grpc: SocketAddr,
) -> anyhow::Result<Vec<String>> {
    let bearers = |count| (0..count).map(|run| issuer.bearer(Algorithm::Rs256, run % CALLERS, run));
    match ask {
        Ask::Cold => bearers(cold).collect(),
        Ask::Exchange => (0..CALLERS).map(|caller| session(issuer, caller, grpc)).collect(),
        Ask::Forged => bearers(CALLERS).map(|bearer| bearer.map(forged)).collect(),
        Ask::Issue | Ask::Bearer | Ask::Check | Ask::Refused => bearers(CALLERS).collect(),
    }
}

/// `CheckAccess` for a repository.
pub(crate) fn check(repository: &str) -> CheckAccessRequest {
    CheckAccessRequest {
        registry: "local".to_owned(),
        permissions: vec![permission(repository)],
        ..Default::default()
    }
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

fn permission(repository: &str) -> RepositoryPermission {
    let actions = [Action::ContentRead, Action::ContentWrite].map(i32::from);
    RepositoryPermission { repository: repository.to_owned(), actions: actions.to_vec() }
}

fn grpc(method: &str, message: &impl Message, status: &str, hpack: Hpack) -> Protocol {
    Protocol::Grpc {
        path: format!("/dockpass.v1.AccessService/{method}"),
        message: message.encode_to_vec(),
        expected: Expected { status: status.to_owned(), refusal: None },
        hpack,
    }
}

/// The same token with a signature of as many bytes that is none.
fn forged(bearer: String) -> String {
    match bearer.rsplit_once('.') {
        Some((signed, signature)) => format!("{signed}.{}", "A".repeat(signature.len())),
        None => bearer,
    }
}

/// `Basic` with a session credential, as docker keeps it after `docker login`.
fn session(issuer: &Issuer, caller: usize, grpc: SocketAddr) -> anyhow::Result<String> {
    let identity = issuer.bearer(Algorithm::Es256, caller, caller)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let AccessToken { username, password, .. } = runtime.block_on(async {
        let mut client = AccessServiceClient::connect(format!("http://{grpc}")).await?;
        let mut request = tonic::Request::new(issue(REPOSITORY, Ask::Issue));
        request.metadata_mut().insert("authorization", identity.parse()?);
        let issued = client.issue_access_token(request).await?.into_inner();
        issued.access_token.context("no access token")
    })?;
    Ok(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}
