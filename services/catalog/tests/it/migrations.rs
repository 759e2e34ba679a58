//! Rows that older versions wrote.

use kontor_postgres::{PoolOptions, testing};
use kontor_types::ids::new_uuid;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// A reservation as it was written when reservations had no version.
async fn insert(conn: &mut PgConnection, state: &str, variants: &[Uuid]) {
    let sql = "INSERT INTO reservations (order_id, state, product_ids, variant_ids, quantities) \
        VALUES ($1, $2, $3, $3, $4)";
    let quantities = vec![1; variants.len()];
    sqlx::query(sql).bind(new_uuid()).bind(state).bind(variants).bind(quantities).execute(conn).await.unwrap();
}

#[test]
fn each_migration_is_named() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    kontor_postgres::migrations::assert_complete(&kontor_catalog::migrations(), folder.as_ref());
}

#[tokio::test]
async fn reservations_get_the_number_of_events_that_they_had() {
    let role = testing::role("kontor_catalog", "catalog");
    let database = testing::server().await.unwrap().database(std::slice::from_ref(&role)).await.unwrap();
    let pool = kontor_postgres::connect(&PoolOptions::new(database.url(&role))).await.unwrap();
    kontor_postgres::migrate(&pool, &kontor_catalog::migrations().up_to(4)).await.unwrap();
    let mut conn = PgConnection::connect(&database.url(&role)).await.unwrap();
    for state in ["HELD", "CONFIRMED", "RELEASED", "REFUSED"] {
        insert(&mut conn, state, &[new_uuid()]).await;
    }
    insert(&mut conn, "RELEASED", &[]).await;

    kontor_postgres::migrate(&pool, &kontor_catalog::migrations()).await.unwrap();
    let sql = "SELECT state, cardinality(variant_ids), version, cardinality(returned) FROM reservations ORDER BY 1, 2";
    let rows: Vec<(String, i32, i64, i32)> = sqlx::query_as(sql).fetch_all(pool.sqlx()).await.unwrap();
    let rows: Vec<_> =
        rows.iter().map(|(state, lines, version, back)| (state.as_str(), *lines, *version, *back)).collect();
    let expected =
        [("CONFIRMED", 1, 2, 0), ("HELD", 1, 1, 0), ("REFUSED", 1, 1, 0), ("RELEASED", 0, 1, 0), ("RELEASED", 1, 2, 0)];
    assert_eq!(rows, expected);
    sqlx::query("UPDATE reservations SET state = 'EXPIRED' WHERE state = 'HELD'").execute(pool.sqlx()).await.unwrap();
    sqlx::query("UPDATE reservations SET state = 'GONE'").execute(pool.sqlx()).await.unwrap_err();
}
