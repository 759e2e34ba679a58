//! `kontor.auth.v1.AccessService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::access_service_server::AccessService;
use tonic::{Request, Response, Status};

use crate::ops::Auth;

/// TODO
pub(crate) struct Access(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl AccessService for Access {
    async fn create_role(&self, _: Request<pb::CreateRoleRequest>) -> Result<Response<pb::Role>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn get_role(&self, _: Request<pb::GetRoleRequest>) -> Result<Response<pb::Role>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn list_roles(&self, _: Request<pb::ListRolesRequest>) -> Result<Response<pb::ListRolesResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn update_role(&self, _: Request<pb::UpdateRoleRequest>) -> Result<Response<pb::Role>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn delete_role(&self, _: Request<pb::DeleteRoleRequest>) -> Result<Response<pb::DeleteRoleResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn create_role_binding(
        &self,
        _: Request<pb::CreateRoleBindingRequest>,
    ) -> Result<Response<pb::RoleBinding>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn list_role_bindings(
        &self,
        _: Request<pb::ListRoleBindingsRequest>,
    ) -> Result<Response<pb::ListRoleBindingsResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn delete_role_binding(
        &self,
        _: Request<pb::DeleteRoleBindingRequest>,
    ) -> Result<Response<pb::DeleteRoleBindingResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn test_permissions(
        &self,
        _: Request<pb::TestPermissionsRequest>,
    ) -> Result<Response<pb::TestPermissionsResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }
}
