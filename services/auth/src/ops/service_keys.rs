//! The keys of service accounts.

use chrono::{DateTime, Utc};
use kontor_postgres::retry;
use kontor_runtime::access::permissions_asked;
use kontor_types::{PageSize, PageToken};
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Auth, Error, Page, Who, changes, service_accounts};
use crate::domain::audit::Event;
use crate::domain::service_account::{AccountKey, account_name};
use crate::domain::service_key::ServiceKey;
use crate::store;
use crate::store::service_keys::NewKey;

/// What is said about a key to make.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    pub(crate) display_name: String,
    /// In order, each once; empty for all that the account's roles permit.
    pub(crate) scopes: Vec<String>,
    pub(crate) expire_time: Option<DateTime<Utc>>,
}

/// Makes a key of an account, by whoever holds all that it may use. Answers the key, and the secret that is shown once.
pub(crate) async fn create(
    auth: &Auth,
    who: &Who,
    parent: &str,
    terms: &Terms,
) -> Result<(AccountKey, SecretString), Error> {
    let secret = ServiceKey::generate(parent.strip_prefix("serviceAccounts/").unwrap_or_default());
    let key = ServiceKey::parse(&secret).map_err(|_no_name| Error::NotFound(parent.to_owned()))?;
    let made = retry("create a service key", || try_create(auth, who, &key, terms)).await?;
    Ok((made, secret))
}

async fn try_create(auth: &Auth, who: &Who, key: &ServiceKey, terms: &Terms) -> Result<AccountKey, Error> {
    let mut tx = changes::begin(auth, who).await?;
    must_hold_what_it_uses(&mut tx, who, key, &terms.scopes).await?;
    let Terms { display_name, scopes, expire_time } = terms;
    let new = NewKey { key, display_name, scopes, expire_time: *expire_time };
    let made = store::service_keys::insert(&mut tx, &new).await?.ok_or_else(expired)?;
    let event = Event::new("service_account_key.created", made.name()).with("scopes", scopes.join(" "));
    let event = match expire_time {
        Some(time) => event.with("expire_time", time.to_rfc3339()),
        None => event,
    };
    store::audit::insert(&mut tx, who, &event).await?;
    tx.commit().await?;
    Ok(made)
}

/// What the scopes name, whether the account has it already or gets it later; without scopes that may be anything.
async fn must_hold_what_it_uses(
    tx: &mut PgConnection,
    who: &Who,
    key: &ServiceKey,
    scopes: &[String],
) -> Result<(), Error> {
    let name = account_name(&key.account);
    let account = service_accounts::find(tx, &name).await?;
    service_accounts::must_not_be_built_in(who, &account)?;
    if scopes.is_empty() {
        return who.must_hold(permissions_asked());
    }
    who.must_hold(scopes)
}

/// What the account holds. One of Kontor's own services holds what nobody else does: its keys are for those who hold all the rest.
async fn must_hold_what_it_holds(tx: &mut PgConnection, who: &Who, account: &str) -> Result<(), Error> {
    let found = store::service_accounts::find(tx, account).await?;
    if found.is_some_and(|account| account.built_in) {
        return who.must_hold(permissions_asked());
    }
    who.must_hold_all_of(tx, &account_name(account)).await
}

fn expired() -> Error {
    Error::Field { field: "key.expire_time", description: "must be in the future".into() }
}

/// A page of an account's keys, oldest first.
pub(crate) async fn list(
    auth: &Auth,
    parent: &str,
    after: Option<PageToken>,
    size: PageSize,
) -> Result<Page<AccountKey>, Error> {
    let mut conn = auth.pool.acquire().await?;
    let account = service_accounts::find(&mut conn, parent).await?;
    let keys = store::service_keys::list(&mut conn, &account.id, after, size.get() + 1).await?;
    Ok(Page::cut(keys, size, |key| PageToken { after: key.id }))
}

/// Deletes a key, also one of Kontor's own services: one that has leaked has to go. Its tokens are revoked.
pub(crate) async fn delete(auth: &Auth, who: &Who, account: &str, id: Uuid) -> Result<(), Error> {
    retry("delete a service key", || try_delete(auth, who, account, id)).await?;
    auth.revoked.notify_waiters();
    Ok(())
}

async fn try_delete(auth: &Auth, who: &Who, account: &str, id: Uuid) -> Result<(), Error> {
    let mut tx = changes::begin(auth, who).await?;
    let name = format!("serviceAccounts/{account}/keys/{id}");
    must_hold_what_it_holds(&mut tx, who, account).await?;
    let sid = store::service_keys::delete(&mut tx, account, id).await?;
    let sid = sid.ok_or_else(|| Error::NotFound(name.clone()))?;
    store::revocations::insert(&mut tx, &[sid]).await?;
    store::audit::insert(&mut tx, who, &Event::new("service_account_key.deleted", name)).await?;
    Ok(tx.commit().await?)
}
