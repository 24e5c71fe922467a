//! The Ed25519 key (RFC 8032) that signs checkpoints, in a file that only its owner may read.

use std::io::ErrorKind;
use std::path::Path;

use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::seal::private_file;

/// Signs; does not print.
pub(super) struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// Reads the key, or makes it when there is none.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let named = |problem: String| format!("the audit key `{}`: {problem}", path.display());
        match private_file::read(path) {
            Ok(pem) => Self::parse(pem.as_bytes()).map_err(named),
            Err(error) if error.kind() == ErrorKind::NotFound => make(path).map_err(named),
            Err(error) => Err(named(error.to_string())),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }

    pub(super) fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }

    fn parse(pem: &[u8]) -> Result<Self, String> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(
            |_| "it holds no `PRIVATE KEY` block in PEM: restore it, or move it away for a new one",
        )?;
        let pair = Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| "it is not an Ed25519 key in PKCS #8")?;
        Ok(Self(pair))
    }
}

/// True when `signature` over `message` was made with the key of `public`.
pub(super) fn verifies(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ED25519, public)
        .verify(message, signature)
        .is_ok()
}

fn make(path: &Path) -> Result<SigningKey, String> {
    let pair = Ed25519KeyPair::generate().map_err(|_| "no key could be generated")?;
    let der = pair.to_pkcs8().map_err(|_| "the new key could not be written down")?;
    let base64 = Zeroizing::new(STANDARD.encode(der.as_ref()));
    let pem = Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        *fold(&base64)
    ));
    match private_file::create(path, &pem) {
        Ok(()) => Ok(SigningKey(pair)),
        // another process was faster
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let pem = private_file::read(path).map_err(|error| error.to_string())?;
            SigningKey::parse(pem.as_bytes())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Lines of 64 characters (RFC 7468, section 2).
fn fold(base64: &str) -> Zeroizing<String> {
    let mut folded = Zeroizing::new(String::with_capacity(base64.len() + 2));
    for (position, character) in base64.chars().enumerate() {
        if position > 0 && position.is_multiple_of(64) {
            folded.push('\n');
        }
        folded.push(character);
    }
    folded
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const FILE: &str = "audit.key";

    #[test]
    fn the_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = SigningKey::open(&folder.path().join(FILE)).unwrap();
        let again = SigningKey::open(&folder.path().join(FILE)).unwrap();
        assert_eq!(first.public(), again.public());
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let signature = first.sign(b"message");
        assert!(verifies(&again.public(), b"message", &signature));
        assert!(!verifies(&again.public(), b"massage", &signature));
    }

    #[test]
    fn a_damaged_key_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        private_file::create(&folder.path().join(FILE), "rubbish").unwrap();
        let problem = SigningKey::open(&folder.path().join(FILE)).unwrap_err();
        assert!(problem.contains("audit.key") && !problem.contains("rubbish"), "{problem}");
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), "rubbish");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_since_they_could_sign_a_forged_trail() {
        let folder = tempfile::tempdir().unwrap();
        SigningKey::open(&folder.path().join(FILE)).unwrap();
        let path = folder.path().join(FILE);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(SigningKey::open(&folder.path().join(FILE)).unwrap_err().contains("chmod 600"));
    }
}
