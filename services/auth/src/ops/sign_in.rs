//! Signing in with e-mail address and password.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use secrecy::SecretString;

use super::sessions::{self, Granted};
use super::{Auth, Error, Tokens};
use crate::store;

/// Opens a session. An unknown address costs the same hash as a wrong password, and is answered alike.
pub(crate) async fn sign_in(auth: &Auth, email: &str, password: SecretString) -> Result<Tokens, Error> {
    let known = find_credentials(auth, &email.to_lowercase()).await?;
    let (user, hash) = known.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
    let matches = auth.passwords.matches(password, hash).await?;
    let user = user.filter(|_| matches).ok_or(Error::CredentialsInvalid)?;
    retry("sign in", || open(auth, user)).await?.into_tokens(auth)
}

/// On a connection that goes back before the hashing begins.
async fn find_credentials(auth: &Auth, email_lower: &str) -> Result<Option<(UserId, String)>, Error> {
    let mut conn = auth.pool.acquire().await?;
    Ok(store::users::find_credentials(&mut conn, email_lower).await?)
}

async fn open(auth: &Auth, user: UserId) -> Result<Granted, Error> {
    let mut tx = auth.pool.begin().await?;
    let granted = sessions::open(&mut tx, user).await?;
    tx.commit().await?;
    Ok(granted)
}
