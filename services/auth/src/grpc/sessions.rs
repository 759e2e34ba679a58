//! `kontor.auth.v1.SessionService`.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::session_service_server::SessionService;
use kontor_types::{PageSize, PageToken};
use tonic::{Request, Response, Status};

use super::parse;
use super::request_context::split;
use crate::ops::Auth;
use crate::wire;

pub(super) struct Sessions(pub(super) Auth);

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn list_sessions(
        &self,
        request: Request<pb::ListSessionsRequest>,
    ) -> Result<Response<pb::ListSessionsResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::ListSessionsRequest { parent, page_size, page_token } = request;
        let (after, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let page = self.0.list_sessions(&context, &parent, after, size).await?;
        let sid = context.caller.sid();
        let sessions = page.items.into_iter().map(|session| wire::session(session, sid)).collect();
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        Ok(Response::new(pb::ListSessionsResponse { sessions, next_page_token }))
    }

    async fn revoke_session(
        &self,
        request: Request<pb::RevokeSessionRequest>,
    ) -> Result<Response<pb::RevokeSessionResponse>, Status> {
        let (context, request) = split(&self.0, request);
        self.0.revoke_session(&context, &request.name).await?;
        Ok(Response::new(pb::RevokeSessionResponse {}))
    }

    async fn revoke_all_sessions(
        &self,
        request: Request<pb::RevokeAllSessionsRequest>,
    ) -> Result<Response<pb::RevokeAllSessionsResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let ended = self.0.revoke_all_sessions(&context, &request.parent, request.keep_current).await?;
        let revoked_count = i32::try_from(ended).unwrap_or(i32::MAX);
        Ok(Response::new(pb::RevokeAllSessionsResponse { revoked_count }))
    }
}
