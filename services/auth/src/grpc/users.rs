//! `kontor.auth.v1.UserService`.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::user_service_server::UserService;
use kontor_types::{PageSize, PageToken};
use tonic::{Request, Response, Status};

use super::parse;
use super::request_context::split;
use crate::ops::Auth;
use crate::wire;

pub(super) struct Users(pub(super) Auth);

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(&self, request: Request<pb::GetUserRequest>) -> Result<Response<pb::User>, Status> {
        let (context, request) = split(&self.0, request);
        Ok(Response::new(wire::user(self.0.get_user(&context, &request.name).await?)))
    }

    async fn list_users(
        &self,
        request: Request<pb::ListUsersRequest>,
    ) -> Result<Response<pb::ListUsersResponse>, Status> {
        let pb::ListUsersRequest { page_size, page_token, email } = request.into_inner();
        let (after, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let page = self.0.list_users(&email, after, size).await?;
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        let users = page.items.into_iter().map(wire::user).collect();
        Ok(Response::new(pb::ListUsersResponse { users, next_page_token }))
    }

    async fn update_user(&self, request: Request<pb::UpdateUserRequest>) -> Result<Response<pb::User>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::User { name, display_name, .. } = request.user.unwrap_or_default();
        let display_name = parse::display_name(display_name, request.update_mask)?;
        let user = self.0.update_user(&context, &name, display_name.as_deref()).await?;
        Ok(Response::new(wire::user(user)))
    }

    async fn suspend_user(&self, request: Request<pb::SuspendUserRequest>) -> Result<Response<pb::User>, Status> {
        let (context, request) = split(&self.0, request);
        Ok(Response::new(wire::user(self.0.suspend_user(&context, &request.name).await?)))
    }

    async fn unsuspend_user(&self, request: Request<pb::UnsuspendUserRequest>) -> Result<Response<pb::User>, Status> {
        let (context, request) = split(&self.0, request);
        Ok(Response::new(wire::user(self.0.unsuspend_user(&context, &request.name).await?)))
    }

    async fn delete_user(
        &self,
        request: Request<pb::DeleteUserRequest>,
    ) -> Result<Response<pb::DeleteUserResponse>, Status> {
        let (context, request) = split(&self.0, request);
        self.0.delete_user(&context, &request.name).await?;
        Ok(Response::new(pb::DeleteUserResponse {}))
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Result<Response<pb::ChangePasswordResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::ChangePasswordRequest { name, current_password, new_password } = request;
        self.0.change_password(&context, &name, current_password.into(), new_password.into()).await?;
        Ok(Response::new(pb::ChangePasswordResponse {}))
    }
}
