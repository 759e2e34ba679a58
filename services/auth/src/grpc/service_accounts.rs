//! `kontor.auth.v1.ServiceAccountService`.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::service_account_service_server::ServiceAccountService;
use kontor_runtime::convert::time_from_wire;
use kontor_types::{NameToken, PageSize, PageToken};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};

use super::parse;
use super::request_context::split;
use crate::ops::{Auth, Terms};
use crate::wire;

pub(super) struct ServiceAccounts(pub(super) Auth);

#[tonic::async_trait]
impl ServiceAccountService for ServiceAccounts {
    async fn create_service_account(
        &self,
        request: Request<pb::CreateServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::ServiceAccount { name, display_name, .. } = request.service_account.unwrap_or_default();
        parse::no_name("service_account.name", &name)?;
        let account = self.0.create_service_account(&context, &request.service_account_id, &display_name).await?;
        Ok(Response::new(wire::service_account(account)))
    }

    async fn get_service_account(
        &self,
        request: Request<pb::GetServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        Ok(Response::new(wire::service_account(self.0.get_service_account(&request.get_ref().name).await?)))
    }

    async fn list_service_accounts(
        &self,
        request: Request<pb::ListServiceAccountsRequest>,
    ) -> Result<Response<pb::ListServiceAccountsResponse>, Status> {
        let pb::ListServiceAccountsRequest { page_size, page_token } = request.into_inner();
        let after = parse::name_token(&page_token)?;
        let page = self.0.list_service_accounts(after, PageSize::from_request(page_size)).await?;
        let next_page_token = page.next.map(NameToken::to_wire).unwrap_or_default();
        let service_accounts = page.items.into_iter().map(wire::service_account).collect();
        Ok(Response::new(pb::ListServiceAccountsResponse { service_accounts, next_page_token }))
    }

    async fn update_service_account(
        &self,
        request: Request<pb::UpdateServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::ServiceAccount { name, display_name, .. } = request.service_account.unwrap_or_default();
        let display_name = parse::display_name(display_name, request.update_mask)?;
        let updated = self.0.update_service_account(&context, &name, display_name.as_deref()).await?;
        Ok(Response::new(wire::service_account(updated)))
    }

    async fn delete_service_account(
        &self,
        request: Request<pb::DeleteServiceAccountRequest>,
    ) -> Result<Response<pb::DeleteServiceAccountResponse>, Status> {
        let (context, request) = split(&self.0, request);
        self.0.delete_service_account(&context, &request.name).await?;
        Ok(Response::new(pb::DeleteServiceAccountResponse {}))
    }

    async fn create_service_account_key(
        &self,
        request: Request<pb::CreateServiceAccountKeyRequest>,
    ) -> Result<Response<pb::CreateServiceAccountKeyResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let terms = terms(request.key.unwrap_or_default())?;
        let (key, secret) = self.0.create_service_account_key(&context, &request.parent, &terms).await?;
        let (key, secret) = (Some(wire::service_account_key(key)), secret.expose_secret().to_owned());
        Ok(Response::new(pb::CreateServiceAccountKeyResponse { key, secret }))
    }

    async fn list_service_account_keys(
        &self,
        request: Request<pb::ListServiceAccountKeysRequest>,
    ) -> Result<Response<pb::ListServiceAccountKeysResponse>, Status> {
        let pb::ListServiceAccountKeysRequest { parent, page_size, page_token } = request.into_inner();
        let (after, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let page = self.0.list_service_account_keys(&parent, after, size).await?;
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        let keys = page.items.into_iter().map(wire::service_account_key).collect();
        Ok(Response::new(pb::ListServiceAccountKeysResponse { keys, next_page_token }))
    }

    async fn delete_service_account_key(
        &self,
        request: Request<pb::DeleteServiceAccountKeyRequest>,
    ) -> Result<Response<pb::DeleteServiceAccountKeyResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let (account, id) = parse::service_account_key(&request.name)?;
        self.0.delete_service_account_key(&context, account, id).await?;
        Ok(Response::new(pb::DeleteServiceAccountKeyResponse {}))
    }
}

fn terms(key: pb::ServiceAccountKey) -> Result<Terms, Status> {
    parse::no_name("key.name", &key.name)?;
    let scopes = parse::permissions("key.scopes", &key.scopes)?;
    let expire_time = key.expire_time.map(|time| time_from_wire("key.expire_time", &time)).transpose()?;
    Ok(Terms { display_name: key.display_name, scopes, expire_time })
}
