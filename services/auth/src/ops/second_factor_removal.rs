//! Taking a second factor away.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::second_factor::{ABSENT, lock_active};
use super::second_factor_codes::use_up;
use super::{Auth, Error, Who, own_password};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::throttle::Bucket;
use crate::domain::{mail, password};
use crate::store;

/// Takes the second factor away: one's own with password and code, others' with the permission.
pub(crate) async fn remove(
    auth: &Auth,
    who: &Who,
    parent: &str,
    (given, code): (SecretString, &SecretString),
) -> Result<(), Error> {
    let user = who.reach(parent, "user.edit")?;
    if who.caller.user() == Some(user) {
        remove_own(auth, who, parent, (given, code)).await?;
    } else {
        let found = retry("take another's second factor away", || try_remove_others(auth, who, user)).await?;
        found.then_some(()).ok_or_else(|| Error::NotFound(parent.to_owned()))?;
    }
    auth.mail_queued.notify_one();
    Ok(())
}

async fn remove_own(
    auth: &Auth,
    who: &Who,
    parent: &str,
    (given, code): (SecretString, &SecretString),
) -> Result<(), Error> {
    let own = own_password::confirm(auth, who, parent, given.clone()).await?;
    password::check_length(&given, false)?;
    auth.admit(&[Bucket::second_factor(own.user)]).await?;
    let done = retry("take one's second factor away", || try_remove_own(auth, who, &own, code)).await?;
    if done { Ok(()) } else { Err(Error::CodeInvalid) }
}

async fn try_remove_own(auth: &Auth, who: &Who, own: &Credentials, code: &SecretString) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    let now = lock_active(&mut tx, own).await?;
    if use_up(auth, &mut tx, &now, code).await?.is_none() {
        return Ok(false);
    }
    take_away(&mut tx, who, &now).await?;
    tx.commit().await?;
    Ok(true)
}

/// False if there is no such user.
async fn try_remove_others(auth: &Auth, who: &Who, user: UserId) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    let Some(now) = store::users::lock_credentials(&mut tx, user).await? else { return Ok(false) };
    who.must_hold_all_of(&mut tx, &user.to_string()).await?;
    if !now.has_second_factor {
        return Err(ABSENT);
    }
    take_away(&mut tx, who, &now).await?;
    tx.commit().await?;
    Ok(true)
}

async fn take_away(tx: &mut PgConnection, who: &Who, now: &Credentials) -> Result<(), sqlx::Error> {
    store::authenticators::delete(tx, now.user).await?;
    store::recovery_codes::replace(tx, now.user, &[]).await?;
    store::challenges::delete_all(tx, now.user).await?;
    store::throttles::fill(tx, &Bucket::second_factor(now.user)).await?;
    store::audit::insert(tx, who, &Event::new("second_factor.removed", now.user)).await?;
    store::mails::insert(tx, &mail::second_factor_removed(&now.email)).await
}
