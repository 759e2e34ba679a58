//! `/dev/mailbox` of a try-out whose services run apart: passed on to auth, which keeps the mails.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use kontor_runtime::Error;

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Mailbox {
    client: reqwest::Client,
    url: String,
}

/// The route, to auth's address for monitoring.
pub(crate) fn routes(addr: String) -> Result<Router, Error> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    let mailbox = Mailbox { client, url: format!("http://{addr}/dev/mailbox") };
    Ok(Router::new().route("/dev/mailbox", get(list)).with_state(mailbox))
}

async fn list(State(mailbox): State<Mailbox>) -> Response {
    match mailbox.fetch().await {
        Ok(mails) => ([(CONTENT_TYPE, "application/json")], mails).into_response(),
        Err(error) => {
            tracing::warn!(%error, "the mailbox of auth can't be reached");
            (StatusCode::BAD_GATEWAY, "the mailbox of auth can't be reached\n").into_response()
        }
    }
}

impl Mailbox {
    async fn fetch(&self) -> reqwest::Result<bytes::Bytes> {
        self.client.get(&self.url).send().await?.error_for_status()?.bytes().await
    }
}
