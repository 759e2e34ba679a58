//! Accounts: signing up and in, tokens, the keys that verify them.
//!
//! | layer | room for |
//! |---|---|
//! | `grpc` | the wire |
//! | `ops` | one function for each use case, which owns its transaction |
//! | `domain` | rules, without I/O |
//! | `store` | SQL |
//! | `post` | the ways that mail can take: `smtp`, or the `mailbox` of a try-out |
//! | `worker` | what goes on beside the calls |

mod config;
mod domain;
mod grpc;
mod mailbox;
mod ops;
mod post;
mod smtp;
mod store;
mod worker;

use std::sync::Arc;

use kontor_postgres::{PoolOptions, connect, migrate};
use kontor_proto::kontor::auth::v1::access_service_server::AccessServiceServer;
use kontor_proto::kontor::auth::v1::audit_service_server::AuditServiceServer;
use kontor_proto::kontor::auth::v1::authentication_service_server::AuthenticationServiceServer;
use kontor_proto::kontor::auth::v1::second_factor_service_server::SecondFactorServiceServer;
use kontor_proto::kontor::auth::v1::service_account_service_server::ServiceAccountServiceServer;
use kontor_proto::kontor::auth::v1::session_service_server::SessionServiceServer;
use kontor_proto::kontor::auth::v1::token_service_server::TokenServiceServer;
use kontor_proto::kontor::auth::v1::user_service_server::UserServiceServer;
use kontor_runtime::fault::chain;
use kontor_runtime::{Error, Server, Verifier};
use secrecy::ExposeSecret;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding::Gzip;

pub use config::{Config, KEY_LEAD, PasswordCost};
pub use domain::service_key::{ServiceKey, ServiceKeyError};
pub use mailbox::{Mail, Mailbox};

use ops::Auth;
use post::Post;

/// The tables that this service needs.
static MIGRATOR: Migrator = sqlx::migrate!();

/// Serves until `stop`: migrates, makes what is missing (a signing key, the administrator, service accounts), answers
/// calls. Without a mail server in the settings, mail goes into the mailbox; without that too, it stays queued.
///
/// # Errors
/// When a setting is wrong, the database can't be reached or migrated, or the server can't go on.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    mailbox: Option<Mailbox>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let post = Post::new(&config, mailbox)?;
    let options = PoolOptions::new(config.database_url.expose_secret());
    let options = PoolOptions { application_name: "kontor-auth".into(), ..options };
    let pool = connect(&options).await?;
    migrate(&pool, &MIGRATOR).await?;
    let telling = connect(&PoolOptions { max_connections: 1, ..options }).await?;
    let verifier = Arc::new(Verifier::local(&config.issuer));
    let auth = Arc::new(ops::setup::set_up(&config, [pool, telling], grpc::heed(Arc::clone(&verifier))).await?);

    // A server that fails takes the worker with it, and nobody else.
    let stop = stop.child_token();
    let serve = async {
        let ended = server(verifier, &auth, &stop).serve(listener, stop.clone()).await;
        stop.cancel();
        ended
    };
    let (ended, ()) = tokio::join!(serve, worker::run(&auth, post.as_ref(), &stop));
    Ok(ended?)
}

fn server(verifier: Arc<Verifier>, auth: &Arc<Auth>, stop: &CancellationToken) -> Server {
    let probed = Arc::clone(auth);
    let tokens = grpc::Tokens { auth: Arc::clone(auth), stop: stop.clone() };
    Server::new("auth", verifier)
        .with(AccessServiceServer::new(grpc::Access(Arc::clone(auth))).accept_compressed(Gzip))
        .with(AuditServiceServer::new(grpc::Audit(Arc::clone(auth))).accept_compressed(Gzip))
        .with(AuthenticationServiceServer::new(grpc::Authentication(Arc::clone(auth))).accept_compressed(Gzip))
        .with(SecondFactorServiceServer::new(grpc::SecondFactors(Arc::clone(auth))).accept_compressed(Gzip))
        .with(ServiceAccountServiceServer::new(grpc::ServiceAccounts(Arc::clone(auth))).accept_compressed(Gzip))
        .with(SessionServiceServer::new(grpc::Sessions(Arc::clone(auth))).accept_compressed(Gzip))
        .with(TokenServiceServer::new(tokens).accept_compressed(Gzip))
        .with(UserServiceServer::new(grpc::Users(Arc::clone(auth))).accept_compressed(Gzip))
        .probe(move || {
            let auth = Arc::clone(&probed);
            async move { auth.ping().await.map_err(|error| chain(&error)) }
        })
}
