//! The table `stock`.

use kontor_types::ids::{ProductId, VariantName};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::inventory::{Available, Line, Stock};

/// The stock of a variant.
pub async fn find(conn: &mut PgConnection, variant: VariantName) -> Result<Option<Stock>, sqlx::Error> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT on_hand, reserved FROM stock WHERE variant_id = $1")
        .bind(variant.id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|(on_hand, reserved)| Stock { variant, on_hand, reserved }))
}

/// Gives new variants their stock.
pub async fn insert(conn: &mut PgConnection, stock: &[(Uuid, i64)]) -> Result<(), sqlx::Error> {
    let (variants, on_hand): (Vec<Uuid>, Vec<i64>) = stock.iter().copied().unzip();
    let result = sqlx::query(
        "INSERT INTO stock (variant_id, on_hand) \
         SELECT w.variant_id, w.on_hand FROM unnest($1::uuid[], $2::bigint[]) AS w (variant_id, on_hand)",
    )
    .bind(&variants)
    .bind(&on_hand)
    .execute(conn)
    .await?;
    kontor_postgres::ensure_affected(&result, stock.len() as u64)
}

/// Changes what is in the house, unless that would take units that orders hold; then `None`.
pub async fn adjust(conn: &mut PgConnection, variant: VariantName, delta: i64) -> Result<Option<Stock>, sqlx::Error> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "UPDATE stock SET on_hand = on_hand + $2 WHERE variant_id = $1 AND on_hand + $2 >= reserved \
         RETURNING on_hand, reserved",
    )
    .bind(variant.id)
    .bind(delta)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(on_hand, reserved)| Stock { variant, on_hand, reserved }))
}

/// Locks the stock of some variants, in the one order that everyone locks in, and tells what can be ordered.
pub async fn lock(conn: &mut PgConnection, variants: &[Uuid]) -> Result<Vec<Available>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, Option<String>, i64)> = sqlx::query_as(
        "SELECT v.product_id, s.variant_id, v.sku, s.on_hand - s.reserved FROM stock s \
         JOIN variants v ON v.id = s.variant_id WHERE s.variant_id = ANY($1) ORDER BY s.variant_id FOR UPDATE OF s",
    )
    .bind(variants)
    .fetch_all(conn)
    .await?;
    let available = |(product, id, sku, quantity)| Available {
        variant: VariantName { product: ProductId(product), id },
        sku,
        quantity,
    };
    Ok(rows.into_iter().map(available).collect())
}

/// What happens to the units of a reservation.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    Hold,
    Release,
    Take,
    Return,
}

/// Changes stock that is locked, for each line; no two lines are of the same variant.
pub async fn change(conn: &mut PgConnection, lines: &[Line], change: Change) -> Result<(), sqlx::Error> {
    let (ids, quantities) = columns(lines);
    let (reserved, on_hand) = match change {
        Change::Hold => (1, 0),
        Change::Release => (-1, 0),
        Change::Take => (-1, -1),
        Change::Return => (0, 1),
    };
    let result = sqlx::query(
        "UPDATE stock SET reserved = reserved + w.quantity * $3, on_hand = on_hand + w.quantity * $4 \
         FROM unnest($1::uuid[], $2::int[]) AS w (variant_id, quantity) WHERE stock.variant_id = w.variant_id",
    )
    .bind(&ids)
    .bind(&quantities)
    .bind(reserved)
    .bind(on_hand)
    .execute(conn)
    .await?;
    kontor_postgres::ensure_affected(&result, ids.len() as u64)
}

/// Lines as the columns of a statement.
pub fn columns(lines: &[Line]) -> (Vec<Uuid>, Vec<i32>) {
    lines.iter().map(|line| (line.variant.id, line.quantity)).unzip()
}
