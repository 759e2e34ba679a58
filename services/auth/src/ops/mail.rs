//! Sending queued mail. So far there is one place to send it to: the mailbox of a try-out.

use super::{Auth, Error};
use crate::mailbox::{Mail, Mailbox};
use crate::store;

/// The most mails that are sent in one go.
const BATCH: i64 = 20;

/// Puts queued mails into the mailbox, and tells whether there may be more.
///
/// They are put there before the commit: rather twice than never. The mailbox is memory; a way that takes a network
/// call must not do so inside the transaction.
pub(crate) async fn deliver(auth: &Auth, mailbox: &Mailbox) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    let queued = store::mails::lock_unsent(&mut tx, BATCH).await?;
    if queued.is_empty() {
        return Ok(false);
    }
    let ids: Vec<_> = queued.iter().map(|mail| mail.id).collect();
    for mail in queued {
        tracing::info!("mail for {} is at /dev/mailbox", mail.to);
        mailbox.put(Mail { to: mail.to, subject: mail.subject, text: mail.text, time: mail.create_time });
    }
    store::mails::set_sent(&mut tx, &ids).await?;
    tx.commit().await?;
    Ok(i64::try_from(ids.len()).is_ok_and(|sent| sent == BATCH))
}
