//! The code says what the conditions say.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::identity::Kind;
use crate::policy::for_test::{OWN, credential, workload};

fn text() -> impl Strategy<Value = String> {
    "[ab/:é]{0,4}"
}

fn accepted() -> impl Strategy<Value = Value> {
    let pattern = prop::sample::select(vec!["", "*", "**", "?", "*a", "a*b"]);
    prop_oneof![
        4 => (text(), pattern).prop_map(|(text, pattern)| Value::from(text + pattern)),
        1 => (-2..2_i64).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

fn seen() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        6 => text().prop_map(Value::from),
        1 => (-2..2_i64).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => prop::sample::select(vec![json!(null), json!({"a": "a"}), json!(1.0), json!(1e0)]),
    ];
    prop_oneof![4 => one.clone(), 1 => prop::collection::vec(one, 0..3).prop_map(Value::from)]
}

fn object<V: Strategy<Value = Value>>(value: V) -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["one", "two", "/one", "/two/a", "/one/0"]);
    prop::collection::btree_map(name, value, 0..4).prop_map(|members| json!(members))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn c7_the_code_and_the_conditions_agree(
        subject in prop_oneof![Just(String::new()), accepted().prop_map(|value| {
            value.as_str().unwrap_or_default().to_owned()
        })],
        conditions in object(prop::collection::vec(accepted(), 1..3).prop_map(Value::from)),
        claims in object(seen()),
        caller in text(),
    ) {
        let credential = credential("ci", OWN, &subject, conditions);
        let identity = workload(OWN, &caller, claims);
        let Kind::Workload(workload) = identity.kind() else { panic!("it is a workload") };
        let mut names = Names::default();
        let Some(code) = of(&credential, &mut names) else { return Ok(()) };
        let admits = credential.admits(OWN, workload.subject(), workload.claims());
        for number in [None, Some(0), Some(1)] {
            let claim = |number| Some((number, names.name(number)?.find(workload.claims())?));
            let known = number.and_then(claim);
            prop_assert_eq!(holds(&code, &Seen { workload, names: &names, known }), admits);
        }
        // code that is cut off inside of a condition admits nobody
        let seen = Seen { workload, names: &names, known: None };
        prop_assert!(code.is_empty() || !holds(&code[..code.len() - 1], &seen));
    }
}

#[test]
fn what_has_no_code_is_not_written() {
    let mut names = Names::default();
    let mut coded =
        |subject: &str, claims| of(&credential("ci", OWN, subject, claims), &mut names).is_some();
    assert!(coded("a/**", json!({"ref": ["a*", "b", 1, true], "/a/b": ["*"]})));
    for pattern in ["a*b", "a?", "*/*", "a**b"] {
        assert!(!coded(pattern, json!({})), "{pattern}");
    }
    let many: Vec<i64> = (0..256).collect();
    assert!(!coded("", json!({"id": many})));
    // more names than have a number: what was not written above took none
    for claim in 0..100 {
        let name = format!("claim-{claim}");
        assert_eq!(coded("", json!({name: ["a"]})), claim < 62, "{claim}");
    }
}
