//! Whether the sections fit together. Every problem is named at once, with its key and what to do.

use std::net::IpAddr;

use super::{Config, Error};
use crate::listen::is_loopback;
use crate::model::Accepted;

impl Config {
    /// Checks what types alone cannot say.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut problems = Vec::new();
        self.check_listeners(&mut problems);
        self.check_external_url(&mut problems);
        self.check_issuers(&mut problems);
        self.check_urls(&mut problems);
        self.check_admins(&mut problems);
        if problems.is_empty() { Ok(()) } else { Err(Error::Unusable(problems)) }
    }

    /// Promise 11: nothing listens beyond loopback without TLS by accident.
    fn check_listeners(&self, problems: &mut Vec<String>) {
        if self.tls.is_some() || self.dangerously_serve_secrets_without_tls {
            return;
        }
        let listeners =
            [("grpc", self.grpc.listen), ("http", self.http.listen), ("ops", self.ops.listen)];
        for (section, address) in listeners {
            if !is_loopback(address) {
                problems.push(format!(
                    "{section}.listen: `{address}` is reachable from other machines, and there is no [tls] section: add one, \
                     listen on 127.0.0.1, or, behind something that adds TLS, set dangerously_serve_secrets_without_tls = true"
                ));
            }
        }
    }

    fn check_external_url(&self, problems: &mut Vec<String>) {
        let url = &self.http.external_url;
        let mut wrong =
            |problem: &str| problems.push(format!("http.external_url: `{url}` {problem}"));
        let Some((scheme, rest)) = url.split_once("://") else {
            return wrong("is not a URL: write https://name");
        };
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.is_empty() {
            return wrong("is not a URL: write https://name");
        }
        if rest.contains(|c: char| "@?#\"\\".contains(c) || !c.is_ascii_graphic()) {
            return wrong("has more than a name, a port and a path: leave the rest away");
        }
        if url.ends_with('/') {
            wrong("ends in a slash: leave it away");
        }
        match scheme {
            "https" => {}
            "http" if self.dangerously_serve_secrets_without_tls || is_loopback_host(authority) => {
            }
            "http" => wrong(
                "sends passwords over plain http: write https://, with the name that clients know",
            ),
            _ => wrong("is not a URL: write https://name"),
        }
    }

    fn check_issuers(&self, problems: &mut Vec<String>) {
        for issuer in &self.issuers {
            if issuer.audience.trim().is_empty() {
                problems.push(format!(
                    "issuers: `{}` has an empty audience: name the one that its tokens must carry, such as the URL of this broker",
                    issuer.issuer
                ));
            }
        }
    }

    fn check_urls(&self, problems: &mut Vec<String>) {
        if self.store.url_file.is_none()
            && self.store.url.sqlite_file().is_none()
            && !self.store.url.is_postgres()
        {
            problems.push(
                "store.url: write `sqlite:FILE` or `postgres://USER:PASSWORD@HOST/DATABASE`"
                    .to_owned(),
            );
        }
        problems.append(&mut self.store.problems());
        problems.append(&mut self.cache.problems());
    }

    fn check_admins(&self, problems: &mut Vec<String>) {
        for admin in &self.admins {
            let exact_claim = admin
                .claims
                .values()
                .any(|accepted| !accepted.is_empty() && accepted.iter().all(Accepted::is_exact));
            if admin.subject.is_none() && !exact_claim {
                problems.push(format!(
                    "admins: an administrator of issuer `{}` has neither a subject nor an exact claim: everybody there would be one",
                    admin.issuer
                ));
            }
            if !self.issuers.iter().any(|issuer| issuer.issuer == admin.issuer) {
                problems.push(format!("admins: issuer `{}` is not in [[issuers]]", admin.issuer));
            }
        }
    }
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback_host(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) { host } else { authority }
    });
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn problems(text: &str) -> String {
        Config::from_toml(text, Path::new("."))
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn promise_11_beyond_loopback_without_tls_is_refused_unless_said_in_words() {
        let open = "[grpc]\nlisten = \"0.0.0.0:7443\"";
        assert!(problems(open).contains("grpc.listen"));
        assert!(problems("[ops]\nlisten = \"[::]:1\"").contains("ops.listen"));
        assert_eq!(problems(&format!("dangerously_serve_secrets_without_tls = true\n{open}")), "");
        assert_eq!(
            problems(&format!("{open}\n[tls]\ncertificate_file = \"a\"\nkey_file = \"b\"")),
            ""
        );
    }

    #[test]
    fn a_cache_is_in_memory_or_one_redis_that_is_named_once() {
        for good in [
            "url = \"redis://localhost\"",
            "url = \"redis+cluster://:p@a:1,b:2\"",
            "url = \"rediss://a\"\nca_file = \"ca.pem\"",
            "url_file = \"redis.url\"\nca_file = \"ca.pem\"",
        ] {
            assert_eq!(problems(&format!("[cache]\n{good}")), "");
        }
        for (bad, key) in [
            ("url = \"http://canary@a\"", "cache.url: "),
            ("url = \"redis://canary@a/#insecure\"", "cache.url: "),
            ("url = \"redis://canary@a\"\nurl_file = \"redis.url\"", "cache.url_file: "),
            ("url = \"redis://canary@a\"\nca_file = \"ca.pem\"", "cache.ca_file: "),
            ("ca_file = \"ca.pem\"", "cache.ca_file: "),
            ("capacity = 0", "cache.capacity: "),
            ("prefix = \"canary\"", "prefix"),
        ] {
            let problems = problems(&format!("[cache]\n{bad}"));
            assert!(problems.contains(key) && !problems.contains("canary"), "{problems}");
        }
    }

    #[test]
    fn b2_an_issuer_without_audience_is_refused() {
        assert!(problems("[[issuers]]\nissuer = \"https://i\"").contains("audience"));
        assert!(
            problems("[[issuers]]\nissuer = \"https://i\"\naudience = \" \"")
                .contains("empty audience")
        );
    }

    #[test]
    fn the_external_url_is_https_or_loopback() {
        for (url, good) in [
            ("https://dockpass.example.com", true),
            ("http://localhost:7080", true),
            ("http://127.0.0.1:7080", true),
            ("http://[::1]:7080", true),
            ("https://dockpass.example.com/behind/a/path", true),
            ("http://localhost:7080@evil.example", false),
            ("http://localhost@evil.example", false),
            ("https://dockpass.example.com?a=b", false),
            ("https://dockpass.example.com#a", false),
            ("http://127.0.0.1:7080.evil.example", false),
            ("http://[::1].evil.example", false),
            ("http://", false),
            ("ftp://localhost", false),
            ("", false),
            ("http://dockpass.example.com", false),
            ("http://localhost.evil.example", false),
            ("https://dockpass.example.com/", false),
            ("dockpass", false),
        ] {
            let text = format!("[http]\nexternal_url = \"{url}\"");
            assert_eq!(problems(&text).is_empty(), good, "{url}");
        }
    }

    #[test]
    fn an_administrator_is_bound_by_an_exact_subject_or_claim() {
        let issuer = "[[issuers]]\nissuer = \"https://i\"\naudience = \"a\"\n";
        let admin = "[[admins]]\nissuer = \"https://i\"\nrole = \"editor\"\n";
        assert!(problems(&format!("{issuer}{admin}")).contains("everybody"));
        assert_eq!(problems(&format!("{issuer}{admin}subject = \"me\"")), "");
        assert!(problems(&format!("{admin}subject = \"me\"")).contains("not in [[issuers]]"));
    }
}
