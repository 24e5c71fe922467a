//! The gRPC edge: `dockpass.v1`, health and reflection. It reads messages, asks the broker and writes answers;
//! it decides nothing.

mod access_service;
mod asked;
mod call;
mod connection;
mod convert;
mod front;
mod health;
mod intake;
mod presented;
mod reply;
mod status;

use std::sync::Arc;

use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::service::Routes;
use tonic::transport::server::Connected;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;

use self::access_service::Access;
use self::connection::Limits;
use self::front::Front;
use crate::broker::Broker;
use crate::listen::Placed;
use crate::pb;
use crate::pb::access_service_server::AccessServiceServer;

pub use self::health::{Health, Readiness};

/// The gRPC server, not yet listening.
#[derive(Clone, Debug)]
pub struct Server {
    front: Front,
    health: Health,
}

/// The server cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the service definitions cannot be served by reflection: {0}")]
pub struct Error(#[from] tonic_reflection::server::Error);

impl Server {
    /// The services of `broker`, with health ("not serving" until told otherwise) and reflection.
    ///
    /// # Errors
    /// The compiled-in service definitions are damaged.
    pub async fn build(broker: Arc<Broker>) -> Result<Self, Error> {
        let health = Health::default();
        health.set(Readiness::NotReady).await;
        let access = Access::new(Arc::clone(&broker));
        let service =
            AccessServiceServer::new(access.clone()).max_decoding_message_size(intake::MAX_MESSAGE);
        let routes = with_health_and_reflection(Routes::new(service), &health)?;
        Ok(Self { front: Front::new(broker, access, routes), health })
    }

    /// Where readiness is told.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Answers on the connections of `incoming` until `shutdown`; then no new request is taken, those begun are
    /// finished, and this returns. Dropping it earlier cuts the connections off.
    ///
    /// A connection whose [`Connected::ConnectInfo`] is `TcpConnectInfo` tells its peer's address; of any other it is unknown.
    /// Each is served on the runtime that it was placed on.
    pub async fn serve<I, IO, E>(self, incoming: I, shutdown: impl Future<Output = ()>)
    where
        I: Stream<Item = Result<IO, E>>,
        IO: AsyncRead + AsyncWrite + Connected + Placed + Unpin + Send + 'static,
        E: std::fmt::Display,
    {
        let stopping = async {
            shutdown.await;
            // who watches would keep its connection, and so the shutdown, open
            self.health.end().await;
        };
        connection::serve(&self.front, Limits::default(), incoming, stopping).await;
    }
}

fn with_health_and_reflection(routes: Routes, health: &Health) -> Result<Routes, Error> {
    let health = HealthServer::new(HealthService::from_health_reporter(health.reporter()));
    let limit = intake::MAX_MESSAGE;
    Ok(routes
        .add_service(health.max_decoding_message_size(limit))
        .add_service(reflection().build_v1()?.max_decoding_message_size(limit))
        .add_service(reflection().build_v1alpha()?.max_decoding_message_size(limit))
        .prepare())
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

#[cfg(test)]
mod tests;
