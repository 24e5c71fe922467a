//! A change of policy and its event: one transaction, which may use the disk reserve.

use std::sync::Arc;

use rusqlite::{Transaction, TransactionBehavior};

use super::journal::{self, Appended, ChainHead, JournalRow, RecentClaims, Seal};
use super::{Error, Inner, Store, blocking};

impl Store {
    /// Runs `work` and appends the sealed events, both or neither.
    pub(super) async fn change(
        &self,
        seal: Seal<'static>,
        work: impl Fn(&Transaction<'_>) -> Result<(), Error> + Send + 'static,
    ) -> Result<Appended, Error> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.change_with_reserve(&mut Events::new(seal), &work)).await
    }
}

impl Inner {
    fn change_with_reserve(
        &self,
        events: &mut Events,
        work: &dyn Fn(&Transaction<'_>) -> Result<(), Error>,
    ) -> Result<Appended, Error> {
        self.with_reserve(&mut |transaction| {
            work(transaction)?;
            let head = journal::head(transaction)?;
            journal::insert(transaction, events.after(head)?, &RecentClaims::default())?;
            Ok(Appended { policy_revision: journal::policy_revision(transaction)? })
        })
    }

    /// Runs `work` in a transaction; when the disk is full, once more with the reserve. The journal waits meanwhile: the reserve is not for it.
    pub(super) fn with_reserve<T>(
        &self,
        work: &mut dyn FnMut(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _writing = self.writing.lock();
        self.files.check()?;
        let result = match self.transact(work) {
            Err(Error::Full) => {
                self.reserve.release();
                self.transact(work)
            }
            result => result,
        };
        self.reserve.refill();
        result
    }

    fn transact<T>(
        &self,
        work: &mut dyn FnMut(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut connection = self.connection.lock();
        #[cfg(test)]
        self.fault.arm(&connection, !self.files.reserve.exists())?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

/// Events that can be sealed once only, kept for a second try.
struct Events {
    seal: Option<Seal<'static>>,
    sealed: Option<(ChainHead, Vec<JournalRow>)>,
}

impl Events {
    fn new(seal: Seal<'static>) -> Self {
        Self { seal: Some(seal), sealed: None }
    }

    fn after(&mut self, head: ChainHead) -> Result<&[JournalRow], Error> {
        if let Some(seal) = self.seal.take() {
            self.sealed = Some((head, seal(head)));
        }
        match &self.sealed {
            Some((of, rows)) if *of == head => Ok(rows),
            _ => Err(Error::Unavailable("another process wrote in between: try again".to_owned())),
        }
    }
}
