//! What revokes access tokens.

/// How long a revocation counts, in seconds: longer than any access token lives, and than clocks differ.
pub(crate) const KEPT_SECONDS: i64 = 300 + 60;
