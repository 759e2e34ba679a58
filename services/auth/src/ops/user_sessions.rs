//! Where users are signed in, and ending it.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use kontor_types::{PageSize, PageToken};
use sqlx::PgConnection;

use super::{Auth, Error, Page, Who, sessions};
use crate::domain::audit::Event;
use crate::domain::session::{Session, SessionName};
use crate::store;

/// A page of the open sessions of a user, newest first: oneself, or others with the permission.
pub(crate) async fn list(
    auth: &Auth,
    who: &Who,
    parent: &str,
    (after, size): (Option<PageToken>, PageSize),
) -> Result<Page<Session>, Error> {
    let user = who.reach(parent, "user.read")?;
    let mut conn = auth.pool.acquire().await?;
    store::users::get_credentials(&mut conn, user).await?.ok_or_else(|| Error::NotFound(parent.to_owned()))?;
    let sessions = store::sessions::list_open(&mut conn, user, after, size.get() + 1).await?;
    Ok(Page::cut(sessions, size, |session| PageToken { after: session.name.id.0 }))
}

/// Ends one session: one's own, others' with the permission.
pub(crate) async fn revoke(auth: &Auth, who: &Who, name: &str) -> Result<(), Error> {
    let not_found = || Error::NotFound(name.to_owned());
    let (user, id) = SessionName::split(name).map_err(|_| not_found())?;
    let user = who.reach(user, "session.revoke").map_err(|_| not_found())?;
    let session = SessionName { user, id };
    let found = retry("revoke a session", || try_revoke(auth, who, session)).await?;
    found.then(|| auth.revoked.notify_waiters()).ok_or_else(not_found)
}

/// False if the user has no such session, and never had.
async fn try_revoke(auth: &Auth, who: &Who, session: SessionName) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    if store::sessions::find_user(&mut tx, session.id).await? != Some(session.user) {
        return Ok(false);
    }
    must_hold(&mut tx, who, session.user).await?;
    sessions::end(&mut tx, &who.caller.subject.to_string(), who, session).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whoever signs somebody else out must hold all that they hold.
async fn must_hold(tx: &mut PgConnection, who: &Who, user: UserId) -> Result<(), Error> {
    if who.is(user) {
        return Ok(());
    }
    who.must_hold_all_of(tx, &user.to_string()).await
}

/// Ends all sessions of a user, and answers how many: one's own, others' with the permission.
pub(crate) async fn revoke_all(auth: &Auth, who: &Who, parent: &str, keep_current: bool) -> Result<usize, Error> {
    let user = who.reach(parent, "session.revoke")?;
    let ended = retry("revoke sessions", || try_revoke_all(auth, who, user, keep_current)).await?;
    auth.revoked.notify_waiters();
    ended.ok_or_else(|| Error::NotFound(parent.to_owned()))
}

/// None if there is no such user.
async fn try_revoke_all(auth: &Auth, who: &Who, user: UserId, keep_current: bool) -> Result<Option<usize>, Error> {
    let mut tx = auth.pool.begin().await?;
    // Locked, so that no session opens meanwhile.
    if store::users::lock_credentials(&mut tx, user).await?.is_none() {
        return Ok(None);
    }
    must_hold(&mut tx, who, user).await?;
    let except = who.caller.sid().filter(|_| keep_current);
    let ended = store::revocations::end_sessions(&mut tx, &[user], except).await?.len();
    if ended > 0 {
        store::audit::insert(&mut tx, who, &Event::new("session.revoked", user).with("sessions_ended", ended)).await?;
    }
    tx.commit().await?;
    Ok(Some(ended))
}
