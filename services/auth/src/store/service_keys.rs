//! The keys of service accounts, by their hashes.

use chrono::{DateTime, Utc};
use kontor_types::PageToken;
use kontor_types::ids::new_uuid;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::hash::SecretHash;
use crate::domain::service_account::AccountKey;
use crate::domain::service_key::ServiceKey;

pub(crate) struct NewKey<'a> {
    pub(crate) key: &'a ServiceKey,
    pub(crate) display_name: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) expire_time: Option<DateTime<Utc>>,
}

kontor_postgres::from_row! {
    /// A key that may be exchanged for a token.
    pub(crate) struct GoodKey {
        pub(crate) account: String,
        pub(crate) built_in: bool,
        pub(crate) scopes: Vec<String>,
        pub(crate) expire_time: Option<DateTime<Utc>>,
        /// The `sid` of its tokens.
        pub(crate) sid: Uuid,
    }
}

/// Adds a key from the settings, unless it exists.
pub(crate) async fn insert_known(conn: &mut PgConnection, key: &ServiceKey) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO service_keys (id, sid, hash, account) VALUES ($1, $1, $2, $3) ON CONFLICT (hash) DO NOTHING";
    sqlx::query(sql).bind(new_uuid()).bind(&key.hash.0).bind(&key.account).execute(conn).await.map(|_| ())
}

/// Adds a key. None if it would have expired already.
pub(crate) async fn insert(conn: &mut PgConnection, new: &NewKey<'_>) -> Result<Option<AccountKey>, sqlx::Error> {
    let sql = "INSERT INTO service_keys (id, sid, hash, account, display_name, scopes, expire_time) \
               SELECT $1, $1, $2, $3, $4, $5, $6 WHERE $6::timestamptz IS NULL OR $6 > now() \
               RETURNING id, account, display_name, scopes, expire_time, create_time, last_use_time";
    let row: Option<KeyRow> = sqlx::query_as(sql)
        .bind(new_uuid())
        .bind(&new.key.hash.0)
        .bind(&new.key.account)
        .bind(new.display_name)
        .bind(new.scopes)
        .bind(new.expire_time)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(AccountKey::from))
}

/// The keys of an account after a page token, oldest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    account: &str,
    after: Option<PageToken>,
    limit: i64,
) -> Result<Vec<AccountKey>, sqlx::Error> {
    let sql = "SELECT id, account, display_name, scopes, expire_time, create_time, last_use_time FROM service_keys \
               WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3";
    let after = after.map_or(Uuid::nil(), |token| token.after);
    let rows: Vec<KeyRow> = sqlx::query_as(sql).bind(account).bind(after).bind(limit).fetch_all(conn).await?;
    Ok(rows.into_iter().map(AccountKey::from).collect())
}

/// Records the use of a key, at most once a minute.
pub(crate) async fn touch(conn: &mut PgConnection, hash: &SecretHash) -> Result<(), sqlx::Error> {
    let sql = "UPDATE service_keys SET last_use_time = now() \
               WHERE hash = $1 AND (last_use_time IS NULL OR last_use_time < now() - interval '1 minute')";
    sqlx::query(sql).bind(&hash.0).execute(conn).await.map(|_| ())
}

/// A key that has not expired, locked against deletion and revocation until the transaction ends.
pub(crate) async fn lock_good(conn: &mut PgConnection, hash: &SecretHash) -> Result<Option<GoodKey>, sqlx::Error> {
    let sql = "SELECT k.account, a.built_in, k.scopes, k.expire_time, k.sid \
               FROM service_keys k JOIN service_accounts a ON a.name = k.account \
               WHERE k.hash = $1 AND (k.expire_time IS NULL OR k.expire_time > now()) FOR SHARE OF k";
    sqlx::query_as(sql).bind(&hash.0).fetch_optional(conn).await
}

/// Deletes a key of an account, and returns the `sid` of its tokens. None if the key does not exist.
pub(crate) async fn delete(conn: &mut PgConnection, account: &str, id: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    let sql = "DELETE FROM service_keys WHERE account = $1 AND id = $2 RETURNING sid";
    sqlx::query_scalar(sql).bind(account).bind(id).fetch_optional(conn).await
}

/// Gives the keys of these accounts new `sid`s, and returns the old ones.
pub(crate) async fn renew_sids(conn: &mut PgConnection, accounts: &[&str]) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = "WITH so_far AS (SELECT id, sid FROM service_keys WHERE account = ANY($1) ORDER BY id FOR UPDATE) \
               UPDATE service_keys k SET sid = gen_random_uuid() FROM so_far WHERE k.id = so_far.id RETURNING so_far.sid";
    sqlx::query_scalar(sql).bind(accounts).fetch_all(conn).await
}

kontor_postgres::from_row! {
    struct KeyRow {
        id: Uuid,
        account: String,
        display_name: String,
        scopes: Vec<String>,
        expire_time: Option<DateTime<Utc>>,
        create_time: DateTime<Utc>,
        last_use_time: Option<DateTime<Utc>>,
    }
}

impl From<KeyRow> for AccountKey {
    fn from(row: KeyRow) -> Self {
        let KeyRow { id, account, display_name, scopes, expire_time, create_time, last_use_time } = row;
        Self { id, account, display_name, scopes, expire_time, create_time, last_use_time }
    }
}
