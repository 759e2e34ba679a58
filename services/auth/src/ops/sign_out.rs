//! Signing out.

use kontor_postgres::retry;
use kontor_types::ids::SessionId;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

use super::{Auth, Error, Who, sessions};
use crate::domain::hash::SecretHash;
use crate::domain::session::SessionName;
use crate::store;

/// Ends the session of a refresh token, or of the caller. A token that is not known ends nothing, which is not told.
pub(crate) async fn sign_out(auth: &Auth, who: &Who, token: &SecretString) -> Result<(), Error> {
    let is_ended = retry("sign out", || try_sign_out(auth, who, token)).await?;
    if is_ended {
        auth.revoked.notify_waiters();
    }
    Ok(())
}

async fn try_sign_out(auth: &Auth, who: &Who, token: &SecretString) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    let Some(session) = find(&mut tx, who, token).await? else { return Ok(false) };
    // Whoever has the token is the session's user, as far as can be known.
    let is_ended = sessions::end(&mut tx, &session.user.to_string(), who, session).await?;
    tx.commit().await?;
    Ok(is_ended)
}

async fn find(tx: &mut PgConnection, who: &Who, token: &SecretString) -> Result<Option<SessionName>, Error> {
    if token.expose_secret().is_empty() {
        let (user, sid) = who.caller.user().zip(who.caller.sid()).ok_or(Error::NotSignedIn)?;
        return Ok(Some(SessionName { user, id: SessionId(sid) }));
    }
    let Some(id) = store::refresh_tokens::find_session(tx, &SecretHash::of(token)).await? else { return Ok(None) };
    Ok(store::sessions::find_user(tx, id).await?.map(|user| SessionName { user, id }))
}
