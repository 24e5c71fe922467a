//! A broker with two registries and operators of each role, for the tests of this module.

use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::{
    AdminConfig, CreateScopeMap, CreateToken, Edit, GetScopeMap, GetToken, Known, LocalUser,
    Operator, Read, TokenRef,
};
use crate::audit::{Archive, Event, Filter, Journal, Kind};
use crate::broker::{Broker, Call, LimitsConfig, Parts, Peer, Refusal};
use crate::cache::Cache;
use crate::identity::{Identity, Verifiers, for_test as identities};
use crate::model::{
    ActionSet, Clock, ManualClock, RepositoryPattern, ScopeMap, Status, SystemClock, Token,
};
use crate::net::{self, HttpClient};
use crate::policy::{Context, Issuer};
use crate::registry::{self, Dependencies, KeysConfig, Registries, WithoutRoot};
use crate::seal::KeyRing;
use crate::store::{self, Store};

/// The issuer of the operators, and of workloads.
pub(super) const ISSUER: &str = "https://issuer.example.com";

/// A broker with the registries `local` and `other`, and its files.
pub(super) struct Office {
    pub(super) broker: Arc<Broker>,
    pub(super) clock: ManualClock,
    folder: TempDir,
}

impl Office {
    pub(super) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(SystemClock.now());
        let broker = Broker::build(parts(&folder, &clock).await).await.unwrap();
        Self { broker, clock, folder }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The broker's files, as another process has them.
    pub(super) async fn store(&self) -> Store {
        Store::open(&store::Config::default(), self.folder.path()).await.unwrap()
    }

    pub(super) async fn change<E: Edit>(
        &self,
        operator: Operator,
        edit: E,
    ) -> Result<E::Output, Refusal> {
        self.broker.change(call(), operator, edit).await
    }

    /// A change by somebody who may make every change.
    pub(super) async fn by_editor<E: Edit>(&self, edit: E) -> E::Output {
        self.change(local_user(), edit).await.unwrap()
    }

    pub(super) async fn read<R: Read>(
        &self,
        operator: Operator,
        read: R,
    ) -> Result<R::Output, Refusal> {
        self.broker.read(call(), operator, read).await
    }

    pub(super) async fn scope_map(&self, name: &str) -> ScopeMap {
        let get = GetScopeMap { registry: "local".parse().unwrap(), name: name.parse().unwrap() };
        self.read(local_user(), get).await.unwrap()
    }

    pub(super) async fn token(&self, name: &str) -> Token {
        let get = GetToken { registry: "local".parse().unwrap(), name: name.parse().unwrap() };
        self.read(local_user(), get).await.unwrap().0
    }

    /// All events of a kind, oldest first.
    pub(super) async fn events(&self, kind: Kind) -> Vec<Event> {
        let store = self.store().await;
        let filter = Filter { kind: Some(kind), ..Filter::default() };
        let page = Archive::open(&store).list(&filter, None, 10_000).unwrap();
        page.events.into_iter().rev().map(|found| found.event).collect()
    }
}

async fn parts(folder: &TempDir, clock: &ManualClock) -> Parts {
    let path = folder.path();
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = Store::open(&store::Config::default(), path).await.unwrap();
    let ring = Arc::new(KeyRing::ephemeral().unwrap());
    let configs: Vec<registry::Config> = ["local", "other"].map(config).into();
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
    let issuer = Issuer { issuer: ISSUER.parse().unwrap(), shared: false };
    // many changes at once on a busy machine take longer than a caller would wait
    let deadline_seconds = NonZeroU32::new(300).unwrap();
    Parts {
        admins: admins(),
        cache: Cache::in_memory(1),
        context: Context {
            registries: configs.iter().map(registry::Config::bounds).collect(),
            issuers: vec![issuer],
        },
        journal: Journal::start(&store, &path.join("audit.key"), Arc::clone(&clock)).await.unwrap(),
        limits: LimitsConfig { deadline_seconds, ..LimitsConfig::default() },
        registries: Registries::build(configs, keys, dependencies).unwrap(),
        verifiers: Verifiers::build(Vec::new(), ring, Arc::clone(&clock)).unwrap(),
        clock,
        store,
    }
}

fn config(name: &str) -> registry::Config {
    toml::from_str(&format!(
        "name = '{name}'\nhost = '{name}:5000'\ndriver = 'distribution'\nservice = '{name}.test'\n\
         token_issuer = 'dockpass'"
    ))
    .unwrap()
}

/// A subject for each role, named like it.
fn admins() -> Vec<AdminConfig> {
    let admin = |subject: &str, role: &str, more: &str| {
        let text = format!("issuer = '{ISSUER}'\nsubject = '{subject}'\nrole = '{role}'\n{more}");
        toml::from_str(&text).unwrap()
    };
    vec![
        admin("viewer", "viewer", ""),
        admin("token-editor", "token-editor", ""),
        admin("editor", "editor", ""),
        admin("other-editor", "editor", "registry = 'other'"),
    ]
}

pub(super) const fn call() -> Call {
    Call { peer: Peer::Local, timeout: None, trace: None }
}

/// A user of this machine, who may do everything.
pub(super) fn local_user() -> Operator {
    Operator::Local(LocalUser { uid: 1000, pid: Some(7), name: "olga".to_owned() })
}

/// Whoever has the role of this name; nobody with another name has one.
pub(super) fn operator(subject: &str) -> Operator {
    let end = "2099-01-01T00:00:00Z".parse().unwrap();
    let claims = Map::from_iter([("sub".to_owned(), Value::from(subject))]);
    known(identities::workload(ISSUER.parse().unwrap(), subject, claims, end))
}

pub(super) const fn known(identity: Identity) -> Operator {
    Operator::Known(Known::for_test(identity))
}

pub(super) fn permissions(
    entries: &[(&str, &str)],
) -> std::collections::BTreeMap<RepositoryPattern, ActionSet> {
    let parse = |(pattern, actions): &(&str, &str)| {
        (pattern.parse().unwrap(), ActionSet::parse(actions.split(',')).unwrap())
    };
    entries.iter().map(parse).collect()
}

/// A new scope map of `local`.
pub(super) fn new_map(name: &str, entries: &[(&str, &str)]) -> CreateScopeMap {
    CreateScopeMap {
        registry: "local".parse().unwrap(),
        name: name.parse().unwrap(),
        description: String::new(),
        owner: String::new(),
        permissions: permissions(entries),
        max_lifetime: None,
    }
}

/// A new token of `local`.
pub(super) fn new_token(name: &str, scope_map: &str) -> CreateToken {
    CreateToken {
        registry: "local".parse().unwrap(),
        name: name.parse().unwrap(),
        scope_map: scope_map.parse().unwrap(),
        status: Status::Enabled,
        description: String::new(),
        owner: String::new(),
        expire_time: None,
        federated_credentials: Vec::new(),
    }
}

/// A token of `local`, whatever its content.
pub(super) fn the_token(name: &str) -> TokenRef {
    TokenRef { registry: "local".parse().unwrap(), name: name.parse().unwrap(), etag: None }
}
