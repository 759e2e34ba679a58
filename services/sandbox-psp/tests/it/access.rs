//! Only Kontor's own services may call a payment provider.

use kontor_runtime::fault::ErrorReason;
use kontor_types::ids::UserId;
use tonic::Code;

use crate::provider::{Client, Sandbox, refusal};

const SERVICES_ONLY: (Code, ErrorReason) = (Code::PermissionDenied, ErrorReason::InternalMethod);

#[tokio::test]
async fn a_call_without_a_token_is_refused() {
    let sandbox = Sandbox::start(None).await;
    let anonymous = Client::anonymous(sandbox.channel.clone());
    let missing = (Code::Unauthenticated, ErrorReason::TokenMissing);
    assert_eq!(refusal(anonymous.authorize("a", 79, "tok_approve").await), missing);
    assert_eq!(refusal(anonymous.look_up("a").await), missing);
}

#[tokio::test]
async fn a_users_token_is_refused() {
    let sandbox = Sandbox::start(None).await;
    let user = Client::new(sandbox.channel.clone(), &sandbox.issuer.user(UserId::generate(), &["order.read"]));
    assert_eq!(refusal(user.authorize("a", 79, "tok_approve").await), SERVICES_ONLY);
    assert_eq!(refusal(sandbox.client.look_up("a").await).0, Code::NotFound);
}

#[tokio::test]
async fn a_token_that_another_key_signed_is_refused() {
    let (sandbox, other) = (Sandbox::start(None).await, Sandbox::start(None).await);
    let forged = Client::new(sandbox.channel.clone(), &other.issuer.service("order"));
    let invalid = (Code::Unauthenticated, ErrorReason::TokenInvalid);
    assert_eq!(refusal(forged.authorize("a", 79, "tok_approve").await), invalid);
}
