//! What goes on beside the calls: keys and revocations are told, mail is sent, and what has ended is forgotten.

use std::time::Duration;

use kontor_postgres::in_time;
use kontor_runtime::fault::chain;
use tokio_util::sync::CancellationToken;

use crate::mailer::Mailer;
use crate::ops::{Auth, Error};

/// How often keys and revocations are looked for that other processes have written.
const FEED_POLL: Duration = Duration::from_millis(150);
/// How long they are not looked for after a failure.
const FEED_PAUSE: Duration = Duration::from_millis(500);
/// How often the queue is looked at, for mail that another process queued or that is to be tried again.
const MAIL_POLL: Duration = Duration::from_secs(1);
/// How often what has ended is forgotten.
const CLEAN_POLL: Duration = Duration::from_secs(10 * 60);
/// How long nothing is tried after a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// Works until `stop`.
pub(crate) async fn run(auth: &Auth, mailer: Option<&Mailer>, stop: &CancellationToken) {
    tokio::join!(tell(auth, stop), send_mail(auth, mailer, stop), forget(auth, stop));
}

async fn tell(auth: &Auth, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let revoked = auth.revoked();
        let wait = match in_time(read_and_rotate(auth)).await {
            Ok(()) => FEED_POLL,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "keys and revocations could not be read");
                FEED_PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = revoked => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn read_and_rotate(auth: &Auth) -> Result<(), Error> {
    auth.poll_revocations().await?;
    auth.rotate_signing_key_if_due().await
}

async fn send_mail(auth: &Auth, mailer: Option<&Mailer>, stop: &CancellationToken) {
    let Some(mailer) = mailer else {
        tracing::warn!("there is no way to send mail (KONTOR_SMTP_URL): it stays queued, and nobody can sign up");
        return;
    };
    while !stop.is_cancelled() {
        let wait = match auth.deliver_mail(mailer).await {
            Ok(true) => continue,
            Ok(false) => MAIL_POLL,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "mail could not be sent");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = auth.mail_queued() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn forget(auth: &Auth, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let wait = match auth.delete_expired().await {
            Ok(true) => continue,
            Ok(false) => CLEAN_POLL,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "what has ended could not be removed");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
