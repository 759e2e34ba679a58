//! `kontor.auth.v1.SessionService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::session_service_server::SessionService;
use kontor_runtime::convert::time_to_wire;
use kontor_types::{PageSize, PageToken};
use tonic::{Request, Response, Status};

use super::error::status;
use super::parse;
use super::who::who;
use crate::domain::session::Session;
use crate::ops::{Auth, Who, user_sessions};

/// Shows where users are signed in, and ends it.
pub(crate) struct Sessions(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn list_sessions(
        &self,
        request: Request<pb::ListSessionsRequest>,
    ) -> Result<Response<pb::ListSessionsResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::ListSessionsRequest { parent, page_size, page_token } = request.into_inner();
        let slice = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let page = user_sessions::list(&self.0, &who, &parent, slice).await.map_err(status)?;
        let sessions = page.items.into_iter().map(|session| to_wire(session, &who)).collect();
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        Ok(Response::new(pb::ListSessionsResponse { sessions, next_page_token }))
    }

    async fn revoke_session(
        &self,
        request: Request<pb::RevokeSessionRequest>,
    ) -> Result<Response<pb::RevokeSessionResponse>, Status> {
        let who = who(&self.0, &request);
        user_sessions::revoke(&self.0, &who, &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(pb::RevokeSessionResponse {}))
    }

    async fn revoke_all_sessions(
        &self,
        request: Request<pb::RevokeAllSessionsRequest>,
    ) -> Result<Response<pb::RevokeAllSessionsResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::RevokeAllSessionsRequest { parent, keep_current } = request.into_inner();
        let ended = user_sessions::revoke_all(&self.0, &who, &parent, keep_current).await.map_err(status)?;
        let revoked_count = i32::try_from(ended).unwrap_or(i32::MAX);
        Ok(Response::new(pb::RevokeAllSessionsResponse { revoked_count }))
    }
}

fn to_wire(session: Session, who: &Who) -> pb::Session {
    pb::Session {
        name: session.name.to_string(),
        address: session.address,
        user_agent: session.user_agent,
        create_time: Some(time_to_wire(session.create_time)),
        refresh_time: Some(time_to_wire(session.refresh_time)),
        expire_time: Some(time_to_wire(session.expire_time)),
        current: who.caller.sid() == Some(session.name.id.0),
    }
}
