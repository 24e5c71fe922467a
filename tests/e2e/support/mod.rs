//! The real parts that the tests put together: an issuer, the broker's own program, a registry, and the clients.

mod broker;
mod claims;
mod clients;
mod image;
mod issuer;
mod program;
mod registry;
mod world;

pub use self::broker::{Broker, KeyMode, permission, with_bearer};
pub use self::claims::{entra, github, gitlab, kubernetes};
pub use self::clients::{Clients, Outcome};
pub use self::image::Image;
pub use self::issuer::Issuer;
pub use self::program::{Program, eventually, free_port};
pub use self::registry::RealRegistry;
pub use self::world::{AUDIENCE, World, policy};

/// An HTTP client that, unlike the one of dockpass, does what it is told.
#[expect(clippy::disallowed_methods, reason = "the tests stand outside of dockpass")]
pub fn http() -> reqwest::Client {
    reqwest::Client::new()
}

/// The URL with a query.
pub fn with_query(url: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{url}?{query}")
}
