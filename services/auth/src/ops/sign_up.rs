//! Signing up: a mailed code makes the account. Whether an address has one already shows in the mail only.

use chrono::{DateTime, Utc};
use kontor_postgres::retry;
use kontor_types::ids::{SignUpId, UserId};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::sessions::{self, Granted};
use super::{Auth, Error, Tokens, Who};
use crate::domain::audit::Event;
use crate::domain::code::{self, Verdict};
use crate::domain::email::Email;
use crate::domain::hash::SecretHash;
use crate::domain::roles::Role;
use crate::domain::throttle::Bucket;
use crate::domain::{mail, password};
use crate::store;
use crate::store::sign_ups::{NewSignUp, SignUp};
use crate::store::users::NewUser;

/// Who wants an account.
pub(crate) struct Applicant {
    pub(crate) email: Email,
    pub(crate) password: SecretString,
    pub(crate) display_name: String,
}

/// Mails a code, and answers when it expires. An address with an account is answered alike, after the same work.
pub(crate) async fn start(auth: &Auth, who: &Who, applicant: &Applicant) -> Result<(SignUpId, DateTime<Utc>), Error> {
    password::check(&applicant.password, &applicant.email, false)?;
    let place = auth.passwords.place()?;
    auth.admit(&[Bucket::address(who.origin.address), Bucket::mail(&applicant.email.lower())]).await?;
    let password_hash = auth.passwords.hash(place, applicant.password.clone()).await?;
    let (id, code) = (SignUpId::generate(), code::generate());
    let code_hash = code::hash(id, &code);
    let (email, display_name) = (&applicant.email, applicant.display_name.as_str());
    let new = NewSignUp { id, email, display_name, password_hash: &password_hash, code_hash: &code_hash };
    let expire_time = retry("sign up", || insert(auth, &new, &code)).await?;
    auth.mail_queued.notify_one();
    Ok((id, expire_time))
}

async fn insert(auth: &Auth, new: &NewSignUp<'_>, code: &SecretString) -> Result<DateTime<Utc>, Error> {
    let mut tx = auth.pool.begin().await?;
    // A row is added in any case; without an account to make, nobody is told its code.
    let expire_time = store::sign_ups::insert(&mut tx, new).await?;
    let letter = match store::users::exists(&mut tx, &new.email.lower()).await? {
        true => mail::account_exists(new.email),
        false => mail::sign_up_code(new.email, code),
    };
    store::mails::insert(&mut tx, &letter).await?;
    tx.commit().await?;
    Ok(expire_time)
}

/// Makes the account of a sign-up, and its first session.
pub(crate) async fn verify(
    auth: &Auth,
    who: &Who,
    id: SignUpId,
    code: &SecretString,
) -> Result<(UserId, Tokens), Error> {
    auth.admit(&[Bucket::address(who.origin.address)]).await?;
    let given = code::hash(id, code);
    let granted = retry("verify a sign-up", || try_verify(auth, who, id, &given)).await?;
    let granted = granted.ok_or(Error::CodeInvalid)?;
    Ok((granted.session.user, granted.into_tokens(auth)?))
}

/// None if the code is not good; that it was tried is committed.
async fn try_verify(auth: &Auth, who: &Who, id: SignUpId, given: &SecretHash) -> Result<Option<Granted>, Error> {
    let mut tx = auth.pool.begin().await?;
    let Some(sign_up) = store::sign_ups::lock(&mut tx, id).await? else { return Ok(None) };
    let granted = match sign_up.waiting.judge(given) {
        Verdict::Right => make_account(&mut tx, who, id, &sign_up).await?,
        Verdict::Wrong => {
            store::sign_ups::set_wrong_code(&mut tx, id).await?;
            None
        }
        Verdict::TooLate => None,
    };
    tx.commit().await?;
    Ok(granted)
}

/// None if the address has got an account in the meantime.
async fn make_account(
    tx: &mut PgConnection,
    who: &Who,
    id: SignUpId,
    sign_up: &SignUp,
) -> Result<Option<Granted>, sqlx::Error> {
    store::sign_ups::delete(tx, id).await?;
    let SignUp { email, display_name, password_hash, .. } = sign_up;
    let user = NewUser { id: UserId::generate(), email, display_name, password_hash };
    if !store::users::insert(tx, &user, Role::Customer).await? {
        return Ok(None);
    }
    sessions::open(tx, who, user.id, Event::new("user.signed_up", user.id)).await.map(Some)
}
