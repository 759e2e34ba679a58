//! The background workers of auth.

use std::sync::Arc;
use std::time::Duration;

use kontor_runtime::{Progress, Worker};

use crate::mailer::Mailer;
use crate::ops::{Auth, Error};

/// How often keys and revocations are read that other processes have written, and how soon after a failure.
const FEED_INTERVAL: Duration = Duration::from_millis(150);
const FEED_RETRY: Duration = Duration::from_millis(500);
/// How often the queue is read, for mail that another process queued or that is to be tried again.
const MAIL_INTERVAL: Duration = Duration::from_secs(1);
/// How long a round of mails may take: claiming them, sending them, and recording what came of it also while the database is away.
const MAIL_MAX: Duration = Duration::from_secs(600);
/// How often expired rows are deleted.
const CLEAN_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How long a round of deletions may take: a dozen statements, each within its own timeout.
const CLEAN_MAX: Duration = Duration::from_secs(180);
/// How long mail and clean-up pause after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// Tells verifiers which keys count and what was revoked, and rotates signing keys when it is time.
pub(crate) fn publish_revocations(auth: Auth) -> Worker {
    let wake = auth.revoked();
    let round = move || {
        let auth = auth.clone();
        async move {
            auth.poll_revocations().await?;
            auth.rotate_signing_key_if_due().await?;
            Ok::<_, Error>(Progress::Idle)
        }
    };
    Worker::new("publish revocations", FEED_INTERVAL, round).retry_interval(FEED_RETRY).wake_by(wake)
}

pub(crate) fn send_mail(auth: Auth, mailer: Mailer) -> Worker {
    let (wake, mailer) = (auth.mail_queued(), Arc::new(mailer));
    let round = move || {
        let (auth, mailer) = (auth.clone(), Arc::clone(&mailer));
        async move { auth.deliver_mail(&mailer).await.map(progress) }
    };
    Worker::new("send mail", MAIL_INTERVAL, round).retry_interval(RETRY).round_max(MAIL_MAX).wake_by(wake)
}

pub(crate) fn delete_expired(auth: Auth) -> Worker {
    let round = move || {
        let auth = auth.clone();
        async move { auth.delete_expired().await.map(progress) }
    };
    Worker::new("delete expired rows", CLEAN_INTERVAL, round).retry_interval(RETRY).round_max(CLEAN_MAX)
}

fn progress(has_more: bool) -> Progress {
    if has_more { Progress::More } else { Progress::Idle }
}
