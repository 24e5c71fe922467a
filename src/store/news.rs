//! News of the policy: somebody changed it.

use tokio::sync::watch;

/// Tells when the policy may have changed.
#[derive(Debug)]
pub struct PolicyNews(Option<watch::Receiver<()>>);

impl PolicyNews {
    /// What a listening connection tells.
    pub(super) const fn new(news: watch::Receiver<()>) -> Self {
        Self(Some(news))
    }

    /// An embedded store has none: whoever shares it looks from time to time.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Ends when the policy was changed by whomever, or when news may have been lost: the connection that brings them was made anew. Several
    /// changes may be told as one. With an embedded store it never ends.
    ///
    /// It may be dropped and called again without losing anything.
    pub async fn changed(&mut self) {
        if let Some(news) = &mut self.0
            && news.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
