//! `kontor.auth.v1.UserService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::user_service_server::UserService;
use kontor_runtime::convert::time_to_wire;
use tonic::{Request, Response, Status};

use super::error::{status, status_of_new_password};
use super::who::who;
use crate::domain::account::User;
use crate::ops::{Auth, change_password, users};

/// Reads accounts.
pub(crate) struct Users(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(&self, request: Request<pb::GetUserRequest>) -> Result<Response<pb::User>, Status> {
        let user = users::get(&self.0, &who(&request), &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(to_wire(user)))
    }

    async fn list_users(&self, _: Request<pb::ListUsersRequest>) -> Result<Response<pb::ListUsersResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn update_user(&self, _: Request<pb::UpdateUserRequest>) -> Result<Response<pb::User>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn suspend_user(&self, _: Request<pb::SuspendUserRequest>) -> Result<Response<pb::User>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn unsuspend_user(&self, _: Request<pb::UnsuspendUserRequest>) -> Result<Response<pb::User>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn delete_user(&self, _: Request<pb::DeleteUserRequest>) -> Result<Response<pb::DeleteUserResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Result<Response<pb::ChangePasswordResponse>, Status> {
        let who = who(&request);
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
