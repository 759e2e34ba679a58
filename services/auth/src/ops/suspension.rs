//! Shutting users out, letting them in again, and deleting accounts.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use sqlx::PgConnection;

use super::users::target;
use super::{Auth, Error, Who, changes};
use crate::domain::account::User;
use crate::domain::audit::Event;
use crate::domain::binding::Member;
use crate::store;

/// Shuts a user out and ends their sessions.
pub(crate) async fn suspend(auth: &Auth, who: &Who, name: &str) -> Result<User, Error> {
    let id = who.reach(name, "user.suspend")?;
    let user = retry("suspend a user", || try_suspend(auth, who, id)).await?;
    auth.revoked.notify_waiters();
    Ok(user)
}

async fn try_suspend(auth: &Auth, who: &Who, id: UserId) -> Result<User, Error> {
    let mut tx = changes::begin(auth, who).await?;
    let user = target(&mut tx, who, id).await?;
    if !user.is_suspended {
        shut_out(&mut tx, &user).await?;
        store::accounts::set_suspended(&mut tx, id).await?;
        store::audit::insert(&mut tx, who, &Event::new("user.suspended", id)).await?;
    }
    tx.commit().await?;
    Ok(User { is_suspended: true, ..user })
}

/// Lets a user in again.
pub(crate) async fn unsuspend(auth: &Auth, who: &Who, name: &str) -> Result<User, Error> {
    let id = who.reach(name, "user.suspend")?;
    retry("unsuspend a user", || try_unsuspend(auth, who, id)).await
}

async fn try_unsuspend(auth: &Auth, who: &Who, id: UserId) -> Result<User, Error> {
    let mut tx = changes::begin(auth, who).await?;
    let user = target(&mut tx, who, id).await?;
    if user.is_suspended {
        store::accounts::set_unsuspended(&mut tx, id).await?;
        store::audit::insert(&mut tx, who, &Event::new("user.unsuspended", id)).await?;
    }
    tx.commit().await?;
    Ok(User { is_suspended: false, ..user })
}

/// Deletes an account: one's own, or others' with the permission.
pub(crate) async fn delete(auth: &Auth, who: &Who, name: &str) -> Result<(), Error> {
    let id = who.reach(name, "user.delete")?;
    retry("delete a user", || try_delete(auth, who, id)).await?;
    auth.revoked.notify_waiters();
    Ok(())
}

async fn try_delete(auth: &Auth, who: &Who, id: UserId) -> Result<(), Error> {
    let mut tx = changes::begin(auth, who).await?;
    let user = target(&mut tx, who, id).await?;
    shut_out(&mut tx, &user).await?;
    // Bindings name their member, and point to nobody.
    store::bindings::delete_of(&mut tx, &id.to_string()).await?;
    store::accounts::delete(&mut tx, id).await?;
    store::audit::insert(&mut tx, who, &Event::new("user.deleted", id)).await?;
    Ok(tx.commit().await?)
}

/// Ends the sessions of a user who is not the last to administer.
async fn shut_out(tx: &mut PgConnection, user: &User) -> Result<(), Error> {
    changes::others_administer(tx, user.id, &user.roles).await?;
    Ok(changes::end_tokens(tx, &[Member::User(user.id)]).await?)
}
