use std::thread;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;
use crate::model::{Clock, ManualClock};
use crate::registry::KeysConfig;

const FIVE_MINUTES: Duration = Duration::from_mins(5);

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

fn leaves(longest_jwt: Duration) -> Leaves {
    let folder = tempfile::tempdir().unwrap();
    let config = KeysConfig {
        root_certificate_file: folder.path().join("root.crt"),
        root_key_file: folder.path().join("root.key"),
        ..KeysConfig::default()
    };
    let root = Root::load_or_generate(&config, now()).unwrap();
    Leaves::new(root, longest_jwt, now()).unwrap()
}

/// The certificate in the header of what a leaf signs.
fn certificate(leaf: &Leaf) -> Vec<u8> {
    let jwt = leaf.key.sign(&serde_json::json!({})).unwrap();
    let header = jwt.expose().split('.').next().unwrap();
    let header: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    STANDARD.decode(header["x5c"][0].as_str().unwrap()).unwrap()
}

#[test]
fn a_leaf_is_signed_by_the_root_for_signatures_only_from_an_hour_ago_for_a_day_at_least() {
    let leaves = leaves(FIVE_MINUTES);
    let der = certificate(&leaves.at(now()).unwrap());
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(leaves.root().bundle_pem().as_bytes()).unwrap();
    let root = pem.parse_x509().unwrap();
    leaf.verify_signature(Some(root.public_key())).unwrap();
    assert_eq!(leaf.issuer(), root.subject());
    assert!(!leaf.is_ca());
    let usage = leaf.key_usage().unwrap().unwrap().value;
    assert!(usage.digital_signature() && !usage.key_cert_sign());
    let seconds = now().as_second();
    assert_eq!(leaf.validity().not_before.timestamp(), seconds - 3600);
    assert!(leaf.validity().not_after.timestamp() >= seconds + 25 * 3600);
}

#[test]
fn a_leaf_is_rotated_before_it_could_end_ahead_of_what_it_signs() {
    for jwt in [FIVE_MINUTES, Duration::from_hours(1)] {
        let (leaves, clock) = (leaves(jwt), ManualClock::at(now()));
        let first = leaves.at(clock.now()).unwrap();
        clock.advance(SignedDuration::from_hours(25));
        assert!(Arc::ptr_eq(&first, &leaves.at(clock.now()).unwrap()), "it still serves");
        clock.advance(SignedDuration::from_secs(1));
        let second = leaves.at(clock.now()).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        assert_ne!(certificate(&first), certificate(&second));
        assert!(Arc::ptr_eq(&second, &leaves.at(clock.now()).unwrap()));
    }
}

#[test]
fn at_every_moment_the_leaf_outlives_the_longest_jwt_and_has_begun() {
    let (leaves, clock) = (leaves(FIVE_MINUTES), ManualClock::at(now()));
    for minutes in [0, 1, 1499, 1500, 1501, 20, 3000, 100_000, -200_000, 7] {
        clock.advance(SignedDuration::from_mins(minutes));
        let der = certificate(&leaves.at(clock.now()).unwrap());
        let validity = X509Certificate::from_der(&der).unwrap().1.validity().clone();
        assert!(validity.not_before.timestamp() <= clock.now().as_second());
        assert!(validity.not_after.timestamp() >= clock.now().as_second() + 900);
    }
}

#[test]
fn of_many_that_find_the_leaf_too_old_one_rotates() {
    let leaves = leaves(FIVE_MINUTES);
    let later = now() + SignedDuration::from_hours(26);
    let found: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| leaves.at(later).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(found.iter().all(|leaf| Arc::ptr_eq(leaf, &found[0])));
}

#[test]
fn nothing_is_signed_that_would_outlive_the_root() {
    let leaves = leaves(FIVE_MINUTES);
    let end = leaves.root().not_after();
    assert!(leaves.at(end - SignedDuration::from_mins(5)).is_ok());
    let error = leaves.at(end - SignedDuration::from_mins(4)).unwrap_err().to_string();
    assert!(error.contains("root.crt") && error.contains("rootcertbundle"), "{error}");
}
