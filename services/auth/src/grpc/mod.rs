//! The wire: requests in, answers and faults out.

mod access;
mod audit;
mod authentication;
mod error;
mod parse;
mod second_factors;
mod service_accounts;
mod sessions;
mod tokens;
mod users;
mod who;

pub(crate) use access::Access;
pub(crate) use audit::Audit;
pub(crate) use authentication::Authentication;
pub(crate) use second_factors::SecondFactors;
pub(crate) use service_accounts::ServiceAccounts;
pub(crate) use sessions::Sessions;
pub(crate) use tokens::{Tokens, heed};
pub(crate) use users::Users;
