//! Reading, changing, suspending and deleting user accounts.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use kontor_types::{Page, PageSize, PageToken};
use sqlx::PgConnection;

use super::{Auth, Error, RequestContext, admin_lock};
use crate::domain::account::User;
use crate::domain::audit::Event;
use crate::domain::binding::Member;
use crate::domain::email::Email;
use crate::store;

impl Auth {
    /// The caller, or another user with the permission.
    pub async fn get_user(&self, context: &RequestContext, name: &str) -> Result<User, Error> {
        let id = context.resolve_user(name, "user.read")?;
        let mut conn = self.pool.acquire().await?;
        store::accounts::find(&mut conn, id).await?.ok_or_else(|| Error::NotFound(name.to_owned()))
    }

    /// A page of the users, or the one with this e-mail address.
    pub async fn list_users(&self, email: &str, after: Option<PageToken>, size: PageSize) -> Result<Page<User>, Error> {
        let mut conn = self.pool.acquire().await?;
        if !email.is_empty() {
            let found = store::accounts::find_by_email(&mut conn, &Email::lookup_key(email)).await?;
            let items = found.into_iter().filter(|user| after.is_none_or(|token| token.after < user.id.0)).collect();
            return Ok(Page { items, next: None });
        }
        let users = store::accounts::list(&mut conn, after, size.get() + 1).await?;
        Ok(Page::cut(users, size, |user| PageToken { after: user.id.0 }))
    }

    /// Changes the display name, if one is given, of the caller or of another user with the permission.
    pub async fn update_user(
        &self,
        context: &RequestContext,
        name: &str,
        display_name: Option<&str>,
    ) -> Result<User, Error> {
        let id = context.resolve_user(name, "user.edit")?;
        retry("update_user", || self.update_user_once(context, id, display_name)).await
    }

    async fn update_user_once(
        &self,
        context: &RequestContext,
        id: UserId,
        display_name: Option<&str>,
    ) -> Result<User, Error> {
        // A change of the caller's own account needs no admin lock.
        let mut tx =
            if context.is_self(id) { self.pool.begin().await? } else { self.begin_admin_change(context).await? };
        let mut user = target(&mut tx, context, id).await?;
        if let Some(new) = display_name.filter(|new| *new != user.display_name) {
            store::accounts::set_display_name(&mut tx, id, new).await?;
            new.clone_into(&mut user.display_name);
            store::audit::insert(&mut tx, context, &Event::new("user.updated", id).with("fields", "display_name"))
                .await?;
        }
        tx.commit().await?;
        Ok(user)
    }

    /// Suspends a user and ends their sessions.
    pub async fn suspend_user(&self, context: &RequestContext, name: &str) -> Result<User, Error> {
        self.set_suspended(context, name, true).await
    }

    pub async fn unsuspend_user(&self, context: &RequestContext, name: &str) -> Result<User, Error> {
        self.set_suspended(context, name, false).await
    }

    async fn set_suspended(&self, context: &RequestContext, name: &str, is_suspended: bool) -> Result<User, Error> {
        let id = context.resolve_user(name, "user.suspend")?;
        let user = retry("set_suspended", || self.set_suspended_once(context, id, is_suspended)).await?;
        self.revoked.notify_waiters();
        Ok(user)
    }

    async fn set_suspended_once(
        &self,
        context: &RequestContext,
        id: UserId,
        is_suspended: bool,
    ) -> Result<User, Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let user = target(&mut tx, context, id).await?;
        if is_suspended && !user.is_suspended {
            end_access(&mut tx, &user).await?;
        }
        if is_suspended != user.is_suspended {
            store::accounts::set_suspended(&mut tx, id, is_suspended).await?;
            let action = if is_suspended { "user.suspended" } else { "user.unsuspended" };
            store::audit::insert(&mut tx, context, &Event::new(action, id)).await?;
        }
        tx.commit().await?;
        Ok(User { is_suspended, ..user })
    }

    /// Deletes the caller's account, or another user's with the permission.
    pub async fn delete_user(&self, context: &RequestContext, name: &str) -> Result<(), Error> {
        let id = context.resolve_user(name, "user.delete")?;
        retry("delete_user", || self.delete_user_once(context, id)).await?;
        self.revoked.notify_waiters();
        Ok(())
    }

    async fn delete_user_once(&self, context: &RequestContext, id: UserId) -> Result<(), Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let user = target(&mut tx, context, id).await?;
        end_access(&mut tx, &user).await?;
        // Bindings have no foreign key to their member.
        store::bindings::delete_of(&mut tx, &id.to_string()).await?;
        store::accounts::delete(&mut tx, id).await?;
        store::audit::insert(&mut tx, context, &Event::new("user.deleted", id)).await?;
        Ok(tx.commit().await?)
    }
}

/// An account that the caller may change: their own, or one whose permissions they all hold.
async fn target(tx: &mut PgConnection, context: &RequestContext, id: UserId) -> Result<User, Error> {
    let user = store::accounts::find(tx, id).await?.ok_or_else(|| Error::NotFound(id.to_string()))?;
    context.require_permissions_over(tx, id).await?;
    Ok(user)
}

/// Ends the sessions of a user who is not the last administrator.
async fn end_access(tx: &mut PgConnection, user: &User) -> Result<(), Error> {
    admin_lock::require_other_administrator(tx, user.id, &user.roles).await?;
    Ok(admin_lock::revoke_tokens(tx, &[Member::User(user.id)]).await?)
}
