//! The keys that sign access tokens.

use chrono::{DateTime, Utc};
use kontor_postgres::ensure_affected;
use sqlx::PgConnection;

use crate::domain::key_life::Life;
use crate::domain::signing_key::{PublicKey, SealedKey};

#[derive(Clone, Debug)]
pub(crate) struct StoredKey {
    pub(crate) key: SealedKey,
    pub(crate) life: Life,
}

/// All keys that are not deleted yet, newest first.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<StoredKey>, sqlx::Error> {
    let sql = "SELECT kid, public, sealed_private, create_time, activate_time, retire_time FROM signing_keys \
               ORDER BY create_time DESC, kid";
    let rows: Vec<SigningKeyRow> = sqlx::query_as(sql).fetch_all(conn).await?;
    Ok(rows.into_iter().map(StoredKey::from).collect())
}

pub(crate) async fn insert(conn: &mut PgConnection, key: &SealedKey, life: &Life) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO signing_keys (kid, public, sealed_private, create_time, activate_time) \
               VALUES ($1, $2, $3, $4, $5)";
    let query = sqlx::query(sql).bind(&key.public.kid).bind(&key.public.bytes).bind(&key.sealed_private);
    let inserted = query.bind(life.create_time).bind(life.activate_time).execute(conn).await?;
    ensure_affected(&inserted, 1)
}

/// Sets when all keys but one are retired, unless they are retired sooner.
pub(crate) async fn set_retire_time_but(
    conn: &mut PgConnection,
    kid: &str,
    retire_time: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE signing_keys SET retire_time = $2 WHERE kid <> $1 AND (retire_time IS NULL OR retire_time > $2)";
    sqlx::query(sql).bind(kid).bind(retire_time).execute(conn).await.map(|_| ())
}

kontor_postgres::from_row! {
    struct SigningKeyRow {
        kid: String,
        public: Vec<u8>,
        sealed_private: Vec<u8>,
        create_time: DateTime<Utc>,
        activate_time: DateTime<Utc>,
        retire_time: Option<DateTime<Utc>>,
    }
}

impl From<SigningKeyRow> for StoredKey {
    fn from(row: SigningKeyRow) -> Self {
        let SigningKeyRow { kid, public, sealed_private, create_time, activate_time, retire_time } = row;
        let life = Life { kid: kid.clone(), create_time, activate_time, retire_time };
        let public = PublicKey { kid, bytes: public };
        Self { key: SealedKey { public, sealed_private }, life }
    }
}
