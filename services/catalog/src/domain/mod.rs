//! The rules of the catalog: pure, no database, no wire.

pub mod import;
pub mod inventory;
pub mod product;
pub mod reference;
pub mod reservation;
