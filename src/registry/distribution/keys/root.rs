//! The root of x5c mode: a certificate that the registry trusts, and its key.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;

use super::leaf::since_1970;
use crate::registry::{Error, KeysConfig, WithoutRoot};
use crate::seal::private_file;

/// What is said to one of several brokers.
const UNSHARED: &str = "it is missing, and brokers that share a store or a cache share their root: `dockpass registry show NAME --bundle --config FILE` \
     makes it; give root.crt and root.key to each of them";
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 3653);

/// A root that is fit for its purpose: a CA, not ended, with its own key, and with nothing to do with TLS.
///
/// Its file may hold further certificates after its own: the root of before or of next, which registries are given to trust as well. So a
/// root is replaced without refusing what the old one signed.
pub(in crate::registry) struct Root {
    issuer: Issuer<'static, KeyPair>,
    bundle_pem: String,
    not_after: Timestamp,
    certificate_file: PathBuf,
}

impl Root {
    /// Reads certificate and key, or makes both when both are missing.
    ///
    /// # Errors
    /// With the file named and what to do: one of the two missing, key open to others, no CA, ended, of another key, or used for TLS too.
    pub(super) fn load_or_generate(config: &KeysConfig, now: Timestamp) -> Result<Self, Error> {
        let (certificate, key) = (&config.root_certificate_file, &config.root_key_file);
        match (exists(certificate)?, exists(key)?) {
            (false, false) => match config.without_root {
                WithoutRoot::Make => generate(certificate, key, now)?,
                WithoutRoot::Refuse => return Err(unusable(certificate, &UNSHARED)),
            },
            (true, true) => {}
            (true, false) => return Err(missing(key, certificate)),
            (false, true) => return Err(missing(certificate, key)),
        }
        let root = Self::load(certificate, key, now)?;
        for der in certificates(certificate, &root.bundle_pem)? {
            super::foreign::refuse_shared(&der, &config.foreign_certificate_files)?;
        }
        Ok(root)
    }

    /// A root in memory that looks like a generated one, to see that a registry refuses what it signs.
    ///
    /// # Errors
    /// No random numbers.
    pub(super) fn stranger(now: Timestamp) -> Result<Self, Error> {
        let (key, certificate) = make(now)?;
        Ok(Self {
            issuer: Issuer::new(params(now), key),
            bundle_pem: certificate.pem(),
            not_after: now.saturating_add(LIFE).unwrap_or(Timestamp::MAX),
            certificate_file: PathBuf::new(),
        })
    }

    /// Its certificate and those of before or next, for a registry's `rootcertbundle`.
    pub(in crate::registry) fn bundle_pem(&self) -> &str {
        &self.bundle_pem
    }

    /// When it ends.
    pub(in crate::registry) const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// What signs leaves.
    pub(super) const fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    /// A registry accepts nothing under a root that has ended.
    pub(super) fn refuse_ended(&self, at: Timestamp) -> Result<(), Error> {
        if at <= self.not_after {
            return Ok(());
        }
        Err(unusable(
            &self.certificate_file,
            &format!(
                "it ends at {}: put a new one in its place and in the registry's rootcertbundle",
                self.not_after
            ),
        ))
    }

    fn load(certificate_file: &Path, key_file: &Path, now: Timestamp) -> Result<Self, Error> {
        let read = fs::read_to_string(certificate_file);
        let bundle_pem = read.map_err(|error| unusable(certificate_file, &error))?;
        let ders = certificates(certificate_file, &bundle_pem)?;
        let Some((der, others)) = ders.split_first() else {
            return Err(unusable(certificate_file, &"it holds no certificate (PEM)"));
        };
        for other in others {
            refuse_unfit(certificate_file, &parse(certificate_file, other)?)?;
        }
        let key = private_file::read(key_file).map_err(|error| unusable(key_file, &error))?;
        let key = KeyPair::from_pem(&key)
            .map_err(|_| unusable(key_file, &"it is not a private key as PEM of PKCS #8"))?;
        let not_after = judge(certificate_file, der, &key)?;
        let issuer = Issuer::from_ca_cert_der(der, key)
            .map_err(|error| unusable(certificate_file, &error))?;
        let certificate_file = certificate_file.to_owned();
        let root = Self { issuer, bundle_pem, not_after, certificate_file };
        root.refuse_ended(now)?;
        Ok(root)
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").field("file", &self.certificate_file).finish_non_exhaustive()
    }
}

/// When a certificate ends that is a CA with this key.
fn judge(file: &Path, der: &CertificateDer<'_>, key: &KeyPair) -> Result<Timestamp, Error> {
    let certificate = parse(file, der)?;
    refuse_unfit(file, &certificate)?;
    if certificate.public_key().raw != key.subject_public_key_info() {
        return Err(unusable(
            file,
            &"its first certificate is that of another key; the root that signs comes first",
        ));
    }
    Timestamp::from_second(certificate.validity().not_after.timestamp())
        .map_err(|error| unusable(file, &error))
}

/// Refuses what a registry would not take as a root.
fn refuse_unfit(file: &Path, certificate: &X509Certificate<'_>) -> Result<(), Error> {
    let constraints = certificate.basic_constraints().map_err(|error| unusable(file, &error))?;
    if !constraints.is_some_and(|constraints| constraints.value.ca) {
        return Err(unusable(file, &"it is not a CA certificate (basicConstraints CA:TRUE)"));
    }
    let usage = certificate.key_usage().map_err(|error| unusable(file, &error))?;
    if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
        return Err(unusable(file, &"its key usage does not allow it to sign certificates"));
    }
    Ok(())
}

pub(super) fn parse<'a>(
    file: &Path,
    der: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, Error> {
    match x509_parser::parse_x509_certificate(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(unusable(file, &"it holds something that is no certificate")),
    }
}

/// Certificates and nothing else, because the file is shown to everybody, and is what registries are given to trust.
fn certificates(file: &Path, pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let blocks = pem.matches("-----BEGIN ").count();
    match read {
        Ok(found) if found.len() == blocks && blocks > 0 => Ok(found),
        _ => Err(unusable(file, &"it must hold certificates (PEM) and nothing else")),
    }
}

fn generate(certificate_file: &Path, key_file: &Path, now: Timestamp) -> Result<(), Error> {
    let (key, certificate) = make(now)?;
    let key_pem = zeroize::Zeroizing::new(key.serialize_pem());
    private_file::create(key_file, &key_pem).map_err(|error| unusable(key_file, &error))?;
    write_new(certificate_file, &certificate.pem())
        .map_err(|error| unusable(certificate_file, &error))
}

fn make(now: Timestamp) -> Result<(KeyPair, Certificate), Error> {
    let failed = |error: rcgen::Error| Error::Internal(format!("cannot make a root: {error}"));
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params(now).self_signed(&key).map_err(failed)?;
    Ok((key, certificate))
}

fn params(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "dockpass registry token root");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let not_before = now.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MIN);
    let not_after = now.saturating_add(LIFE).unwrap_or(Timestamp::MAX);
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_1970(not_before);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_1970(not_after);
    params
}

/// Readable by all: it is no secret, and the registry needs it.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(|error| unusable(path, &error))
}

fn missing(missing: &Path, present: &Path) -> Error {
    unusable(
        missing,
        &format!(
            "it is missing, but `{}` is there: put it back, or remove both to have a new root made",
            present.display()
        ),
    )
}

pub(super) fn unusable(file: &Path, problem: &dyn fmt::Display) -> Error {
    Error::Config(format!("cannot use `{}` for the keys of registries: {problem}", file.display()))
}

#[cfg(test)]
mod tests;
