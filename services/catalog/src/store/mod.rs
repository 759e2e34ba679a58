//! SQL: one function for each statement, the connection first.

pub mod movements;
pub mod products;
pub mod reservations;
pub mod stock;
pub mod variants;
