//! `kontor.auth.v1.SessionService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::session_service_server::SessionService;
use tonic::{Request, Response, Status};

use crate::ops::Auth;

/// TODO
pub(crate) struct Sessions(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn list_sessions(
        &self,
        _: Request<pb::ListSessionsRequest>,
    ) -> Result<Response<pb::ListSessionsResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn revoke_session(
        &self,
        _: Request<pb::RevokeSessionRequest>,
    ) -> Result<Response<pb::RevokeSessionResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn revoke_all_sessions(
        &self,
        _: Request<pb::RevokeAllSessionsRequest>,
    ) -> Result<Response<pb::RevokeAllSessionsResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }
}
