//! Identity tokens that are accepted once.

use futures_util::future::join_all;
use jiff::SignedDuration;

use super::sample::now;
use super::{World, on_both_engines};

on_both_engines! {
    of_many_who_use_a_token_at_once_one_is_the_first
    a_used_token_is_remembered_past_its_end_by_any_clock_of_the_site
}

async fn of_many_who_use_a_token_at_once_one_is_the_first(world: World) {
    let (one, other) = (&world.store, world.again().await);
    let end = now() + SignedDuration::from_mins(5);
    let uses = (0..20).map(|number| {
        let store = if number % 2 == 0 { one } else { &other };
        store.use_up([7; 32], end, now())
    });
    let firsts = join_all(uses).await.into_iter().filter(|first| *first.as_ref().unwrap()).count();
    assert_eq!(firsts, 1);
    assert!(one.use_up([8; 32], end, now()).await.unwrap());
}

async fn a_used_token_is_remembered_past_its_end_by_any_clock_of_the_site(world: World) {
    let end = now() + SignedDuration::from_mins(5);
    assert!(world.store.use_up([7; 32], end, now()).await.unwrap());
    let ahead = end + SignedDuration::from_mins(1);
    // somebody whose clock is ahead sweeps what has ended
    assert!(
        world.store.use_up([8; 32], ahead + SignedDuration::from_mins(5), ahead).await.unwrap()
    );
    assert!(!world.store.use_up([7; 32], end, now()).await.unwrap());
    let later = end + SignedDuration::from_hours(1);
    assert!(world.store.use_up([9; 32], later, later).await.unwrap());
    assert!(world.store.use_up([7; 32], later, later).await.unwrap(), "it was swept");
}
