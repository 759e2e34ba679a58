//! Service accounts. Those of Kontor's own services follow from the settings and cannot be changed.

use kontor_postgres::retry;
use kontor_runtime::access::INTERNAL;
use kontor_types::{NameToken, Page, PageSize};
use sqlx::PgConnection;

use super::{Auth, Error, RequestContext, admin_lock};
use crate::domain::audit::Event;
use crate::domain::binding::Member;
use crate::domain::service_account::{ServiceAccount, account_name};
use crate::store;

impl Auth {
    pub async fn create_service_account(
        &self,
        context: &RequestContext,
        id: &str,
        display_name: &str,
    ) -> Result<ServiceAccount, Error> {
        retry("create_service_account", || self.create_service_account_once(context, id, display_name)).await
    }

    async fn create_service_account_once(
        &self,
        context: &RequestContext,
        id: &str,
        display_name: &str,
    ) -> Result<ServiceAccount, Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let account = store::service_accounts::insert(&mut tx, id, display_name).await?;
        let account = account.ok_or_else(|| Error::Exists(account_name(id)))?;
        store::audit::insert(&mut tx, context, &Event::new("service_account.created", account.name())).await?;
        tx.commit().await?;
        Ok(account)
    }

    pub async fn get_service_account(&self, name: &str) -> Result<ServiceAccount, Error> {
        find(&mut *self.pool.acquire().await?, name).await
    }

    /// A page of the accounts, by name.
    pub async fn list_service_accounts(
        &self,
        after: Option<NameToken>,
        size: PageSize,
    ) -> Result<Page<ServiceAccount, NameToken>, Error> {
        let after = after.map(|token| token.after).unwrap_or_default();
        let accounts = store::service_accounts::list(&mut *self.pool.acquire().await?, &after, size.get() + 1).await?;
        Ok(Page::cut(accounts, size, |account| NameToken { after: account.id.clone() }))
    }

    /// Changes the display name, if one is given.
    pub async fn update_service_account(
        &self,
        context: &RequestContext,
        name: &str,
        display_name: Option<&str>,
    ) -> Result<ServiceAccount, Error> {
        retry("update_service_account", || self.update_service_account_once(context, name, display_name)).await
    }

    async fn update_service_account_once(
        &self,
        context: &RequestContext,
        name: &str,
        display_name: Option<&str>,
    ) -> Result<ServiceAccount, Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let mut account = target(&mut tx, context, name).await?;
        if let Some(new) = display_name.filter(|new| *new != account.display_name) {
            store::service_accounts::set_display_name(&mut tx, &account.id, new).await?;
            new.clone_into(&mut account.display_name);
            let event = Event::new("service_account.updated", account.name()).with("fields", "display_name");
            store::audit::insert(&mut tx, context, &event).await?;
        }
        tx.commit().await?;
        Ok(account)
    }

    /// Deletes an account with its keys and role bindings, and revokes its tokens.
    pub async fn delete_service_account(&self, context: &RequestContext, name: &str) -> Result<(), Error> {
        retry("delete_service_account", || self.delete_service_account_once(context, name)).await?;
        self.revoked.notify_waiters();
        Ok(())
    }

    async fn delete_service_account_once(&self, context: &RequestContext, name: &str) -> Result<(), Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let account = target(&mut tx, context, name).await?;
        admin_lock::revoke_tokens(&mut tx, &[Member::ServiceAccount(account.id.clone())]).await?;
        store::bindings::delete_of(&mut tx, &account.name()).await?;
        store::service_accounts::delete(&mut tx, &account.id).await?;
        store::audit::insert(&mut tx, context, &Event::new("service_account.deleted", account.name())).await?;
        Ok(tx.commit().await?)
    }
}

pub(super) async fn find(conn: &mut PgConnection, name: &str) -> Result<ServiceAccount, Error> {
    let id = name.strip_prefix("serviceAccounts/").unwrap_or_default();
    store::service_accounts::find(conn, id).await?.ok_or_else(|| Error::NotFound(name.to_owned()))
}

/// An account that the caller may change: the caller holds all of its permissions.
async fn target(tx: &mut PgConnection, context: &RequestContext, name: &str) -> Result<ServiceAccount, Error> {
    let account = find(tx, name).await?;
    require_not_built_in(context, &account)?;
    context.require_permissions_of(tx, name).await?;
    Ok(account)
}

/// Kontor's own services hold a permission that no role grants, so that no operator changes them, creates keys for them or grants them roles.
pub(super) fn require_not_built_in(context: &RequestContext, account: &ServiceAccount) -> Result<(), Error> {
    if account.built_in { context.require_permissions([INTERNAL]) } else { Ok(()) }
}
