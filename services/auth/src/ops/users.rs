//! Reading and changing accounts.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use kontor_types::{PageSize, PageToken};
use sqlx::PgConnection;

use super::{Auth, Error, Page, Who, changes};
use crate::domain::account::User;
use crate::domain::audit::Event;
use crate::store;

/// One user: oneself, or others with the permission.
pub(crate) async fn get(auth: &Auth, who: &Who, name: &str) -> Result<User, Error> {
    let id = who.reach(name, "user.read")?;
    let mut conn = auth.pool.acquire().await?;
    store::accounts::find(&mut conn, id).await?.ok_or_else(|| Error::NotFound(name.to_owned()))
}

/// A page of the users, or the one with this e-mail address.
pub(crate) async fn list(
    auth: &Auth,
    email: &str,
    after: Option<PageToken>,
    size: PageSize,
) -> Result<Page<User>, Error> {
    let mut conn = auth.pool.acquire().await?;
    if !email.is_empty() {
        let found = store::accounts::find_by_email(&mut conn, &email.to_lowercase()).await?;
        let items = found.into_iter().filter(|user| after.is_none_or(|token| token.after < user.id.0)).collect();
        return Ok(Page { items, next: None });
    }
    let users = store::accounts::list(&mut conn, after, size.get() + 1).await?;
    Ok(Page::cut(users, size, |user| PageToken { after: user.id.0 }))
}

/// Changes what is given: oneself, or others with the permission.
pub(crate) async fn update(auth: &Auth, who: &Who, name: &str, display_name: Option<&str>) -> Result<User, Error> {
    let id = who.reach(name, "user.edit")?;
    retry("update a user", || try_update(auth, who, id, display_name)).await
}

async fn try_update(auth: &Auth, who: &Who, id: UserId, display_name: Option<&str>) -> Result<User, Error> {
    // What one changes of oneself decides nothing about others, and waits for nobody.
    let mut tx = if who.is(id) { auth.pool.begin().await? } else { changes::begin(auth, who).await? };
    let mut user = target(&mut tx, who, id).await?;
    if let Some(new) = display_name.filter(|new| *new != user.display_name) {
        store::accounts::set_display_name(&mut tx, id, new).await?;
        new.clone_into(&mut user.display_name);
        store::audit::insert(&mut tx, who, &Event::new("user.updated", id).with("fields", "display_name")).await?;
    }
    tx.commit().await?;
    Ok(user)
}

/// The account that somebody acts on: oneself, or one that may do no more than they may.
pub(super) async fn target(tx: &mut PgConnection, who: &Who, id: UserId) -> Result<User, Error> {
    let user = store::accounts::find(tx, id).await?.ok_or_else(|| Error::NotFound(id.to_string()))?;
    if !who.is(id) {
        who.must_hold_all_of(tx, &id.to_string()).await?;
    }
    Ok(user)
}
