//! The registry's side: what its own configuration must say so that it sends its clients here and trusts what they bring back.

use crate::registry::{Config, KeyReference};

/// The `auth.token` block of the registry's configuration.
pub(super) fn config_yaml(config: &Config, external_url: &str) -> String {
    let realm = quoted(&format!("{external_url}/token"));
    let (service, issuer) = (quoted(&config.service), quoted(&config.token_issuer));
    let name = &config.name;
    let trust = match config.key_reference {
        KeyReference::X5c => X5C_TRUST.to_owned(),
        KeyReference::Kid => kid_trust(external_url),
    };
    format!(
        "\
auth:
  token:
    realm: {realm}
    service: {service}
    issuer: {issuer}
    # written by: dockpass registry show {name} --bundle > /etc/docker/registry/dockpass.pem
    rootcertbundle: /etc/docker/registry/dockpass.pem
{trust}"
    )
}

const X5C_TRUST: &str =
    "    # distribution 3.x only: accept no other algorithm; do not set jwks beside it
    # signingalgorithms: [ES256]
";

fn kid_trust(external_url: &str) -> String {
    format!(
        "    # distribution 3.x: instead of rootcertbundle, the keys from {external_url}/.well-known/jwks.json
    # jwks: /etc/docker/registry/dockpass.jwks.json
    # signingalgorithms: [ES256]
"
    )
}

/// A text of JSON is a double-quoted text of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(key_reference: KeyReference) -> Config {
        Config { key_reference, ..Config::for_test() }
    }

    #[test]
    fn the_block_names_realm_service_issuer_and_bundle() {
        for mode in [KeyReference::X5c, KeyReference::Kid] {
            let yaml = config_yaml(&config(mode), "https://dockpass.example.com");
            assert!(yaml.starts_with("auth:\n  token:\n"));
            for line in [
                r#"    realm: "https://dockpass.example.com/token""#,
                r#"    service: "registry.test""#,
                r#"    issuer: "dockpass""#,
                "    rootcertbundle: /etc/docker/registry/dockpass.pem",
            ] {
                assert!(yaml.lines().any(|found| found == line), "{line} is not in\n{yaml}");
            }
            assert!(!yaml.contains('\t'));
        }
    }

    #[test]
    fn values_are_quoted() {
        let config = Config { token_issuer: "a\"b: #".into(), ..config(KeyReference::X5c) };
        assert!(config_yaml(&config, "https://x").contains(r#"issuer: "a\"b: #""#));
    }
}
