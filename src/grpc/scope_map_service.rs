//! `dockpass.v1.ScopeMapService`: reads the message, asks the broker, writes the answer.

use tonic::{Request, Response, Status};

use super::convert::scope_map as convert;
use super::management::Management;
use crate::pb;
use crate::pb::scope_map_service_server::ScopeMapService;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct ScopeMaps(pub(super) Management);

#[tonic::async_trait]
impl ScopeMapService for ScopeMaps {
    async fn list_scope_maps(
        &self,
        request: Request<pb::ListScopeMapsRequest>,
    ) -> Result<Response<pb::ListScopeMapsResponse>, Status> {
        let registry = request.get_ref().registry.clone();
        let page = self.0.read(request, |message| convert::list(&message)).await?;
        Ok(Response::new(convert::listed(&registry, &page)))
    }

    async fn get_scope_map(
        &self,
        request: Request<pb::GetScopeMapRequest>,
    ) -> Result<Response<pb::GetScopeMapResponse>, Status> {
        let map = self.0.read(request, |message| convert::get(&message)).await?;
        let scope_map = Some(convert::scope_map(&map));
        Ok(Response::new(pb::GetScopeMapResponse { scope_map }))
    }

    async fn create_scope_map(
        &self,
        request: Request<pb::CreateScopeMapRequest>,
    ) -> Result<Response<pb::CreateScopeMapResponse>, Status> {
        let map = self.0.change(request, convert::create).await?;
        let scope_map = Some(convert::scope_map(&map));
        Ok(Response::new(pb::CreateScopeMapResponse { scope_map }))
    }

    async fn update_scope_map(
        &self,
        request: Request<pb::UpdateScopeMapRequest>,
    ) -> Result<Response<pb::UpdateScopeMapResponse>, Status> {
        let map = self.0.change(request, convert::update).await?;
        let scope_map = Some(convert::scope_map(&map));
        Ok(Response::new(pb::UpdateScopeMapResponse { scope_map }))
    }

    async fn delete_scope_map(
        &self,
        request: Request<pb::DeleteScopeMapRequest>,
    ) -> Result<Response<pb::DeleteScopeMapResponse>, Status> {
        let disabled = self.0.change(request, |message| convert::delete(&message)).await?;
        let disabled_tokens = disabled.iter().map(ToString::to_string).collect();
        Ok(Response::new(pb::DeleteScopeMapResponse { disabled_tokens }))
    }

    async fn preview_scope_map_update(
        &self,
        request: Request<pb::PreviewScopeMapUpdateRequest>,
    ) -> Result<Response<pb::PreviewScopeMapUpdateResponse>, Status> {
        let preview = self.0.read(request, convert::preview).await?;
        Ok(Response::new(convert::previewed(&preview)))
    }
}
