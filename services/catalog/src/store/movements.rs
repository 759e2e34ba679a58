//! The table `stock_movements`: the ledger of every change of `stock.on_hand`.

use kontor_types::ids::new_uuid;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::inventory::MovementReason;

/// Writes changes of stock down, all for one reason.
pub async fn insert(
    conn: &mut PgConnection,
    deltas: &[(Uuid, i64)],
    reason: MovementReason,
    reference: &str,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = deltas.iter().map(|_| new_uuid()).collect();
    let (variants, amounts): (Vec<Uuid>, Vec<i64>) = deltas.iter().copied().unzip();
    sqlx::query(
        "INSERT INTO stock_movements (id, variant_id, delta, reason, reference) \
         SELECT w.id, w.variant_id, w.delta, $4, $5 FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) \
         AS w (id, variant_id, delta)",
    )
    .bind(&ids)
    .bind(&variants)
    .bind(&amounts)
    .bind(reason.as_str())
    .bind(reference)
    .execute(conn)
    .await?;
    Ok(())
}
