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

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use kontor_proto::kontor::payment::v1::payment_provider_service_server::PaymentProviderServiceServer;
use kontor_runtime::{Callers, Error, Host, Program, Server, Service};
use kontor_types::{Clock, SystemClock};

use book::Book;
pub use config::Config;
use grpc::PaymentGrpc;
use journal::{Journal, JournalError, Writer};
use ops::Provider;

/// The provider as a process of its own.
pub fn main() -> ExitCode {
    Program::new("sandbox-psp", "A payment provider to test against, which takes no money").run(service)
}

/// The provider.
pub fn service(config: Config) -> Service {
    service_by(Arc::new(SystemClock), config)
}

/// Like [`service`], by another clock.
pub fn service_by(clock: Arc<dyn Clock>, config: Config) -> Service {
    // It does not hear what auth revokes: it stands for a provider outside, which has no account here, and which only Kontor's own services
    // call, with tokens that live five minutes.
    Service::grpc("sandbox-psp", config.listen, Callers::Remote(config.tokens))
        .start(move |host| start(clock, config.journal, host))
}

async fn start(clock: Arc<dyn Clock>, path: Option<PathBuf>, host: Host) -> Result<Server, Error> {
    let (journal, ledger, writer) = tokio::task::spawn_blocking(move || Journal::open(path.as_deref())).await??;
    let provider = Provider::new(Book::new(ledger, journal, clock), host.stop.clone());
    let server = host.server().with(PaymentProviderServiceServer::new(PaymentGrpc(Arc::new(provider))));
    Ok(server.task(|_stop| written(writer)))
}

/// Ends with the writer: when it fails, or when the server is gone and nothing uses it any more.
async fn written(writer: Writer) -> Result<(), Error> {
    Ok(writer.await?.map_err(JournalError::from)?)
}
