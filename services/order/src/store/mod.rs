//! SQL: one function for each statement, the connection first.

pub mod carts;
mod fence;
pub mod history;
pub mod orders;
pub mod refunds;
mod rows;
pub mod saga_counts;
pub mod sagas;
