//! Sending queued mail: claimed in one transaction, sent outside of any, noted in another. So it is sent at least once, and
//! twice only if this process ends, or loses the database for long, between the sending and the note.

use std::time::Duration;

use futures_util::future::join_all;
use kontor_postgres::{in_time, retry};

use super::{Auth, Error};
use crate::domain::delivery::{LEASE_SECONDS, Next, Refusal, decide, reason};
use crate::post::Post;
use crate::store;
use crate::store::mails::Queued;

/// The most mails that are sent at the same time.
const BATCH: usize = 8;
/// How often it is tried to note what became of a mail, and the pause between two times.
const NOTE_TRIES: u32 = 10;
const NOTE_PAUSE: Duration = Duration::from_millis(500);

/// Sends mails that are due, and tells whether there may be more.
pub(crate) async fn deliver(auth: &Auth, post: &Post) -> Result<bool, Error> {
    let claimed = in_time(retry("claim mails", || claim(auth))).await?;
    let done = join_all(claimed.iter().map(|mail| send(auth, post, mail))).await;
    done.into_iter().collect::<Result<(), Error>>()?;
    Ok(claimed.len() == BATCH)
}

/// For the time of the lease nobody else takes them.
async fn claim(auth: &Auth) -> Result<Vec<Queued>, Error> {
    let mut tx = auth.pool.begin().await?;
    let due = store::mails::lock_due(&mut tx, BATCH).await?;
    if due.is_empty() {
        return Ok(due);
    }
    let ids: Vec<_> = due.iter().map(|mail| mail.id).collect();
    store::mails::set_claimed(&mut tx, &ids, LEASE_SECONDS).await?;
    tx.commit().await?;
    Ok(due)
}

async fn send(auth: &Auth, post: &Post, mail: &Queued) -> Result<(), Error> {
    let outcome = match mail.is_expired {
        true => Err(Refusal::Never("its code has expired".into())),
        false => post.send(mail).await,
    };
    let next = decide(mail.attempts, outcome, rand::random());
    for _ in 1..NOTE_TRIES {
        match in_time(note(auth, mail, &next)).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::warn!(id = %mail.id, %error, "what became of a mail could not be noted yet"),
        }
        tokio::time::sleep(NOTE_PAUSE).await;
    }
    in_time(note(auth, mail, &next)).await
}

async fn note(auth: &Auth, mail: &Queued, next: &Next) -> Result<(), Error> {
    let (id, attempts) = (mail.id, mail.attempts);
    let mut conn = auth.pool.acquire().await?;
    match next {
        Next::Sent => store::mails::set_sent(&mut conn, id).await?,
        Next::Again(pause, told) => {
            let reason = reason(told, &mail.text);
            tracing::warn!(%id, attempts, reason, ?pause, "a mail was not taken; it is tried again");
            store::mails::set_postponed(&mut conn, id, attempts, *pause).await?;
        }
        Next::GiveUp(told) => {
            let reason = reason(told, &mail.text);
            store::mails::set_failed(&mut conn, id, attempts, &reason).await?;
            tracing::warn!(%id, attempts, reason, "a mail is given up");
        }
    }
    Ok(())
}
