use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::CertificateDer;
use tempfile::TempDir;

use super::*;

/// The sample key of the distribution token specification, and the id that it has there.
const SAMPLE: (&str, &str, &str) = (
    "m7zUpx3b-zmVE5cymSs64POG9QcyEpJaYCD82-549_Q",
    "dU3biz8sZ_8GPB-odm8Wxz3lNDr1xcAQQPQaOcr1fmc",
    "PYYO:TEWU:V7JH:26JV:AQTZ:LJC3:SXVJ:XGHA:34F2:2LAQ:ZRMK:Z7Q6",
);

/// A P-256 `SubjectPublicKeyInfo` up to its point (RFC 5480).
const SPKI_START: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

fn spki(x: &str, y: &str) -> Vec<u8> {
    let point = [URL_SAFE_NO_PAD.decode(x).unwrap(), URL_SAFE_NO_PAD.decode(y).unwrap()];
    [SPKI_START.as_slice(), &point.concat()].concat()
}

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signing.key");
    private_file::create(&path, text).unwrap();
    (folder, path)
}

#[test]
fn the_key_id_is_that_of_the_specifications_sample() {
    let (x, y, kid) = SAMPLE;
    assert_eq!(fingerprint(&spki(x, y)), kid);
}

#[test]
fn a_key_is_published_with_its_id_as_jwk_and_as_certificate() {
    let (_folder, path) = file(&KeyPair::generate().unwrap().serialize_pem());
    let key = KidKey::load(&path).unwrap();
    let (x, y) = (key.jwk["x"].as_str().unwrap(), key.jwk["y"].as_str().unwrap());
    assert_eq!(fingerprint(&spki(x, y)), key.kid);
    assert_eq!(key.jwk["kid"].as_str(), Some(key.kid.as_str()));
    assert!(key.jwk.get("d").is_none());
    let der = CertificateDer::from_pem_slice(key.certificate_pem.as_bytes()).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert_eq!(fingerprint(certificate.public_key().raw), key.kid);
    assert!(!certificate.is_ca(), "what it signed would be trusted as well");
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = file(&KeyPair::generate().unwrap().serialize_pem());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = KidKey::load(&path).unwrap_err().to_string();
    assert!(error.contains("chmod 600") && error.contains("signing.key"), "{error}");
}

#[test]
fn what_is_no_p256_key_is_refused_with_the_remedy_and_without_its_text() {
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    let good = KeyPair::generate().unwrap().serialize_pem();
    let sec1 = good.replace("PRIVATE KEY", "EC PRIVATE KEY");
    for text in ["", "canary", good.get(..good.len() / 2).unwrap(), &p384, &ed25519, &sec1] {
        let (_folder, path) = file(text);
        let error = KidKey::load(&path).unwrap_err().to_string();
        assert!(error.contains("openssl genpkey") && !error.contains("canary"), "{error}");
    }
}
