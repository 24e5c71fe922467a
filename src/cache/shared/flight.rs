//! One mint at a time for all replicas.
//!
//! Whoever has the lock mints; the others look again and again for the value, or for a lock that nobody renews. The lock has a fence, a
//! number that grows with every holder: what is written under a smaller one than stands there is not written. A mint upstream cannot be
//! fenced, so a holder asks once more before its value is used: when it lost the lock meanwhile, it takes its own value back and gives
//! out the winner's.

use std::marker::PhantomData;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::envelope::{Fence, Stamp};
use super::lease::Share;
use super::link::Trouble;
use super::name::Name;
use super::script::{self, Claim};
use super::timing::jittered;
use super::{Made, Shared};
use crate::cache::{Order, Shareable};

/// How many values that will not do are looked at before Redis is left alone: somebody writes them on purpose.
const UNFIT: u32 = 3;

/// How many answers in a row may be missing while another replica mints, before it is not waited for any more.
const MISSING: u32 = 3;

/// One caller's way to a value.
struct Flight<'a, V: Shareable, E, O: Order<V, E>> {
    shared: &'a Shared<V>,
    order: &'a O,
    name: Name,
    /// The value on Redis that will not do.
    seen: Stamp,
    unfit: u32,
    missing: u32,
    /// Set while another replica mints: how long to wait before the next look.
    pause: Option<Duration>,
    /// The lock, or what is left of it.
    share: Option<Share<V>>,
    /// What this caller minted. Given up, it is taken back, also when the caller goes away.
    own: Option<V>,
    fails: PhantomData<fn() -> E>,
}

/// What a caller does next.
enum Next<V> {
    /// Asks again at once.
    Ask,
    Wait(Duration),
    Mint,
    /// Uses what it minted, or mints without the lock.
    GoAlone,
    /// Uses what another minted.
    Take(V),
}

impl<V: Shareable> Shared<V> {
    /// A value that the order accepts, or that it mints while no other replica does. Waits for another's mint for as long as that lasts.
    ///
    /// # Errors
    /// What the mint failed with.
    pub(super) async fn mint_once<E>(
        &self,
        name: Name,
        order: &impl Order<V, E>,
    ) -> Result<(V, Made<V>), E> {
        let mut flight = Flight::new(self, name, order);
        let mut by = Instant::now() + self.timing.budget;
        loop {
            match flight.ask(by).await {
                Next::Ask => continue,
                Next::Take(value) => return Ok((value, Made::Elsewhere)),
                Next::Wait(pause) => sleep(pause).await,
                Next::Mint => flight.mint().await?,
                Next::GoAlone => return flight.alone().await,
            }
            by = Instant::now() + self.timing.budget;
        }
    }
}

impl<'a, V: Shareable, E, O: Order<V, E>> Flight<'a, V, E, O> {
    fn new(shared: &'a Shared<V>, name: Name, order: &'a O) -> Self {
        Self {
            shared,
            order,
            name,
            seen: Stamp::default(),
            unfit: 0,
            missing: 0,
            pause: None,
            share: None,
            own: None,
            fails: PhantomData,
        }
    }

    /// Asks for a value, for the lock, or whether it still has the lock: all of that is one question.
    async fn ask(&mut self, by: Instant) -> Next<V> {
        let (link, lease) = (&self.shared.link, self.shared.timing.lease);
        let fence = self.share.as_ref().and_then(Share::fence);
        match script::claim(link, &self.name, &self.seen, fence, lease, by).await {
            Ok(Claim::Value(bytes)) => self.judge(&bytes),
            Ok(Claim::Taken(fence)) => self.take(fence),
            Ok(Claim::Held(left)) => Next::Wait(self.pause(left)),
            Err(trouble) => self.miss(trouble),
        }
    }

    fn judge(&mut self, bytes: &[u8]) -> Next<V> {
        let found = self.shared.envelope.open::<V>(&self.name, bytes);
        if let Some(value) = found.filter(|value| self.order.accepts(value)) {
            return Next::Take(value);
        }
        self.seen = Stamp::of(bytes);
        self.unfit += 1;
        if self.unfit > UNFIT { Next::GoAlone } else { Next::Ask }
    }

    fn take(&mut self, fence: Fence) -> Next<V> {
        if self.share.as_ref().and_then(Share::fence) != Some(&fence) {
            let share = Share::fenced(&self.shared.outbox, self.name.clone(), fence);
            self.share = Some(share);
        }
        // what it minted is the only one, and stays so: it has the lock
        if self.own.is_some() { Next::GoAlone } else { Next::Mint }
    }

    fn pause(&mut self, left: Duration) -> Duration {
        let (first, longest) = self.shared.timing.poll;
        let pause = self.pause.map_or(first, |last| (last * 3 / 2).min(longest));
        self.pause = Some(pause);
        self.missing = 0;
        jittered(pause.min(left))
    }

    /// Whoever waits for another's mint bears with a few missing answers; everybody else goes on without Redis.
    fn miss(&mut self, trouble: Trouble) -> Next<V> {
        self.missing += 1;
        match self.pause {
            Some(pause) if trouble == Trouble::Late && self.missing < MISSING => {
                Next::Wait(jittered(pause))
            }
            _ => Next::GoAlone,
        }
    }

    /// Mints, and shows meanwhile that it is still there.
    async fn mint(&mut self) -> Result<(), E> {
        let timing = &self.shared.timing;
        let mut minting = pin!(self.order.mint());
        let minted = loop {
            match timeout(timing.renewal, minting.as_mut()).await {
                Ok(minted) => break minted,
                Err(_) => self.share.iter().for_each(|share| share.renew(timing.lease)),
            }
        };
        self.own = Some(minted?);
        Ok(())
    }

    async fn alone(mut self) -> Result<(V, Made<V>), E> {
        let value = match self.own.take() {
            Some(value) => value,
            None => self.order.mint().await?,
        };
        let share = self.share.take();
        let share =
            share.unwrap_or_else(|| Share::if_absent(&self.shared.outbox, self.name.clone()));
        Ok((value, Made::Here(Some(share))))
    }
}

impl<V: Shareable, E, O: Order<V, E>> Drop for Flight<'_, V, E, O> {
    fn drop(&mut self) {
        if let Some(own) = self.own.take() {
            self.order.withdraw(own);
        }
    }
}
