//! Opening sessions, the tokens that come of it, and ending sessions.

use kontor_types::ids::{SessionId, UserId};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::access_tokens::CLIENT;
use super::{AccessToken, Auth, Error, Who};
use crate::domain::audit::Event;
use crate::domain::hash::{SecretHash, random_secret};
use crate::domain::session::SessionName;
use crate::store;

/// The tokens of a session.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    pub(crate) refresh: SecretString,
}

/// What a transaction has granted; the tokens are made of it once it is committed.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) session: SessionName,
    pub(super) permissions: Vec<String>,
    pub(super) refresh: SecretString,
}

impl Granted {
    /// Signs the access token.
    pub(super) fn into_tokens(self, auth: &Auth) -> Result<Tokens, Error> {
        let SessionName { user, id } = self.session;
        let access = auth.access_tokens.for_user(user, id, &self.permissions)?;
        Ok(Tokens { access, refresh: self.refresh })
    }
}

/// Opens a session of a user. What they did to get it is written down.
pub(super) async fn open(tx: &mut PgConnection, who: &Who, user: UserId, event: Event) -> Result<Granted, sqlx::Error> {
    let session = SessionName { user, id: SessionId::generate() };
    store::sessions::insert(tx, session, CLIENT, &who.origin).await?;
    store::audit::insert_as(tx, &user.to_string(), who, &event.with("session", session)).await?;
    grant(tx, session, random_secret()).await
}

/// Gives a session, which has no good refresh token, this one.
pub(super) async fn grant(
    tx: &mut PgConnection,
    session: SessionName,
    refresh: SecretString,
) -> Result<Granted, sqlx::Error> {
    store::refresh_tokens::insert(tx, session.id, &SecretHash::of(&refresh)).await?;
    let permissions = store::bindings::list_permissions(tx, &session.user.to_string()).await?;
    Ok(Granted { session, permissions, refresh })
}

/// Ends a session, as this actor. False if it had ended before; then nothing is written down.
pub(super) async fn end(
    tx: &mut PgConnection,
    actor: &str,
    who: &Who,
    session: SessionName,
) -> Result<bool, sqlx::Error> {
    let is_ended = store::revocations::end_session(tx, session.id).await?;
    if is_ended {
        store::audit::insert_as(tx, actor, who, &Event::new("session.revoked", session)).await?;
    }
    Ok(is_ended)
}
