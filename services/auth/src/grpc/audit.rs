//! `kontor.auth.v1.AuditService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::audit_service_server::AuditService;
use kontor_runtime::convert::time_to_wire;
use kontor_types::{PageSize, PageToken};
use tonic::{Request, Response, Status};

use super::error::status;
use super::parse;
use crate::domain::audit::Entry;
use crate::ops::Auth;
use crate::ops::audit::{self, Filter};

/// Shows what was done.
pub(crate) struct Audit(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        let pb::ListAuditEventsRequest { page_size, page_token, resource, actor } = request.into_inner();
        let (before, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let given = |word: String| Some(word).filter(|word| !word.is_empty());
        let filter = Filter { resource: given(resource), actor: given(actor) };
        let page = audit::list(&self.0, &filter, before, size).await.map_err(status)?;
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        let audit_events = page.items.into_iter().map(to_wire).collect();
        Ok(Response::new(pb::ListAuditEventsResponse { audit_events, next_page_token }))
    }
}

fn to_wire(event: Entry) -> pb::AuditEvent {
    pb::AuditEvent {
        name: format!("auditEvents/{}", event.id),
        action: event.action,
        actor: event.actor,
        resource: event.resource,
        address: event.address,
        user_agent: event.user_agent,
        details: event.details.into_iter().collect(),
        create_time: Some(time_to_wire(event.create_time)),
    }
}
