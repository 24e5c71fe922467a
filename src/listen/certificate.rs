//! The certificate of TLS, which follows its files: a new one is used from the next handshake on.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{Context, Digest, SHA256};
use parking_lot::Mutex;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::{Error, Protocol, TlsConfig};

/// A certificate and its key, as they stand in their files.
pub struct Certificate {
    config: TlsConfig,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
    /// What was read last, usable or not: a broken file is told of once, not at every look.
    last_read: Mutex<Fingerprint>,
}

/// What a look at the files found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reload {
    /// What was there before.
    Unchanged,
    /// Another certificate; it is used from now on.
    Replaced,
}

type Fingerprint = [u8; 32];

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Certificate {
    /// How often [`Certificate::watch`] should look at the files.
    pub const WATCH_EVERY: Duration = Duration::from_secs(10);

    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, holds no certificate or no key, or the two do not belong together.
    pub async fn load(config: TlsConfig) -> Result<Arc<Self>, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let files = Files::read(&config).await?;
        let current = ArcSwap::from_pointee(files.parse(&config, &provider)?);
        let last_read = Mutex::new(files.fingerprint());
        Ok(Arc::new(Self { config, provider, current, last_read }))
    }

    /// Reads the files again. After an error the certificate before goes on being used, and the same broken files are
    /// [`Reload::Unchanged`] from then on.
    ///
    /// # Errors
    /// As for [`Certificate::load`].
    pub async fn reload(&self) -> Result<Reload, Error> {
        let files = Files::read(&self.config).await?;
        let fingerprint = files.fingerprint();
        if std::mem::replace(&mut *self.last_read.lock(), fingerprint) == fingerprint {
            return Ok(Reload::Unchanged);
        }
        self.current.store(Arc::new(files.parse(&self.config, &self.provider)?));
        Ok(Reload::Replaced)
    }

    /// Reads the files again and again, for ever. The contents are compared, not the times of change: a mounted
    /// Kubernetes secret is swapped by a symbolic link.
    pub async fn watch(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            match self.reload().await {
                Ok(Reload::Unchanged) => {}
                Ok(Reload::Replaced) => tracing::info!(
                    file = %self.config.certificate_file.display(),
                    "TLS certificate replaced"
                ),
                Err(error) => tracing::error!(
                    %error,
                    "new TLS certificate refused; the one before goes on being used"
                ),
            }
        }
    }

    /// TLS 1.2 and 1.3 with this certificate, for one protocol.
    pub(super) fn server_config(
        self: &Arc<Self>,
        protocol: Protocol,
    ) -> Result<Arc<rustls::ServerConfig>, Error> {
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let mut server = rustls::ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&versions)
            .map_err(|error| unusable(&self.config, &error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        server.alpn_protocols = vec![protocol.alpn().to_vec()];
        Ok(Arc::new(server))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// The contents of the two files.
struct Files {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Files {
    async fn read(config: &TlsConfig) -> Result<Self, Error> {
        Ok(Self {
            certificate: read(&config.certificate_file).await?,
            key: Zeroizing::new(read(&config.key_file).await?),
        })
    }

    fn fingerprint(&self) -> Fingerprint {
        let mut context = Context::new(&SHA256);
        context.update(digest(&self.certificate).as_ref());
        context.update(digest(&self.key).as_ref());
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.finish().as_ref());
        fingerprint
    }

    fn parse(&self, config: &TlsConfig, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(config, &error))?;
        if chain.is_empty() {
            return Err(unusable(config, &"the first holds no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| unusable(config, &"the second holds no private key"))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|error| unusable(config, &error))
    }
}

fn digest(bytes: &[u8]) -> Digest {
    aws_lc_rs::digest::digest(&SHA256, bytes)
}

async fn read(file: &Path) -> Result<Vec<u8>, Error> {
    tokio::fs::read(file).await.map_err(|problem| Error::Read { file: file.to_owned(), problem })
}

fn unusable(config: &TlsConfig, problem: &dyn fmt::Display) -> Error {
    Error::Certificate {
        certificate: config.certificate_file.clone(),
        key: config.key_file.clone(),
        problem: problem.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::tests::support::Pair;

    fn leaf(certificate: &Certificate) -> CertificateDer<'static> {
        certificate.current.load().cert[0].clone()
    }

    #[tokio::test]
    async fn a_new_certificate_replaces_the_old_and_a_broken_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let first = Pair::generate("localhost");
        let config = first.write(folder.path());
        let certificate = Certificate::load(config.clone()).await.unwrap();
        assert_eq!(certificate.reload().await.unwrap(), Reload::Unchanged);

        let second = Pair::generate("localhost");
        second.write(folder.path());
        assert_eq!(certificate.reload().await.unwrap(), Reload::Replaced);
        assert_eq!(leaf(&certificate), second.der);

        // the certificate of one pair beside the key of another, as in the middle of a rotation
        std::fs::write(&config.certificate_file, &first.certificate).unwrap();
        assert!(matches!(certificate.reload().await, Err(Error::Certificate { .. })));
        assert_eq!(certificate.reload().await.unwrap(), Reload::Unchanged);
        assert_eq!(leaf(&certificate), second.der);

        std::fs::write(&config.key_file, &first.key).unwrap();
        assert_eq!(certificate.reload().await.unwrap(), Reload::Replaced);
        assert_eq!(leaf(&certificate), first.der);
    }

    #[tokio::test]
    async fn files_that_cannot_be_used_are_named_and_do_not_show_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair::generate("localhost");
        let config = pair.write(folder.path());
        for content in [String::new(), "nonsense".to_owned(), pair.key.clone()] {
            std::fs::write(&config.certificate_file, content).unwrap();
            let error = Certificate::load(config.clone()).await.unwrap_err().to_string();
            assert!(error.contains("tls.crt") && !error.contains("PRIVATE"), "{error}");
        }
        std::fs::remove_file(&config.certificate_file).unwrap();
        assert!(matches!(Certificate::load(config).await, Err(Error::Read { .. })));
    }

    #[tokio::test]
    async fn watching_takes_up_a_change_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let certificate =
            Certificate::load(Pair::generate("localhost").write(folder.path())).await.unwrap();
        let second = Pair::generate("localhost");
        second.write(folder.path());
        let replaced = async {
            while leaf(&certificate) != second.der {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = certificate.watch(Duration::from_millis(1)) => {}
            () = replaced => {}
        }
    }
}
