//! Trading refresh tokens. All that changes a session's tokens holds the lock on its row.

use kontor_postgres::retry;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::sessions::{self, Granted};
use super::{Auth, Error, Tokens, Who};
use crate::domain::audit::Event;
use crate::domain::hash::{SecretHash, random_secret};
use crate::domain::refresh::Verdict;
use crate::domain::session::SessionName;
use crate::store::{self, refresh_tokens, sessions as session_rows};

/// What a transaction has decided.
enum Outcome {
    Granted(Granted),
    Refused,
    /// Refused, and the session ended by it.
    Revoked,
}

/// Trades a refresh token for new tokens.
pub(crate) async fn refresh(auth: &Auth, who: &Who, token: &SecretString) -> Result<Tokens, Error> {
    let hash = SecretHash::of(token);
    match retry("refresh", || try_refresh(auth, who, &hash)).await? {
        Outcome::Granted(granted) => granted.into_tokens(auth),
        Outcome::Refused => Err(Error::RefreshTokenInvalid),
        Outcome::Revoked => {
            auth.revoked.notify_waiters();
            Err(Error::RefreshTokenInvalid)
        }
    }
}

async fn try_refresh(auth: &Auth, who: &Who, hash: &SecretHash) -> Result<Outcome, Error> {
    let mut tx = auth.pool.begin().await?;
    let Some(id) = refresh_tokens::find_session(&mut tx, hash).await? else { return Ok(Outcome::Refused) };
    let Some(user) = session_rows::lock_open(&mut tx, id).await? else { return Ok(Outcome::Refused) };
    let session = SessionName { user, id };
    let outcome = match refresh_tokens::get(&mut tx, hash).await?.judge() {
        Verdict::Rotate => Outcome::Granted(rotate(&mut tx, session, hash).await?),
        Verdict::RotateAgain(first_successor) => {
            refresh_tokens::set_ended(&mut tx, &first_successor).await?;
            Outcome::Granted(rotate(&mut tx, session, hash).await?)
        }
        Verdict::Refuse => Outcome::Refused,
        Verdict::Revoke => revoke(&mut tx, who, session).await?,
    };
    tx.commit().await?;
    Ok(outcome)
}

async fn rotate(tx: &mut PgConnection, session: SessionName, used: &SecretHash) -> Result<Granted, sqlx::Error> {
    let refresh = random_secret();
    refresh_tokens::set_used(tx, used, &SecretHash::of(&refresh)).await?;
    session_rows::set_refreshed(tx, session.id).await?;
    sessions::grant(tx, session, refresh).await
}

/// Whoever sent it is one of two, so that nobody is named.
async fn revoke(tx: &mut PgConnection, who: &Who, session: SessionName) -> Result<Outcome, sqlx::Error> {
    tracing::warn!(%session, "a used refresh token came again: session revoked");
    store::audit::insert(tx, who, &Event::new("refresh_token.reused", session)).await?;
    sessions::end(tx, "system", who, session).await?;
    Ok(Outcome::Revoked)
}
