//! The URL of the cache: a secret, since it may hold a password.

use std::net::IpAddr;

use serde::{Deserialize, Serialize, Serializer};

use crate::model::Secret;

/// Where the second level is. It is shown without the name and password in it.
///
/// | form | what |
/// |---|---|
/// | `memory:` | there is none |
/// | `redis://[USER][:PASSWORD@]HOST[:PORT][/DATABASE]` | one Redis |
/// | `rediss://…` | the same, with TLS |
/// | `redis+cluster://[USER][:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]` | a Redis cluster, and some of its nodes to begin with |
/// | `rediss+cluster://…` | the same, with TLS |
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Url(Secret);

/// What a URL says.
#[derive(Debug)]
pub(super) enum Place {
    Memory,
    Redis(Nodes),
}

/// A Redis, or nodes of a cluster.
#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) kind: Kind,
    pub(super) tls: bool,
    pub(super) login: Login,
    /// One URL a node, as the library reads them.
    pub(super) urls: Vec<Secret>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Single,
    Cluster,
}

/// Who can read the password on its way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Login {
    /// Nobody; or there is none.
    Hidden,
    /// Everybody on the network.
    Readable,
}

const FORMS: &str = "it is none of memory:, redis://HOST:PORT, rediss://HOST:PORT, redis+cluster://HOST:PORT,HOST:PORT and rediss+cluster://…";

impl Url {
    const MEMORY: &str = "memory:";

    pub(super) fn new(text: &str) -> Self {
        Self(Secret::new(text))
    }

    pub(super) fn is_memory(&self) -> bool {
        self.0.expose() == Self::MEMORY
    }

    /// What it says, or what is wrong with it, in words that hold nothing of it.
    pub(super) fn place(&self) -> Result<Place, &'static str> {
        if self.is_memory() {
            return Ok(Place::Memory);
        }
        let (scheme, rest) = self.0.expose().split_once("://").ok_or(FORMS)?;
        let (kind, tls) = match scheme {
            "redis" => (Kind::Single, false),
            "rediss" => (Kind::Single, true),
            "redis+cluster" => (Kind::Cluster, false),
            "rediss+cluster" => (Kind::Cluster, true),
            _ => return Err(FORMS),
        };
        if !rest.bytes().all(|b| b.is_ascii_graphic()) || rest.contains(['?', '#', '\\']) {
            return Err(
                "it has a blank, `?`, `#` or `\\` in it: options are not known here, and in a password they are percent-encoded",
            );
        }
        let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(user, rest)| (user, rest));
        let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
        match kind {
            Kind::Single if hosts.contains(',') => {
                return Err(
                    "several nodes are a cluster: write redis+cluster:// or rediss+cluster://",
                );
            }
            Kind::Cluster if !database.is_empty() => {
                return Err("a cluster has one database: leave it away");
            }
            Kind::Single | Kind::Cluster => {}
        }
        let scheme = if tls { "rediss" } else { "redis" };
        let at = if user.is_empty() { "" } else { "@" };
        let url = |host: &str| format!("{scheme}://{user}{at}{host}/{database}");
        let readable = !user.is_empty() && !tls && !hosts.split(',').all(is_loopback);
        Ok(Place::Redis(Nodes {
            kind,
            tls,
            login: if readable { Login::Readable } else { Login::Hidden },
            urls: hosts.split(',').map(|host| Secret::new(url(host))).collect(),
        }))
    }

    /// The text without the name and password in it.
    fn shown(&self) -> String {
        match self.0.expose().rsplit_once('@') {
            None => self.0.expose().to_owned(),
            Some((before, hosts)) => {
                let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
                format!("{scheme}://…@{hosts}")
            }
        }
    }
}

impl Place {
    pub(super) const fn is_tls(&self) -> bool {
        matches!(self, Self::Redis(Nodes { tls: true, .. }))
    }
}

impl Default for Url {
    fn default() -> Self {
        Self::new(Self::MEMORY)
    }
}

impl Serialize for Url {
    /// As it is shown: what is written of a configuration holds no password.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(url: &str) -> Result<Nodes, &'static str> {
        match Url::new(url).place()? {
            Place::Redis(nodes) => Ok(nodes),
            Place::Memory => Err("memory"),
        }
    }

    fn urls(url: &str) -> Vec<String> {
        nodes(url).unwrap().urls.iter().map(|url| url.expose().to_owned()).collect()
    }

    #[test]
    fn one_redis_or_some_nodes_of_a_cluster() {
        assert_eq!(urls("redis://localhost"), ["redis://localhost/"]);
        assert_eq!(urls("rediss://u:p%23@r.test:1/2"), ["rediss://u:p%23@r.test:1/2"]);
        assert_eq!(
            urls("redis+cluster://:p@a.test:1,b.test:2"),
            ["redis://:p@a.test:1/", "redis://:p@b.test:2/"]
        );
        assert_eq!(nodes("rediss+cluster://a,b").unwrap().kind, Kind::Cluster);
        assert!(nodes("rediss+cluster://a,b").unwrap().tls && !nodes("redis://a").unwrap().tls);
    }

    #[test]
    fn d9_what_is_not_understood_is_refused_and_no_option_switches_certificates_off() {
        for url in [
            "",
            "redis:",
            "http://a",
            "redis+unix:///run/redis.sock",
            "redis://a,b",
            "redis+cluster://a/1",
            "rediss://a/#insecure",
            "rediss://a/?protocol=resp3",
            "redis://a b",
        ] {
            assert!(nodes(url).is_err(), "{url}");
        }
    }

    #[test]
    fn promise_9_the_password_is_never_shown() {
        for url in [
            "redis://user:canary@a.test/1",
            "rediss+cluster://:canary@a,b",
            "canary@",
            "x://c@canary@a",
        ] {
            let url = Url::new(url);
            let shown = [format!("{url:?}"), serde_json::to_string(&url).unwrap()].concat();
            assert!(!shown.contains("canary"), "{shown}");
            if let Err(problem) = url.place() {
                assert!(!problem.contains("canary"), "{problem}");
            }
        }
        let kept = serde_json::to_string(&Url::new("redis://u:p@a.test:1/2")).unwrap();
        assert_eq!(kept, "\"redis://…@a.test:1/2\"");
    }

    #[test]
    fn a_password_beyond_loopback_without_tls_is_readable() {
        for (url, login) in [
            ("redis://:p@127.0.0.1:1", Login::Hidden),
            ("redis://:p@[::1]:1", Login::Hidden),
            ("redis://:p@localhost", Login::Hidden),
            ("rediss://:p@a.test", Login::Hidden),
            ("redis://a.test", Login::Hidden),
            ("redis://:p@a.test", Login::Readable),
            ("redis+cluster://:p@127.0.0.1:1,a.test:1", Login::Readable),
        ] {
            assert_eq!(nodes(url).unwrap().login, login, "{url}");
        }
    }
}
