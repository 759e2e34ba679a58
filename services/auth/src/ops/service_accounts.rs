//! Service accounts. Those of Kontor's own services follow from the settings and stay as they are.

use kontor_postgres::retry;
use kontor_runtime::access::INTERNAL;
use kontor_types::{NameToken, PageSize};
use sqlx::PgConnection;

use super::{Auth, Error, Page, Who, changes};
use crate::domain::audit::Event;
use crate::domain::binding::Member;
use crate::domain::service_account::{ServiceAccount, account_name};
use crate::store;

/// Makes an account.
pub(crate) async fn create(auth: &Auth, who: &Who, id: &str, display_name: &str) -> Result<ServiceAccount, Error> {
    retry("create a service account", || try_create(auth, who, id, display_name)).await
}

async fn try_create(auth: &Auth, who: &Who, id: &str, display_name: &str) -> Result<ServiceAccount, Error> {
    let mut tx = changes::begin(auth, who).await?;
    let account = store::service_accounts::insert(&mut tx, id, display_name).await?;
    let account = account.ok_or_else(|| Error::Exists(account_name(id)))?;
    store::audit::insert(&mut tx, who, &Event::new("service_account.created", account.name())).await?;
    tx.commit().await?;
    Ok(account)
}

/// One account, by its resource name.
pub(crate) async fn get(auth: &Auth, name: &str) -> Result<ServiceAccount, Error> {
    find(&mut *auth.pool.acquire().await?, name).await
}

/// A page of the accounts, by name.
pub(crate) async fn list(
    auth: &Auth,
    after: Option<NameToken>,
    size: PageSize,
) -> Result<Page<ServiceAccount, NameToken>, Error> {
    let after = after.map(|token| token.after).unwrap_or_default();
    let accounts = store::service_accounts::list(&mut *auth.pool.acquire().await?, &after, size.get() + 1).await?;
    Ok(Page::cut(accounts, size, |account| NameToken { after: account.id.clone() }))
}

/// Changes what is given.
pub(crate) async fn update(
    auth: &Auth,
    who: &Who,
    name: &str,
    display_name: Option<&str>,
) -> Result<ServiceAccount, Error> {
    retry("update a service account", || try_update(auth, who, name, display_name)).await
}

async fn try_update(auth: &Auth, who: &Who, name: &str, display_name: Option<&str>) -> Result<ServiceAccount, Error> {
    let mut tx = changes::begin(auth, who).await?;
    let mut account = target(&mut tx, who, name).await?;
    if let Some(new) = display_name.filter(|new| *new != account.display_name) {
        store::service_accounts::set_display_name(&mut tx, &account.id, new).await?;
        new.clone_into(&mut account.display_name);
        let event = Event::new("service_account.updated", account.name()).with("fields", "display_name");
        store::audit::insert(&mut tx, who, &event).await?;
    }
    tx.commit().await?;
    Ok(account)
}

/// Deletes an account with its keys and roles. Its tokens are revoked.
pub(crate) async fn delete(auth: &Auth, who: &Who, name: &str) -> Result<(), Error> {
    retry("delete a service account", || try_delete(auth, who, name)).await?;
    auth.revoked.notify_waiters();
    Ok(())
}

async fn try_delete(auth: &Auth, who: &Who, name: &str) -> Result<(), Error> {
    let mut tx = changes::begin(auth, who).await?;
    let account = target(&mut tx, who, name).await?;
    changes::end_tokens(&mut tx, &[Member::ServiceAccount(account.id.clone())]).await?;
    store::bindings::delete_of(&mut tx, &account.name()).await?;
    store::service_accounts::delete(&mut tx, &account.id).await?;
    store::audit::insert(&mut tx, who, &Event::new("service_account.deleted", account.name())).await?;
    Ok(tx.commit().await?)
}

/// An account by its resource name.
pub(super) async fn find(conn: &mut PgConnection, name: &str) -> Result<ServiceAccount, Error> {
    let id = name.strip_prefix("serviceAccounts/").unwrap_or_default();
    store::service_accounts::find(conn, id).await?.ok_or_else(|| Error::NotFound(name.to_owned()))
}

/// The account that somebody acts on: one that may do no more than they may.
async fn target(tx: &mut PgConnection, who: &Who, name: &str) -> Result<ServiceAccount, Error> {
    let account = find(tx, name).await?;
    must_not_be_built_in(who, &account)?;
    who.must_hold_all_of(tx, name).await?;
    Ok(account)
}

/// Kontor's own services hold what no operator holds and no role grants. So nobody changes them here, makes them keys or gives them roles.
pub(super) fn must_not_be_built_in(who: &Who, account: &ServiceAccount) -> Result<(), Error> {
    if account.built_in { who.must_hold([INTERNAL]) } else { Ok(()) }
}
