//! The files in `deploy/`: what a reader copies works.

use std::path::Path;

use dockpass::config::Config;
use dockpass::model::{Clock, Definitions, SystemClock, TokenUid};
use dockpass::policy::{PolicyFile, Snapshot, run_tests};

#[test]
fn the_example_policy_compiles_under_the_example_configuration_and_its_tests_pass() {
    let config = include_str!("../../deploy/dockpass.toml");
    let context = Config::from_toml(config, Path::new("/etc/dockpass")).unwrap().policy_context();
    let file = PolicyFile::parse(include_str!("../../deploy/policy.toml")).unwrap();
    let now = SystemClock.now();
    let empty = Definitions { revision: 0, scope_maps: Vec::new(), tokens: Vec::new() };
    let definitions = file.onto(&empty, now, "test", &mut || TokenUid::new(now));
    Snapshot::compile(definitions.clone(), &context).unwrap();
    let outcomes = run_tests(&file.tests, &definitions, &context, now);
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        assert!(outcome.passed, "{outcome:?}");
    }
}

#[test]
fn the_example_of_a_replica_is_a_configuration_that_shares_its_store_and_keys() {
    let config = include_str!("../../deploy/replica.toml");
    let config = Config::from_toml(config, Path::new("/etc/dockpass")).unwrap();
    assert!(config.is_shared());
}
