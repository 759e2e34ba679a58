//! Attempts, counted by the generic cell rate algorithm. A row says when its bucket is full again; without a row it is.

use std::time::Duration;

use sqlx::PgConnection;

use crate::domain::throttle::Bucket;

/// Takes one attempt from a bucket. If it is empty, returns how long until it has one.
pub(crate) async fn take(conn: &mut PgConnection, bucket: &Bucket) -> Result<Option<Duration>, sqlx::Error> {
    let sql = "INSERT INTO throttles (key, free_time) VALUES ($1, now() + $2 * interval '1 second') \
               ON CONFLICT (key) DO UPDATE \
               SET free_time = GREATEST(throttles.free_time, now()) + $2 * interval '1 second' \
               WHERE throttles.free_time <= now() + $3 * interval '1 second' RETURNING key";
    let (period, room) = (bucket.limit.period_seconds, bucket.limit.period_seconds * (bucket.limit.burst - 1));
    let query = sqlx::query(sql).bind(&bucket.key).bind(period).bind(room);
    match query.fetch_optional(&mut *conn).await? {
        Some(_) => Ok(None),
        None => wait(conn, bucket, room).await.map(Some),
    }
}

async fn wait(conn: &mut PgConnection, bucket: &Bucket, room: i64) -> Result<Duration, sqlx::Error> {
    let sql = "SELECT CAST(EXTRACT(EPOCH FROM free_time - $2 * interval '1 second' - now()) * 1000 AS bigint) \
               FROM throttles WHERE key = $1";
    let millis: Option<i64> = sqlx::query_scalar(sql).bind(&bucket.key).bind(room).fetch_optional(conn).await?;
    // Not a moment: by now the time may have passed, or the bucket been filled.
    Ok(Duration::from_millis(u64::try_from(millis.unwrap_or_default()).unwrap_or_default()).max(Duration::from_secs(1)))
}

pub(crate) async fn fill(conn: &mut PgConnection, bucket: &Bucket) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM throttles WHERE key = $1").bind(&bucket.key).execute(conn).await.map(|_| ())
}
