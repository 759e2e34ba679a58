//! `kontor.auth.v1.AccessService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::access_service_server::AccessService;
use kontor_runtime::Caller;
use kontor_runtime::convert::time_to_wire;
use kontor_types::ids::canonical;
use kontor_types::{NameToken, PageSize, PageToken};
use tonic::{Request, Response, Status};

use super::error::status;
use super::parse;
use super::who::who;
use crate::domain::binding::Binding;
use crate::domain::definition::{Change, Definition};
use crate::ops::{Auth, Error, bindings, roles};

/// Says who may do what.
pub(crate) struct Access(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl AccessService for Access {
    async fn create_role(&self, request: Request<pb::CreateRoleRequest>) -> Result<Response<pb::Role>, Status> {
        let who = who(&self.0, &request);
        let pb::CreateRoleRequest { role_id: id, role } = request.into_inner();
        let pb::Role { name, description, permissions, .. } = role.unwrap_or_default();
        parse::no_name("role.name", &name)?;
        let permissions = parse::permissions("role.permissions", &permissions)?;
        let role = Definition { id, description, permissions, create_time: None };
        Ok(Response::new(role_to_wire(roles::create(&self.0, &who, &role).await.map_err(status)?)))
    }

    async fn get_role(&self, request: Request<pb::GetRoleRequest>) -> Result<Response<pb::Role>, Status> {
        let role = roles::get(&self.0, &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(role_to_wire(role)))
    }

    async fn list_roles(
        &self,
        request: Request<pb::ListRolesRequest>,
    ) -> Result<Response<pb::ListRolesResponse>, Status> {
        let pb::ListRolesRequest { page_size, page_token } = request.into_inner();
        let (after, size) = (parse::name_token(&page_token)?, PageSize::from_request(page_size));
        let page = roles::list(&self.0, after, size).await.map_err(status)?;
        let next_page_token = page.next.map(NameToken::to_wire).unwrap_or_default();
        let roles = page.items.into_iter().map(role_to_wire).collect();
        Ok(Response::new(pb::ListRolesResponse { roles, next_page_token }))
    }

    async fn update_role(&self, request: Request<pb::UpdateRoleRequest>) -> Result<Response<pb::Role>, Status> {
        let who = who(&self.0, &request);
        let pb::UpdateRoleRequest { role, update_mask } = request.into_inner();
        let role = role.unwrap_or_default();
        let change = change(&role, update_mask.map(|mask| mask.paths))?;
        let role = roles::update(&self.0, &who, &role.name, &change).await.map_err(status)?;
        Ok(Response::new(role_to_wire(role)))
    }

    async fn delete_role(
        &self,
        request: Request<pb::DeleteRoleRequest>,
    ) -> Result<Response<pb::DeleteRoleResponse>, Status> {
        roles::delete(&self.0, &who(&self.0, &request), &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(pb::DeleteRoleResponse {}))
    }

    async fn create_role_binding(
        &self,
        request: Request<pb::CreateRoleBindingRequest>,
    ) -> Result<Response<pb::RoleBinding>, Status> {
        let who = who(&self.0, &request);
        let pb::RoleBinding { name, role, member, .. } = request.into_inner().role_binding.unwrap_or_default();
        parse::no_name("role_binding.name", &name)?;
        let binding = bindings::create(&self.0, &who, &role, &member).await.map_err(status)?;
        Ok(Response::new(binding_to_wire(binding)))
    }

    async fn list_role_bindings(
        &self,
        request: Request<pb::ListRoleBindingsRequest>,
    ) -> Result<Response<pb::ListRoleBindingsResponse>, Status> {
        let pb::ListRoleBindingsRequest { page_size, page_token, member } = request.into_inner();
        let (after, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let member = Some(member).filter(|member| !member.is_empty());
        let page = bindings::list(&self.0, member.as_deref(), after, size).await.map_err(status)?;
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        let role_bindings = page.items.into_iter().map(binding_to_wire).collect();
        Ok(Response::new(pb::ListRoleBindingsResponse { role_bindings, next_page_token }))
    }

    async fn delete_role_binding(
        &self,
        request: Request<pb::DeleteRoleBindingRequest>,
    ) -> Result<Response<pb::DeleteRoleBindingResponse>, Status> {
        let name = &request.get_ref().name;
        let id = name.strip_prefix("roleBindings/").and_then(canonical);
        let id = id.ok_or_else(|| status(Error::NotFound(name.clone())))?;
        bindings::delete(&self.0, &who(&self.0, &request), id).await.map_err(status)?;
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

fn change(role: &pb::Role, mask: Option<Vec<String>>) -> Result<Change, Status> {
    let set = [("description", !role.description.is_empty()), ("permissions", !role.permissions.is_empty())];
    let mut change = Change::default();
    for path in parse::mask(mask, &set)? {
        match path {
            "permissions" => change.permissions = Some(parse::permissions("role.permissions", &role.permissions)?),
            _ => change.description = Some(role.description.clone()),
        }
    }
    Ok(change)
}

fn role_to_wire(role: Definition) -> pb::Role {
    let name = role.name();
    let (built_in, create_time) = (role.create_time.is_none(), role.create_time.map(time_to_wire));
    pb::Role { name, description: role.description, permissions: role.permissions, built_in, create_time }
}

fn binding_to_wire(binding: Binding) -> pb::RoleBinding {
    pb::RoleBinding {
        name: binding.name(),
        role: format!("roles/{}", binding.role),
        member: binding.member,
        create_time: Some(time_to_wire(binding.create_time)),
    }
}
