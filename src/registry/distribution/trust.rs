//! The registry's side: what its own configuration must say so that it sends its clients here and trusts what they bring back.

use crate::registry::{Config, KeyReference};

/// The `auth.token` block of the registry's configuration, and the one of its notifications.
pub(super) fn config_yaml(config: &Config, external_url: &str) -> String {
    let realm = quoted(&format!("{external_url}/token"));
    let (service, issuer) = (quoted(&config.service), quoted(&config.token_issuer));
    let name = &config.name;
    let trust = match config.key_reference {
        KeyReference::X5c => X5C_TRUST.to_owned(),
        KeyReference::Kid => kid_trust(external_url),
    };
    let notifications = notifications(config, external_url);
    format!(
        "\
auth:
  token:
    realm: {realm}
    service: {service}
    issuer: {issuer}
    # written by: dockpass registry show {name} --bundle > /etc/docker/registry/dockpass.pem
    rootcertbundle: /etc/docker/registry/dockpass.pem
{trust}{notifications}"
    )
}

/// The block that makes the registry report its uses, where the configuration holds a secret for it. The secret itself is not shown.
fn notifications(config: &Config, external_url: &str) -> String {
    let Some(file) = &config.notifications_token_file else { return String::new() };
    let url = quoted(&format!("{external_url}/notifications/{}", config.name));
    let file = file.display();
    format!(
        "\
notifications:
  endpoints:
    - name: dockpass
      url: {url}
      headers:
        # the content of {file}
        Authorization: [\"Bearer SECRET\"]
      timeout: 5s
      threshold: 5
      backoff: 1s
      # each layer and configuration of an image is a use of its own: without these lines they are recorded as well
      ignoredmediatypes:
        - application/octet-stream
"
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
    fn the_block_of_notifications_is_there_when_there_is_a_secret_which_it_does_not_show() {
        let config = Config {
            notifications_token_file: Some("/etc/dockpass/notifications.token".into()),
            ..config(KeyReference::X5c)
        };
        let yaml = config_yaml(&config, "https://dockpass.example.com");
        for line in [
            "notifications:",
            r#"      url: "https://dockpass.example.com/notifications/local""#,
            "        # the content of /etc/dockpass/notifications.token",
            r#"        Authorization: ["Bearer SECRET"]"#,
        ] {
            assert!(yaml.lines().any(|found| found == line), "{line} is not in\n{yaml}");
        }
    }

    #[test]
    fn values_are_quoted() {
        let config = Config { token_issuer: "a\"b: #".into(), ..config(KeyReference::X5c) };
        assert!(config_yaml(&config, "https://x").contains(r#"issuer: "a\"b: #""#));
    }
}
