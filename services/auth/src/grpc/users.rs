//! `kontor.auth.v1.UserService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::user_service_server::UserService;
use kontor_runtime::convert::time_to_wire;
use kontor_types::{PageSize, PageToken};
use tonic::{Request, Response, Status};

use super::error::{status, status_of_new_password};
use super::parse;
use super::who::who;
use crate::domain::account::User;
use crate::ops::{Auth, change_password, suspension, users};

/// Reads and changes accounts.
pub(crate) struct Users(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(&self, request: Request<pb::GetUserRequest>) -> Result<Response<pb::User>, Status> {
        let user = users::get(&self.0, &who(&self.0, &request), &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(to_wire(user)))
    }

    async fn list_users(
        &self,
        request: Request<pb::ListUsersRequest>,
    ) -> Result<Response<pb::ListUsersResponse>, Status> {
        let pb::ListUsersRequest { page_size, page_token, email } = request.into_inner();
        let (after, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let page = users::list(&self.0, &email, after, size).await.map_err(status)?;
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        Ok(Response::new(pb::ListUsersResponse {
            users: page.items.into_iter().map(to_wire).collect(),
            next_page_token,
        }))
    }

    async fn update_user(&self, request: Request<pb::UpdateUserRequest>) -> Result<Response<pb::User>, Status> {
        let who = who(&self.0, &request);
        let pb::UpdateUserRequest { user, update_mask } = request.into_inner();
        let pb::User { name, display_name, .. } = user.unwrap_or_default();
        let changed = [("display_name", !display_name.is_empty())];
        let changed = parse::mask(update_mask.map(|mask| mask.paths), &changed)?;
        let display_name = Some(display_name).filter(|_| changed.contains(&"display_name"));
        let user = users::update(&self.0, &who, &name, display_name.as_deref()).await.map_err(status)?;
        Ok(Response::new(to_wire(user)))
    }

    async fn suspend_user(&self, request: Request<pb::SuspendUserRequest>) -> Result<Response<pb::User>, Status> {
        let user =
            suspension::suspend(&self.0, &who(&self.0, &request), &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(to_wire(user)))
    }

    async fn unsuspend_user(&self, request: Request<pb::UnsuspendUserRequest>) -> Result<Response<pb::User>, Status> {
        let user =
            suspension::unsuspend(&self.0, &who(&self.0, &request), &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(to_wire(user)))
    }

    async fn delete_user(
        &self,
        request: Request<pb::DeleteUserRequest>,
    ) -> Result<Response<pb::DeleteUserResponse>, Status> {
        suspension::delete(&self.0, &who(&self.0, &request), &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(pb::DeleteUserResponse {}))
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Result<Response<pb::ChangePasswordResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::ChangePasswordRequest { name, current_password, new_password } = request.into_inner();
        let passwords = (current_password.into(), new_password.into());
        change_password::change_password(&self.0, &who, &name, passwords).await.map_err(status_of_new_password)?;
        Ok(Response::new(pb::ChangePasswordResponse {}))
    }
}

fn to_wire(user: User) -> pb::User {
    let state = match user.is_suspended {
        true => pb::user::State::Suspended,
        false => pb::user::State::Active,
    };
    pb::User {
        name: user.id.to_string(),
        email: user.email,
        display_name: user.display_name,
        roles: user.roles,
        create_time: Some(time_to_wire(user.create_time)),
        state: state.into(),
    }
}
