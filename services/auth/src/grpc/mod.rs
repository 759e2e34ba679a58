//! The wire: requests in, answers and faults out.

mod authentication;
mod error;
mod tokens;
mod users;

pub(crate) use authentication::Authentication;
pub(crate) use tokens::{Tokens, jwks};
pub(crate) use users::Users;
