//! dockpass, an access broker for container registries: an identity in, a scoped short-lived credential out.

pub mod model;
