//! The secret with which a registry sends its notifications.

use super::{Config, Error};
use crate::model::Secret;
use crate::seal::private_file;

/// Shorter ones could be guessed.
const MIN_LENGTH: usize = 20;

/// The secret with which a registry sends its notifications.
#[derive(Clone, Debug)]
pub struct NotificationsToken(Secret);

impl NotificationsToken {
    /// Reads the file of a registry that has one.
    ///
    /// # Errors
    /// The file cannot be read, or is open to others; or what is in it fits into no header, or is too short: with the registry named.
    pub(super) fn of(config: &Config) -> Result<Option<Self>, Error> {
        let Some(path) = &config.notifications_token_file else { return Ok(None) };
        let named = |problem: String| {
            let (name, path) = (&config.name, path.display());
            Error::Config(format!(
                "registry `{name}`: notifications_token_file `{path}`: {problem}"
            ))
        };
        let text = private_file::read(path).map_err(|error| named(error.to_string()))?;
        Self::parse(text.trim_end()).map(Some).map_err(|rule| named(rule.to_owned()))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() < MIN_LENGTH {
            return Err("it holds fewer than 20 characters: write 32 random bytes in base64");
        }
        // what a bearer token is made of (RFC 6750, section 2.1)
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if !text.bytes().all(fits) {
            return Err("it holds more than letters, digits and -._~+/=");
        }
        Ok(Self(Secret::new(text)))
    }

    /// Compares, in a time that tells nothing of how much is right.
    pub fn is(&self, presented: &Secret) -> bool {
        let digest = |secret: &Secret| {
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.expose().as_bytes())
        };
        let (own, other) = (digest(&self.0), digest(presented));
        subtle::ConstantTimeEq::ct_eq(own.as_ref(), other.as_ref()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Config;

    #[test]
    fn a12_only_the_whole_secret_is_the_secret() {
        let token = NotificationsToken::parse("0123456789abcdefghij").unwrap();
        assert!(token.is(&Secret::new("0123456789abcdefghij")));
        for other in ["", "0123456789abcdefghi", "0123456789abcdefghijk", "0123456789abcdefghiJ"] {
            assert!(!token.is(&Secret::new(other)), "{other}");
        }
        assert!(!format!("{token:?}").contains("0123"));
    }

    #[test]
    fn a_secret_that_is_short_or_fits_into_no_header_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notifications.token");
        let config = Config { notifications_token_file: Some(path.clone()), ..Config::for_test() };
        let refused = || NotificationsToken::of(&config).unwrap_err().to_string();
        assert!(refused().contains("notifications.token"));
        for (text, word) in [("short", "32 random bytes"), ("0123456789 abcdefghij", "letters")] {
            private_file::create(&path, text).unwrap();
            assert!(refused().contains(word), "{}", refused());
            std::fs::remove_file(&path).unwrap();
        }
        private_file::create(&path, "0123456789abcdefghij\n").unwrap();
        let token = NotificationsToken::of(&config).unwrap().unwrap();
        assert!(token.is(&Secret::new("0123456789abcdefghij")));
    }
}
