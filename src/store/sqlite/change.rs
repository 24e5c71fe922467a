//! A change of policy and its event: one transaction, which may use the disk reserve.

use rusqlite::{Transaction, TransactionBehavior};

use super::journal::{self, RecentClaims};
use super::{Inner, definitions, revocation};
use crate::store::engine::Change;
use crate::store::{Appended, ChainHead, Error, JournalRow, Seal};

impl Inner {
    /// Makes the change and appends its sealed events, both or neither.
    pub(super) fn change(&self, change: &Change, seal: Seal<'static>) -> Result<Appended, Error> {
        let mut events = Events::new(seal);
        self.with_reserve(&mut |transaction| {
            make(transaction, change)?;
            let head = journal::head(transaction)?;
            let rows = events.after(head)?;
            journal::insert(transaction, rows, &RecentClaims::default())?;
            if let (Change::Revocation { id, .. }, Some(last)) = (change, rows.last()) {
                revocation::sweep(transaction, *id, last.time)?;
            }
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

    /// Runs `work` in a transaction, without the reserve.
    pub(super) fn transaction<T>(
        &self,
        work: &mut dyn FnMut(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _writing = self.writing.lock();
        self.files.check()?;
        self.transact(work)
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

fn make(transaction: &Transaction<'_>, change: &Change) -> Result<(), Error> {
    match change {
        Change::Events => Ok(()),
        Change::Replacement { after, actor, now } => {
            definitions::replace(transaction, after, actor, *now)
        }
        Change::Definitions { revision, changes, actor, now } => {
            definitions::change(transaction, *revision, changes, actor, *now)
        }
        Change::Revocation { id, expire_time } => revocation::add(transaction, *id, *expire_time),
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
