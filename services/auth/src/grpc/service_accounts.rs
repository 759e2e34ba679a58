//! `kontor.auth.v1.ServiceAccountService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::service_account_service_server::ServiceAccountService;
use tonic::{Request, Response, Status};

use crate::ops::Auth;

/// TODO
pub(crate) struct ServiceAccounts(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl ServiceAccountService for ServiceAccounts {
    async fn create_service_account(
        &self,
        _: Request<pb::CreateServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn get_service_account(
        &self,
        _: Request<pb::GetServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn list_service_accounts(
        &self,
        _: Request<pb::ListServiceAccountsRequest>,
    ) -> Result<Response<pb::ListServiceAccountsResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn update_service_account(
        &self,
        _: Request<pb::UpdateServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn delete_service_account(
        &self,
        _: Request<pb::DeleteServiceAccountRequest>,
    ) -> Result<Response<pb::DeleteServiceAccountResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn create_service_account_key(
        &self,
        _: Request<pb::CreateServiceAccountKeyRequest>,
    ) -> Result<Response<pb::CreateServiceAccountKeyResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn list_service_account_keys(
        &self,
        _: Request<pb::ListServiceAccountKeysRequest>,
    ) -> Result<Response<pb::ListServiceAccountKeysResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn delete_service_account_key(
        &self,
        _: Request<pb::DeleteServiceAccountKeyRequest>,
    ) -> Result<Response<pb::DeleteServiceAccountKeyResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }
}
