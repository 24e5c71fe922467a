//! What must hold for every definition, identity and request.

mod changes;
mod names;
mod worlds;

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use self::worlds::{World, world};
use super::for_test::{context, now};
use super::{Denial, Permit, Snapshot, decide, decide_available, explain};
use crate::identity::{Identity, Kind};
use crate::model::{Definitions, Lifetime, Permissions, ScopeMap, Token};
use crate::seal::Ceiling;

fn compile(definitions: &Definitions) -> Snapshot {
    Snapshot::compile(definitions.clone(), &context()).unwrap()
}

fn decided<'a>(snapshot: &'a Snapshot, world: &'a World) -> Result<Permit<'a>, Denial> {
    decide(snapshot, &world.identity, &world.request, now())
}

fn behind<'a>(definitions: &'a Definitions, permit: &Permit<'_>) -> (&'a Token, &'a ScopeMap) {
    let token = definitions.tokens.iter().find(|token| token.uid == permit.token()).unwrap();
    let map = definitions
        .scope_maps
        .iter()
        .find(|map| map.registry == token.registry && map.name == token.scope_map)
        .unwrap();
    (token, map)
}

/// Nothing that the permit holds is missing in the request, in the scope map or in the session.
fn assert_not_wider(world: &World, permit: &Permit<'_>) {
    let (token, map) = behind(&world.definitions, permit);
    assert!(permit.permissions().is_subset_of(&world.request.permissions));
    assert_eq!(token.registry, world.request.registry);
    for permission in permit.permissions() {
        assert!(permission.actions.is_subset_of(map.actions_on(&permission.repository)));
    }
    if let Kind::Session(session) = world.identity.kind()
        && let Ceiling::Permissions(ceiling) = &session.ceiling
    {
        assert!(permit.permissions().is_subset_of(ceiling));
    }
}

/// The permit ends within each bound, looked up one by one.
fn assert_not_longer(world: &World, permit: &Permit<'_>) {
    let (token, map) = behind(&world.definitions, permit);
    let bounds =
        context().registries.into_iter().find(|r| r.name == world.request.registry).unwrap();
    let asked = world.request.lifetime.unwrap_or(bounds.default_lifetime);
    let lengths = [Some(asked), map.max_lifetime, bounds.max_lifetime];
    assert!(lengths.into_iter().flatten().all(|most| permit.lifetime() <= most));
    assert!(permit.lifetime() >= Lifetime::MIN);
    let end = permit.expire_time();
    assert!(token.expire_time.is_none_or(|most| end <= most));
    assert_not_longer_than_identity(&world.identity, token, permit);
}

fn assert_not_longer_than_identity(identity: &Identity, token: &Token, permit: &Permit<'_>) {
    let end = permit.expire_time();
    let federated = token.federated_credentials.iter().find(|own| {
        permit.credential().to_string() == format!("federated credential {}", own.name)
    });
    let password =
        token.passwords.iter().find(|own| own.slot.to_string() == permit.credential().to_string());
    assert!(
        federated.and_then(|own| own.max_lifetime).is_none_or(|most| permit.lifetime() <= most)
    );
    assert!(password.and_then(|own| own.expire_time).is_none_or(|most| end <= most));
    match identity.kind() {
        Kind::Workload(workload) => {
            let bound = federated.is_some_and(|own| own.bind_to_identity_expiry);
            assert!(!bound || end <= workload.expire_time());
        }
        Kind::Session(session) => assert!(end <= session.expire_time),
        Kind::Anonymous | Kind::Password(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn c5_a_permit_is_never_wider_nor_longer_than_any_bound(world in world()) {
        let snapshot = compile(&world.definitions);
        if let Ok(permit) = decided(&snapshot, &world) {
            prop_assert_eq!(permit.permissions(), &world.request.permissions);
            assert_not_wider(&world, &permit);
            assert_not_longer(&world, &permit);
        }
        if let Ok(permit) = decide_available(&snapshot, &world.identity, &world.request, now()) {
            assert_not_wider(&world, &permit);
            assert_not_longer(&world, &permit);
        }
    }

    #[test]
    fn c7_the_index_and_the_exhaustive_evaluation_agree(world in world()) {
        let trace = explain(&world.definitions, &context(), &world.evidence, &world.request, now());
        match decided(&compile(&world.definitions), &world) {
            Ok(permit) => {
                prop_assert!(trace.allowed, "{}", trace.summary);
                prop_assert_eq!(trace.token_name.as_deref(), Some(permit.token_name().as_str()));
                prop_assert_eq!(&trace.permissions, permit.permissions());
                prop_assert_eq!(trace.expire_time, Some(permit.expire_time()));
            }
            Err(denial) => {
                prop_assert!(!trace.allowed, "denied ({denial}), but {}", trace.summary);
                prop_assert_eq!(trace.permissions, Permissions::default());
            }
        }
    }

    #[test]
    fn c3_the_order_of_definitions_does_not_matter(
        (world, shuffled) in world().prop_flat_map(|world| {
            let maps = Just(world.definitions.scope_maps.clone()).prop_shuffle();
            let tokens = Just(world.definitions.tokens.clone()).prop_shuffle();
            (Just(world), maps, tokens).prop_map(|(world, scope_maps, tokens)| {
                let mut tokens = tokens;
                for token in &mut tokens {
                    token.federated_credentials.reverse();
                }
                let definitions = Definitions { scope_maps, tokens, ..world.definitions };
                (world.clone(), World { definitions, ..world })
            })
        })
    ) {
        let (snapshot, other) = (compile(&world.definitions), compile(&shuffled.definitions));
        match (decided(&snapshot, &world), decided(&other, &shuffled)) {
            (Ok(one), Ok(other)) => {
                prop_assert_eq!(one.token(), other.token());
                prop_assert_eq!(one.credential(), other.credential());
                prop_assert_eq!(one.lifetime(), other.lifetime());
                prop_assert_eq!(one.reuse_key(), other.reuse_key());
            }
            (Err(one), Err(other)) => prop_assert_eq!(one, other),
            (one, other) => prop_assert!(false, "{one:?} but {other:?}"),
        }
    }

    #[test]
    fn c5_what_is_allowed_is_allowed_by_its_token_alone(world in world()) {
        if let Ok(permit) = decided(&compile(&world.definitions), &world) {
            let mut alone = world.definitions.clone();
            alone.tokens.retain(|token| token.uid == permit.token());
            let alone = compile(&alone);
            let by_itself = decided(&alone, &world).map(|permit| permit.reuse_key());
            prop_assert_eq!(by_itself, Ok(permit.reuse_key()));
        }
    }

    #[test]
    fn g2_what_is_reused_later_ends_within_the_bounds_of_then(world in world(), later in 0..900_i64) {
        let snapshot = compile(&world.definitions);
        let Ok(permit) = decided(&snapshot, &world) else { return Ok(()) };
        let then = now() + SignedDuration::from_secs(later);
        let again = decide(&snapshot, &world.identity, &world.request, then);
        // another credential may be the better one by then, and has another key
        if let Some(again) = again.ok().filter(|again| again.reuse_key() == permit.reuse_key()) {
            prop_assert!(permit.expire_time() <= again.expire_time());
        }
    }

    #[test]
    fn nothing_is_allowed_without_definitions(world in world()) {
        let nothing = World { definitions: Definitions::default(), ..world };
        prop_assert!(decided(&compile(&nothing.definitions), &nothing).is_err());
    }
}

/// The worlds above are worth something only when every kind of identity is often allowed and often denied.
#[test]
fn the_random_worlds_allow_and_deny_every_kind_of_identity() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<&str, (u32, u32)>::new();
    for _ in 0..2000 {
        let world = world().new_tree(&mut runner).unwrap().current();
        let kind = match world.identity.kind() {
            Kind::Anonymous => "nobody",
            Kind::Password(_) => "password",
            Kind::Session(_) => "session",
            Kind::Workload(_) => "workload",
        };
        let (allowed, denied) = seen.entry(kind).or_default();
        *if decided(&compile(&world.definitions), &world).is_ok() { allowed } else { denied } += 1;
    }
    assert_eq!(seen.len(), 4);
    for (kind, (allowed, denied)) in seen {
        assert!(allowed >= 5 && denied >= 5, "{kind}: {allowed} allowed, {denied} denied");
    }
}
