//! The configuration of a server that is measured.

use std::net::SocketAddr;
use std::path::Path;

use crate::issuer::{AUDIENCE, ISSUER};
use crate::scenario::{InFlight, Transport, World};

/// Where it listens.
pub(crate) struct Addresses {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) ops: SocketAddr,
}

/// As shipped, but for the limits: all callers of a benchmark have one address. `folder` has the files of issuer and TLS.
pub(crate) fn configuration(
    Addresses { grpc, http, ops }: &Addresses,
    folder: &Path,
    data: &Path,
    world: World,
) -> String {
    let in_flight = match world.in_flight {
        InFlight::Limited => "",
        InFlight::Unlimited => "in_flight = 100000",
    };
    let (scheme, tls) = match world.transport {
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
