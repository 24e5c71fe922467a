//! The `[store]` section.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

use crate::model::Secret;

/// The `[store]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `sqlite:FILE`, relative to the data folder, or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub url: Url,
    /// A file that holds the URL in place of `url`, which only its owner can read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// Connect to a database on another machine without TLS, or without knowing that it is the right one: the password and every event can be
    /// read and changed on the way.
    pub dangerously_trust_the_network: bool,
    /// The most connections to the database that this process uses for reading, beside the one of its journal.
    pub connections: u32,
}

/// The URL when none is given.
const DEFAULT: &str = "sqlite:dockpass.db";

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Url::new(DEFAULT),
            url_file: None,
            dangerously_trust_the_network: false,
            connections: 8,
        }
    }
}

impl Config {
    /// True when other processes on other machines may have the same store.
    pub fn is_shared(&self) -> bool {
        self.url_file.is_some() || self.url.is_postgres()
    }

    /// What can be seen to be wrong without reading a file or asking a server, with its key.
    pub fn problems(&self) -> Vec<String> {
        if self.url_file.is_some() && self.url.expose() != DEFAULT {
            return vec!["store.url_file: there is a store.url as well: keep one".to_owned()];
        }
        Vec::new()
    }
}

/// Which database. What is not `sqlite:FILE` may hold a password: it prints without it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Url(Secret);

impl Url {
    /// The URL of a database.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text))
    }

    /// The file of an embedded store, relative to the data folder; `None` when it is no such URL, or names no file.
    pub fn sqlite_file(&self) -> Option<&str> {
        self.0.expose().strip_prefix("sqlite:").filter(|name| !name.is_empty())
    }

    /// True when it names a PostgreSQL server.
    pub fn is_postgres(&self) -> bool {
        ["postgres://", "postgresql://"].iter().any(|scheme| self.0.expose().starts_with(scheme))
    }

    /// The URL with its password.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<Secret> for Url {
    fn from(text: Secret) -> Self {
        Self(text)
    }
}

impl fmt::Display for Url {
    /// Without user, password and parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.expose();
        if text.starts_with("sqlite:") || !text.contains([':', '@']) {
            return f.write_str(text);
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("…", text));
        // a password may hold what ends it elsewhere: where it is not clear, nothing is shown
        let (user, host) = rest.rsplit_once('@').unwrap_or(("", rest));
        if user.contains(['?', '#']) || !rest.contains('@') && !is_server(rest) {
            return write!(f, "{scheme}://…");
        }
        let host = host.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{scheme}://{host}")
    }
}

/// True when what follows a scheme begins with `HOST[:PORT]`, or with no host. Else it may be a user and a password, without a server.
fn is_server(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = if let Some((host, port)) = bracketed {
        (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("")))
    } else {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        (host, Some(port))
    };
    let is_of_a_host = |c: char| {
        c.is_ascii_alphanumeric() || ".-_%".contains(c) || bracketed.is_some() && c == ':'
    };
    host.chars().all(is_of_a_host)
        && port.is_some_and(|port| port.bytes().all(|digit| digit.is_ascii_digit()))
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_9_a_url_prints_without_its_password() {
        for (url, shown) in [
            ("sqlite:dockpass.db", "sqlite:dockpass.db"),
            ("dockpass.db", "dockpass.db"),
            (
                "postgres://me:canary@db.example:5432/dockpass",
                "postgres://db.example:5432/dockpass",
            ),
            ("postgresql://db/dockpass?password=canary#", "postgresql://db/dockpass"),
            ("postgres://me:can/ary@x@db/dockpass", "postgres://db/dockpass"),
            ("postgres://me:canary?@db/dockpass", "postgres://…"),
            ("postgres://db/dockpass?password=x@canary", "postgres://…"),
            ("mysql://me:canary@db/dockpass", "mysql://db/dockpass"),
            ("me:canary@db", "…://db"),
            ("postgres://me:canary", "postgres://…"),
            ("postgres://me:canary/dockpass", "postgres://…"),
            ("postgres://me:54canary/dockpass?sslmode=require", "postgres://…"),
            ("mysql://me:canary", "mysql://…"),
            ("mysql://db/dockpass?password=canary", "mysql://db/dockpass"),
            ("me:canary", "…://…"),
            ("postgres://[::1]:5432/dockpass", "postgres://[::1]:5432/dockpass"),
            ("postgres://[canary]x/dockpass", "postgres://…"),
            ("postgres:///dockpass", "postgres:///dockpass"),
        ] {
            let url = Url::new(url);
            let config = Config { url: url.clone(), ..Config::default() };
            let all = [
                format!("{url:?} {config:?}"),
                serde_json::to_string(&config).unwrap(),
                url.to_string(),
            ];
            assert!(all.iter().all(|text| !text.contains("canary")), "{all:?}");
            assert_eq!(url.to_string(), shown, "of {}", url.expose());
        }
    }

    #[test]
    fn a_url_beside_a_file_that_holds_one_is_a_problem() {
        let url_file = Some(PathBuf::from("url"));
        assert!(Config::default().problems().is_empty());
        let in_file = Config { url_file, ..Config::default() };
        assert!(in_file.problems().is_empty());
        let both = Config { url: Url::new("postgres://me:canary@db/dockpass"), ..in_file };
        assert_eq!(both.problems(), ["store.url_file: there is a store.url as well: keep one"]);
    }

    #[test]
    fn the_kind_of_a_url_is_known() {
        let kind =
            |url| (Url::new(url).sqlite_file().map(str::to_owned), Url::new(url).is_postgres());
        assert_eq!(kind("sqlite:a/b.db"), (Some("a/b.db".to_owned()), false));
        for neither in ["sqlite:", "dockpass.db", "postgres", "mysql://db"] {
            assert_eq!(kind(neither), (None, false));
        }
        assert_eq!(kind("postgres://db"), (None, true));
        assert_eq!(kind("postgresql://db"), (None, true));
    }
}
