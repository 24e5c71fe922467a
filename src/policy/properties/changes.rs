//! A snapshot that was changed decides as one that was compiled anew.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::compile;
use super::worlds::{World, bounded, definitions, world};
use crate::model::{DefinitionChange, Definitions, RegistryName, ScopeMap, Token};
use crate::policy::for_test::now;
use crate::policy::{Denial, Snapshot, decide, decide_available};

/// What leads from one set of definitions to another; what did not change is there as well when `all`.
fn changes(before: &Definitions, after: &Definitions, all: bool) -> Vec<DefinitionChange> {
    let gone_maps = before
        .scope_maps
        .iter()
        .filter(|map| !after.scope_maps.iter().any(|own| key(own) == key(map)));
    let gone_tokens = before
        .tokens
        .iter()
        .filter(|token| !after.tokens.iter().any(|own| name(own) == name(token)));
    let put_maps = after.scope_maps.iter().filter(|map| all || !before.scope_maps.contains(map));
    let put_tokens = after.tokens.iter().filter(|token| all || !before.tokens.contains(token));
    put_tokens
        .map(|token| DefinitionChange::TokenPut(Box::new(token.clone())))
        .chain(gone_tokens.map(|token| DefinitionChange::TokenGone {
            registry: token.registry.clone(),
            name: token.name.clone(),
        }))
        .chain(gone_maps.map(|map| DefinitionChange::ScopeMapGone {
            registry: map.registry.clone(),
            name: map.name.clone(),
        }))
        .chain(put_maps.map(|map| DefinitionChange::ScopeMapPut(Box::new(map.clone()))))
        .collect()
}

fn key(map: &ScopeMap) -> (&RegistryName, &str) {
    (&map.registry, map.name.as_str())
}

fn name(token: &Token) -> (&RegistryName, &str) {
    (&token.registry, token.name.as_str())
}

type Answers = [Result<(String, [u8; 32]), Denial>; 2];

fn answers(snapshot: &Snapshot, world: &World) -> Answers {
    [decide, decide_available].map(|decide| {
        let permit = decide(snapshot, &world.identity, &world.request, now())?;
        let key = *permit.reuse_key().as_bytes();
        Ok((format!("{permit:?}"), key))
    })
}

fn by_name(definitions: Definitions) -> impl PartialEq + std::fmt::Debug {
    let maps: BTreeMap<_, _> = definitions
        .scope_maps
        .into_iter()
        .map(|map| ((map.registry.clone(), map.name.clone()), map))
        .collect();
    let tokens: BTreeMap<_, _> = definitions
        .tokens
        .into_iter()
        .map(|token| ((token.registry.clone(), token.name.clone()), token))
        .collect();
    (definitions.revision, maps, tokens)
}

/// Some tokens and scope maps as they are in another world, or not there as they are not there, in place of those of this one.
fn near(world: &Definitions, other: &Definitions, replaced: &[bool]) -> Definitions {
    let mut near = world.clone();
    for (token, _) in other.tokens.iter().zip(replaced).filter(|(_, replaced)| **replaced) {
        near.tokens.retain(|own| name(own) != name(token));
        near.tokens.push(token.clone());
    }
    for (map, replaced) in world.scope_maps.iter().zip(replaced.iter().rev()) {
        if *replaced && !other.scope_maps.iter().any(|own| key(own) == key(map)) {
            near.scope_maps.retain(|own| key(own) != key(map));
        }
    }
    for (map, _) in other.scope_maps.iter().zip(replaced.iter().rev()).filter(|own| *own.1) {
        near.scope_maps.retain(|own| key(own) != key(map));
        near.scope_maps.push(map.clone());
    }
    bounded(near)
}

/// How often one snapshot is made of another in a row.
const STEPS: usize = 4;

proptest! {
    #[test]
    fn c7_a_changed_snapshot_and_one_compiled_anew_agree(
        world in world(),
        others in prop::collection::vec(definitions(), STEPS - 1),
        replaced in prop::collection::vec(prop::collection::vec(any::<bool>(), 12), STEPS - 1),
        all in any::<bool>(),
    ) {
        let others = others.iter().zip(&replaced);
        let nearby = others.map(|(other, replaced)| near(&world.definitions, other, replaced));
        let mut before = Definitions { revision: 1, ..Definitions::default() };
        let mut original = compile(&before);
        // what is there at last is what the identity is made for
        for after in nearby.chain([world.definitions.clone()]) {
            let answers_before = answers(&original, &world);
            let changed = original.apply(changes(&before, &after, all), after.revision).unwrap();
            prop_assert_eq!(answers(&changed, &world), answers(&compile(&after), &world));
            prop_assert_eq!(by_name(changed.definitions()), by_name(after.clone()));
            // the one that it was made of is as it was
            prop_assert_eq!(answers(&original, &world), answers_before);
            prop_assert_eq!(by_name(original.definitions()), by_name(before));
            (before, original) = (after, changed);
        }
    }

    #[test]
    fn definitions_come_and_go_without_a_trace(world in world()) {
        let nothing = compile(&Definitions { revision: 1, ..Definitions::default() });
        let all = changes(&Definitions::default(), &world.definitions, true);
        let there = nothing.apply(all, 1).unwrap();
        prop_assert_eq!(answers(&there, &world), answers(&compile(&world.definitions), &world));
        let gone = there.apply(changes(&world.definitions, &Definitions::default(), false), 1).unwrap();
        prop_assert_eq!(answers(&gone, &world), answers(&nothing, &world));
        prop_assert!(gone.is_without_places());
    }
}
