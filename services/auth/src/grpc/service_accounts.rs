//! `kontor.auth.v1.ServiceAccountService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::service_account_service_server::ServiceAccountService;
use kontor_runtime::convert::{time_from_wire, time_to_wire};
use kontor_types::ids::canonical;
use kontor_types::{NameToken, PageSize, PageToken};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::error::status;
use super::parse;
use super::who::who;
use crate::domain::service_account::{AccountKey, ServiceAccount};
use crate::ops::service_keys::{self, Terms};
use crate::ops::{Auth, Error, service_accounts};

/// Keeps the accounts of programs, and their keys.
pub(crate) struct ServiceAccounts(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl ServiceAccountService for ServiceAccounts {
    async fn create_service_account(
        &self,
        request: Request<pb::CreateServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        let who = who(&self.0, &request);
        let pb::CreateServiceAccountRequest { service_account_id: id, service_account } = request.into_inner();
        let pb::ServiceAccount { name, display_name, .. } = service_account.unwrap_or_default();
        parse::no_name("service_account.name", &name)?;
        let account = service_accounts::create(&self.0, &who, &id, &display_name).await.map_err(status)?;
        Ok(Response::new(account_to_wire(account)))
    }

    async fn get_service_account(
        &self,
        request: Request<pb::GetServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        let account = service_accounts::get(&self.0, &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(account_to_wire(account)))
    }

    async fn list_service_accounts(
        &self,
        request: Request<pb::ListServiceAccountsRequest>,
    ) -> Result<Response<pb::ListServiceAccountsResponse>, Status> {
        let pb::ListServiceAccountsRequest { page_size, page_token } = request.into_inner();
        let (after, size) = (parse::name_token(&page_token)?, PageSize::from_request(page_size));
        let page = service_accounts::list(&self.0, after, size).await.map_err(status)?;
        let next_page_token = page.next.map(NameToken::to_wire).unwrap_or_default();
        let service_accounts = page.items.into_iter().map(account_to_wire).collect();
        Ok(Response::new(pb::ListServiceAccountsResponse { service_accounts, next_page_token }))
    }

    async fn update_service_account(
        &self,
        request: Request<pb::UpdateServiceAccountRequest>,
    ) -> Result<Response<pb::ServiceAccount>, Status> {
        let who = who(&self.0, &request);
        let pb::UpdateServiceAccountRequest { service_account, update_mask } = request.into_inner();
        let pb::ServiceAccount { name, display_name, .. } = service_account.unwrap_or_default();
        let changed = [("display_name", !display_name.is_empty())];
        let changed = parse::mask(update_mask.map(|mask| mask.paths), &changed)?;
        let display_name = Some(display_name).filter(|_| changed.contains(&"display_name"));
        let updated = service_accounts::update(&self.0, &who, &name, display_name.as_deref()).await;
        Ok(Response::new(account_to_wire(updated.map_err(status)?)))
    }

    async fn delete_service_account(
        &self,
        request: Request<pb::DeleteServiceAccountRequest>,
    ) -> Result<Response<pb::DeleteServiceAccountResponse>, Status> {
        service_accounts::delete(&self.0, &who(&self.0, &request), &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(pb::DeleteServiceAccountResponse {}))
    }

    async fn create_service_account_key(
        &self,
        request: Request<pb::CreateServiceAccountKeyRequest>,
    ) -> Result<Response<pb::CreateServiceAccountKeyResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::CreateServiceAccountKeyRequest { parent, key } = request.into_inner();
        let terms = terms(key.unwrap_or_default())?;
        let (key, secret) = service_keys::create(&self.0, &who, &parent, &terms).await.map_err(status)?;
        let (key, secret) = (Some(key_to_wire(key)), secret.expose_secret().to_owned());
        Ok(Response::new(pb::CreateServiceAccountKeyResponse { key, secret }))
    }

    async fn list_service_account_keys(
        &self,
        request: Request<pb::ListServiceAccountKeysRequest>,
    ) -> Result<Response<pb::ListServiceAccountKeysResponse>, Status> {
        let pb::ListServiceAccountKeysRequest { parent, page_size, page_token } = request.into_inner();
        let (after, size) = (parse::page_token(&page_token)?, PageSize::from_request(page_size));
        let page = service_keys::list(&self.0, &parent, after, size).await.map_err(status)?;
        let next_page_token = page.next.map(PageToken::to_wire).unwrap_or_default();
        let keys = page.items.into_iter().map(key_to_wire).collect();
        Ok(Response::new(pb::ListServiceAccountKeysResponse { keys, next_page_token }))
    }

    async fn delete_service_account_key(
        &self,
        request: Request<pb::DeleteServiceAccountKeyRequest>,
    ) -> Result<Response<pb::DeleteServiceAccountKeyResponse>, Status> {
        let name = &request.get_ref().name;
        let (account, id) = key_from_name(name).ok_or_else(|| status(Error::NotFound(name.clone())))?;
        service_keys::delete(&self.0, &who(&self.0, &request), account, id).await.map_err(status)?;
        Ok(Response::new(pb::DeleteServiceAccountKeyResponse {}))
    }
}

fn terms(key: pb::ServiceAccountKey) -> Result<Terms, Status> {
    parse::no_name("key.name", &key.name)?;
    let scopes = parse::permissions("key.scopes", &key.scopes)?;
    let expire_time = key.expire_time.map(|time| time_from_wire("key.expire_time", &time)).transpose()?;
    Ok(Terms { display_name: key.display_name, scopes, expire_time })
}

/// From `serviceAccounts/{id}/keys/{uuid}`.
fn key_from_name(name: &str) -> Option<(&str, Uuid)> {
    let (account, key) = name.strip_prefix("serviceAccounts/")?.split_once("/keys/")?;
    Some((account, canonical(key)?))
}

fn account_to_wire(account: ServiceAccount) -> pb::ServiceAccount {
    let (name, create_time) = (account.name(), Some(time_to_wire(account.create_time)));
    pb::ServiceAccount { name, display_name: account.display_name, built_in: account.built_in, create_time }
}

fn key_to_wire(key: AccountKey) -> pb::ServiceAccountKey {
    pb::ServiceAccountKey {
        name: key.name(),
        display_name: key.display_name,
        scopes: key.scopes,
        expire_time: key.expire_time.map(time_to_wire),
        create_time: Some(time_to_wire(key.create_time)),
        last_use_time: key.last_use_time.map(time_to_wire),
    }
}
