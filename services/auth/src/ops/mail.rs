//! Sending queued mail: claimed in one transaction, sent outside of any, recorded in another. So a mail is sent at least once, and twice only
//! if this process ends, or loses the database for long, between sending and recording.

use std::time::Duration;

use futures_util::future::join_all;
use kontor_postgres::{retry, with_timeout};

use super::{Auth, Error};
use crate::domain::delivery::{LEASE_SECONDS, Next, Refusal, decide, reason};
use crate::mailer::Mailer;
use crate::store;
use crate::store::mails::Queued;

const BATCH: usize = 8;
/// How often recording an outcome is tried, and the pause between two tries.
const RECORD_TRIES: u32 = 10;
const RECORD_PAUSE: Duration = Duration::from_millis(500);

impl Auth {
    /// Sends mails that are due, and returns whether there may be more.
    pub async fn deliver_mail(&self, mailer: &Mailer) -> Result<bool, Error> {
        let claimed = with_timeout(retry("claim_mails", || self.claim_mails())).await?;
        let done = join_all(claimed.iter().map(|mail| self.send_mail(mailer, mail))).await;
        done.into_iter().collect::<Result<(), Error>>()?;
        Ok(claimed.len() == BATCH)
    }

    /// Leases the mails that are due, so that no other replica sends them.
    async fn claim_mails(&self) -> Result<Vec<Queued>, Error> {
        let mut tx = self.pool.begin().await?;
        let due = store::mails::lock_due(&mut tx, BATCH).await?;
        if due.is_empty() {
            return Ok(due);
        }
        let ids: Vec<_> = due.iter().map(|mail| mail.id).collect();
        store::mails::set_claimed(&mut tx, &ids, LEASE_SECONDS).await?;
        tx.commit().await?;
        Ok(due)
    }

    async fn send_mail(&self, mailer: &Mailer, mail: &Queued) -> Result<(), Error> {
        let outcome = match mail.is_expired {
            true => Err(Refusal::Never("its code has expired".into())),
            false => mailer.send(mail).await,
        };
        let next = decide(mail.attempts, outcome, rand::random());
        for _ in 1..RECORD_TRIES {
            match with_timeout(self.record_delivery(mail, &next)).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::warn!(id = %mail.id, %error, "mail outcome not recorded, retrying"),
            }
            tokio::time::sleep(RECORD_PAUSE).await;
        }
        with_timeout(self.record_delivery(mail, &next)).await
    }

    async fn record_delivery(&self, mail: &Queued, next: &Next) -> Result<(), Error> {
        let (id, attempts) = (mail.id, mail.attempts);
        let mut conn = self.pool.acquire().await?;
        match next {
            Next::Sent => store::mails::set_sent(&mut conn, id).await?,
            Next::Again(pause, told) => {
                let reason = reason(told, &mail.text);
                tracing::warn!(%id, attempts, reason, ?pause, "mail refused, retrying later");
                store::mails::set_postponed(&mut conn, id, attempts, *pause).await?;
            }
            Next::GiveUp(told) => {
                let reason = reason(told, &mail.text);
                store::mails::set_failed(&mut conn, id, attempts, &reason).await?;
                tracing::warn!(%id, attempts, reason, "mail given up");
            }
        }
        Ok(())
    }
}
