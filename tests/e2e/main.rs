//! End to end: the program as it is shipped, a real registry, and the clients that people use. `tests/run` brings what they need.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "whatever does not work here has failed the test"
)]

mod clocks;
mod delete;
mod docker_cli;
mod durability;
mod fail_closed;
mod identities;
mod keys;
mod lifecycle;
mod mount;
mod pull;
mod push;
mod python;
mod replicas;
mod secrets;
mod support;
mod uses;
mod vendor;
mod withdraw;
