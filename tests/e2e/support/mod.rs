//! The real parts that the tests put together: an issuer, the broker's own program, a registry, and the clients.

mod broker;
mod caller;
mod changes;
mod claims;
mod clients;
mod exchange;
mod family;
mod image;
mod issuer;
mod load;
mod operator;
mod postgres;
mod program;
mod proxy;
mod redis;
mod registry;
mod replicas;
mod small_disk;
mod table;
mod world;

pub(crate) use self::broker::{Broker, KeyMode, NOTIFICATIONS_TOKEN, permission, with_bearer};
pub(crate) use self::changes::Changes;
pub(crate) use self::claims::{entra, github, gitlab, kubernetes};
pub(crate) use self::clients::{Clients, Outcome};
pub(crate) use self::image::Image;
pub(crate) use self::issuer::Issuer;
pub(crate) use self::load::{Load, Record, Sample};
pub(crate) use self::operator::Operator;
pub(crate) use self::postgres::Postgres;
pub(crate) use self::program::{Program, eventually, free_port, scratch};
pub(crate) use self::proxy::{Network, Proxy};
pub(crate) use self::redis::Redis;
pub(crate) use self::registry::RealRegistry;
pub(crate) use self::replicas::{Replica, Replicas};
pub(crate) use self::small_disk::SmallDisk;
pub(crate) use self::table::Row;
pub(crate) use self::world::{AUDIENCE, World, policy};

/// An HTTP client that, unlike the one of dockpass, does what it is told.
#[expect(clippy::disallowed_methods, reason = "the tests stand outside of dockpass")]
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::new()
}

/// The URL with a query.
pub(crate) fn with_query(url: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{url}?{query}")
}
