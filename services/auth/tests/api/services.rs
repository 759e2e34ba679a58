//! Service accounts and their keys.

use kontor_auth::{Config, ServiceKey};
use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::fault::ErrorReason;
use kontor_runtime::{Identity, Subject, Verifier};
use secrecy::{ExposeSecret, SecretString};
use tonic::{Code, Status};

use crate::world::{Auth, Database, ISSUER, reason};

async fn issue(auth: &Auth, key: &SecretString) -> Result<pb::IssueServiceTokenResponse, Status> {
    let request = pb::IssueServiceTokenRequest { key: key.expose_secret().into() };
    auth.authentication().issue_service_token(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_key_buys_a_token_that_names_the_service() {
    let database = Database::new().await;
    let (order, catalog) = (ServiceKey::generate("order"), ServiceKey::generate("catalog"));
    let service_keys = vec![order.clone(), catalog, "".into()];
    let auth = Auth::start(Config { service_keys, ..database.config() }).await;

    let header = Identity::new(order, auth.channel.clone()).authorization().await.unwrap();
    let token = header.to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let caller = Verifier::remote(ISSUER, auth.channel.clone()).verify(token).await.unwrap();
    assert_eq!(caller.subject, Subject::Service("order".into()));
    assert!(!caller.may("user.read"));
}

#[tokio::test]
async fn mistyped_and_unknown_keys_are_refused_alike() {
    let database = Database::new().await;
    let key = ServiceKey::generate("order");
    let auth = Auth::start(Config { service_keys: vec![key.clone()], ..database.config() }).await;
    let text = key.expose_secret();
    let (body, crc) = text.rsplit_once('_').unwrap();
    let mistyped = format!("{body}_{:08x}", u32::from_str_radix(crc, 16).unwrap() ^ 1);
    issue(&auth, &key).await.unwrap();
    for bad in [mistyped.into(), ServiceKey::generate("order"), "kt_sk_".into()] {
        let refusal = issue(&auth, &bad).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated);
        assert_eq!(reason::<()>(Err(refusal)), ErrorReason::CredentialsInvalid);
    }
}

#[tokio::test]
async fn a_setting_that_is_no_key_stops_the_start_and_is_not_repeated() {
    let database = Database::new().await;
    let error = Auth::refused(Config { service_keys: vec!["kt_sk_order_hunter2".into()], ..database.config() }).await;
    assert!(error.contains("KONTOR_SERVICE_KEYS") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn keys_of_an_earlier_start_stay_good() {
    let database = Database::new().await;
    let (old, new) = (ServiceKey::generate("order"), ServiceKey::generate("order"));
    let auth = Auth::start(Config { service_keys: vec![old.clone()], ..database.config() }).await;
    issue(&auth, &old).await.unwrap();
    auth.stop().await;
    let auth = Auth::start(Config { service_keys: vec![new.clone()], ..database.config() }).await;
    issue(&auth, &old).await.unwrap();
    issue(&auth, &new).await.unwrap();
}
