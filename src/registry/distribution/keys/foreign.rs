//! The root signs registry tokens and nothing else: a registry takes any certificate under it as a signer of tokens, so
//! whoever held a TLS key under the same root could make tokens (attack clause G8).

use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;

use super::root::{parse, unusable};
use crate::registry::Error;

/// Refuses a root that equals, signs or shares its key with any certificate in the files.
///
/// # Errors
/// With the file named; also for a file that cannot be read, since then nothing is known of it.
pub(super) fn refuse_shared(root: &CertificateDer<'_>, files: &[PathBuf]) -> Result<(), Error> {
    let root = parse(Path::new("the root certificate"), root)?;
    files.iter().try_for_each(|file| refuse_shared_with_file(&root, file))
}

fn refuse_shared_with_file(root: &X509Certificate<'_>, file: &Path) -> Result<(), Error> {
    let pem = std::fs::read(file).map_err(|error| unusable(file, &error))?;
    let mut certificates = CertificateDer::pem_slice_iter(&pem).peekable();
    if certificates.peek().is_none() {
        return Err(unusable(file, &"it holds no certificate (PEM)"));
    }
    for certificate in certificates {
        let der = certificate.map_err(|error| unusable(file, &error))?;
        if let Some(problem) = relation(root, &parse(file, &der)?) {
            let remedy = "give registries a root of their own (keys.root_certificate_file)";
            return Err(unusable(file, &format!("{problem}: {remedy}")));
        }
    }
    Ok(())
}

fn relation(root: &X509Certificate<'_>, other: &X509Certificate<'_>) -> Option<&'static str> {
    if root.as_raw() == other.as_raw() {
        Some("it holds the root certificate itself")
    } else if root.public_key().raw == other.public_key().raw {
        Some("it holds a certificate of the root's key")
    } else if other.verify_signature(Some(root.public_key())).is_ok() {
        Some("it holds a certificate that the root signed")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
