//! Granting roles to members, and revoking them.

use kontor_postgres::retry;
use kontor_types::{Page, PageSize, PageToken};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Auth, Error, RequestContext, admin_lock, roles, service_accounts};
use crate::domain::audit::Event;
use crate::domain::binding::{Binding, Member};
use crate::store;

impl Auth {
    /// Grants a role, whose permissions the caller must hold. A member that has the role already keeps its binding.
    pub async fn create_role_binding(
        &self,
        context: &RequestContext,
        role: &str,
        member: &str,
    ) -> Result<Binding, Error> {
        retry("create_role_binding", || self.create_role_binding_once(context, role, member)).await
    }

    async fn create_role_binding_once(
        &self,
        context: &RequestContext,
        role: &str,
        member: &str,
    ) -> Result<Binding, Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let role = roles::find(&mut tx, role).await?;
        context.require_permissions(&role.permissions)?;
        require_member(&mut tx, context, member).await?;
        let is_new = store::bindings::insert(&mut tx, member, &role.id).await?;
        let binding = store::bindings::get(&mut tx, member, &role.id).await?;
        if is_new {
            store::audit::insert(&mut tx, context, &event("role_binding.created", &binding)).await?;
        }
        tx.commit().await?;
        Ok(binding)
    }

    /// A page of the bindings, oldest first: all, or those of a member.
    pub async fn list_role_bindings(
        &self,
        member: Option<&str>,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Binding>, Error> {
        let mut conn = self.pool.acquire().await?;
        let bindings = store::bindings::list(&mut conn, member, after, size.get() + 1).await?;
        Ok(Page::cut(bindings, size, |binding| PageToken { after: binding.id }))
    }

    /// Revokes a role, whose permissions the caller must hold, and signs the member out.
    pub async fn delete_role_binding(&self, context: &RequestContext, id: Uuid) -> Result<(), Error> {
        retry("delete_role_binding", || self.delete_role_binding_once(context, id)).await?;
        self.revoked.notify_waiters();
        Ok(())
    }

    async fn delete_role_binding_once(&self, context: &RequestContext, id: Uuid) -> Result<(), Error> {
        let mut tx = self.begin_admin_change(context).await?;
        let binding = store::bindings::find(&mut tx, id).await?;
        let binding = binding.ok_or_else(|| Error::NotFound(format!("roleBindings/{id}")))?;
        let role = roles::find(&mut tx, &format!("roles/{}", binding.role)).await?;
        context.require_permissions(&role.permissions)?;
        let member = Member::from_name(&binding.member);
        if let Some(user) = member.as_ref().and_then(Member::user) {
            admin_lock::require_other_administrator(&mut tx, user, std::slice::from_ref(&role.id)).await?;
        }
        store::bindings::delete(&mut tx, id).await?;
        if !role.permissions.is_empty() {
            admin_lock::revoke_tokens(&mut tx, member.as_slice()).await?;
        }
        store::audit::insert(&mut tx, context, &event("role_binding.deleted", &binding)).await?;
        Ok(tx.commit().await?)
    }
}

/// Fails unless the member exists and is none of Kontor's own services.
async fn require_member(tx: &mut PgConnection, context: &RequestContext, name: &str) -> Result<(), Error> {
    match Member::from_name(name) {
        Some(Member::User(id)) if store::accounts::find(tx, id).await?.is_some() => Ok(()),
        Some(Member::ServiceAccount(_)) => {
            service_accounts::require_not_built_in(context, &service_accounts::find(tx, name).await?)
        }
        Some(Member::User(_)) | None => Err(Error::NotFound(name.into())),
    }
}

fn event(action: &'static str, binding: &Binding) -> Event {
    let event = Event::new(action, binding.name());
    event.with("role", format!("roles/{}", binding.role)).with("member", &binding.member)
}
