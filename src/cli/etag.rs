//! A change that is made only to what one has seen.

use clap::Args;

/// What the definition must still be.
#[derive(Args, Clone, Debug)]
pub(super) struct EtagArgs {
    /// Only if its etag is still this one, as `show` and `list` print it
    #[arg(
        long = "if-match",
        visible_alias = "etag",
        value_name = "ETAG",
        default_value = "",
        hide_default_value = true
    )]
    etag: String,
}

impl EtagArgs {
    /// The etag, as requests take it: empty = whatever it is.
    pub(super) fn into_etag(self) -> String {
        self.etag
    }
}
