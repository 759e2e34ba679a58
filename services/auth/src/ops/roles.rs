//! Roles: those that came with Kontor stay as they are; operators make their own of permissions that they hold.

use kontor_postgres::retry;
use kontor_runtime::access::permissions_asked;
use kontor_types::{NameToken, PageSize};
use sqlx::PgConnection;

use super::{Auth, Error, Page, Who, changes};
use crate::domain::audit::Event;
use crate::domain::binding::Member;
use crate::domain::definition::{Change, Definition};
use crate::domain::roles::Role;
use crate::store;

/// The most members of a role that can lose permissions by a change of it: they are signed out in its transaction.
const MEMBERS_MAX: i64 = 1000;

/// Makes a role.
pub(crate) async fn create(auth: &Auth, who: &Who, role: &Definition) -> Result<Definition, Error> {
    if Role::parse(&role.id).is_some() {
        return Err(Error::Exists(role.name()));
    }
    who.must_hold(&role.permissions)?;
    retry("create a role", || try_create(auth, who, role)).await
}

async fn try_create(auth: &Auth, who: &Who, role: &Definition) -> Result<Definition, Error> {
    let mut tx = changes::begin(auth, who).await?;
    let create_time = store::roles::insert(&mut tx, role).await?;
    let create_time = create_time.ok_or_else(|| Error::Exists(role.name()))?;
    store::audit::insert(&mut tx, who, &event("role.created", role)).await?;
    tx.commit().await?;
    Ok(Definition { create_time: Some(create_time), ..role.clone() })
}

/// One role, by its resource name.
pub(crate) async fn get(auth: &Auth, name: &str) -> Result<Definition, Error> {
    find(&mut *auth.pool.acquire().await?, name).await
}

/// A page of the roles, by name.
pub(crate) async fn list(
    auth: &Auth,
    after: Option<NameToken>,
    size: PageSize,
) -> Result<Page<Definition, NameToken>, Error> {
    let after = after.map(|token| token.after).unwrap_or_default();
    let roles = store::roles::list(&mut *auth.pool.acquire().await?, &after, size.get() + 1).await?;
    Ok(Page::cut(roles, size, |role| NameToken { after: role.id.clone() }))
}

/// Changes a role. Whoever has it and loses a permission is signed out.
pub(crate) async fn update(auth: &Auth, who: &Who, name: &str, change: &Change) -> Result<Definition, Error> {
    let role = retry("update a role", || try_update(auth, who, name, change)).await?;
    auth.revoked.notify_waiters();
    Ok(role)
}

async fn try_update(auth: &Auth, who: &Who, name: &str, change: &Change) -> Result<Definition, Error> {
    let mut tx = changes::begin(auth, who).await?;
    let role = find_own(&mut tx, who, name).await?;
    let new = change.of(&role);
    who.must_hold(new.permissions.iter().filter(|added| !role.permissions.contains(added)))?;
    if new != role {
        store::roles::update(&mut tx, &new).await?;
        store::audit::insert(&mut tx, who, &event("role.updated", &new)).await?;
    }
    if role.exceeds(&new) {
        let members = members(&mut tx, &role.id).await?;
        changes::end_tokens(&mut tx, &members).await?;
    }
    tx.commit().await?;
    Ok(new)
}

/// Deletes a role that nobody has.
pub(crate) async fn delete(auth: &Auth, who: &Who, name: &str) -> Result<(), Error> {
    retry("delete a role", || try_delete(auth, who, name)).await
}

async fn try_delete(auth: &Auth, who: &Who, name: &str) -> Result<(), Error> {
    let mut tx = changes::begin(auth, who).await?;
    let role = find_own(&mut tx, who, name).await?;
    if store::bindings::any_with_role(&mut tx, &role.id).await? {
        return Err(Error::RoleInUse("is somebody's; take it away first"));
    }
    store::roles::delete(&mut tx, &role.id).await?;
    store::audit::insert(&mut tx, who, &event("role.deleted", &role)).await?;
    Ok(tx.commit().await?)
}

/// A role by its resource name: one that came with Kontor, or an operator's.
pub(super) async fn find(conn: &mut PgConnection, name: &str) -> Result<Definition, Error> {
    let id = name.strip_prefix("roles/").unwrap_or_default();
    let found = match Role::parse(id) {
        Some(role) => Some(role.into()),
        None => store::roles::find(conn, id).await?,
    };
    found.ok_or_else(|| Error::NotFound(name.to_owned()))
}

/// An operator's role that the caller may change: one that permits no more than they may. Permissions that no method asks for any more can
/// be held by nobody, and do not count.
async fn find_own(tx: &mut PgConnection, who: &Who, name: &str) -> Result<Definition, Error> {
    let role = find(tx, name).await?;
    if role.create_time.is_none() {
        return Err(Error::RoleInUse("came with Kontor and stays as it is"));
    }
    let asked = permissions_asked();
    who.must_hold(role.permissions.iter().filter(|permission| asked.contains(*permission)))?;
    Ok(role)
}

async fn members(tx: &mut PgConnection, role: &str) -> Result<Vec<Member>, Error> {
    let names = store::bindings::list_members(tx, role, MEMBERS_MAX + 1).await?;
    if names.len() as i64 > MEMBERS_MAX {
        return Err(Error::RoleInUse("has more than 1000 members; take it from some of them first"));
    }
    Ok(names.iter().filter_map(|name| Member::from_name(name)).collect())
}

fn event(action: &'static str, role: &Definition) -> Event {
    Event::new(action, role.name()).with("permissions", role.permissions.join(" "))
}
