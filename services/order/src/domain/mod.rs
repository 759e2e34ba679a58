//! The rules of carts and orders: pure, no database, no wire.

pub mod cart;
pub mod history;
pub mod order;
pub mod refund;
pub mod saga;
