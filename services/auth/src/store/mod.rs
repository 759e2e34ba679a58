//! The SQL: one function for each query. Times are compared with the database's clock only.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod authenticators;
pub(crate) mod bindings;
pub(crate) mod challenges;
pub(crate) mod expired;
pub(crate) mod mails;
pub(crate) mod password_resets;
pub(crate) mod recovery_codes;
pub(crate) mod refresh_tokens;
pub(crate) mod revocations;
pub(crate) mod roles;
pub(crate) mod service_accounts;
pub(crate) mod service_keys;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod sign_ups;
pub(crate) mod signing_keys;
pub(crate) mod throttles;
pub(crate) mod users;

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::domain::code::Waiting;
use crate::domain::email::Email;
use crate::domain::hash::SecretHash;

kontor_postgres::from_row! {
    /// The columns of a sign-up or password reset that waits for its code.
    struct WaitingRow {
        code_hash: Vec<u8>,
        wrong_codes: i32,
        is_expired: bool,
    }
}

/// The e-mail address in the column `email`.
fn email(row: &PgRow) -> Result<Email, sqlx::Error> {
    Email::try_from(row.try_get::<String, _>("email")?).map_err(|error| sqlx::Error::Decode(error.into()))
}

impl From<WaitingRow> for Waiting {
    fn from(WaitingRow { code_hash, wrong_codes, is_expired }: WaitingRow) -> Self {
        Self { code_hash: SecretHash(code_hash), wrong_codes, is_expired }
    }
}
