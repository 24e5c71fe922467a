//! Where the database is: the URL, read and judged.

use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::model::Secret;
use crate::seal::private_file;
use crate::store::{Config, Error, Url};

/// The parameters of a URL that are understood. sqlx logs others with their values, which may be a misspelt password.
const PARAMETERS: [&str; 9] = [
    "application_name",
    "host",
    "port",
    "dbname",
    "user",
    "password",
    "sslmode",
    "sslrootcert",
    "sslcert",
];
const KEY_PARAMETER: &str = "sslkey";

/// How to connect to the database. It prints as the host and the name of the database.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) options: PgConnectOptions,
    shown: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Address {
    /// Reads the URL of a configuration, whose relative files start at the data folder.
    ///
    /// # Errors
    /// It is no URL of ours, or leads over a network that it does not protect.
    pub(super) fn of(config: &Config, url: &Url) -> Result<Self, Error> {
        check_parameters(url)?;
        let options = PgConnectOptions::from_str(url.expose())
            .map_err(|error| {
                let problem = error.to_string();
                let problem = problem.trim_start_matches("error with configuration: ");
                Error::Config(format!(
                    "store.url `{url}` cannot be read: {problem}; percent-encode what is special in user and password"
                ))
            })?
            .disable_statement_logging();
        if options.get_database().is_none() {
            return Err(Error::Config(format!(
                "store.url `{url}` names no database: write postgres://USER@HOST/DATABASE"
            )));
        }
        let encrypted = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
        if !encrypted && !is_local(&options) && !config.dangerously_trust_the_network {
            return Err(Error::Config(format!(
                "store.url `{url}` leads to another machine without a checked certificate: the password and every event could be read and \
                 changed on the way; add sslmode=verify-full (and sslrootcert=FILE for a certificate authority of your own), or set \
                 store.dangerously_trust_the_network = true"
            )));
        }
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("dockpass"),
        };
        let shown = format!(
            "{}/{}",
            options.get_socket().map_or_else(
                || format!("{}:{}", options.get_host(), options.get_port()),
                |socket| socket.display().to_string()
            ),
            options.get_database().unwrap_or_default()
        );
        Ok(Self { options, shown })
    }
}

/// The URL of a configuration: the one in it, or in the file that it names.
///
/// # Errors
/// The file cannot be read, or is readable by others.
pub(in crate::store) fn url_of(config: &Config) -> Result<Url, Error> {
    match &config.url_file {
        None => Ok(config.url.clone()),
        Some(path) => read_private(path).map(Url::from),
    }
}

fn read_private(path: &Path) -> Result<Secret, Error> {
    let text = private_file::read(path).map_err(|problem| {
        Error::Config(format!("store.url_file `{}` cannot be used: {problem}", path.display()))
    })?;
    Ok(Secret::new(text.trim()))
}

fn check_parameters(url: &Url) -> Result<(), Error> {
    let Some((_, query)) = url.expose().split_once('?') else { return Ok(()) };
    for (key, _) in form_urlencoded::parse(query.as_bytes()) {
        if !PARAMETERS.contains(&key.as_ref()) && key != KEY_PARAMETER {
            return Err(Error::Config(format!(
                "store.url `{url}` has a parameter that is not known; known are {}, {KEY_PARAMETER}",
                PARAMETERS.join(", ")
            )));
        }
    }
    Ok(())
}

/// A socket of this machine, or its loopback.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<Address, String> {
        let config = Config { url: Url::new(url), ..Config::default() };
        Address::of(&config, &config.url).map_err(|error| error.to_string())
    }

    #[test]
    fn promise_11_another_machine_needs_a_checked_certificate() {
        for local in ["localhost", "127.0.0.1:5433", "[::1]", "%2Frun%2Fpostgresql"] {
            address(&format!("postgres://me@{local}/dockpass")).unwrap();
        }
        for mode in
            ["", "?sslmode=disable", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca"]
        {
            let url = format!("postgres://me:canary@db.example/dockpass{mode}");
            let error = address(&url).unwrap_err();
            assert!(error.contains("sslmode=verify-full") && !error.contains("canary"), "{error}");
            let config = Config {
                url: Url::new(url),
                dangerously_trust_the_network: true,
                ..Config::default()
            };
            Address::of(&config, &config.url).unwrap();
        }
        address("postgres://me@db.example/dockpass?sslmode=verify-full").unwrap();
    }

    #[test]
    fn promise_9_what_is_wrong_with_a_url_is_said_without_its_password() {
        for (url, wanted) in [
            ("postgres://me:canary@localhost", "names no database"),
            ("postgres://me:canary@localhost/db?pasword=canary2", "not known"),
            ("postgres://me:can/ary@localhost/db", "percent-encode"),
            ("postgres://me:canary@localhost/db?sslmode=sometimes", "unknown value"),
        ] {
            let error = address(url).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("canary"), "{url}: {error}");
        }
        let shown = address("postgres://me:canary@localhost/db?password=canary").unwrap();
        assert_eq!(format!("{shown} {shown:?}"), "localhost:5432/db localhost:5432/db");
    }

    #[test]
    fn promise_9_a_file_with_the_url_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        let config = Config { url_file: Some(path.clone()), ..Config::default() };
        assert!(url_of(&config).unwrap_err().to_string().contains("url_file"));
        std::fs::write(&path, "postgres://me:canary@localhost/db\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        mode(0o640);
        let error = url_of(&config).unwrap_err().to_string();
        assert!(error.contains("chmod 600") && !error.contains("canary"), "{error}");
        mode(0o600);
        assert_eq!(url_of(&config).unwrap().expose(), "postgres://me:canary@localhost/db");
    }
}
