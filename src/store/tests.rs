//! Tests of what both engines do alike, over each of them.

mod definitions;
mod journal;
mod prune;
pub(super) mod sample;
mod used_token;

use super::for_test::World;

/// Makes a test of each function over each engine.
macro_rules! on_both_engines {
    ($($test:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $test() { super::$test(super::World::sqlite().await).await; })*
        }
        mod on_postgres {
            $(#[tokio::test] async fn $test() { super::$test(super::World::postgres().await).await; })*
        }
    };
}
pub(super) use on_both_engines;
