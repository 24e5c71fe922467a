//! What a stranger is told, by a broker with one registry and no definitions.

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::audit::Journal;
use crate::broker::{Call, Parts, Peer};
use crate::cache::Cache;
use crate::identity::{Bearer, Verifiers, for_test as identities};
use crate::model::{Clock, CredentialRef, ManualClock, Permissions, Reason, RegistryUid, TokenUid};
use crate::net::{self, HttpClient};
use crate::policy::Context;
use crate::registry::{self, Dependencies, KeysConfig, Registries, WithoutRoot};
use crate::seal::{Ceiling, KeyRing, Session};
use crate::store::{self, Store};

const SERVICE: &str = "registry.test";

async fn broker(folder: &TempDir) -> Arc<Broker> {
    let path = folder.path();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at("2026-09-01T12:00:00Z".parse().unwrap()));
    let store = Store::open(&store::Config::default(), path).await.unwrap();
    let ring = Arc::new(KeyRing::ephemeral().unwrap());
    let config: registry::Config = toml::from_str(&format!(
        "name = 'local'\nhost = 'localhost:5000'\ndriver = 'distribution'\nservice = '{SERVICE}'\n\
         token_issuer = 'dockpass'\nkey_reference = 'x5c'"
    ))
    .unwrap();
    let keys = KeysConfig {
        root_certificate_file: path.join("root.crt"),
        root_key_file: path.join("root.key"),
        without_root: WithoutRoot::Make,
        signing_key_files: Vec::new(),
        foreign_certificate_files: Vec::new(),
    };
    let dependencies = Dependencies {
        clock: Arc::clone(&clock),
        ring: Arc::clone(&ring),
        http: HttpClient::build(&net::Config::default()).unwrap(),
        external_url: "http://localhost:7080".to_owned(),
    };
    let parts = Parts {
        admins: Vec::new(),
        cache: Cache::in_memory(1),
        context: Context { registries: vec![config.bounds()], issuers: Vec::new() },
        journal: Journal::start(&store, &path.join("audit.key"), Arc::clone(&clock)).await.unwrap(),
        limits: crate::broker::LimitsConfig::default(),
        registries: Registries::build(vec![config], keys, dependencies).unwrap(),
        verifiers: Verifiers::build(Vec::new(), ring, Arc::clone(&clock)).unwrap(),
        clock,
        store,
    };
    Broker::build(parts).await.unwrap()
}

fn asked(service: &str, presented: Presented) -> DockerTokenRequest {
    DockerTokenRequest {
        service: service.to_owned(),
        permissions: Permissions::default(),
        account: None,
        offline: false,
        presented,
        refresh_grant: false,
    }
}

async fn refused(broker: &Arc<Broker>, request: DockerTokenRequest) -> (Reason, String) {
    let call = Call { peer: Peer::Unknown, timeout: None, trace: None };
    let refusal = broker.docker_token(call, request).await.unwrap_err();
    (refusal.error.reason(), refusal.error.to_string())
}

fn basic(username: &str, password: &str) -> Presented {
    Presented::Basic { username: username.to_owned(), password: Secret::new(password) }
}

#[tokio::test]
async fn g7_a_registry_that_is_not_there_answers_strangers_like_one_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(&folder).await;
    for presented in [
        Presented::Nothing,
        Presented::Unreadable("rubbish"),
        Presented::Bearer(Bearer::new(Secret::new("rubbish"))),
        basic("nginx-ci", "rubbish"),
        basic("nginx-ci", "dps_rubbish"),
    ] {
        let there = refused(&broker, asked(SERVICE, presented.clone())).await;
        let not_there = refused(&broker, asked("other.test", presented)).await;
        assert_eq!(there, not_there);
    }
    let there = refused(&broker, asked(SERVICE, Presented::Nothing)).await;
    assert_eq!(there.0, Reason::IdentityMissing);
}

#[tokio::test]
async fn f5_an_account_that_is_not_the_username_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(&folder).await;
    for (account, reason) in
        [("somebody-else", Reason::InvalidRequest), ("nginx-ci", Reason::IdentityInvalid)]
    {
        let account = Some(account.to_owned());
        let request = DockerTokenRequest { account, ..asked(SERVICE, basic("nginx-ci", "x")) };
        assert_eq!(refused(&broker, request).await.0, reason);
    }
}

#[test]
fn the_username_beside_a_session_names_its_token_or_none() {
    let session = identities::session(Session {
        id: AccessTokenId::new(jiff::Timestamp::UNIX_EPOCH),
        registry: RegistryUid([1; 16]),
        token: TokenUid::new(jiff::Timestamp::UNIX_EPOCH),
        credential: CredentialRef::Anonymous,
        holder: "holder".to_owned(),
        ceiling: Ceiling::ScopeMap,
        expire_time: jiff::Timestamp::UNIX_EPOCH,
    });
    let named = |username| {
        Exchange { request: asked(SERVICE, basic(username, "dps_x")) }.named_token(&session)
    };
    // policy refuses the session when it is one of another token
    assert_eq!(named("nginx-ci").unwrap().unwrap().as_str(), "nginx-ci");
    for username in NO_TOKEN_NAMED {
        assert!(named(username).unwrap().is_none(), "{username:?}");
    }
    assert!(named("no token's name").is_err());
}
