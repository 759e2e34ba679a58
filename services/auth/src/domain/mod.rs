//! The rules of accounts. Pure: no I/O, no wire types, no tasks.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod binding;
pub(crate) mod challenge;
pub(crate) mod code;
pub(crate) mod definition;
pub(crate) mod email;
pub(crate) mod hash;
pub(crate) mod key_life;
pub(crate) mod mail;
pub(crate) mod origin;
pub(crate) mod password;
pub(crate) mod recovery_code;
pub(crate) mod refresh;
pub(crate) mod revocation;
pub(crate) mod roles;
pub(crate) mod seal;
pub(crate) mod second_factor;
pub(crate) mod service_account;
pub(crate) mod service_key;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod throttle;
pub(crate) mod totp;
