//! Opening sessions, the tokens of a session, and signing out.

use kontor_postgres::retry;
use kontor_types::ids::{SessionId, UserId};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

use super::access_tokens::CLIENT;
use super::{Auth, Error, RequestContext};
use crate::domain::audit::Event;
use crate::domain::hash::{SecretHash, random_secret};
use crate::domain::session::{SessionName, Tokens};
use crate::store;

/// What a transaction grants to a session. The access token is signed after the commit.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) session: SessionName,
    pub(super) permissions: Vec<String>,
    pub(super) refresh: SecretString,
}

impl Auth {
    pub(super) fn sign_tokens(&self, granted: Granted) -> Result<Tokens, Error> {
        let SessionName { user, id } = granted.session;
        let access = self.access_tokens.for_user(user, id, &granted.permissions)?;
        Ok(Tokens { access, refresh: granted.refresh })
    }

    /// Ends the session of a refresh token, or of the caller. An unknown token ends nothing, and gets the same answer.
    pub async fn sign_out(&self, context: &RequestContext, token: &SecretString) -> Result<(), Error> {
        let is_ended = retry("sign_out", || self.sign_out_once(context, token)).await?;
        if is_ended {
            self.revoked.notify_waiters();
        }
        Ok(())
    }

    async fn sign_out_once(&self, context: &RequestContext, token: &SecretString) -> Result<bool, Error> {
        let mut tx = self.pool.begin().await?;
        let Some(session) = find(&mut tx, context, token).await? else { return Ok(false) };
        // The sender of the token counts as the session's user.
        let is_ended = end(&mut tx, &session.user.to_string(), context, session).await?;
        tx.commit().await?;
        Ok(is_ended)
    }
}

/// Opens a session of a user, and records the event that led to it.
pub(super) async fn open(
    tx: &mut PgConnection,
    context: &RequestContext,
    user: UserId,
    event: Event,
) -> Result<Granted, sqlx::Error> {
    let session = SessionName { user, id: SessionId::generate() };
    store::sessions::insert(tx, session, CLIENT, &context.origin).await?;
    store::audit::insert_as(tx, &user.to_string(), context, &event.with("session", session)).await?;
    grant(tx, session, random_secret()).await
}

/// Adds the refresh token of a session that has no unused one.
pub(super) async fn grant(
    tx: &mut PgConnection,
    session: SessionName,
    refresh: SecretString,
) -> Result<Granted, sqlx::Error> {
    store::refresh_tokens::insert(tx, session.id, &SecretHash::of(&refresh)).await?;
    let permissions = store::bindings::list_permissions(tx, &session.user.to_string()).await?;
    Ok(Granted { session, permissions, refresh })
}

/// Ends a session, as this actor. False if it had ended before; then no event is recorded.
pub(super) async fn end(
    tx: &mut PgConnection,
    actor: &str,
    context: &RequestContext,
    session: SessionName,
) -> Result<bool, sqlx::Error> {
    let is_ended = store::revocations::end_session(tx, session.id).await?;
    if is_ended {
        store::audit::insert_as(tx, actor, context, &Event::new("session.revoked", session)).await?;
    }
    Ok(is_ended)
}

/// The session of a refresh token; without a token, the caller's.
async fn find(
    tx: &mut PgConnection,
    context: &RequestContext,
    token: &SecretString,
) -> Result<Option<SessionName>, Error> {
    if token.expose_secret().is_empty() {
        let (user, sid) = context.caller.user().zip(context.caller.sid()).ok_or(Error::NotSignedIn)?;
        return Ok(Some(SessionName { user, id: SessionId(sid) }));
    }
    let Some(id) = store::refresh_tokens::find_session(tx, &SecretHash::of(token)).await? else { return Ok(None) };
    Ok(store::sessions::find_user(tx, id).await?.map(|user| SessionName { user, id }))
}
