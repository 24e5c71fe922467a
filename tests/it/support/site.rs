//! The files of a broker: its configuration, its policy and its audit trail.

use std::fmt::Write;
use std::sync::Arc;

use dockpass::app::offline_registries;
use dockpass::audit::{Archive, Event, Filter, Journal};
use dockpass::config::Config;
use dockpass::model::{
    Clock, DecisionId, Definitions, ManualClock, Password, PasswordSecret, PasswordSlot,
    SystemClock, Token, TokenUid,
};
use dockpass::policy::PolicyFile;
use dockpass::store::Store;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Issuer, Running, World};

/// What identity tokens are made out to.
pub(crate) const AUDIENCE: &str = "https://dockpass.example.com";

/// The service of the registry `local`.
pub(crate) const SERVICE: &str = "localhost:5000";

/// The folder of a broker, and an issuer that it trusts.
pub(crate) struct Site {
    pub(crate) clock: ManualClock,
    pub(crate) issuer: Issuer,
    pub(crate) folder: TempDir,
    /// Beside the broker's own, as another process has it.
    pub(crate) store: Store,
    config: String,
    /// After the store, whose connections it ends.
    _world: World,
}

impl Site {
    /// One registry, `local`, and the policy of `policy.toml`.
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With more sections in the configuration.
    pub(crate) async fn with(sections: &str) -> Self {
        Self::in_world(World::of_this_run().await, sections).await
    }

    /// On files, whatever the run is about: for the tests that break them.
    pub(crate) async fn embedded() -> Self {
        Self::in_world(World::Embedded, "").await
    }

    /// On PostgreSQL and Redis, whatever the run is about.
    pub(crate) async fn shared() -> Self {
        Self::in_world(World::shared().await, "").await
    }

    async fn in_world(world: World, sections: &str) -> Self {
        let (issuer, folder) = (Issuer::start().await, TempDir::new().unwrap());
        let text = include_str!("dockpass.toml").replace("ISSUER", issuer.url());
        let text = world.lines() + &text + sections;
        let config = Config::from_toml(&text, folder.path()).unwrap();
        let clock = ManualClock::at(SystemClock.now());
        if config.is_shared() {
            // what one of several brokers does not do for itself
            offline_registries(&config, Arc::new(clock.clone())).unwrap();
        }
        let store = Store::open(&config.store, &config.data_dir).await.unwrap();
        let site = Self { clock, issuer, folder, store, config: text, _world: world };
        site.apply(&site.policy()).await;
        site
    }

    /// With operators, each named by its role and where it has it.
    pub(crate) fn with_operators(mut self) -> Self {
        for (subject, role, place) in [
            ("viewer", "viewer", ""),
            ("local-token-editor", "token-editor", "registry = \"local\"\n"),
            ("editor", "editor", ""),
            ("other-editor", "editor", "registry = \"other\"\n"),
        ] {
            let issuer = self.issuer.url();
            write!(
                self.config,
                "[[admins]]\nissuer = \"{issuer}\"\nsubject = \"{subject}\"\nrole = \"{role}\"\n{place}"
            )
            .unwrap();
        }
        self
    }

    /// With more sections in the configuration, which may name the issuer.
    pub(crate) fn and(mut self, sections: &str) -> Self {
        self.config += sections;
        self
    }

    /// The configuration.
    pub(crate) fn config(&self) -> Config {
        Config::from_toml(&self.config, self.folder.path()).unwrap()
    }

    /// Changes the text of the configuration.
    pub(crate) fn reconfigure(&mut self, from: &str, to: &str) {
        assert!(self.config.contains(from), "{from}");
        self.config = self.config.replace(from, to);
    }

    /// Starts the broker, by the clock of the site.
    pub(crate) async fn start(&self) -> Running<'_> {
        Running::start(self, &self.config(), &self.clock).await
    }

    /// Starts one more broker beside others, with a folder and a clock of its own.
    pub(crate) async fn start_replica(&self, name: &str, clock: &ManualClock) -> Running<'_> {
        let config = Config { data_dir: self.folder.path().join(name), ..self.config() };
        Running::start(self, &config, clock).await
    }

    /// The policy of the tests, for the issuer.
    pub(crate) fn policy(&self) -> String {
        include_str!("policy.toml").replace("ISSUER", self.issuer.url())
    }

    /// Replaces the policy as `dockpass policy apply` does.
    pub(crate) async fn apply(&self, text: &str) {
        let (file, now) = (PolicyFile::parse(text).unwrap(), self.clock.now());
        self.change(|definitions| {
            let mut uid = || TokenUid::new(now);
            *definitions = file.onto(definitions, now, "test", &mut uid);
            // the change is counted by the caller
            definitions.revision -= 1;
        })
        .await;
    }

    /// Applies the policy of the tests with something else in it.
    pub(crate) async fn apply_with(&self, from: &str, to: &str) {
        let policy = self.policy();
        assert!(policy.contains(from), "{from}");
        self.apply(&policy.replace(from, to)).await;
    }

    /// Replaces the definitions, as another process does, with whatever `edit` makes of them.
    pub(crate) async fn change(&self, edit: impl FnOnce(&mut Definitions)) {
        let mut definitions = self.store.definitions().await.unwrap();
        edit(&mut definitions);
        definitions.revision += 1;
        let now = self.clock.now();
        let event = Event::new(DecisionId::new(now), now, dockpass::audit::Kind::PolicyChange);
        let seal = Journal::seal(event);
        self.store.replace_definitions(definitions, "test".to_owned(), now, seal).await.unwrap();
        // of several chains, time tells which event came first
        self.clock.advance(SignedDuration::from_millis(1));
    }

    /// A new password of a token.
    pub(crate) async fn password_of(&self, token: &str) -> String {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        let secret = PasswordSecret::from_random(&bytes);
        self.change(|definitions| {
            let generation = definitions.revision + 1;
            let password = Password {
                slot: PasswordSlot::Password1,
                generation,
                hash: secret.hash(),
                last_four: secret.last_four().into(),
                create_time: self.clock.now(),
                expire_time: None,
            };
            named(definitions, token).passwords = vec![password];
        })
        .await;
        secret.expose().to_owned()
    }

    /// Changes a token.
    pub(crate) async fn change_token(&self, name: &str, edit: impl FnOnce(&mut Token)) {
        self.change(|definitions| edit(named(definitions, name))).await;
    }

    /// An identity token of a subject.
    pub(crate) fn identity(&self, subject: &str) -> String {
        self.identity_with(&json!({"sub": subject}))
    }

    /// An identity token with claims.
    pub(crate) fn identity_with(&self, claims: &Value) -> String {
        self.issuer.token_at(self.clock.now().as_second(), AUDIENCE, claims)
    }

    /// All events, oldest first.
    pub(crate) fn events(&self) -> Vec<Event> {
        let page = Archive::open(&self.store).list(&Filter::default(), None, 10_000).unwrap();
        assert_eq!(page.next, None);
        page.events.into_iter().rev().map(|found| found.event).collect()
    }

    /// The event of a decision.
    pub(crate) fn event(&self, id: &str) -> Event {
        let found = Archive::open(&self.store).find(id.parse().unwrap()).unwrap();
        found.unwrap_or_else(|| panic!("{id} is not in the trail")).event
    }

    /// How many events there are of a kind.
    pub(crate) fn count(&self, kind: dockpass::audit::Kind) -> usize {
        self.events().iter().filter(|event| event.kind == kind).count()
    }
}

fn named<'a>(definitions: &'a mut Definitions, name: &str) -> &'a mut Token {
    definitions.tokens.iter_mut().find(|token| token.name.as_str() == name).unwrap()
}
