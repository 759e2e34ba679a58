//! What was heard from auth, and when.

use std::collections::HashSet;
use std::mem;
use std::pin::pin;
use std::time::Duration;

use kontor_proto::kontor::auth::v1::{Jwks, WatchRevocationsResponse};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tonic::Status;

use super::{Verified, Verifier, expired, now, until};
use crate::fault::Fault;

/// Auth says something each second. After this long without a word we know too little.
const STALE_AFTER: Duration = Duration::from_secs(5);
/// How long a call waits for auth's first word, when the service has only just begun to listen, or listens again.
const FIRST_WORD_MAX: Duration = Duration::from_millis(1500);

/// The last message: when it came, and the ids of the keys that count.
#[derive(Default)]
pub(super) struct Heard(watch::Sender<Option<Message>>);

struct Message {
    at: Instant,
    kids: HashSet<String>,
    /// Whether the stream that brought it goes on. Once it has ended, something may have been revoked since.
    is_current: bool,
}

impl Verifier {
    /// Takes in what auth says by `TokenService.WatchRevocations`: forgets keys that do not count any more, with what was
    /// remembered of their tokens, refuses from now on what was revoked, and knows that it is up to date.
    pub fn apply(&self, heard: &WatchRevocationsResponse) {
        let kids: HashSet<String> = heard.kids.iter().cloned().collect();
        let dropped_some = {
            let mut known = self.known_mut();
            known.revoke(heard, now());
            let dropped_some = known.keep_keys(&kids);
            // While `known` is locked: see `take_keys`.
            self.heard.0.send_replace(Some(Message { at: Instant::now(), kids, is_current: true }));
            dropped_some
        };
        if dropped_some {
            self.seen.retain(|_, token| self.known().key(&token.kid).is_some());
        }
    }

    /// Takes fetched keys, but none that auth has said to count no more: one process of auth may be behind another.
    pub(super) fn take_keys(&self, jwks: &Jwks) {
        let mut known = self.known_mut();
        known.set_keys(jwks);
        if let Some(message) = self.heard.0.borrow().as_ref().filter(|message| message.is_fresh()) {
            known.keep_keys(&message.kids);
        }
    }

    /// Whether all keys are here that count, as far as we have heard.
    pub(super) fn has_all_keys(&self) -> bool {
        // Always `known` first, so that nobody waits for one of the two while holding the other.
        let known = self.known();
        self.heard.0.borrow().as_ref().is_none_or(|message| known.has_keys(&message.kids))
    }

    /// Takes note that auth is not heard any more: what it says next may name what it has revoked meanwhile.
    pub fn lost(&self) {
        self.heard
            .0
            .send_if_modified(|message| message.as_mut().is_some_and(|message| mem::take(&mut message.is_current)));
    }

    /// UNAVAILABLE if revoked tokens might be taken for good ones: nothing was heard from auth yet, or not again since the stream
    /// ended, or not for long. Methods that ask for a permission must not go on then; purchases may. Whether a token is revoked is to
    /// be looked at after this, since it waits for auth's word.
    pub async fn fresh(&self) -> Result<(), Status> {
        let mut heard = self.heard.0.subscribe();
        let is_current = |message: &Option<Message>| message.as_ref().is_some_and(|message| message.is_current);
        if !is_current(&heard.borrow()) {
            let _ = timeout(FIRST_WORD_MAX, heard.wait_for(is_current)).await;
        }
        let is_fresh = heard.borrow().as_ref().is_some_and(|message| message.is_current && message.is_fresh());
        if is_fresh { Ok(()) } else { Err(stale()) }
    }

    /// Returns when a valid token is no longer valid; if its caller was admitted by a permission, also when nothing was heard for too
    /// long.
    pub(crate) async fn until_refused(&self, token: &Verified, is_privileged: bool) -> Status {
        let mut heard = self.heard.0.subscribe();
        let mut end = pin!(sleep(until(token.exp)));
        loop {
            let stale_from = heard.borrow_and_update().as_ref().map(|message| message.at + STALE_AFTER);
            if let Err(refused) = self.check(token) {
                return refused;
            }
            tokio::select! {
                _ = heard.changed() => {}
                () = &mut end => return expired(),
                () = sleep_until(stale_from.unwrap_or_else(Instant::now)), if is_privileged => return stale(),
            }
        }
    }
}

impl Message {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < STALE_AFTER
    }
}

fn stale() -> Status {
    Fault::unavailable("whether your access token was revoked can't be told right now; try again").into()
}
