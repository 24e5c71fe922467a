//! `dockpass.v1.RegistryService`: reads the message, asks the broker, writes the answer.

use tonic::{Request, Response, Status};

use super::convert::registry as convert;
use super::management::Management;
use crate::pb;
use crate::pb::registry_service_server::RegistryService;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct RegistriesShown(pub(super) Management);

#[tonic::async_trait]
impl RegistryService for RegistriesShown {
    async fn list_registries(
        &self,
        request: Request<pb::ListRegistriesRequest>,
    ) -> Result<Response<pb::ListRegistriesResponse>, Status> {
        let page = self.0.read(request, |message| convert::list(&message)).await?;
        Ok(Response::new(convert::listed(&page)))
    }

    async fn get_registry(
        &self,
        request: Request<pb::GetRegistryRequest>,
    ) -> Result<Response<pb::GetRegistryResponse>, Status> {
        let view = self.0.read(request, |message| convert::get(&message)).await?;
        let registry = Some(convert::registry(&view));
        Ok(Response::new(pb::GetRegistryResponse { registry }))
    }

    async fn check_registry(
        &self,
        request: Request<pb::CheckRegistryRequest>,
    ) -> Result<Response<pb::CheckRegistryResponse>, Status> {
        let findings = self.0.read(request, |message| convert::check(&message)).await?;
        let findings = findings.iter().map(convert::finding).collect();
        Ok(Response::new(pb::CheckRegistryResponse { findings }))
    }
}
