//! What a verifier knows of keys and revocations.

use std::collections::{HashMap, HashSet};

use jsonwebtoken::DecodingKey;
use kontor_proto::kontor::auth::v1::{Jwks, WatchRevocationsResponse};
use uuid::Uuid;

use super::Verified;

/// How much longer than said a revocation is remembered, in seconds: auth's clock may be behind its database's.
const REMEMBER_LONGER: i64 = 60;
/// How long a revocation is remembered whose end is not told, in seconds: longer than any access token lives.
const REMEMBER_ALWAYS: i64 = 24 * 3600;
/// How often revocations of tokens that have expired are looked for, in seconds.
const FORGET_EVERY: i64 = 10;

#[derive(Default)]
pub(super) struct Known {
    keys: HashMap<String, DecodingKey>,
    /// Each with the time, in seconds since 1970, at which it may be forgotten.
    revoked: HashMap<Uuid, i64>,
    forget_from: i64,
}

/// Why a token of ours is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Its key does not count any more.
    KeyGone,
    Revoked,
}

impl Known {
    pub(super) fn key(&self, kid: &str) -> Option<DecodingKey> {
        self.keys.get(kid).cloned()
    }

    /// Whether a token that was all right when it was verified still is, but for its expiry.
    pub(super) fn check(&self, token: &Verified) -> Result<(), Refused> {
        if !self.keys.contains_key(&token.kid) {
            return Err(Refused::KeyGone);
        }
        // Asked first, since mostly nothing at all is revoked.
        let is_revoked = |sid| self.revoked.contains_key(&sid);
        if !self.revoked.is_empty() && token.caller.sid().is_some_and(is_revoked) {
            return Err(Refused::Revoked);
        }
        Ok(())
    }

    /// Replaces the keys. Keys that are no Ed25519 keys are left out.
    pub(super) fn set_keys(&mut self, jwks: &Jwks) {
        let keys = jwks.keys.iter().filter(|key| key.kty == "OKP" && key.crv == "Ed25519");
        let keys = keys.filter_map(|key| Some((key.kid.clone(), DecodingKey::from_ed_components(&key.x).ok()?)));
        self.keys = keys.collect();
    }

    /// Keeps these keys only, and tells whether others were dropped.
    pub(super) fn keep_keys(&mut self, kids: &HashSet<String>) -> bool {
        let before = self.keys.len();
        self.keys.retain(|kid, _| kids.contains(kid));
        self.keys.len() < before
    }

    /// Whether all of these keys are here.
    pub(super) fn has_keys(&self, kids: &HashSet<String>) -> bool {
        kids.iter().all(|kid| self.keys.contains_key(kid))
    }

    /// Remembers what was revoked, until the last of its tokens has expired.
    pub(super) fn revoke(&mut self, heard: &WatchRevocationsResponse, now: i64) {
        if self.forget_from <= now {
            self.revoked.retain(|_, until| *until > now);
            self.forget_from = now + FORGET_EVERY;
        }
        for revocation in &heard.revocations {
            let Ok(sid) = Uuid::try_parse(&revocation.sid) else { continue };
            let until = revocation
                .expire_time
                .as_ref()
                .map_or(now + REMEMBER_ALWAYS, |end| end.seconds.saturating_add(REMEMBER_LONGER));
            let kept = self.revoked.entry(sid).or_insert(until);
            *kept = until.max(*kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use kontor_proto::kontor::auth::v1::Revocation;
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn revocations_are_forgotten_when_their_tokens_have_expired() {
        let mut known = Known::default();
        let heard = |sids: &[u128], seconds| WatchRevocationsResponse {
            revocations: sids.iter().map(|sid| revocation(*sid, seconds)).collect(),
            kids: Vec::new(),
        };
        known.revoke(&heard(&[1, 2], 1300), 1000);
        known.revoke(&heard(&[2], 1400), 1100);
        assert_eq!(known.revoked.len(), 2);
        known.revoke(&heard(&[], 0), 1300 + REMEMBER_LONGER);
        assert_eq!(known.revoked.keys().collect::<Vec<_>>(), [&Uuid::from_u128(2)]);
        known.revoke(&heard(&[], 0), 1400 + REMEMBER_LONGER);
        assert!(known.revoked.is_empty());
    }

    fn revocation(sid: u128, seconds: i64) -> Revocation {
        Revocation { sid: Uuid::from_u128(sid).to_string(), expire_time: Some(Timestamp { seconds, nanos: 0 }) }
    }
}
