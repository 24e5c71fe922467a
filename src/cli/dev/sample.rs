//! The configuration and the policy of `dockpass dev`.

use std::net::SocketAddr;

use jiff::Timestamp;

use crate::model::IssuerUrl;

/// What the sample is made of.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    pub(super) grpc: SocketAddr,
    pub(super) http: SocketAddr,
    pub(super) issuer: SocketAddr,
    pub(super) ops: SocketAddr,
    pub(super) registry: SocketAddr,
}

/// The numeric id of the repository that the CI job of the sample runs in.
pub(super) const REPOSITORY_ID: &str = "1001";

/// The audience of the local issuer's tokens.
pub(super) const AUDIENCE: &str = "https://dockpass.dev.local";

/// `dockpass.toml`.
pub(super) fn configuration(addresses: &Addresses, issuer: &IssuerUrl) -> String {
    let Addresses { grpc, http, ops, registry, .. } = addresses;
    let (http_port, registry_port) = (http.port(), registry.port());
    format!(
        r#"# written by `dockpass dev`
[grpc]
listen = "{grpc}"

[http]
listen = "{http}"
external_url = "http://localhost:{http_port}"

[ops]
listen = "{ops}"

[[issuers]]
issuer = "{issuer}"
audience = "{AUDIENCE}"
loopback_http = true

[[registries]]
name = "local"
host = "localhost:{registry_port}"
driver = "distribution"
service = "localhost:{registry_port}"
token_issuer = "dockpass"
key_reference = "x5c"
"#
    )
}

/// `policy.toml`: a writer, a vendor that only pulls, and a contractor whose token expires.
pub(super) fn policy(issuer: &IssuerUrl, contract_ends: Timestamp) -> String {
    format!(
        r#"# written by `dockpass dev`: change it and run `dockpass policy apply`

# the web team's pipeline pushes servers/nginx
[[scope_maps]]
registry = "local"
name = "nginx-writers"
owner = "team-web"
description = "push servers/nginx, pull the base images under it"
max_lifetime = "30m"
permissions."servers/nginx" = ["content/read", "content/write"]
permissions."servers/base/*" = ["content/read"]

[[tokens]]
registry = "local"
name = "nginx-ci"
scope_map = "nginx-writers"
description = "the pipeline of acme/nginx, on its main branch"

[[tokens.federated_credentials]]
name = "main-branch"
issuer = "{issuer}"
claims.repository_id = ["{REPOSITORY_ID}"]
claims.ref = ["refs/heads/main"]

# a vendor pulls field/agent, with a password
[[scope_maps]]
registry = "local"
name = "agent-readers"
owner = "team-field"
permissions."field/agent" = ["content/read"]

[[tokens]]
registry = "local"
name = "agent-vendor"
scope_map = "agent-readers"

# a contractor works on analytics/model-worker until the contract ends
[[scope_maps]]
registry = "local"
name = "model-workers"
owner = "team-analytics"
max_lifetime = "1h"
permissions."analytics/model-worker" = ["content/read", "content/write"]

[[tokens]]
registry = "local"
name = "model-contractor"
scope_map = "model-workers"
expire_time = "{contract_ends}"

[[tokens.federated_credentials]]
name = "contractor"
issuer = "{issuer}"
subject = "contractor:ada"

[[tests]]
as = {{ issuer = "{issuer}", subject = "repo:acme/nginx:ref:refs/heads/main", claims = {{ repository_id = "{REPOSITORY_ID}", ref = "refs/heads/main" }} }}
request = {{ registry = "local", repository = "servers/nginx", actions = ["push"] }}
expect = "allow"

[[tests]]
as = {{ issuer = "{issuer}", subject = "repo:acme/nginx:ref:refs/heads/main", claims = {{ repository_id = "{REPOSITORY_ID}", ref = "refs/heads/main" }} }}
request = {{ registry = "local", repository = "servers/apache", actions = ["push"] }}
expect = "deny"
"#
    )
}

/// Lines for another terminal, which work as they stand once its first two have been run.
pub(super) fn what_to_try(programs: &str, folder: &str, addresses: &Addresses) -> String {
    let Addresses { grpc, registry, .. } = addresses;
    let registry = format!("localhost:{}", registry.port());
    format!(
        r#"cd {folder}; export PATH="{programs}:$PATH"
export DOCKPASS_SERVER=http://{grpc} DOCKPASS_IDENTITY_TOKEN="$(cat identity-token)"

# a credential for a push, and the refusal of another
dockpass issue --registry local --repository servers/nginx --action push
dockpass issue --registry local --repository servers/apache --action push

# docker and skopeo need nothing but the registry: the identity token is the password
docker login {registry} --username oidc --password-stdin < identity-token
skopeo copy --dest-tls-verify=false --dest-creds "oidc:$(cat identity-token)" oci:image docker://{registry}/servers/nginx:1
# refused: a vendor only pulls
skopeo copy --dest-tls-verify=false --dest-creds "agent-vendor:$(cat vendor-password)" oci:image docker://{registry}/field/agent:1

# any gRPC client: reflection is on
grpcurl -plaintext -H "authorization: Bearer $(cat identity-token)" \
  -d '{{"registry": "local", "permissions": [{{"repository": "servers/nginx", "actions": ["ACTION_CONTENT_READ"]}}]}}' \
  {grpc} dockpass.v1.AccessService/CheckAccess

# the operator's side, over the admin socket: you are who you are on this machine
export DOCKPASS_SERVER=unix:{folder}/admin/admin.sock
dockpass token list --registry local
dockpass scope-map update --registry local --name agent-readers --add-repository field/agent metadata/read --dry-run
dockpass audit list
dockpass review --registry local
# edit policy.toml, then
dockpass policy test policy.toml
dockpass policy plan policy.toml
dockpass policy apply policy.toml"#
    )
}
