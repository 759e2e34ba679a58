//! The keys of service accounts.

use chrono::{DateTime, Utc};
use kontor_postgres::retry;
use kontor_runtime::access::permissions_asked;
use kontor_types::{Page, PageSize, PageToken};
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Auth, Error, RequestContext, service_accounts};
use crate::domain::audit::Event;
use crate::domain::service_account::{AccountKey, account_name};
use crate::domain::service_key::ServiceKey;
use crate::store;
use crate::store::service_keys::NewKey;

/// What a new key is to be.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    pub(crate) display_name: String,
    /// Sorted, without duplicates; empty for all permissions of the account's roles.
    pub(crate) scopes: Vec<String>,
    pub(crate) expire_time: Option<DateTime<Utc>>,
}

impl Auth {
    /// Creates a key of an account; the caller must hold all permissions that it may use. Returns the key, and the secret that is shown once.
    pub async fn create_service_account_key(
        &self,
        context: &RequestContext,
        parent: &str,
        terms: &Terms,
    ) -> Result<(AccountKey, SecretString), Error> {
        let secret = ServiceKey::generate(parent.strip_prefix("serviceAccounts/").unwrap_or_default());
        let key = ServiceKey::parse(&secret).map_err(|_no_name| Error::NotFound(parent.to_owned()))?;
        let made =
            retry("create_service_account_key", || self.create_service_account_key_once(context, &key, terms)).await?;
        Ok((made, secret))
    }

    async fn create_service_account_key_once(
        &self,
        context: &RequestContext,
        key: &ServiceKey,
        terms: &Terms,
    ) -> Result<AccountKey, Error> {
        let mut tx = self.begin_admin_change(context).await?;
        require_usable_permissions(&mut tx, context, key, &terms.scopes).await?;
        let Terms { display_name, scopes, expire_time } = terms;
        let new = NewKey { key, display_name, scopes, expire_time: *expire_time };
        let made = store::service_keys::insert(&mut tx, &new).await?.ok_or_else(expired)?;
        let event = Event::new("service_account_key.created", made.name()).with("scopes", scopes.join(" "));
        let event = match expire_time {
            Some(time) => event.with("expire_time", time.to_rfc3339()),
            None => event,
        };
        store::audit::insert(&mut tx, context, &event).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// A page of an account's keys, oldest first.
    pub async fn list_service_account_keys(
        &self,
        parent: &str,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<AccountKey>, Error> {
        let mut conn = self.pool.acquire().await?;
        let account = service_accounts::find(&mut conn, parent).await?;
        let keys = store::service_keys::list(&mut conn, &account.id, after, size.get() + 1).await?;
        Ok(Page::cut(keys, size, |key| PageToken { after: key.id }))
    }

    /// Deletes a key and revokes its tokens. Keys of Kontor's own services can be deleted too, because they can leak.
    pub async fn delete_service_account_key(
        &self,
        context: &RequestContext,
        account: &str,
        id: Uuid,
    ) -> Result<(), Error> {
        retry("delete_service_account_key", || self.delete_service_account_key_once(context, account, id)).await?;
        self.revoked.notify_waiters();
        Ok(())
    }

    async fn delete_service_account_key_once(
        &self,
        context: &RequestContext,
        account: &str,
        id: Uuid,
    ) -> Result<(), Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let name = format!("serviceAccounts/{account}/keys/{id}");
        require_held_permissions(&mut tx, context, account).await?;
        let sid = store::service_keys::delete(&mut tx, account, id).await?;
        let sid = sid.ok_or_else(|| Error::NotFound(name.clone()))?;
        store::revocations::insert(&mut tx, &[sid]).await?;
        store::audit::insert(&mut tx, context, &Event::new("service_account_key.deleted", name)).await?;
        Ok(tx.commit().await?)
    }
}

/// Requires the permissions that the scopes name, since the account may be granted them later; without scopes, all permissions.
async fn require_usable_permissions(
    tx: &mut PgConnection,
    context: &RequestContext,
    key: &ServiceKey,
    scopes: &[String],
) -> Result<(), Error> {
    let name = account_name(&key.account);
    let account = service_accounts::find(tx, &name).await?;
    service_accounts::require_not_built_in(context, &account)?;
    if scopes.is_empty() {
        return context.require_permissions(permissions_asked());
    }
    context.require_permissions(scopes)
}

/// Requires the permissions of the account. Kontor's own services hold one that operators cannot hold; for them, all others are required.
async fn require_held_permissions(tx: &mut PgConnection, context: &RequestContext, account: &str) -> Result<(), Error> {
    let found = store::service_accounts::find(tx, account).await?;
    if found.is_some_and(|account| account.built_in) {
        return context.require_permissions(permissions_asked());
    }
    context.require_permissions_of(tx, &account_name(account)).await
}

fn expired() -> Error {
    Error::Field { field: "key.expire_time", description: "must be in the future".into() }
}
