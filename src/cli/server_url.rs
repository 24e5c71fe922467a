//! The address of a broker, as `--server` and `DOCKPASS_SERVER` write it.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tonic::transport::Uri;

/// Where a broker is: only there may an identity be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ServerUrl {
    /// Over the network: TLS, or this machine.
    Network(Uri),
    /// The admin socket of a broker on this machine.
    Socket(PathBuf),
}

impl ServerUrl {
    /// True when the way there is encrypted.
    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Self::Network(uri) if uri.scheme_str() == Some("https"))
    }

    fn socket(text: &str, path: &str) -> Result<Self, String> {
        // `unix:///run/x` and `unix:/run/x` are the same; a host has no place there
        let path = path.strip_prefix("//").unwrap_or(path);
        if Path::new(path).is_absolute() {
            Ok(Self::Socket(path.into()))
        } else {
            Err(format!(
                "the broker's URL `{text}` names no file: write it like unix:/var/lib/dockpass/admin/admin.sock"
            ))
        }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(uri) => f.write_str(uri.to_string().trim_end_matches('/')),
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::socket(text, path);
        }
        let wrong = |problem: &str| Err(format!("the broker's URL `{text}` {problem}"));
        let Ok(uri) = text.parse::<Uri>() else { return wrong("is not a URL") };
        let Some(authority) = uri.authority() else {
            return wrong("names no host: write it like https://host:port");
        };
        if authority.as_str().contains('@') {
            return wrong("must not carry a user or password");
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return wrong("must end after the port");
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self::Network(uri)),
            Some("http") if is_loopback(authority.host()) => Ok(Self::Network(uri)),
            Some("http") => {
                wrong("would carry secrets in the clear: use https, http is for 127.0.0.1")
            }
            _ => wrong("must start with https:// (or http:// or unix:/ on this machine)"),
        }
    }
}

/// Whether the host is this machine.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_a_broker() {
        for (good, shown) in [
            ("https://broker.example.com", "https://broker.example.com"),
            ("https://broker.example.com:7443/", "https://broker.example.com:7443"),
            ("http://127.0.0.1:7443", "http://127.0.0.1:7443"),
            ("http://localhost:1", "http://localhost:1"),
            ("http://[::1]:7443", "http://[::1]:7443"),
            ("unix:/run/dockpass/admin.sock", "unix:/run/dockpass/admin.sock"),
            ("unix:///run/dockpass/admin.sock", "unix:/run/dockpass/admin.sock"),
        ] {
            assert_eq!(good.parse::<ServerUrl>().unwrap().to_string(), shown);
        }
        assert!("https://h".parse::<ServerUrl>().unwrap().is_tls());
        assert!(!"http://localhost".parse::<ServerUrl>().unwrap().is_tls());
    }

    #[test]
    fn d7_an_identity_is_never_sent_in_the_clear_to_another_machine() {
        for bad in [
            "http://broker.example.com",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example:80",
            "http://127.0.0.1@evil.example",
            "http://10.0.0.1",
            "https://user:pw@host",
            "https://host/path",
            "https://host?x",
            "unix:admin.sock",
            "unix:",
            "unix://host/admin.sock",
            "ftp://host",
            "127.0.0.1:7443",
            "broker",
            "",
        ] {
            let error = bad.parse::<ServerUrl>().unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
    }
}
