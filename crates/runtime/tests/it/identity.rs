//! A service's own token.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1::WatchRevocationsRequest;
use kontor_proto::kontor::auth::v1::WatchRevocationsResponse;
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_proto::kontor::auth::v1::token_service_server::TokenServiceServer;
use kontor_runtime::fault::ErrorReason::DependencyUnavailable;
use kontor_runtime::{Identity, Peer, Server, peer};
use kontor_testkit::{Issuer, listener};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::{assert_refused, verifier};

#[tokio::test]
async fn a_token_of_ours_that_is_refused_is_replaced() {
    let issuer = Issuer::start().await;
    let (socket, addr) = listener().await;
    let verifier = Arc::new(verifier(&issuer));
    let server = Server::new("test", verifier.clone()).with(TokenServiceServer::new(issuer.clone()));
    tokio::spawn(server.serve(socket, CancellationToken::new()));

    let auth = peer::channel(&issuer.addr.to_string()).unwrap();
    let identity = Arc::new(Identity::new("kt_sk_order_secret_0".to_owned().into(), auth));
    let other = TokenServiceClient::new(Peer::new(peer::channel(&addr.to_string()).unwrap(), identity));
    let call = async || other.clone().watch_revocations(WatchRevocationsRequest {}).await;
    call().await.unwrap();
    call().await.unwrap();
    assert_eq!(issuer.sales(), 1);

    let kids = vec!["another".to_owned()];
    verifier.apply(&WatchRevocationsResponse { revocations: Vec::new(), kids });
    // It is not whoever called this service who has to sign in again.
    assert_refused(call().await, Code::Unavailable, DependencyUnavailable, "its key is gone");
    assert_eq!(issuer.sales(), 1);
    assert_refused(call().await, Code::Unavailable, DependencyUnavailable, "the new one has the same key");
    assert_eq!(issuer.sales(), 2);
}
