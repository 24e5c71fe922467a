//! The gRPC edge: `dockpass.v1`, health and reflection. It reads messages, asks the broker and writes answers;
//! it decides nothing.

mod access_service;
mod asked;
mod audit_service;
mod call;
mod connection;
mod convert;
mod front;
mod health;
mod intake;
mod management;
mod policy_service;
mod policy_upload;
mod presented;
mod registry_service;
mod reply;
mod scope_map_service;
mod status;
mod token_service;

use std::sync::Arc;

use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::Connected;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;

use self::access_service::Access;
use self::audit_service::AuditTrail;
use self::connection::Limits;
use self::front::Front;
use self::management::Management;
use self::policy_service::Policy;
use self::registry_service::RegistriesShown;
use self::scope_map_service::ScopeMaps;
use self::token_service::Tokens;
use crate::broker::Broker;
use crate::listen::Placed;
use crate::pb;
use crate::pb::access_service_server::AccessServiceServer;
use crate::pb::audit_service_server::AuditServiceServer;
use crate::pb::policy_service_server::PolicyServiceServer;
use crate::pb::registry_service_server::RegistryServiceServer;
use crate::pb::scope_map_service_server::ScopeMapServiceServer;
use crate::pb::token_service_server::TokenServiceServer;

pub use self::health::{Health, Readiness};

/// The gRPC server, not yet listening.
#[derive(Clone, Debug)]
pub struct Server {
    front: Front,
    health: Health,
    /// Ends what is watched.
    stopping: CancellationToken,
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
        let access = Access::new(Arc::clone(&broker));
        let service =
            AccessServiceServer::new(access.clone()).max_decoding_message_size(intake::MAX_MESSAGE);
        Self::with(Some(access), Routes::new(service), broker).await
    }

    /// The services of management only, for the Unix socket.
    ///
    /// # Errors
    /// As [`Server::build`].
    pub async fn build_management(broker: Arc<Broker>) -> Result<Self, Error> {
        Self::with(None, Routes::default(), broker).await
    }

    async fn with(
        access: Option<Access>,
        routes: Routes,
        broker: Arc<Broker>,
    ) -> Result<Self, Error> {
        let (health, stopping) = (Health::default(), CancellationToken::new());
        health.set(Readiness::NotReady).await;
        let routes = with_management(routes, &broker, &stopping);
        let routes = with_health_and_reflection(routes, &health)?;
        Ok(Self { front: Front::new(broker, access, routes), health, stopping })
    }

    /// Where readiness is told.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Answers on the connections of `incoming` until `shutdown`; then no new request is taken, those begun are
    /// finished, and this returns. Dropping it earlier cuts the connections off.
    ///
    /// A connection whose [`Connected::ConnectInfo`] is `TcpConnectInfo` tells its peer's address; one whose is `LocalUser`, the user
    /// of this machine, who manages; of any other it is unknown. Each is served on the runtime that it was placed on.
    pub async fn serve<I, IO, E>(self, incoming: I, shutdown: impl Future<Output = ()>)
    where
        I: Stream<Item = Result<IO, E>>,
        IO: AsyncRead + AsyncWrite + Connected + Placed + Unpin + Send + 'static,
        E: std::fmt::Display,
    {
        let stopping = async {
            shutdown.await;
            // who watches would keep its connection, and so the shutdown, open
            self.stopping.cancel();
            self.health.end().await;
        };
        connection::serve(&self.front, Limits::default(), incoming, stopping).await;
    }
}

fn with_management(routes: Routes, broker: &Arc<Broker>, stopping: &CancellationToken) -> Routes {
    let management = Management::new(Arc::clone(broker));
    let limit = intake::MAX_MESSAGE;
    let policy = PolicyServiceServer::new(Policy::new(management.clone(), stopping.clone()));
    let (audit, stopping) = (management.clone(), stopping.clone());
    let audit = AuditServiceServer::new(AuditTrail { management: audit, stopping });
    let registries = RegistryServiceServer::new(RegistriesShown(management.clone()));
    let scope_maps = ScopeMapServiceServer::new(ScopeMaps(management.clone()));
    let tokens = TokenServiceServer::new(Tokens(management));
    routes
        .add_service(audit.max_decoding_message_size(limit))
        .add_service(policy.max_decoding_message_size(limit))
        .add_service(registries.max_decoding_message_size(limit))
        .add_service(scope_maps.max_decoding_message_size(limit))
        .add_service(tokens.max_decoding_message_size(limit))
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
