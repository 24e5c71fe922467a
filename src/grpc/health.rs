//! `grpc.health.v1.Health`, of the whole server (the empty name) and of each service.

use std::sync::Arc;
use std::time::Duration;

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::broker::Broker;
use crate::pb::access_service_server::SERVICE_NAME;

/// The whole server, and each service.
const SERVICES: [&str; 2] = ["", SERVICE_NAME];

/// Tells callers and load balancers whether requests are answered.
#[derive(Clone, Debug, Default)]
pub struct Health(HealthReporter);

/// Whether requests are answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Readiness {
    /// They are.
    Ready,
    /// They are not: the audit journal cannot be written, or the server is about to stop.
    NotReady,
}

impl Health {
    /// Tells everybody who asks or watches.
    pub async fn set(&self, readiness: Readiness) {
        let status = match readiness {
            Readiness::Ready => ServingStatus::Serving,
            Readiness::NotReady => ServingStatus::NotServing,
        };
        for service in SERVICES {
            self.0.set_service_status(service, status).await;
        }
    }

    /// Tells what the broker says of itself, as often as `every`. Does not end: drop it to stop.
    pub async fn follow(&self, broker: &Arc<Broker>, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            let ready = if broker.is_ready() { Readiness::Ready } else { Readiness::NotReady };
            self.set(ready).await;
        }
    }

    /// Says once more that requests are not answered, and ends what watches.
    pub(super) async fn end(&self) {
        self.set(Readiness::NotReady).await;
        let mut reporter = self.0.clone();
        for service in SERVICES {
            reporter.clear_service_status(service).await;
        }
    }

    pub(super) fn reporter(&self) -> HealthReporter {
        self.0.clone()
    }
}
