//! Trading refresh tokens. All that changes a session's tokens holds the lock on its row.

use kontor_postgres::retry;
use kontor_types::ids::{SessionId, UserId};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::sessions::{self, Granted};
use super::{Auth, Error, Tokens};
use crate::domain::hash::SecretHash;
use crate::domain::refresh::{self as tokens, Verdict};
use crate::store::{refresh_tokens, sessions as session_rows};

/// Trades a refresh token for new tokens.
pub(crate) async fn refresh(auth: &Auth, token: &SecretString) -> Result<Tokens, Error> {
    let hash = SecretHash::of(token);
    let granted = retry("refresh", || try_refresh(auth, &hash)).await?;
    granted.ok_or(Error::RefreshTokenInvalid)?.into_tokens(auth)
}

/// None if the token is refused; a session that ended by it is committed.
async fn try_refresh(auth: &Auth, hash: &SecretHash) -> Result<Option<Granted>, Error> {
    let mut tx = auth.pool.begin().await?;
    let Some(session) = refresh_tokens::find_session(&mut tx, hash).await? else { return Ok(None) };
    let Some(user) = session_rows::lock_open(&mut tx, session).await? else { return Ok(None) };
    let granted = match refresh_tokens::get(&mut tx, hash).await?.judge() {
        Verdict::Rotate => Some(rotate(&mut tx, session, user, hash).await?),
        Verdict::RotateAgain(first_successor) => {
            refresh_tokens::set_ended(&mut tx, &first_successor).await?;
            Some(rotate(&mut tx, session, user, hash).await?)
        }
        Verdict::Refuse => None,
        Verdict::Revoke => {
            session_rows::set_revoked(&mut tx, session).await?;
            tracing::warn!(session = %session.0, user = %user, "a used refresh token came again: session revoked");
            None
        }
    };
    tx.commit().await?;
    Ok(granted)
}

async fn rotate(
    tx: &mut PgConnection,
    session: SessionId,
    user: UserId,
    used: &SecretHash,
) -> Result<Granted, sqlx::Error> {
    let refresh = tokens::generate();
    refresh_tokens::set_used(tx, used, &SecretHash::of(&refresh)).await?;
    session_rows::set_refreshed(tx, session).await?;
    sessions::grant(tx, session, user, refresh).await
}
