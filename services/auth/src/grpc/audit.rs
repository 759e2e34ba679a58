//! `kontor.auth.v1.AuditService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::audit_service_server::AuditService;
use tonic::{Request, Response, Status};

use crate::ops::Auth;

/// TODO
pub(crate) struct Audit(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_events(
        &self,
        _: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }
}
