use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::model::{Lifetime, ManualClock};

struct Setup {
    folder: TempDir,
    keys: KeysConfig,
}

impl Setup {
    fn new(signing_keys: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeysConfig::for_test(folder.path(), signing_keys);
        Self { folder, keys }
    }

    fn build(&self, configs: Vec<Config>) -> Result<Registries, Error> {
        let clock = ManualClock::at(now());
        Registries::build(configs, self.keys.clone(), Dependencies::for_test(clock))
    }

    fn refusal(&self, configs: Vec<Config>) -> String {
        self.build(configs).unwrap_err().to_string()
    }
}

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

fn config(name: &str, service: &str, key_reference: KeyReference) -> Config {
    Config {
        name: name.parse().unwrap(),
        service: service.to_owned(),
        key_reference,
        ..Config::for_test()
    }
}

#[test]
fn registries_are_found_by_name_and_by_service() {
    let setup = Setup::new(1);
    let configs = vec![
        config("west", "w.test", KeyReference::X5c),
        config("east", "e.test", KeyReference::Kid),
    ];
    let registries = setup.build(configs).unwrap();
    let names: Vec<_> = registries.iter().map(|registry| registry.name.as_str()).collect();
    assert_eq!(names, ["east", "west"]);
    assert_eq!(registries.by_service("w.test").unwrap().name.as_str(), "west");
    assert!(registries.by_service("W.test").is_none() && registries.by_service("").is_none());
    assert!(registries.get(&"north".parse().unwrap()).is_none());
    let server = registries.by_service("e.test").unwrap().driver.token_server().unwrap();
    assert_eq!(server.service(), "e.test");
}

#[test]
fn two_registries_of_one_name_or_service_are_refused() {
    let setup = Setup::new(0);
    let same_service = vec![
        config("west", "a.test", KeyReference::X5c),
        config("east", "a.test", KeyReference::X5c),
    ];
    let error = setup.refusal(same_service);
    assert!(error.contains("`west`") && error.contains("`east`") && error.contains("`a.test`"));
    let same_name = vec![
        config("west", "a.test", KeyReference::X5c),
        config("west", "b.test", KeyReference::X5c),
    ];
    assert!(setup.refusal(same_name).contains("two registries named `west`"));
}

#[test]
fn malformed_keys_of_the_configuration_are_named() {
    let setup = Setup::new(0);
    let hour = Lifetime::new(Duration::from_hours(1)).unwrap();
    let over = Lifetime::new(Duration::from_secs(3601)).unwrap();
    let base = Config::for_test;
    assert!(setup.build(vec![Config { jwt_lifetime: Some(hour), ..base() }]).is_ok());
    for (config, key) in [
        (Config { host: String::new(), ..base() }, "host"),
        (Config { host: "https://a".into(), ..base() }, "host"),
        (Config { host: "user@a".into(), ..base() }, "host"),
        (Config { host: "a b".into(), ..base() }, "host"),
        (Config { service: String::new(), ..base() }, "service"),
        (Config { service: "a\nb".into(), ..base() }, "service"),
        (Config { token_issuer: String::new(), ..base() }, "token_issuer"),
        (Config { jwt_lifetime: Some(over), ..base() }, "jwt_lifetime"),
    ] {
        let error = setup.refusal(vec![config]);
        assert!(error.starts_with(&format!("registry `local`: {key} ")), "{error}");
    }
}

#[test]
fn kid_mode_publishes_public_keys_and_makes_no_root() {
    let setup = Setup::new(2);
    let registries = setup.build(vec![config("a", "a.test", KeyReference::Kid)]).unwrap();
    let jwks = registries.jwks();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key["kty"] == "EC" && key.get("d").is_none()));
    assert_eq!(registries.root_certificate_pem(), "");
    assert!(!setup.folder.path().join("root.crt").exists());
    let registry = registries.iter().next().unwrap();
    let bundle = registry.driver.token_server().unwrap().bundle_pem();
    assert_eq!(bundle.matches("-----BEGIN CERTIFICATE-----\n").count(), 2);
    assert!(!bundle.contains("PRIVATE"));
}

#[test]
fn x5c_mode_publishes_the_root_and_no_key() {
    let setup = Setup::new(1);
    let registries = setup.build(vec![config("a", "a.test", KeyReference::X5c)]).unwrap();
    assert_eq!(registries.jwks(), serde_json::json!({"keys": []}));
    let pem = std::fs::read_to_string(setup.folder.path().join("root.crt")).unwrap();
    assert_eq!(registries.root_certificate_pem(), pem);
    let registry = registries.iter().next().unwrap();
    assert_eq!(registry.driver.token_server().unwrap().bundle_pem(), pem);
}

#[test]
fn kid_mode_without_a_key_file_is_refused() {
    let error = Setup::new(0).refusal(vec![config("a", "a.test", KeyReference::Kid)]);
    assert!(error.contains("keys.signing_key_files"), "{error}");
}

#[test]
fn g8_a_shared_root_stops_all_registries() {
    let mut setup = Setup::new(0);
    let configs = vec![config("a", "a.test", KeyReference::X5c)];
    setup.build(configs.clone()).unwrap();
    setup.keys.foreign_certificate_files = vec![setup.folder.path().join("root.crt")];
    assert!(setup.refusal(configs).contains("a root of their own"));
}

#[test]
fn b7_another_name_host_or_service_is_another_registry() {
    let base = Config::for_test;
    let others = [
        Config { name: "other".parse().unwrap(), ..base() },
        Config { host: "other:5000".into(), ..base() },
        Config { service: "other".into(), ..base() },
        Config { host: "localhost:500".into(), service: "0registry.test".into(), ..base() },
    ];
    assert!(others.iter().all(|other| other.uid() != base().uid()));
    let same = Config { token_issuer: "other".into(), anonymous: true, ..base() };
    assert_eq!(same.uid(), base().uid());
}
