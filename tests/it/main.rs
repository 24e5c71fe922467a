//! The broker's behaviour through its front door: the whole program in this process, called as clients call it, and its audit trail.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "whatever does not work here has failed the test"
)]

mod abandoned;
mod anonymous;
mod audit_down;
mod az;
mod bad_policy;
mod documents;
mod enumeration;
mod evidence;
mod examples;
mod exchange;
mod exchange_in_part;
mod flood;
mod framing;
mod limits;
mod malformed;
mod manage;
mod operators;
mod reuse;
mod revoke;
mod roles;
mod rotation;
mod secrets;
mod services;
mod sessions;
mod shared_cache;
mod shutdown;
mod single_use;
mod skew;
mod startup;
mod support;
mod trail;
mod unavailable;
mod withdraw;
