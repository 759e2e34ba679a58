//! A payment provider to test against: `kontor.payment.v1.PaymentProviderService` by its contract, without any money behind it.
//!
//! What it decides is chosen by the payment token, failures included:
//!
//! | token | what it does |
//! |---|---|
//! | `tok_approve` | AUTHORIZED |
//! | `tok_decline` | DECLINED, `card_declined` |
//! | `tok_slow` | AUTHORIZED, after two seconds |
//! | `tok_error_before` | UNAVAILABLE and nothing done, once for each key; then AUTHORIZED |
//! | `tok_error_after` | AUTHORIZED, but the first answer is UNAVAILABLE |
//! | `tok_timeout` | AUTHORIZED, but the first call gets no answer for 30 seconds |
//! | `tok_review` | IN_REVIEW; AUTHORIZED when asked again five seconds later |
//! | any other | DECLINED, `unknown_token` |
//!
//! There is no database: decisions are lines of an append-only journal, and all of them are kept in memory.

mod book;
mod config;
mod domain;
mod grpc;
mod journal;
mod ops;

use std::sync::Arc;

use kontor_proto::kontor::payment::v1::payment_provider_service_server::PaymentProviderServiceServer;
use kontor_runtime::{Server, Verifier, peer};
use kontor_types::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use book::Book;
pub use config::Config;
use grpc::PaymentGrpc;
use journal::{Journal, JournalError, Writer};
use ops::Provider;

/// Serves until `stop`. An error means that it could not start, or that the journal can't be written any more.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), kontor_runtime::Error> {
    serve_by(Arc::new(SystemClock), config, listener, stop).await
}

/// Like [`serve`], by another clock.
pub async fn serve_by(
    clock: Arc<dyn Clock>,
    config: Config,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), kontor_runtime::Error> {
    let path = config.journal.clone();
    let (journal, ledger, writer) = tokio::task::spawn_blocking(move || Journal::open(path.as_deref())).await??;
    let provider = Provider::new(Book::new(ledger, journal, clock), stop.clone());
    // It does not listen to what auth revokes: it stands for a provider outside, who has no account here, and whom only our own
    // services call, with tokens that live five minutes.
    let verifier = Verifier::remote(&config.issuer, peer::channel(&config.auth_addr)?);
    let server = Server::new("sandbox-psp", Arc::new(verifier))
        .with(PaymentProviderServiceServer::new(PaymentGrpc(Arc::new(provider))));
    tokio::select! {
        ended = server.serve(listener, stop) => Ok(ended?),
        error = failure(writer) => Err(error),
    }
}

/// Ends only if the writer fails. That it ends because nobody needs it any more is no failure.
async fn failure(writer: Writer) -> kontor_runtime::Error {
    match writer.await {
        Ok(Ok(())) => std::future::pending().await,
        Ok(Err(error)) => JournalError::from(error).into(),
        Err(panicked) => panicked.into(),
    }
}
