//! Where mail goes in a try-out: the newest ones, in memory.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::Serialize;

const KEPT: usize = 100;

/// The newest mails, at most 100. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Mailbox(Arc<Mutex<VecDeque<Mail>>>);

/// A mail. Debug output hides its text, which may hold a code.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub time: DateTime<Utc>,
}

impl Mailbox {
    /// The mails, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The route `/dev/mailbox`, which answers the mails, newest first.
    pub fn routes(self) -> Router {
        Router::new().route("/dev/mailbox", get(list)).with_state(self)
    }

    /// Adds a mail, in place of the oldest if it is full.
    pub(crate) fn put(&self, mail: Mail) {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() == KEPT {
            mails.pop_front();
        }
        mails.push_back(mail);
    }
}

#[derive(Serialize)]
struct MailBody {
    to: String,
    subject: String,
    text: String,
    time: String,
}

async fn list(State(mailbox): State<Mailbox>) -> Json<Vec<MailBody>> {
    let body =
        |mail: Mail| MailBody { to: mail.to, subject: mail.subject, text: mail.text, time: mail.time.to_rfc3339() };
    Json(mailbox.mails().into_iter().rev().map(body).collect())
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, subject, text: _, time } = self;
        f.debug_struct("Mail").field("to", to).field("subject", subject).field("time", time).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(number: usize) -> Mail {
        let text = format!("Your code is {number:08}");
        Mail { to: "ada@example.org".into(), subject: number.to_string(), text, time: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn the_newest_hundred_are_kept() {
        let mailbox = Mailbox::default();
        (0..=KEPT).for_each(|number| mailbox.put(mail(number)));
        let mails = mailbox.mails();
        assert_eq!((mails.len(), mails[0].subject.as_str(), mails[99].subject.as_str()), (100, "1", "100"));
    }

    #[test]
    fn debug_output_hides_the_text() {
        let mailbox = Mailbox::default();
        mailbox.put(mail(12_345_678));
        assert!(!format!("{mailbox:?}").contains("Your code"));
    }
}
