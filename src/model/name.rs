//! Names. Each is made by parsing and cheap to clone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Text;
use super::text::{self, HasText};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Text);

        impl $name {
            /// The name as text.
            #[inline]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl HasText for $name {
            fn text_mut(&mut self) -> &mut Text {
                &mut self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(text) {
                    Ok(()) => Ok(Self(text.into())),
                    Err(rule) => Err(InvalidName::new(text, rule)),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text::parse(deserializer)
            }
        }

        impl AsRef<str> for $name {
            #[inline]
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            #[inline]
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a registry, as configured: 1 to 63 of `a-z`, `0-9`, `-`.
    RegistryName,
    |text| {
        let fits = (1..=63).contains(&text.len());
        let chars = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let ends = !text.starts_with('-') && !text.ends_with('-');
        if fits && chars && ends {
            Ok(())
        } else {
            Err("a registry name has 1 to 63 of `a-z`, `0-9` and `-`, not at its ends")
        }
    }
}

name! {
    /// The name of a repository, by the grammar of the OCI distribution specification, at most 255 bytes.
    RepositoryName,
    |text| {
        if text.len() > 255 {
            return Err("a repository name has at most 255 characters");
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err("a repository name is lower case");
        }
        if text.split('/').all(is_path_component) {
            Ok(())
        } else {
            Err("a repository name is path components of `a-z` and `0-9`, joined by `/`, with single `.`, `_`, `__` or `-` between")
        }
    }
}

name! {
    /// The name of a scope map, as in Azure Container Registry: 5 to 50 of `A-Za-z0-9-_`.
    ScopeMapName,
    |text| {
        if (5..=50).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            Ok(())
        } else {
            Err("a scope map's name has 5 to 50 of `A-Z`, `a-z`, `0-9`, `-` and `_`")
        }
    }
}

name! {
    /// The name of a token, as in Azure Container Registry: 5 to 50 of `A-Za-z0-9-`.
    TokenName,
    |text| {
        if (5..=50).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            Ok(())
        } else {
            Err("a token's name has 5 to 50 of `A-Z`, `a-z`, `0-9` and `-`")
        }
    }
}

name! {
    /// The name of a federated credential inside its token: 1 to 64 of `A-Za-z0-9-_`.
    FederatedCredentialName,
    |text| {
        if (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            Ok(())
        } else {
            Err("a federated credential's name has 1 to 64 of `A-Z`, `a-z`, `0-9`, `-` and `_`")
        }
    }
}

name! {
    /// An issuer of identity tokens, verbatim: compared byte for byte, never normalised (OpenID Connect Core, section 2).
    IssuerUrl,
    |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let printable = text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains(['?', '#', '@', '\\']);
        let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let lower = !host.bytes().any(|b| b.is_ascii_uppercase());
        if printable && lower && !host.is_empty() && text.len() <= 2048 {
            Ok(())
        } else {
            Err("an issuer is a URL with a lower-case host and without user, query or fragment")
        }
    }
}

/// One component of a repository name: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut separator = String::new();
    let mut last_was_separator = true;
    for char in component.chars() {
        if u8::try_from(char).is_ok_and(alphanumeric) {
            if !separator.is_empty() && !is_separator(&separator) {
                return false;
            }
            separator.clear();
            last_was_separator = false;
        } else if last_was_separator && separator.is_empty() {
            return false;
        } else {
            separator.push(char);
            last_was_separator = true;
        }
    }
    !component.is_empty() && !last_was_separator
}

fn is_separator(text: &str) -> bool {
    matches!(text, "." | "_" | "__") || text.bytes().all(|b| b == b'-')
}

/// A text that is no such name, and the rule that it breaks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}`: {rule}")]
pub struct InvalidName {
    text: String,
    rule: &'static str,
}

impl InvalidName {
    pub(super) fn new(text: &str, rule: &'static str) -> Self {
        // what a caller sent comes back shortened and printable
        let text = text.chars().take(64).flat_map(char::escape_debug).collect();
        Self { text, rule }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_names_follow_the_oci_grammar() {
        for good in ["a", "servers/nginx", "a.b/c_d/e__f/g-h/i---j", "0/1/2", "a1.b2"] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good:?}");
        }
        let long = "a".repeat(256);
        let bad = [
            "", "/", "a/", "/a", "a//b", "A", "a/B", "a..b", "a___b", "a.-b", "-a", "a-", "a_",
            "..", "a/../b", "a:5000/b", "a b", "a\n", "a%2fb", "a*", "é", "a/*", "a|b", "a)(b",
            &long,
        ];
        for bad in bad {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn scope_map_and_token_names_have_the_limits_of_acr() {
        assert!("_repositories_pull".parse::<ScopeMapName>().is_ok());
        assert!("four".parse::<ScopeMapName>().is_err());
        assert!("a".repeat(51).parse::<ScopeMapName>().is_err());
        assert!("nginx-ci".parse::<TokenName>().is_ok());
        assert!("nginx_ci".parse::<TokenName>().is_err());
    }

    #[test]
    fn issuers_with_user_query_upper_case_host_or_no_host_are_refused() {
        assert!("https://token.actions.githubusercontent.com".parse::<IssuerUrl>().is_ok());
        for bad in [
            "https://",
            "https://user@host",
            "https://HOST",
            "https://host/?q",
            "https://host/#f",
            "ftp://host",
            "https://ho st",
            "https://hôst",
        ] {
            assert!(bad.parse::<IssuerUrl>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_quoted_in_an_error_is_short_and_printable() {
        let error = format!("x\u{1b}[31m\n{}", "y".repeat(500)).parse::<TokenName>().unwrap_err();
        let text = error.to_string();
        assert!(text.len() < 250 && !text.contains(['\u{1b}', '\n']), "{text:?}");
    }
}
