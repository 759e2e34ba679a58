//! `kontor.auth.v1.AuditService`.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::audit_service_server::AuditService;
use kontor_types::{PageSize, PageToken};
use tonic::{Request, Response, Status};

use super::parse;
use crate::ops::{Auth, Filter};
use crate::wire;

pub(super) struct Audit(pub(super) Auth);

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        let pb::ListAuditEventsRequest { page_size, page_token, resource, actor } = request.into_inner();
        let (before, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let filter = Filter { resource: parse::filter(&resource), actor: parse::filter(&actor) };
        let page = self.0.list_audit_events(filter, before, size).await?;
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        let audit_events = page.items.into_iter().map(wire::audit_event).collect();
        Ok(Response::new(pb::ListAuditEventsResponse { audit_events, next_page_token }))
    }
}
