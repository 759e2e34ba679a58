//! Accounts on the wire.

mod access;
mod audit;
mod authentication;
mod error;
mod parse;
mod request_context;
mod second_factors;
mod service_accounts;
mod sessions;
mod tokens;
mod users;

use kontor_proto::kontor::auth::v1::access_service_server::AccessServiceServer;
use kontor_proto::kontor::auth::v1::audit_service_server::AuditServiceServer;
use kontor_proto::kontor::auth::v1::authentication_service_server::AuthenticationServiceServer;
use kontor_proto::kontor::auth::v1::second_factor_service_server::SecondFactorServiceServer;
use kontor_proto::kontor::auth::v1::service_account_service_server::ServiceAccountServiceServer;
use kontor_proto::kontor::auth::v1::session_service_server::SessionServiceServer;
use kontor_proto::kontor::auth::v1::token_service_server::TokenServiceServer;
use kontor_proto::kontor::auth::v1::user_service_server::UserServiceServer;
use kontor_runtime::Server;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding::Gzip;

use crate::ops::Auth;
pub(crate) use tokens::on_update;

/// Adds the gRPC services of accounts to a server. `stop` ends the streams of revocations. Answers hold secrets beside text that callers
/// choose, so they are not compressed.
pub(crate) fn add_to(server: Server, auth: Auth, stop: CancellationToken) -> Server {
    let access = AccessServiceServer::new(access::Access(auth.clone()));
    let audit = AuditServiceServer::new(audit::Audit(auth.clone()));
    let authentication = AuthenticationServiceServer::new(authentication::Authentication(auth.clone()));
    let second_factors = SecondFactorServiceServer::new(second_factors::SecondFactors(auth.clone()));
    let service_accounts = ServiceAccountServiceServer::new(service_accounts::ServiceAccounts(auth.clone()));
    let sessions = SessionServiceServer::new(sessions::Sessions(auth.clone()));
    let users = UserServiceServer::new(users::Users(auth.clone()));
    server
        .with(access.accept_compressed(Gzip))
        .with(audit.accept_compressed(Gzip))
        .with(authentication.accept_compressed(Gzip))
        .with(second_factors.accept_compressed(Gzip))
        .with(service_accounts.accept_compressed(Gzip))
        .with(sessions.accept_compressed(Gzip))
        .with(TokenServiceServer::new(tokens::Tokens { auth, stop }).accept_compressed(Gzip))
        .with(users.accept_compressed(Gzip))
}
