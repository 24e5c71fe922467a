//! The vectors of C2SP/wycheproof (`tests/data/wycheproof`) against the path that every token takes: the key set, the compact
//! form, the choice of the key, the signature.

use serde_json::{Map, Value, json};

use super::super::compact::Compact;
use super::super::key_set::KeySet;
use super::super::testing::config;
use crate::identity::Check;
use crate::model::IssuerUrl;

/// Vectors whose verdict is not ours, and why.
const QUIRKS: [(&str, u64, &str); 4] = [
    ("signature", 346, "the key says PS256, the header PS384: an algorithm that is not the key's"),
    ("signature", 350, "the key says PS256, the header PS384: an algorithm that is not the key's"),
    ("signature", 347, "the key says `ES521`, which is no algorithm, and we read no P-521"),
    ("signature", 351, "the key says `ES521`, which is no algorithm, and we read no P-521"),
];

#[derive(Default)]
struct Tally {
    agreed: usize,
    quirks: Vec<u64>,
    wrong: Vec<String>,
}

impl Tally {
    fn run(file: &str, document: &str) -> Self {
        let document: Value = serde_json::from_str(document).unwrap();
        let mut tally = Self::default();
        for group in document["testGroups"].as_array().unwrap() {
            let public = public_keys(group);
            for test in group["tests"].as_array().unwrap() {
                tally.count(file, &public, group, test);
            }
        }
        tally
    }

    fn count(&mut self, file: &str, public: &[Value], group: &Value, test: &Value) {
        let id = test["tcId"].as_u64().unwrap();
        let verified = verify(public, test["jws"].as_str().unwrap());
        // a secret that both sides share is never a key of ours: everything under one must be refused
        let expected = test["result"] == "valid" && is_asymmetric(group);
        if verified.is_ok() == expected {
            self.agreed += 1;
        } else if QUIRKS.iter().any(|(quirk_of, quirk, _)| *quirk_of == file && *quirk == id) {
            self.quirks.push(id);
        } else {
            self.wrong.push(format!("{id} {}: {verified:?}", test["comment"]));
        }
    }
}

fn verify(keys: &[Value], jws: &str) -> Result<(), Check> {
    let issuer: IssuerUrl = config("https://issuer.example.com").issuer;
    let set = KeySet::parse(json!({"keys": keys}).to_string().as_bytes(), &issuer);
    let set = set.map_err(|_| Check::KeyUnknown)?;
    let token = Compact::parse(jws)?;
    let key = set.find(token.key_id.as_deref())?;
    let verifies = key.verifies(token.algorithm, token.signed, &token.signature);
    verifies.then_some(()).ok_or(Check::Signature)
}

/// The keys of a group as an issuer would publish them: without what is private. Shared secrets stay as they are.
fn public_keys(group: &Value) -> Vec<Value> {
    let keys = group.get("public").or_else(|| group.get("private")).unwrap();
    let keys = keys
        .get("keys")
        .map_or_else(|| vec![keys.clone()], |keys| keys.as_array().unwrap().clone());
    keys.into_iter().map(without_private_members).collect()
}

fn without_private_members(key: Value) -> Value {
    let Value::Object(members) = key else { panic!("a key is an object") };
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth"];
    members
        .into_iter()
        .filter(|(name, _)| !private.contains(&name.as_str()))
        .collect::<Map<_, _>>()
        .into()
}

fn is_asymmetric(group: &Value) -> bool {
    public_keys(group).iter().all(|key| key["kty"] != "oct")
}

#[test]
fn signature_vectors_agree() {
    let document = include_str!("../../../../tests/data/wycheproof/json_web_signature_test.json");
    let tally = Tally::run("signature", document);
    assert!(tally.wrong.is_empty(), "{:#?}", tally.wrong);
    assert_eq!(tally.quirks.len(), QUIRKS.len(), "a quirk that is none: {:?}", tally.quirks);
    assert_eq!(tally.agreed + tally.quirks.len(), 401);
}

#[test]
fn a5_key_vectors_agree() {
    let document = include_str!("../../../../tests/data/wycheproof/json_web_key_test.json");
    let tally = Tally::run("key", document);
    assert!(tally.wrong.is_empty(), "{:#?}", tally.wrong);
    assert_eq!(tally.agreed, 26);
}
