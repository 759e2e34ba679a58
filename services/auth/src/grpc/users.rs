//! `kontor.auth.v1.UserService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::user_service_server::UserService;
use kontor_runtime::Caller;
use kontor_runtime::convert::time_to_wire;
use tonic::{Request, Response, Status};

use super::error::status;
use crate::domain::account::User;
use crate::ops::{Auth, users};

/// Reads accounts.
pub(crate) struct Users(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(&self, request: Request<pb::GetUserRequest>) -> Result<Response<pb::User>, Status> {
        let caller = Caller::of(&request);
        let user = users::get(&self.0, &caller, &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(to_wire(user)))
    }
}

fn to_wire(user: User) -> pb::User {
    pb::User {
        name: user.id.to_string(),
        email: user.email,
        display_name: user.display_name,
        roles: user.roles.into_iter().map(|role| role.name().to_owned()).collect(),
        create_time: Some(time_to_wire(user.create_time)),
    }
}
