use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::super::root::Root;
use crate::registry::{Error, KeysConfig, WithoutRoot};

struct Setup {
    folder: TempDir,
    config: KeysConfig,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = KeysConfig {
            root_certificate_file: folder.path().join("root.crt"),
            root_key_file: folder.path().join("root.key"),
            without_root: WithoutRoot::Make,
            signing_key_files: Vec::new(),
            foreign_certificate_files: Vec::new(),
        };
        let setup = Self { folder, config };
        setup.start(&[]).unwrap();
        setup
    }

    fn root_pem(&self) -> String {
        std::fs::read_to_string(&self.config.root_certificate_file).unwrap()
    }

    fn root_key(&self) -> KeyPair {
        KeyPair::from_pem(&std::fs::read_to_string(&self.config.root_key_file).unwrap()).unwrap()
    }

    /// The configuration with foreign files of these texts.
    fn with(&self, foreign: &[&str]) -> KeysConfig {
        let mut config = self.config.clone();
        for (number, text) in foreign.iter().enumerate() {
            let path = self.folder.path().join(format!("foreign{number}.pem"));
            std::fs::write(&path, text).unwrap();
            config.foreign_certificate_files.push(path);
        }
        config
    }

    fn start(&self, foreign: &[&str]) -> Result<Root, Error> {
        Root::load_or_generate(&self.with(foreign), now())
    }
}

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

fn stranger(is_ca: IsCa) -> String {
    CertifiedIssuer::self_signed(params(is_ca), KeyPair::generate().unwrap()).unwrap().pem()
}

fn params(is_ca: IsCa) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = is_ca;
    params
}

#[test]
fn g8_a_root_that_is_the_tls_certificate_or_client_ca_refuses_to_start() {
    let setup = Setup::new();
    let error = setup.start(&[&setup.root_pem()]).unwrap_err().to_string();
    assert!(error.contains("foreign0.pem") && error.contains("a root of their own"), "{error}");
}

#[test]
fn g8_a_root_that_signed_the_tls_certificate_refuses_to_start() {
    let setup = Setup::new();
    let issuer = Issuer::from_ca_cert_pem(&setup.root_pem(), setup.root_key()).unwrap();
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let signed = params(is_ca).signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem();
        let chain = format!("{}{signed}", stranger(IsCa::NoCa));
        for text in [&signed, &chain] {
            let error = setup.start(&[&stranger(IsCa::NoCa), text]).unwrap_err().to_string();
            assert!(error.contains("foreign1.pem") && error.contains("signed"), "{error}");
        }
    }
}

#[test]
fn g8_a_tls_certificate_of_the_roots_key_refuses_to_start() {
    let setup = Setup::new();
    let params = CertificateParams::default();
    let stranger =
        CertifiedIssuer::self_signed(params.clone(), KeyPair::generate().unwrap()).unwrap();
    let same_key = params.signed_by(&setup.root_key(), &stranger).unwrap().pem();
    let error = setup.start(&[&same_key]).unwrap_err().to_string();
    assert!(error.contains("root's key"), "{error}");
}

#[test]
fn g8_a_file_of_which_nothing_can_be_known_refuses_to_start() {
    let setup = Setup::new();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no pem", broken] {
        assert!(setup.start(&[text]).is_err(), "{text}");
    }
    let mut config = setup.config.clone();
    config.foreign_certificate_files.push(setup.folder.path().join("none.pem"));
    assert!(Root::load_or_generate(&config, now()).is_err());
}

#[test]
fn certificates_that_have_nothing_to_do_with_the_root_do_not_matter() {
    let setup = Setup::new();
    let ca = stranger(IsCa::Ca(BasicConstraints::Unconstrained));
    let several = format!("{ca}{}", stranger(IsCa::NoCa));
    assert!(setup.start(&[&ca, &several]).is_ok());
}
