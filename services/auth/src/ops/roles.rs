//! Roles: built-in ones cannot be changed; operators create their own from permissions that they hold.

use kontor_postgres::retry;
use kontor_runtime::access::permissions_asked;
use kontor_types::{NameToken, Page, PageSize};
use sqlx::PgConnection;

use super::{Auth, Error, RequestContext, admin_lock};
use crate::domain::audit::Event;
use crate::domain::binding::Member;
use crate::domain::definition::{Change, Definition};
use crate::domain::roles::Role;
use crate::store;

/// The most members of a role for a change that takes permissions away: they are signed out in the same transaction.
const MEMBERS_MAX: i64 = 1000;

impl Auth {
    pub async fn create_role(&self, context: &RequestContext, role: &Definition) -> Result<Definition, Error> {
        if Role::parse(&role.id).is_some() {
            return Err(Error::Exists(role.name()));
        }
        context.require_permissions(&role.permissions)?;
        retry("create_role", || self.create_role_once(context, role)).await
    }

    async fn create_role_once(&self, context: &RequestContext, role: &Definition) -> Result<Definition, Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let create_time = store::roles::insert(&mut tx, role).await?;
        let create_time = create_time.ok_or_else(|| Error::Exists(role.name()))?;
        store::audit::insert(&mut tx, context, &event("role.created", role)).await?;
        tx.commit().await?;
        Ok(Definition { create_time: Some(create_time), ..role.clone() })
    }

    pub async fn get_role(&self, name: &str) -> Result<Definition, Error> {
        find(&mut *self.pool.acquire().await?, name).await
    }

    /// A page of the roles, by name.
    pub async fn list_roles(
        &self,
        after: Option<NameToken>,
        size: PageSize,
    ) -> Result<Page<Definition, NameToken>, Error> {
        let after = after.map(|token| token.after).unwrap_or_default();
        let roles = store::roles::list(&mut *self.pool.acquire().await?, &after, size.get() + 1).await?;
        Ok(Page::cut(roles, size, |role| NameToken { after: role.id.clone() }))
    }

    /// Changes a role. Members that lose a permission are signed out.
    pub async fn update_role(
        &self,
        context: &RequestContext,
        name: &str,
        change: &Change,
    ) -> Result<Definition, Error> {
        let role = retry("update_role", || self.update_role_once(context, name, change)).await?;
        self.revoked.notify_waiters();
        Ok(role)
    }

    async fn update_role_once(
        &self,
        context: &RequestContext,
        name: &str,
        change: &Change,
    ) -> Result<Definition, Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let role = find_own(&mut tx, context, name).await?;
        let new = change.of(&role);
        context.require_permissions(new.permissions.iter().filter(|added| !role.permissions.contains(added)))?;
        if new != role {
            store::roles::update(&mut tx, &new).await?;
            store::audit::insert(&mut tx, context, &event("role.updated", &new)).await?;
        }
        if role.exceeds(&new) {
            let members = list_members(&mut tx, &role.id).await?;
            admin_lock::revoke_tokens(&mut tx, &members).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// Deletes a role without members.
    pub async fn delete_role(&self, context: &RequestContext, name: &str) -> Result<(), Error> {
        retry("delete_role", || self.delete_role_once(context, name)).await
    }

    async fn delete_role_once(&self, context: &RequestContext, name: &str) -> Result<(), Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let role = find_own(&mut tx, context, name).await?;
        if store::bindings::any_with_role(&mut tx, &role.id).await? {
            return Err(Error::RoleInUse("has members; delete its role bindings first"));
        }
        store::roles::delete(&mut tx, &role.id).await?;
        store::audit::insert(&mut tx, context, &event("role.deleted", &role)).await?;
        Ok(tx.commit().await?)
    }
}

/// A role by its resource name: a built-in one or an operator's.
pub(super) async fn find(conn: &mut PgConnection, name: &str) -> Result<Definition, Error> {
    let id = name.strip_prefix("roles/").unwrap_or_default();
    let found = match Role::parse(id) {
        Some(role) => Some(role.into()),
        None => store::roles::find(conn, id).await?,
    };
    found.ok_or_else(|| Error::NotFound(name.to_owned()))
}

/// An operator's role that the caller may change: the caller holds all of its permissions. Permissions that no method requires any more
/// cannot be held, and do not count.
async fn find_own(tx: &mut PgConnection, context: &RequestContext, name: &str) -> Result<Definition, Error> {
    let role = find(tx, name).await?;
    if role.create_time.is_none() {
        return Err(Error::RoleInUse("is built in and cannot be changed"));
    }
    let asked = permissions_asked();
    context.require_permissions(role.permissions.iter().filter(|permission| asked.contains(*permission)))?;
    Ok(role)
}

async fn list_members(tx: &mut PgConnection, role: &str) -> Result<Vec<Member>, Error> {
    let names = store::bindings::list_members(tx, role, MEMBERS_MAX + 1).await?;
    if names.len() as i64 > MEMBERS_MAX {
        return Err(Error::RoleInUse("has more than 1000 members; delete some of its role bindings first"));
    }
    Ok(names.iter().filter_map(|name| Member::from_name(name)).collect())
}

fn event(action: &'static str, role: &Definition) -> Event {
    Event::new(action, role.name()).with("permissions", role.permissions.join(" "))
}
