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
    assert_eq!(files.load().unwrap().bundle_pem(), made.bundle_pem());
    let mode = fs::metadata(&files.config.root_key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let der = CertificateDer::from_pem_slice(made.bundle_pem().as_bytes()).unwrap();
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
fn one_of_several_brokers_makes_no_root_of_its_own() {
    let mut files = Files::new();
    files.config.without_root = WithoutRoot::Refuse;
    let error = files.refusal();
    assert!(error.contains("root.crt") && error.contains("share their root"), "{error}");
    assert!(!files.config.root_key_file.exists());
}

#[test]
fn the_certificate_file_holds_certificates_and_nothing_else() {
    let files = Files::new();
    let pem = files.load().unwrap().bundle_pem;
    let key = fs::read_to_string(&files.config.root_key_file).unwrap();
    for text in [String::new(), "rubbish".to_owned(), format!("{pem}{key}")] {
        fs::write(&files.config.root_certificate_file, text).unwrap();
        assert!(files.refusal().contains("certificates (PEM) and nothing else"));
    }
}

#[test]
fn a_root_of_before_or_next_is_trusted_beside_the_one_that_signs() {
    let (files, other) = (Files::new(), Files::new());
    let (own, next) = (files.load().unwrap().bundle_pem, other.load().unwrap().bundle_pem);
    let both = format!("{own}{next}");
    fs::write(&files.config.root_certificate_file, &both).unwrap();
    assert_eq!(files.load().unwrap().bundle_pem(), both);
    // the key says which of them signs, and that one is first
    fs::write(&files.config.root_certificate_file, format!("{next}{own}")).unwrap();
    assert!(files.refusal().contains("comes first"));
    let mut no_ca = params(now());
    no_ca.is_ca = IsCa::NoCa;
    let leaf = Files::with(no_ca);
    let leaf = fs::read_to_string(leaf.config.root_certificate_file).unwrap();
    fs::write(&files.config.root_certificate_file, format!("{own}{leaf}")).unwrap();
    assert!(files.refusal().contains("not a CA"));
}

#[test]
fn g8_a_further_root_has_nothing_to_do_with_tls_either() {
    let (mut files, other) = (Files::new(), Files::new());
    let (own, next) = (files.load().unwrap().bundle_pem, other.load().unwrap().bundle_pem);
    fs::write(&files.config.root_certificate_file, format!("{own}{next}")).unwrap();
    files.config.foreign_certificate_files = vec![other.config.root_certificate_file];
    assert!(files.refusal().contains("root certificate itself"));
}
