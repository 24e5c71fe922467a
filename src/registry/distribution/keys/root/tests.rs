use std::os::unix::fs::PermissionsExt;

use rcgen::CertifiedIssuer;
use tempfile::TempDir;

use super::*;

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

struct Files {
    folder: TempDir,
    config: KeysConfig,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = KeysConfig {
            root_certificate_file: folder.path().join("root.crt"),
            root_key_file: folder.path().join("root.key"),
            ..KeysConfig::default()
        };
        Self { folder, config }
    }

    /// Files with a root that has these parameters.
    fn with(params: CertificateParams) -> Self {
        let files = Self::new();
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(&files.config.root_certificate_file, root.pem()).unwrap();
        let key = root.key().serialize_pem();
        private_file::create(&files.config.root_key_file, &key).unwrap();
        files
    }

    fn load(&self) -> Result<Root, Error> {
        Root::load_or_generate(&self.config, now())
    }

    fn refusal(&self) -> String {
        self.load().unwrap_err().to_string()
    }
}

#[test]
fn a_root_is_made_once_is_a_ca_of_leaves_only_and_its_key_is_its_owners_alone() {
    let files = Files::new();
    let made = files.load().unwrap();
    assert_eq!(files.load().unwrap().certificate_pem(), made.certificate_pem());
    let mode = fs::metadata(&files.config.root_key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let der = made.certificate_der().unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let constraints = certificate.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    assert!(certificate.key_usage().unwrap().unwrap().value.key_cert_sign());
    let years = (made.not_after().as_second() - now().as_second()) / (365 * 24 * 3600);
    assert_eq!(years, 10);
}

#[test]
fn one_file_without_the_other_is_refused_and_nothing_is_made() {
    for missing in ["root.crt", "root.key"] {
        let files = Files::new();
        files.load().unwrap();
        fs::remove_file(files.folder.path().join(missing)).unwrap();
        let error = files.refusal();
        assert!(error.contains(missing) && error.contains("put it back"), "{error}");
        assert!(!files.folder.path().join(missing).exists());
    }
}

#[test]
fn a_root_that_a_registry_would_not_accept_is_refused() {
    let with = |change: fn(&mut CertificateParams)| {
        let mut params = params(now());
        change(&mut params);
        params
    };
    let cases = [
        (with(|params| params.is_ca = IsCa::NoCa), "not a CA"),
        (with(|params| params.is_ca = IsCa::ExplicitNoCa), "not a CA"),
        (with(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]), "key usage"),
        (params(now() - LIFE - SignedDuration::from_secs(1)), "it ends at"),
    ];
    for (params, problem) in cases {
        let error = Files::with(params).refusal();
        assert!(error.contains(problem) && error.contains("root.crt"), "{error}");
    }
}

#[test]
fn the_key_of_another_root_a_broken_key_or_an_open_one_is_refused() {
    let (files, other) = (Files::new(), Files::new());
    files.load().unwrap();
    other.load().unwrap();
    fs::copy(&other.config.root_key_file, &files.config.root_key_file).unwrap();
    assert!(files.refusal().contains("another key"));
    fs::write(&files.config.root_key_file, "canary").unwrap();
    let error = files.refusal();
    assert!(error.contains("root.key") && !error.contains("canary"), "{error}");
    fs::set_permissions(&other.config.root_key_file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(other.refusal().contains("chmod 600"));
}

#[test]
fn the_certificate_file_holds_one_certificate() {
    let (files, other) = (Files::new(), Files::new());
    let (pem, more) =
        (files.load().unwrap().certificate_pem, other.load().unwrap().certificate_pem);
    for text in [String::new(), "rubbish".to_owned(), format!("{pem}{more}")] {
        fs::write(&files.config.root_certificate_file, text).unwrap();
        assert!(files.refusal().contains("one certificate"));
    }
}
