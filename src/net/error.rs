//! Why there is no answer.

use std::error::Error as _;

/// Why there is no answer. A URL in it is without user, query and fragment, for they may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client cannot be made.
    #[error("cannot make an HTTP client: {0}")]
    Build(String),
    /// No whole answer came.
    #[error("`{url}` does not answer: {problem}")]
    Exchange {
        /// Where.
        url: String,
        /// What went wrong, without secrets.
        problem: String,
    },
    /// The answer is over [`HttpClient::MAX_BODY`](super::HttpClient::MAX_BODY).
    #[error("`{url}` answers with more than 1 MiB")]
    TooLarge {
        /// Where.
        url: String,
    },
    /// The URL is not one that may be asked.
    #[error("`{url}` may not be asked: {problem}")]
    Url {
        /// Where.
        url: String,
        /// Which rule it breaks.
        problem: &'static str,
    },
}

/// The text of an error and of all its causes: reqwest's own text names the last step only.
pub(super) fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
