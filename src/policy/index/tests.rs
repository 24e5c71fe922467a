//! How often a credential is looked at.

use serde_json::json;

use super::*;
use crate::identity::Kind;
use crate::policy::for_test::{OWN, credential, token, workload};

/// An index with one token, whose one credential accepts these values in the claim `groups`.
fn accepting(values: &[String]) -> CredentialIndex {
    let credential = credential("ci", OWN, "", json!({"groups": values}));
    let token = Arc::new(token("tok-a", "map-a", vec![credential]));
    let mut index = CredentialIndex::default();
    index.insert(&token, 0, Slot::default(), &Shared::default());
    index
}

/// How often a credential is found for a workload whose claim `groups` has these elements.
fn found(index: &CredentialIndex, groups: &[String]) -> usize {
    let identity = workload(OWN, "s", json!({"groups": groups}));
    let Kind::Workload(workload) = identity.kind() else { panic!("it is a workload") };
    let mut count = 0;
    index.find(workload, |_| count += 1);
    count
}

fn values(count: usize, ending: &str) -> Vec<String> {
    (0..count).map(|number| format!("v{number}{ending}")).collect()
}

#[test]
fn a_list_leads_to_a_credential_once_however_many_elements_fit() {
    let index = accepting(&values(255, ""));
    assert_eq!(found(&index, &vec!["v0".to_owned(); 3000]), 1);
    assert_eq!(found(&index, &values(3000, "")), 1);
    assert_eq!(found(&index, &vec!["v255".to_owned(); 3000]), 0);
    assert_eq!(found(&index, &[]), 0);
    // several elements have one key, and one element has several
    let index = accepting(&values(255, "*"));
    assert_eq!(found(&index, &values(3000, "")), 1);
    assert_eq!(found(&index, &values(3000, "/")), 0);
}
