//! dockpass, an access broker for container registries: an identity in, a scoped short-lived credential out.

pub mod audit;
pub mod broker;
pub mod cache;
pub mod cli;
pub mod config;
pub mod grpc;
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
