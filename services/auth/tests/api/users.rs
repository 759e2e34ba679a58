//! Reading accounts.

use kontor_auth::{Config, ServiceKey};
use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::fault::ErrorReason;
use kontor_types::ids::UserId;
use secrecy::ExposeSecret;
use tonic::Code;

use crate::world::{ADMIN, Auth, Database, PASSWORD, reason};

#[tokio::test]
async fn others_are_seen_only_with_the_permission() {
    let (auth, _database) = Auth::new().await;
    let ada = auth.account("ada@example.org").await;
    let bob = auth.account("bob@example.org").await;
    let ada_token = ada.tokens.unwrap().access_token;
    assert_eq!(auth.get_user(&ada_token, &ada.user).await.unwrap().name, ada.user);

    let hidden = auth.get_user(&ada_token, &bob.user).await.unwrap_err();
    let absent = auth.get_user(&ada_token, &UserId::generate().to_string()).await.unwrap_err();
    assert_eq!((hidden.code(), absent.code()), (Code::NotFound, Code::NotFound));

    let admin = auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    assert_eq!(auth.get_user(&admin, &bob.user).await.unwrap().email, "bob@example.org");
    let absent = auth.get_user(&admin, &UserId::generate().to_string()).await;
    assert_eq!(reason(absent), ErrorReason::ResourceNotFound);
}

#[tokio::test]
async fn a_service_is_no_user() {
    let database = Database::new().await;
    let key = ServiceKey::generate("order");
    let auth = Auth::start(Config { service_keys: vec![key.clone()], ..database.config() }).await;
    let request = pb::IssueServiceTokenRequest { key: key.expose_secret().into() };
    let token = auth.authentication().issue_service_token(request).await.unwrap().into_inner().access_token;
    assert_eq!(reason(auth.get_user(&token, "users/me").await), ErrorReason::ResourceNotFound);
}
