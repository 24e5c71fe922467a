//! Which URLs may be asked, and how they are shown.

use reqwest::Url;

use super::Error;

/// Reads a URL that may be asked: https, or http to a loopback address where that is allowed; never with a user in it.
pub(super) fn allowed(text: &str, loopback_http: bool) -> Result<Url, Error> {
    let Ok(url) = Url::parse(text) else {
        return Err(Error::Url {
            url: before_secrets(text),
            problem: "it is no absolute URL: write `https://host/path`",
        });
    };
    let problem = if !url.username().is_empty() || url.password().is_some() {
        "a user name or password in a URL is not allowed"
    } else if url.scheme() == "https"
        || (loopback_http && url.scheme() == "http" && is_loopback(&url))
    {
        return Ok(url);
    } else if url.scheme() == "http" && is_loopback(&url) {
        "http to a loopback address is not allowed here"
    } else {
        "only https is allowed"
    };
    Err(Error::Url { url: shown(&url), problem })
}

/// The URL without what may be secret: user, password, query and fragment.
pub(super) fn shown(url: &Url) -> String {
    match url.host_str() {
        Some(host) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{host}{port}{}", url.scheme(), url.path())
        }
        None => format!("{}:…", url.scheme()),
    }
}

/// True for `localhost`, 127.0.0.0/8 and `[::1]`. The URL parser has brought numbers of any spelling to one form.
fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What may be shown of a text that is no URL.
fn before_secrets(text: &str) -> String {
    let host = text.rsplit('@').next().unwrap_or_default();
    let path = host.split(['?', '#']).next().unwrap_or_default();
    path.chars().take(128).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d2_only_https_and_loopback_by_an_explicit_switch() {
        for url in ["https://example.com/", "https://127.0.0.1:8443/x"] {
            assert!(allowed(url, false).is_ok(), "{url}");
        }
        for url in
            ["http://localhost:1/", "http://127.0.0.1/", "http://127.9.9.9/", "http://[::1]:80/"]
        {
            assert!(allowed(url, true).is_ok(), "{url}");
            assert!(allowed(url, false).is_err(), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://[::ffff:10.0.0.1]/",
            "ftp://localhost/",
            "file:///etc/passwd",
            "data:,x",
            "unix:/run/x",
            "//localhost/",
            "localhost",
            "",
        ] {
            assert!(allowed(url, true).is_err(), "{url}");
        }
    }

    #[test]
    fn a_user_in_the_url_is_refused_and_not_shown() {
        for url in [
            "https://user:canary@host/",
            "https://canary@host/",
            "user:canary@",
            "http://a b:canary@h",
        ] {
            let error = allowed(url, true).unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn query_and_fragment_are_not_shown() {
        let url = allowed("https://host:8443/path?token=canary#canary", false).unwrap();
        assert_eq!(shown(&url), "https://host:8443/path");
        assert!(!before_secrets("nonsense?canary").contains("canary"));
    }
}
