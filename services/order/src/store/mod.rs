//! SQL: one function for each statement, the connection first.

pub mod carts;
pub mod orders;
mod rows;
pub mod sagas;
