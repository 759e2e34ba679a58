//! The crate's error, and two small readers of what sqlx answers.

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgQueryResult;

use crate::Transient;
use crate::schema::SchemaState;
use crate::server::ServerError;

/// What can go wrong before a service has its tables. Meant for the log and the operator, never
/// for a caller: the text may hold the database's own words.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database: {}", text(.0))]
    Sql(sqlx::Error),
    /// The role that makes roles and schemas may not do so.
    #[error("the administrator's role needs CREATEROLE, and CREATE on the database, or to be a superuser: {}", text(.0))]
    Privilege(sqlx::Error),
    /// The role has no schema of its own: [`crate::bootstrap()`] was not done, or it is another service's or person's.
    #[error(
        "the role {0} has no schema of its own in this database: run `kontor migrate`, or log in as the service's role"
    )]
    NoSchema(String),
    /// A migration failed, or what was applied earlier is not what this program holds.
    #[error("migration: {0}")]
    Migrate(#[from] MigrateError),
    /// The schema is not one that this program can work with, and not one that it can migrate.
    #[error("{0}")]
    Schema(SchemaState),
    /// The text is not a database URL. The text itself is left out, since it may hold a password.
    #[error("not a database URL: {0}")]
    Url(#[from] url::ParseError),
    /// A password that Postgres and its clients might normalise differently (RFC 4013).
    #[error("the password of role {role} must be printable ASCII and not empty")]
    Password { role: &'static str },
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Why a service's own database could not do what was asked, as callers have to know it. A variant of each service's own error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached, or gave up for now: the same call may succeed later.
    #[error("the database is not available")]
    Outage(#[source] sqlx::Error),
    /// The database refused what the service should never have asked.
    #[error("the database refused a statement")]
    Refused(#[source] sqlx::Error),
    /// The request id was used for another request. See [`crate::idempotency`].
    #[error("the request id was used for another request")]
    KeyReused,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        crate::readiness::note(&error);
        if is_outage(&error) || error.is_transient() { Self::Outage(error) } else { Self::Refused(error) }
    }
}

impl StoreError {
    /// The name of the constraint that a statement violated, if that is why it failed.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Outage(error) | Self::Refused(error) => constraint(error),
            Self::KeyReused => None,
        }
    }
}

impl Transient for StoreError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Outage(error) | Self::Refused(error) => error.is_transient(),
            Self::KeyReused => false,
        }
    }
}

/// The name of the constraint that a statement violated, if that is why it failed.
///
/// Lets `store` turn a named constraint into a named error of the domain.
pub fn constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
}

/// Asserts how many rows a statement touched.
///
/// # Errors
/// [`sqlx::Error::Protocol`] that names both numbers, so that a `store` function can use `?`. It
/// is never transient: a row that should be there and is not will not come back by repeating.
pub fn ensure_affected(result: &PgQueryResult, expected: u64) -> Result<(), sqlx::Error> {
    let touched = result.rows_affected();
    if touched == expected {
        return Ok(());
    }
    Err(sqlx::Error::Protocol(format!("{touched} rows touched where {expected} were expected")))
}

/// SQLSTATEs, or classes of them, by which the server says that it can't serve now.
const OUTAGES: [&str; 8] = [
    "08",    // The connection broke.
    "53",    // No connection, memory or disk space is left.
    "57P",   // The server starts, stops or ends this session: pg_terminate_backend, idle_session_timeout.
    "25006", // The server is a standby, or was set to read only.
    "25P03", // idle_in_transaction_session_timeout
    "25P04", // transaction_timeout
    "55P03", // lock_timeout
    "57014", // statement_timeout
];

/// What went wrong, for an operator. sqlx adds the line of Postgres' own source to what the database says.
pub fn text(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned())
}

/// Whether the database could not be reached, or went away in the middle: the same call may succeed later, and whether a
/// commit that was under way has happened is unknown.
pub fn is_outage(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
    let state = sqlstate(error).unwrap_or_default();
    OUTAGES.iter().any(|outage| state.starts_with(outage))
        || matches!(error, Io(_) | PoolClosed | PoolTimedOut | Tls(_) | WorkerCrashed)
}

/// The SQLSTATE of a refusal by the database.
pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

/// Whether the database refused with one of these SQLSTATEs.
pub(crate) fn has_state(error: &sqlx::Error, states: &[&str]) -> bool {
    sqlstate(error).is_some_and(|code| states.contains(&code.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_an_outage_and_what_it_should_never_refuse_is_not() {
        for error in [sqlx::Error::WorkerCrashed, sqlx::Error::PoolTimedOut, sqlx::Error::PoolClosed] {
            assert!(matches!(StoreError::from(error), StoreError::Outage(_)));
        }
        assert!(matches!(StoreError::from(sqlx::Error::RowNotFound), StoreError::Refused(_)));
    }
}
