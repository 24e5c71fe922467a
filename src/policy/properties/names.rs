//! More names of claims than have a number: what has no code decides as what has.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::compile;
use crate::identity::{Evidence, for_test as identities};
use crate::model::{Definitions, Token};
use crate::policy::for_test::{
    OWN, after, context, credential, definitions, now, request, scope_map, token,
};
use crate::policy::{decide, explain};

/// Of them, 64 have a number.
const NAMES: usize = 70;

fn claim(number: usize) -> String {
    format!("claim-{number:02}")
}

/// One token for each name: its credential tests that claim, and the one of the next name, so that most stand together.
fn tokens(accepted: &[&str]) -> Vec<Token> {
    (0..NAMES)
        .map(|number| {
            let mut claims = Map::new();
            claims.insert(claim(number), json!([accepted[number % accepted.len()]]));
            claims.insert(claim((number + 1) % NAMES), json!(["x", "y"]));
            let own = credential("ci", OWN, "", Value::Object(claims));
            token(&format!("token-{number:02}"), "map-a", vec![own])
        })
        .collect()
}

/// The token that allows it, on which the fast path and the exhaustive one agree.
fn agree(definitions: &Definitions, claims: &Map<String, Value>) -> Option<String> {
    let wanted = request(&[("a", "pull")]);
    let identity = identities::workload(OWN.parse().unwrap(), "s", claims.clone(), after(600));
    let evidence = Evidence::Workload {
        issuer: OWN.to_owned(),
        subject: "s".to_owned(),
        claims: claims.clone(),
        expire_time: after(600),
    };
    let trace = explain(definitions, &context(), &evidence, &wanted, now());
    let snapshot = compile(definitions);
    let permit = decide(&snapshot, &identity, &wanted, now()).ok();
    let name = permit.map(|permit| permit.token_name().to_string());
    assert_eq!(name, trace.token_name, "{}", trace.summary);
    name
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn c7_the_index_and_the_exhaustive_evaluation_agree_on_more_names_than_have_a_number(
        order in Just((0..NAMES).collect::<Vec<_>>()).prop_shuffle(),
        present in prop::collection::btree_map(
            0..NAMES,
            prop::sample::select(vec![json!("x"), json!("y"), json!("xz"), json!(["y", "x"]), json!(1)]),
            0..NAMES,
        ),
    ) {
        let tokens = tokens(&["x", "y", "x*", "?*", "x*z"]);
        let tokens = order.into_iter().map(|number| tokens[number].clone()).collect();
        let definitions = definitions(vec![scope_map("map-a", &[("a", "pull")])], tokens);
        let claims = present.into_iter().map(|(number, value)| (claim(number), value)).collect();
        agree(&definitions, &claims);
    }
}

#[test]
fn c7_each_of_seventy_names_admits_by_itself() {
    let definitions = definitions(vec![scope_map("map-a", &[("a", "pull")])], tokens(&["x"]));
    for number in 0..NAMES {
        let mut claims = Map::new();
        claims.insert(claim(number), json!("x"));
        assert_eq!(agree(&definitions, &claims), None);
        claims.insert(claim((number + 1) % NAMES), json!("y"));
        assert_eq!(agree(&definitions, &claims), Some(format!("token-{number:02}")));
    }
}
