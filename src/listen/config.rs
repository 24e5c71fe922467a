//! Where to listen, and with which certificate.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One listener: the `[grpc]`, `[http]` or `[ops]` section's own part.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address and port; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// The `[tls]` section.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the configuration end in `_file`")]
pub struct TlsConfig {
    /// The certificate and its chain (PEM), the leaf first. Read again when it changes.
    pub certificate_file: PathBuf,
    /// Its private key (PEM: PKCS #8, PKCS #1 or SEC1). Read again when it changes.
    pub key_file: PathBuf,
    /// The certificates that client certificates (X.509-SVIDs) chain to. Client certificates are not asked for yet:
    /// the file serves only to refuse a registry root that has to do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca_file: Option<PathBuf>,
}

/// True for an address that only this machine reaches: without TLS, nothing else may be listened on.
pub fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_loopback() {
        for address in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(is_loopback(address.parse().unwrap()), "{address}");
        }
        for address in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1", "128.0.0.1:1"] {
            assert!(!is_loopback(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<Config>("listen = \"127.0.0.1:0\"").is_ok());
        assert!(toml::from_str::<Config>("listen = \"127.0.0.1:0\"\nport = 1").is_err());
        let tls = "certificate_file = \"a\"\nkey_file = \"b\"\n";
        assert!(toml::from_str::<TlsConfig>(tls).is_ok());
        assert!(toml::from_str::<TlsConfig>(&format!("{tls}verify = false")).is_err());
    }
}
