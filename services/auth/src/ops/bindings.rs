//! Giving roles and taking them away.

use kontor_postgres::retry;
use kontor_types::{PageSize, PageToken};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Auth, Error, Page, Who, changes, roles, service_accounts};
use crate::domain::audit::Event;
use crate::domain::binding::{Binding, Member};
use crate::store;

/// Gives a role, of permissions that the caller holds. A member who has it already keeps that binding.
pub(crate) async fn create(auth: &Auth, who: &Who, role: &str, member: &str) -> Result<Binding, Error> {
    retry("create a role binding", || try_create(auth, who, role, member)).await
}

async fn try_create(auth: &Auth, who: &Who, role: &str, member: &str) -> Result<Binding, Error> {
    let mut tx = changes::begin(auth, who).await?;
    let role = roles::find(&mut tx, role).await?;
    who.must_hold(&role.permissions)?;
    must_take_roles(&mut tx, who, member).await?;
    let is_new = store::bindings::insert(&mut tx, member, &role.id).await?;
    let binding = store::bindings::get(&mut tx, member, &role.id).await?;
    if is_new {
        store::audit::insert(&mut tx, who, &event("role_binding.created", &binding)).await?;
    }
    tx.commit().await?;
    Ok(binding)
}

/// Fails unless there is such a member, and it is none of Kontor's own services.
async fn must_take_roles(tx: &mut PgConnection, who: &Who, name: &str) -> Result<(), Error> {
    match Member::from_name(name) {
        Some(Member::User(id)) if store::accounts::find(tx, id).await?.is_some() => Ok(()),
        Some(Member::ServiceAccount(id)) => {
            let account = store::service_accounts::find(tx, &id).await?.ok_or_else(|| Error::NotFound(name.into()))?;
            service_accounts::must_not_be_built_in(who, &account)
        }
        Some(Member::User(_)) | None => Err(Error::NotFound(name.into())),
    }
}

/// A page of the bindings, oldest first: all, or those of a member.
pub(crate) async fn list(
    auth: &Auth,
    member: Option<&str>,
    after: Option<PageToken>,
    size: PageSize,
) -> Result<Page<Binding>, Error> {
    let mut conn = auth.pool.acquire().await?;
    let bindings = store::bindings::list(&mut conn, member, after, size.get() + 1).await?;
    Ok(Page::cut(bindings, size, |binding| PageToken { after: binding.id }))
}

/// Takes a role of permissions that the caller holds away. Whoever had it is signed out.
pub(crate) async fn delete(auth: &Auth, who: &Who, id: Uuid) -> Result<(), Error> {
    retry("delete a role binding", || try_delete(auth, who, id)).await?;
    auth.revoked.notify_waiters();
    Ok(())
}

async fn try_delete(auth: &Auth, who: &Who, id: Uuid) -> Result<(), Error> {
    let mut tx = changes::begin(auth, who).await?;
    let binding = store::bindings::find(&mut tx, id).await?;
    let binding = binding.ok_or_else(|| Error::NotFound(format!("roleBindings/{id}")))?;
    let role = roles::find(&mut tx, &format!("roles/{}", binding.role)).await?;
    who.must_hold(&role.permissions)?;
    let member = Member::from_name(&binding.member);
    if let Some(user) = member.as_ref().and_then(Member::user) {
        changes::others_administer(&mut tx, user, std::slice::from_ref(&role.id)).await?;
    }
    store::bindings::delete(&mut tx, id).await?;
    if !role.permissions.is_empty() {
        changes::end_tokens(&mut tx, member.as_slice()).await?;
    }
    store::audit::insert(&mut tx, who, &event("role_binding.deleted", &binding)).await?;
    Ok(tx.commit().await?)
}

fn event(action: &'static str, binding: &Binding) -> Event {
    let event = Event::new(action, binding.name());
    event.with("role", format!("roles/{}", binding.role)).with("member", &binding.member)
}
