//! The password of somebody who is signed in: asked for before what a stolen access token must not do.

use kontor_postgres::retry;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::{Auth, Error, Who};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::throttle::Bucket;
use crate::store;

/// Oneself by name, shown by the password. Attempts count like those of signing in.
pub(super) async fn confirm(auth: &Auth, who: &Who, name: &str, given: SecretString) -> Result<Credentials, Error> {
    let place = auth.passwords.place()?;
    let own = find(auth, who, name).await?;
    let bucket = Bucket::password(&own.email.lower());
    auth.admit(&[Bucket::address(who.origin.address), bucket.clone()]).await?;
    let matches = auth.passwords.matches(place, given, Some(own.password_hash.clone())).await?;
    retry("note a password", || note(auth, who, &own, (matches, &bucket))).await?;
    if matches { Ok(own) } else { Err(Error::CredentialsInvalid) }
}

async fn find(auth: &Auth, who: &Who, name: &str) -> Result<Credentials, Error> {
    let user = who.myself(name)?;
    let mut conn = auth.pool.acquire().await?;
    store::users::get_credentials(&mut conn, user).await?.ok_or_else(|| Error::NotFound(name.to_owned()))
}

async fn note(auth: &Auth, who: &Who, own: &Credentials, (matches, bucket): (bool, &Bucket)) -> Result<(), Error> {
    let mut conn = auth.pool.acquire().await?;
    match matches {
        true => store::throttles::fill(&mut conn, bucket).await?,
        false => store::audit::insert(&mut conn, who, &Event::new("user.password_check_failed", own.user)).await?,
    }
    Ok(())
}

/// The same user, locked. Fails if the password has been changed in the meantime.
pub(super) async fn lock(tx: &mut PgConnection, then: &Credentials) -> Result<Credentials, Error> {
    let now = store::users::lock_credentials(tx, then.user).await?;
    now.filter(|now| now.has_password_of(then)).ok_or(Error::CredentialsInvalid)
}
