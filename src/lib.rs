//! dockpass, an access broker for container registries: an identity in, a scoped short-lived credential out.
//!
//! A request is a chain of proofs, and the order of the modules, of the imports and of a request are the same order:
//!
//! ```text
//! Presented ──identity──▶ Identity ──policy──▶ Permit ──registry──▶ AccessToken ──edge──▶ reply
//!                                        (every exit: one audit event, durable before the reply)
//! ```
//!
//! Each proof can be made only by the module before its arrow, and each step takes the proof before it: forgetting a check
//! does not compile. The edges are [`grpc`] and [`http`]; [`broker`] alone knows the order of the steps; [`model`] holds the
//! nouns that all of them share. [`app`] makes every part from its own configuration, and [`cli`] is the program.

pub mod app;
pub mod audit;
pub mod broker;
pub mod cache;
pub mod cli;
pub mod config;
pub mod grpc;
pub mod http;
pub mod identity;
pub mod lifecycle;
pub mod listen;
pub mod model;
pub mod net;
pub mod pb;
pub mod policy;
pub mod registry;
pub mod seal;
pub mod store;
pub mod telemetry;
