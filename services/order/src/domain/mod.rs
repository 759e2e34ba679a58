//! The rules of carts and orders: pure, no database, no wire.

pub mod cart;
pub mod order;
pub mod saga;
