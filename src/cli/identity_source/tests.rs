//! The sources against emulated platforms, which refuse what the real ones refuse.

mod github;
mod spiffe;

use std::path::Path;

use super::*;

/// An environment of these variables.
fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The sources on a machine that has nothing but this environment.
fn sources(environment: &Environment) -> Sources<'_> {
    Sources {
        environment,
        audience: "https://broker.example.com",
        kubernetes_token: Path::new("/nonexistent/dockpass"),
        http: net::Config { loopback_http: true, ..net::Config::default() },
    }
}

#[tokio::test]
async fn when_nothing_is_found_every_source_says_why_not() {
    let environment = environment(&[("GITHUB_ACTIONS", "true"), ("GITLAB_CI", "true")]);
    let error = sources(&environment).detect().await.unwrap_err().to_string();
    for expected in [
        "--identity-token-file",
        "the environment: DOCKPASS_IDENTITY_TOKEN is not set",
        "GitHub Actions: the job lacks `permissions: id-token: write`",
        "GitLab: the job declares no token",
        "Kubernetes: no token is projected at /var/run/secrets/tokens/dockpass",
        "the SPIFFE Workload API: SPIFFE_ENDPOINT_SOCKET is not set",
    ] {
        assert!(error.contains(expected), "{expected} is not in {error}");
    }
}

#[tokio::test]
async fn the_variable_comes_first_then_gitlab_then_the_projected_token() {
    let folder = tempfile::tempdir().unwrap();
    let projected = folder.path().join("dockpass");
    std::fs::write(&projected, "of-kubernetes\n").unwrap();
    for (variables, expected) in [
        (&[("DOCKPASS_IDENTITY_TOKEN", "own"), ("DOCKPASS_ID_TOKEN", "of-gitlab")][..], "own"),
        (&[("DOCKPASS_IDENTITY_TOKEN", ""), ("DOCKPASS_ID_TOKEN", "of-gitlab")], "of-gitlab"),
        (&[], "of-kubernetes"),
    ] {
        let environment = environment(variables);
        let sources = Sources { kubernetes_token: &projected, ..sources(&environment) };
        assert_eq!(sources.detect().await.unwrap().expose(), expected);
    }
}

#[test]
fn what_is_no_token_or_password_is_refused_before_it_is_sent() {
    for text in ["", "two words", "line\nbreak", "ünïcode"] {
        assert!(bearer(&Secret::new(text)).is_err(), "{text:?}");
    }
    assert!(basic("name", &Secret::new("")).is_err());
    assert!(basic("na:me", &Secret::new("x")).is_err());
    let sent = basic("name", &Secret::new("dpk_x")).unwrap();
    assert!(sent.is_sensitive());
    assert_eq!(sent, format!("Basic {}", STANDARD.encode("name:dpk_x")).as_str());
}
