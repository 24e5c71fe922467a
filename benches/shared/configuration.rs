//! The configuration of a server that is measured.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::issuer::{AUDIENCE, ISSUER, Issuer};

/// Where it listens.
pub(crate) struct Addresses {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) ops: SocketAddr,
}

impl Addresses {
    /// Addresses that nobody listens on.
    pub(crate) fn free() -> anyhow::Result<Self> {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
        let [grpc, http, ops] = listeners.map(|listener| listener.and_then(|l| l.local_addr()));
        Ok(Self { grpc: grpc?, http: http?, ops: ops? })
    }
}

/// What its listeners speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Transport {
    Plain,
    /// TLS 1.3.
    Tls,
}

/// How many requests it works on at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InFlight {
    /// As shipped.
    Limited,
    /// More than any benchmark sends.
    Unlimited,
}

/// What the configuration of a benchmark says of its own.
pub(crate) struct Setting<'a> {
    pub(crate) addresses: &'a Addresses,
    /// Where the file is, and those of issuer and TLS.
    pub(crate) folder: &'a Path,
    pub(crate) data: &'a Path,
    pub(crate) transport: Transport,
    pub(crate) in_flight: InFlight,
    /// Lines of its own before the first section, such as `store.url`.
    pub(crate) more: &'a str,
}

impl Setting<'_> {
    /// Writes it, with the issuer's keys and a certificate for `localhost`: `dockpass.toml` in its folder.
    pub(crate) fn write(&self, issuer: &Issuer, tls: &Tls) -> anyhow::Result<()> {
        std::fs::write(self.folder.join("jwks.json"), issuer.jwks()?.to_string())?;
        tls.write(self.folder)?;
        Ok(std::fs::write(self.folder.join("dockpass.toml"), self.text())?)
    }

    /// As shipped, but for the limits: all callers of a benchmark have one address.
    fn text(&self) -> String {
        let Self { addresses: Addresses { grpc, http, ops }, folder, data, more, .. } = self;
        let in_flight = match self.in_flight {
            InFlight::Limited => "",
            InFlight::Unlimited => "in_flight = 100000",
        };
        let (scheme, tls) = match self.transport {
            Transport::Plain => ("http", ""),
            Transport::Tls => (
                "https",
                "tls.certificate_file = \"FOLDER/tls.crt\"\ntls.key_file = \"FOLDER/tls.key\"\n",
            ),
        };
        let folder = folder.display().to_string();
        format!(
            r#"
data_dir = "{data}"
grpc.listen = "{grpc}"
ops.listen = "{ops}"
{more}
{tls}
[http]
listen = "{http}"
external_url = "{scheme}://localhost:{port}"
[limits]
per_address = 10000000
per_identity = 10000000
{in_flight}
[[issuers]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
jwks_file = "{folder}/jwks.json"
[[registries]]
name = "local"
host = "localhost:5000"
driver = "distribution"
service = "localhost:5000"
token_issuer = "dockpass"
"#,
            data = data.display(),
            tls = tls.replace("FOLDER", &folder),
            port = http.port(),
        )
    }
}

/// A certificate for `localhost`, which signs itself.
pub(crate) struct Tls {
    pub(crate) certificate: String,
    key: String,
}

impl Tls {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        Ok(Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() })
    }

    /// Writes `tls.crt` and `tls.key`.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::write(folder.join("tls.crt"), &self.certificate)?;
        let mut private = OpenOptions::new();
        let mut key = private.write(true).create(true).mode(0o600).open(folder.join("tls.key"))?;
        Ok(key.write_all(self.key.as_bytes())?)
    }
}
