//! `/dev/mailbox`: the mails that would have been sent, for try-outs without an SMTP server.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use kontor_auth::Mailbox;
use serde::Serialize;

#[derive(Serialize)]
struct MailBody {
    to: String,
    subject: String,
    text: String,
    time: String,
}

/// The route; `GET` answers the newest hundred mails, newest first.
pub(super) fn routes(mailbox: Mailbox) -> Router {
    Router::new().route("/dev/mailbox", get(list)).with_state(mailbox)
}

async fn list(State(mailbox): State<Mailbox>) -> Json<Vec<MailBody>> {
    let body = |mail: kontor_auth::Mail| MailBody {
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
        time: mail.time.to_rfc3339(),
    };
    Json(mailbox.mails().into_iter().rev().map(body).collect())
}
