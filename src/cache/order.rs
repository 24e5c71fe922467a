//! What a caller of the cache wants.

use std::future::Future;

/// What a caller wants: which values it takes, and how one is made.
pub trait Order<V, E>: Sync {
    /// Who may find what is minted.
    fn sharing(&self) -> Sharing;

    /// Whether a value that was minted before will do: it lasts long enough, and nobody took it back.
    fn accepts(&self, value: &V) -> bool;

    /// Makes a value.
    fn mint(&self) -> impl Future<Output = Result<V, E>> + Send;

    /// Begins to take back a value that this order minted and nobody was given, because another replica's stands. Does not wait.
    fn withdraw(&self, value: V);
}

/// Who may find what is minted, and who else waits while it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sharing {
    /// It stays in this process.
    Nothing,
    /// All replicas find the value. It costs so little to mint that nobody waits for another's mint.
    Values,
    /// All replicas find the value, and while one of them mints, the others wait for it.
    Mints,
}
