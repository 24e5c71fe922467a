//! Reads the file and the environment.

use std::path::{Component, Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};

use super::Config;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration `{path}`: {source}: --config names another, and `dockpass dev` needs none"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A key is unknown, missing or of the wrong type.
    #[error("{0}")]
    Malformed(String),
    /// The parts do not fit together: every problem, each with its key.
    #[error("the configuration cannot be used:\n  {}", .0.join("\n  "))]
    Unusable(Vec<String>),
}

impl Config {
    /// Reads a file and the environment, and checks them.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::File { path: path.to_owned(), source })?;
        // the parent of a bare file name is empty, and joins to the same paths as `.`
        let config = Self::parse(&text, path.parent().unwrap_or(path), environment());
        config.map_err(|error| match error {
            Error::Malformed(problem) => {
                Error::Malformed(format!("`{}`: {problem}", path.display()))
            }
            other => other,
        })
    }

    /// Reads the text of a file, whose paths start at `folder`, without the environment, and checks it.
    pub fn from_toml(text: &str, folder: &Path) -> Result<Self, Error> {
        Self::parse(text, folder, Figment::new())
    }

    fn parse(text: &str, folder: &Path, overrides: Figment) -> Result<Self, Error> {
        // each section is checked for unknown keys as it stands in the file, before the defaults fill it
        let mut config: Self = Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::string(text))
            .merge(overrides)
            .extract()
            .map_err(|error| Error::Malformed(explain(error)))?;
        config.anchor(folder);
        config.check()?;
        Ok(config)
    }

    /// Makes every path start where the module's documentation says.
    fn anchor(&mut self, folder: &Path) {
        self.data_dir = joined(folder, &self.data_dir);
        let data_dir = self.data_dir.clone();
        for path in self.paths() {
            *path = joined(&data_dir, path);
        }
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let tls = self.tls.iter_mut().flat_map(|tls| {
            [&mut tls.certificate_file, &mut tls.key_file]
                .into_iter()
                .chain(&mut tls.client_ca_file)
        });
        let keys = [
            &mut self.keys.seal_keys_file,
            &mut self.keys.root_certificate_file,
            &mut self.keys.root_key_file,
            &mut self.keys.audit_key_file,
        ];
        let cache = self.cache.url_file.iter_mut().chain(&mut self.cache.ca_file);
        let issuers = self
            .issuers
            .iter_mut()
            .flat_map(|issuer| issuer.jwks_file.iter_mut().chain(&mut issuer.ca_file));
        let registries =
            self.registries.iter_mut().flat_map(|own| &mut own.notifications_token_file);
        let stores = self.store.url_file.iter_mut();
        tls.chain(stores)
            .chain(keys)
            .chain(&mut self.keys.signing_key_files)
            .chain(cache)
            .chain(issuers)
            .chain(registries)
    }
}

/// A path that starts at `folder`, without `.` in it, so that it reads well where it is shown.
fn joined(folder: &Path, path: &Path) -> PathBuf {
    let plain: PathBuf =
        folder.join(path).components().filter(|part| *part != Component::CurDir).collect();
    if plain.as_os_str().is_empty() { PathBuf::from(".") } else { plain }
}

/// `DOCKPASS_SECTION__KEY`: only variables with the double underscore are configuration.
fn environment() -> Figment {
    let variables =
        Env::prefixed("DOCKPASS_").filter(|key| key.as_str().contains("__")).split("__");
    Figment::from(variables)
}

/// One line for each problem, with the key and where it stands.
fn explain(error: figment::Error) -> String {
    error
        .into_iter()
        .map(|problem| {
            let key = problem.path.join(".");
            let place = match &problem.metadata {
                Some(metadata) if metadata.name.contains("environment") => " (in the environment)",
                _ => "",
            };
            let at = if key.is_empty() { String::new() } else { format!(" at `{key}`") };
            format!("configuration{at}{place}: {}", in_words(&problem.kind))
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// What figment says, but for its quotes inside of quotes.
fn in_words(problem: &figment::error::Kind) -> String {
    match problem {
        figment::error::Kind::UnknownField(key, known) => {
            format!("`{key}` is not a key here; there are: {}", known.join(", "))
        }
        figment::error::Kind::MissingField(key) => format!("`{key}` is missing"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Error> {
        Config::from_toml(text, Path::new("/etc/dockpass"))
    }

    #[test]
    fn an_empty_file_is_the_defaults_on_loopback() {
        let config = parse("").unwrap();
        assert!(config.grpc.listen.ip().is_loopback());
        assert_eq!(config.keys.root_key_file, Path::new("/etc/dockpass/root.key"));
    }

    #[test]
    fn paths_start_at_the_data_folder_and_that_at_the_file() {
        let config =
            parse("data_dir = \"data\"\n[keys]\nroot_key_file = \"/run/root.key\"").unwrap();
        assert_eq!(config.data_dir, Path::new("/etc/dockpass/data"));
        assert_eq!(config.keys.seal_keys_file, Path::new("/etc/dockpass/data/seal.keys"));
        assert_eq!(config.keys.root_key_file, Path::new("/run/root.key"));
    }

    #[test]
    fn paths_are_shown_without_dots() {
        for (folder, path, expected) in
            [(".", ".", "."), (".", "a/./b", "a/b"), ("/d", ".", "/d"), ("..", "x", "../x")]
        {
            assert_eq!(joined(Path::new(folder), Path::new(path)).to_str(), Some(expected));
        }
    }

    #[test]
    fn unknown_keys_are_refused_everywhere_and_named() {
        for (text, word) in [
            ("prot = 1", "prot"),
            ("[http]\nlistn = \"127.0.0.1:1\"", "listn"),
            ("[store]\nuri = \"sqlite:x\"", "uri"),
            ("[[issuers]]\nissuer = \"https://i\"\naudience = \"a\"\naud = 1", "aud"),
            ("[limits]\nper_adress = 1", "per_adress"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
