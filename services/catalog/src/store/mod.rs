//! SQL: one function for each statement, the connection first.

pub mod movements;
pub mod products;
pub mod reservations;
pub mod stock;
pub mod variants;

/// Takes the database's own guard away, if that is the rule to be broken.
#[cfg(feature = "failpoints")]
pub async fn break_guards(pool: &sqlx::PgPool) -> Result<(), kontor_postgres::Error> {
    if kontor_failpoints::mutated(kontor_failpoints::Mutant::NoStockGuard) {
        sqlx::query("ALTER TABLE stock DROP CONSTRAINT IF EXISTS stock_never_oversold").execute(pool).await?;
    }
    Ok(())
}
