//! `kontor.auth.v1.AccessService`.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::access_service_server::AccessService;
use kontor_runtime::Caller;
use kontor_types::{NameToken, PageSize, PageToken};
use prost_types::FieldMask;
use tonic::{Request, Response, Status};

use super::parse;
use super::request_context::split;
use crate::domain::definition::{Change, Definition};
use crate::ops::Auth;
use crate::wire;

pub(super) struct Access(pub(super) Auth);

#[tonic::async_trait]
impl AccessService for Access {
    async fn create_role(&self, request: Request<pb::CreateRoleRequest>) -> Result<Response<pb::Role>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::Role { name, description, permissions, .. } = request.role.unwrap_or_default();
        parse::no_name("role.name", &name)?;
        let permissions = parse::permissions("role.permissions", &permissions)?;
        let role = Definition { id: request.role_id, description, permissions, create_time: None };
        Ok(Response::new(wire::role(self.0.create_role(&context, &role).await?)))
    }

    async fn get_role(&self, request: Request<pb::GetRoleRequest>) -> Result<Response<pb::Role>, Status> {
        Ok(Response::new(wire::role(self.0.get_role(&request.get_ref().name).await?)))
    }

    async fn list_roles(
        &self,
        request: Request<pb::ListRolesRequest>,
    ) -> Result<Response<pb::ListRolesResponse>, Status> {
        let pb::ListRolesRequest { page_size, page_token } = request.into_inner();
        let after = parse::name_token(&page_token)?;
        let page = self.0.list_roles(after, PageSize::from_request(page_size)).await?;
        let next_page_token = page.next.map(NameToken::to_wire).unwrap_or_default();
        let roles = page.items.into_iter().map(wire::role).collect();
        Ok(Response::new(pb::ListRolesResponse { roles, next_page_token }))
    }

    async fn update_role(&self, request: Request<pb::UpdateRoleRequest>) -> Result<Response<pb::Role>, Status> {
        let (context, request) = split(&self.0, request);
        let role = request.role.unwrap_or_default();
        let change = change(&role, request.update_mask)?;
        Ok(Response::new(wire::role(self.0.update_role(&context, &role.name, &change).await?)))
    }

    async fn delete_role(
        &self,
        request: Request<pb::DeleteRoleRequest>,
    ) -> Result<Response<pb::DeleteRoleResponse>, Status> {
        let (context, request) = split(&self.0, request);
        self.0.delete_role(&context, &request.name).await?;
        Ok(Response::new(pb::DeleteRoleResponse {}))
    }

    async fn create_role_binding(
        &self,
        request: Request<pb::CreateRoleBindingRequest>,
    ) -> Result<Response<pb::RoleBinding>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::RoleBinding { name, role, member, .. } = request.role_binding.unwrap_or_default();
        parse::no_name("role_binding.name", &name)?;
        let binding = self.0.create_role_binding(&context, &role, &member).await?;
        Ok(Response::new(wire::role_binding(binding)))
    }

    async fn list_role_bindings(
        &self,
        request: Request<pb::ListRoleBindingsRequest>,
    ) -> Result<Response<pb::ListRoleBindingsResponse>, Status> {
        let pb::ListRoleBindingsRequest { page_size, page_token, member } = request.into_inner();
        let (after, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let page = self.0.list_role_bindings(parse::filter(&member), after, size).await?;
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        let role_bindings = page.items.into_iter().map(wire::role_binding).collect();
        Ok(Response::new(pb::ListRoleBindingsResponse { role_bindings, next_page_token }))
    }

    async fn delete_role_binding(
        &self,
        request: Request<pb::DeleteRoleBindingRequest>,
    ) -> Result<Response<pb::DeleteRoleBindingResponse>, Status> {
        let (context, request) = split(&self.0, request);
        self.0.delete_role_binding(&context, parse::role_binding(&request.name)?).await?;
        Ok(Response::new(pb::DeleteRoleBindingResponse {}))
    }

    async fn test_permissions(
        &self,
        request: Request<pb::TestPermissionsRequest>,
    ) -> Result<Response<pb::TestPermissionsResponse>, Status> {
        let caller = Caller::of(&request);
        let mut permissions = request.into_inner().permissions;
        permissions.retain(|permission| caller.may(permission));
        Ok(Response::new(pb::TestPermissionsResponse { permissions }))
    }
}

fn change(role: &pb::Role, mask: Option<FieldMask>) -> Result<Change, Status> {
    let set = [("description", !role.description.is_empty()), ("permissions", !role.permissions.is_empty())];
    let mut change = Change::default();
    for path in parse::update_mask(mask, &set)? {
        match path {
            "permissions" => change.permissions = Some(parse::permissions("role.permissions", &role.permissions)?),
            _ => change.description = Some(role.description.clone()),
        }
    }
    Ok(change)
}
