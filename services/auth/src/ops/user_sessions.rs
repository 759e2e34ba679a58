//! Listing and revoking the sessions of users.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use kontor_types::{Page, PageSize, PageToken};

use super::{Auth, Error, RequestContext, sessions};
use crate::domain::audit::Event;
use crate::domain::session::{Session, SessionName};
use crate::store;

impl Auth {
    /// A page of the open sessions, newest first, of the caller or of another user with the permission.
    pub async fn list_sessions(
        &self,
        context: &RequestContext,
        parent: &str,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Session>, Error> {
        let user = context.resolve_user(parent, "user.read")?;
        let mut conn = self.pool.acquire().await?;
        store::users::get_credentials(&mut conn, user).await?.ok_or_else(|| Error::NotFound(parent.to_owned()))?;
        let sessions = store::sessions::list_open(&mut conn, user, after, size.get() + 1).await?;
        Ok(Page::cut(sessions, size, |session| PageToken { after: session.name.id.0 }))
    }

    /// Ends a session of the caller, or of another user with the permission.
    pub async fn revoke_session(&self, context: &RequestContext, name: &str) -> Result<(), Error> {
        let not_found = || Error::NotFound(name.to_owned());
        let (user, id) = SessionName::split(name).map_err(|_| not_found())?;
        let user = context.resolve_user(user, "session.revoke").map_err(|_| not_found())?;
        let session = SessionName { user, id };
        retry("revoke_session", || self.revoke_session_once(context, name, session)).await?;
        self.revoked.notify_waiters();
        Ok(())
    }

    /// A session that has ended already is found too.
    async fn revoke_session_once(
        &self,
        context: &RequestContext,
        name: &str,
        session: SessionName,
    ) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        if store::sessions::find_user(&mut tx, session.id).await? != Some(session.user) {
            return Err(Error::NotFound(name.to_owned()));
        }
        context.require_permissions_over(&mut tx, session.user).await?;
        sessions::end(&mut tx, &context.caller.subject.to_string(), context, session).await?;
        Ok(tx.commit().await?)
    }

    /// Ends all sessions of the caller, or of another user with the permission, and returns how many.
    pub async fn revoke_all_sessions(
        &self,
        context: &RequestContext,
        parent: &str,
        keep_current: bool,
    ) -> Result<usize, Error> {
        let user = context.resolve_user(parent, "session.revoke")?;
        let revoke = || self.revoke_all_sessions_once(context, parent, user, keep_current);
        let ended = retry("revoke_all_sessions", revoke).await?;
        self.revoked.notify_waiters();
        Ok(ended)
    }

    async fn revoke_all_sessions_once(
        &self,
        context: &RequestContext,
        parent: &str,
        user: UserId,
        keep_current: bool,
    ) -> Result<usize, Error> {
        let mut tx = self.pool.begin().await?;
        // Locked, so that no session is opened in the meantime.
        let found = store::users::lock_credentials(&mut tx, user).await?;
        found.ok_or_else(|| Error::NotFound(parent.to_owned()))?;
        context.require_permissions_over(&mut tx, user).await?;
        let except = context.caller.sid().filter(|_| keep_current);
        let ended = store::revocations::end_sessions(&mut tx, &[user], except).await?.len();
        if ended > 0 {
            let event = Event::new("session.revoked", user).with("sessions_ended", ended);
            store::audit::insert(&mut tx, context, &event).await?;
        }
        tx.commit().await?;
        Ok(ended)
    }
}
