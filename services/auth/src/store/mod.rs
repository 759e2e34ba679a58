//! The SQL: one function for each query. Times are compared with the database's clock only.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod authenticators;
pub(crate) mod bindings;
pub(crate) mod challenges;
pub(crate) mod expired;
pub(crate) mod mails;
pub(crate) mod password_resets;
pub(crate) mod recovery_codes;
pub(crate) mod refresh_tokens;
pub(crate) mod revocations;
pub(crate) mod roles;
pub(crate) mod service_accounts;
pub(crate) mod service_keys;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod sign_ups;
pub(crate) mod signing_keys;
pub(crate) mod throttles;
pub(crate) mod users;
