//! What is known of public issuers.

/// Issuers that many tenants share: a subject pattern alone would admit strangers.
const SHARED: [&str; 10] = [
    "https://accounts.google.com",
    "https://agent.buildkite.com",
    "https://api.pulumi.com/oidc",
    "https://app.terraform.io",
    "https://cognito-identity.amazonaws.com",
    "https://gitlab.com",
    // Microsoft's tenant of all personal accounts
    "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    "https://oidc.circleci.com",
    "https://oidc.vercel.com",
    "https://token.actions.githubusercontent.com",
];

/// True for a public issuer that many tenants share, whatever the configuration says.
pub(in crate::identity) fn is_shared(issuer: &str) -> bool {
    SHARED.contains(&issuer)
}

/// Hosts, other than its own, where a public issuer is known to keep its keys.
pub(super) fn key_hosts(issuer: &str) -> &'static [&'static str] {
    match issuer {
        "https://accounts.google.com" => &["www.googleapis.com"],
        _ if issuer.starts_with("https://sts.windows.net/") => {
            &["login.microsoftonline.com", "login.windows.net"]
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_issuers_of_many_tenants_are_shared() {
        assert!(is_shared("https://token.actions.githubusercontent.com"));
        for own in [
            "https://token.actions.githubusercontent.com.evil.example",
            "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            "https://gitlab.example.com",
        ] {
            assert!(!is_shared(own), "{own}");
        }
    }

    #[test]
    fn d4_foreign_key_hosts_are_known_for_exact_issuers_only() {
        assert!(key_hosts("https://accounts.google.com").contains(&"www.googleapis.com"));
        assert!(key_hosts("https://accounts.google.com.evil.example").is_empty());
        assert!(key_hosts("https://sts.windows.net.evil.example/x/").is_empty());
    }
}
