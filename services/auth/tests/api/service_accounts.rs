//! Accounts of programs: what their keys buy, and that none of them passes for one of Kontor's own services.

use std::time::{Duration, SystemTime};

use kontor_auth::{Config, ServiceKey};
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_runtime::fault::{ErrorReason, reason_of};
use secrecy::{ExposeSecret, SecretString};
use tonic::{Code, Response, Status};

use crate::operators::{ABSENT, DENIED, FORGED, INVALID, Person, Shop, claims, refusal, sid, signed};
use crate::world::{Auth, Database};

const REFUSED: (Code, ErrorReason) = (Code::Unauthenticated, ErrorReason::CredentialsInvalid);

async fn make(shop: &Shop, by: &Person, id: &str) -> Result<Response<pb::ServiceAccount>, Status> {
    let display_name = "An ERP".into();
    let service_account = Some(pb::ServiceAccount { display_name, ..Default::default() });
    let request = pb::CreateServiceAccountRequest { service_account_id: id.into(), service_account };
    shop.accounts().create_service_account(by.asks(request)).await
}

async fn make_key(
    shop: &Shop,
    by: &Person,
    account: &str,
    key: pb::ServiceAccountKey,
) -> Result<Response<pb::CreateServiceAccountKeyResponse>, Status> {
    let request = pb::CreateServiceAccountKeyRequest { parent: format!("serviceAccounts/{account}"), key: Some(key) };
    shop.accounts().create_service_account_key(by.asks(request)).await
}

fn scoped(scopes: &[&str]) -> pb::ServiceAccountKey {
    pb::ServiceAccountKey { scopes: scopes.iter().map(ToString::to_string).collect(), ..Default::default() }
}

async fn key(shop: &Shop, account: &str, scopes: &[&str]) -> (pb::ServiceAccountKey, String) {
    let made = make_key(shop, &shop.admin, account, scoped(scopes)).await.unwrap().into_inner();
    (made.key.unwrap(), made.secret)
}

async fn keys(shop: &Shop, account: &str) -> Vec<pb::ServiceAccountKey> {
    let parent = format!("serviceAccounts/{account}");
    let request = pb::ListServiceAccountKeysRequest { parent, ..Default::default() };
    shop.accounts().list_service_account_keys(shop.admin.asks(request)).await.unwrap().into_inner().keys
}

async fn delete_key(
    shop: &Shop,
    by: &Person,
    name: &str,
) -> Result<Response<pb::DeleteServiceAccountKeyResponse>, Status> {
    let request = pb::DeleteServiceAccountKeyRequest { name: name.into() };
    shop.accounts().delete_service_account_key(by.asks(request)).await
}

async fn trade(auth: &Auth, key: &str) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
    auth.authentication().issue_service_token(pb::IssueServiceTokenRequest { key: key.into() }).await
}

async fn token(auth: &Auth, key: &str) -> String {
    trade(auth, key).await.unwrap().into_inner().access_token
}

fn scope(token: &str) -> String {
    claims(token)["scope"].as_str().unwrap().to_owned()
}

/// An account "erp" that reads users and roles.
async fn erp(shop: &Shop) {
    make(shop, &shop.admin, "erp").await.unwrap();
    shop.make_role(&shop.admin, "reader", &["role.read", "user.read"]).await.unwrap();
    shop.bind(&shop.admin, "reader", "serviceAccounts/erp").await.unwrap();
}

/// One of Kontor's own services, "order", and its key.
async fn with_a_service_of_our_own() -> (Shop, SecretString) {
    let (database, own) = (Database::new().await, ServiceKey::generate("order"));
    let config = Config { service_keys: vec![own.clone()], ..database.config() };
    (Shop::with(database, config).await, own)
}

#[tokio::test]
async fn a_token_carries_what_the_roles_permit_within_the_scopes_of_its_key() {
    let shop = Shop::new().await;
    erp(&shop).await;
    let (wide, secret) = key(&shop, "erp", &[]).await;
    let token = token(&shop.auth, &secret).await;
    assert_eq!(scope(&token), "role.read user.read");
    assert_eq!(wide.name, format!("serviceAccounts/erp/keys/{}", sid(&token)));
    assert_eq!(claims(&token)["sub"], "serviceAccounts/erp");
    shop.users().list_users(signed(&token, pb::ListUsersRequest::default())).await.unwrap();
    shop.access().list_roles(signed(&token, pb::ListRolesRequest::default())).await.unwrap();

    let (_, secret) = key(&shop, "erp", &["order.refund", "role.read"]).await;
    let narrow = self::token(&shop.auth, &secret).await;
    assert_eq!(scope(&narrow), "role.read");
    shop.access().list_roles(signed(&narrow, pb::ListRolesRequest::default())).await.unwrap();
    // Out of the key's scope, and out of the account's roles.
    let users = shop.users().list_users(signed(&narrow, pb::ListUsersRequest::default())).await;
    assert_eq!(refusal(users), DENIED);
    let account = pb::CreateServiceAccountRequest { service_account_id: "mine".into(), service_account: None };
    assert_eq!(refusal(shop.accounts().create_service_account(signed(&token, account)).await), DENIED);
    let binding = pb::RoleBinding {
        role: "roles/administrator".into(),
        member: "serviceAccounts/erp".into(),
        ..Default::default()
    };
    let request = pb::CreateRoleBindingRequest { role_binding: Some(binding) };
    assert_eq!(refusal(shop.access().create_role_binding(signed(&token, request)).await), DENIED);
    assert_eq!(shop.bindings_of("serviceAccounts/erp").await.len(), 1);
}

#[tokio::test]
async fn a_deleted_key_and_the_keys_of_a_deleted_account_buy_nothing() {
    let shop = Shop::new().await;
    erp(&shop).await;
    let (first, first_secret) = key(&shop, "erp", &[]).await;
    let (_, second_secret) = key(&shop, "erp", &[]).await;
    let (one, two) = (token(&shop.auth, &first_secret).await, token(&shop.auth, &second_secret).await);

    delete_key(&shop, &shop.admin, &first.name).await.unwrap();
    assert_eq!(refusal(delete_key(&shop, &shop.admin, &first.name).await), ABSENT);
    assert_eq!(refusal(trade(&shop.auth, &first_secret).await), REFUSED);
    assert!(shop.is_revoked(&sid(&one)).await);
    shop.refused(&one).await;
    assert!(!shop.is_revoked(&sid(&two)).await);
    token(&shop.auth, &second_secret).await;

    let delete = || pb::DeleteServiceAccountRequest { name: "serviceAccounts/erp".into() };
    shop.accounts().delete_service_account(shop.admin.asks(delete())).await.unwrap();
    assert_eq!(refusal(trade(&shop.auth, &second_secret).await), REFUSED);
    assert!(shop.is_revoked(&sid(&two)).await);
    assert_eq!(refusal(shop.accounts().delete_service_account(shop.admin.asks(delete())).await), ABSENT);
    assert!(shop.bindings_of("serviceAccounts/erp").await.is_empty());
    assert_eq!(shop.deeds(&first.name).await, ["service_account_key.deleted", "service_account_key.created"]);
    assert_eq!(shop.deeds("serviceAccounts/erp").await, ["service_account.deleted", "service_account.created"]);

    // Another account of that name has nothing of the old one.
    make(&shop, &shop.admin, "erp").await.unwrap();
    assert_eq!(refusal(trade(&shop.auth, &second_secret).await), REFUSED);
    assert!(keys(&shop, "erp").await.is_empty());
}

#[tokio::test]
async fn a_key_and_its_tokens_end_with_its_time() {
    let shop = Shop::new().await;
    erp(&shop).await;
    let pool = shop.database.pool().await;
    for seconds in [-1_i64, -1_000_000_000] {
        let time = SystemTime::now() - Duration::from_secs(seconds.unsigned_abs());
        let terms = pb::ServiceAccountKey { expire_time: Some(time.into()), ..Default::default() };
        assert_eq!(refusal(make_key(&shop, &shop.admin, "erp", terms).await), INVALID);
    }
    assert!(keys(&shop, "erp").await.is_empty());

    let end = SystemTime::now() + Duration::from_secs(60);
    let terms = pb::ServiceAccountKey { expire_time: Some(end.into()), ..Default::default() };
    let made = make_key(&shop, &shop.admin, "erp", terms).await.unwrap().into_inner();
    let issued = trade(&shop.auth, &made.secret).await.unwrap().into_inner();
    let seconds = made.key.unwrap().expire_time.unwrap().seconds;
    assert_eq!(claims(&issued.access_token)["exp"].as_i64(), Some(seconds));
    assert_eq!(issued.expire_time.unwrap().seconds, seconds);

    sqlx::query("UPDATE service_keys SET expire_time = now()").execute(&pool).await.unwrap();
    assert_eq!(refusal(trade(&shop.auth, &made.secret).await), REFUSED);
}

#[tokio::test]
async fn only_kontors_own_services_call_internal_methods() {
    let (shop, own) = with_a_service_of_our_own().await;
    let mut tokens = TokenServiceClient::new(shop.auth.channel.clone());
    let own = token(&shop.auth, own.expose_secret()).await;
    assert_eq!(scope(&own), "internal");
    tokens.watch_revocations(signed(&own, pb::WatchRevocationsRequest {})).await.unwrap();

    make(&shop, &shop.admin, "erp").await.unwrap();
    shop.bind(&shop.admin, "administrator", "serviceAccounts/erp").await.unwrap();
    let (_, secret) = key(&shop, "erp", &[]).await;
    let theirs = token(&shop.auth, &secret).await;
    let refused = tokens.watch_revocations(signed(&theirs, pb::WatchRevocationsRequest {})).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (Code::PermissionDenied, Some(ErrorReason::InternalMethod)));
    // Nor is it a scope that a key could name.
    assert_eq!(refusal(make_key(&shop, &shop.admin, "erp", scoped(&["internal"])).await), INVALID);
    assert_eq!(keys(&shop, "erp").await.len(), 1);
}

#[tokio::test]
async fn the_accounts_of_kontors_own_services_stay_as_they_are() {
    let (shop, own) = with_a_service_of_our_own().await;
    let name = || "serviceAccounts/order".to_owned();
    let get = || async {
        let request = shop.admin.asks(pb::GetServiceAccountRequest { name: name() });
        shop.accounts().get_service_account(request).await.unwrap().into_inner()
    };
    let (before, known) = (get().await, keys(&shop, "order").await);
    assert!(before.built_in);
    let request = pb::DeleteServiceAccountRequest { name: name() };
    assert_eq!(refusal(shop.accounts().delete_service_account(shop.admin.asks(request)).await), DENIED);
    let service_account = Some(pb::ServiceAccount { name: name(), display_name: "Eve".into(), ..Default::default() });
    let request = pb::UpdateServiceAccountRequest { service_account, ..Default::default() };
    assert_eq!(refusal(shop.accounts().update_service_account(shop.admin.asks(request)).await), DENIED);
    assert_eq!(refusal(make_key(&shop, &shop.admin, "order", scoped(&[])).await), DENIED);
    assert_eq!(refusal(make_key(&shop, &shop.admin, "order", scoped(&["order.read"])).await), DENIED);
    assert_eq!(refusal(shop.bind(&shop.admin, "customer", &name()).await), DENIED);
    let exists = (Code::AlreadyExists, ErrorReason::ResourceExists);
    assert_eq!(refusal(make(&shop, &shop.admin, "order").await), exists);
    assert_eq!((get().await, keys(&shop, "order").await), (before, known.clone()));
    assert!(shop.bindings_of(&name()).await.is_empty());

    // One that has leaked has to go; one that the settings still name comes back.
    let token = token(&shop.auth, own.expose_secret()).await;
    delete_key(&shop, &shop.admin, &known[0].name).await.unwrap();
    assert_eq!(refusal(trade(&shop.auth, own.expose_secret()).await), REFUSED);
    assert!(shop.is_revoked(&sid(&token)).await);
    let config = Config { service_keys: vec![own.clone()], ..shop.database.config() };
    let again = Auth::start(config).await;
    trade(&again, own.expose_secret()).await.unwrap();
}

#[tokio::test]
async fn an_operators_account_never_becomes_one_of_kontors_own() {
    let shop = Shop::new().await;
    make(&shop, &shop.admin, "payment").await.unwrap();
    let (_, theirs) = key(&shop, "payment", &[]).await;
    let own = ServiceKey::generate("payment");
    let error = Auth::refused(Config { service_keys: vec![own.clone()], ..shop.database.config() }).await;
    assert!(error.contains("KONTOR_SERVICE_KEYS names the account payment"), "{error}");
    assert_eq!(refusal(trade(&shop.auth, own.expose_secret()).await), REFUSED);
    assert_eq!(scope(&token(&shop.auth, &theirs).await), "");
}

#[tokio::test]
async fn nobody_gets_at_more_than_they_hold_by_a_key() {
    let shop = Shop::new().await;
    let maker = shop.with_permissions("maker", &["service_account.edit", "service_account.read", "user.read"]).await;
    erp(&shop).await;
    assert_eq!(refusal(make_key(&shop, &maker, "erp", scoped(&[])).await), DENIED);
    assert_eq!(refusal(make_key(&shop, &maker, "erp", scoped(&["role.read"])).await), DENIED);
    // Not even what the account may get later.
    assert_eq!(refusal(make_key(&shop, &maker, "erp", scoped(&["order.refund", "user.read"])).await), DENIED);
    let request = pb::DeleteServiceAccountRequest { name: "serviceAccounts/erp".into() };
    assert_eq!(refusal(shop.accounts().delete_service_account(maker.asks(request)).await), DENIED);
    assert_eq!(refusal(shop.bind(&maker, "reader", "serviceAccounts/erp").await), DENIED);
    assert!(keys(&shop, "erp").await.is_empty());

    let made = make_key(&shop, &maker, "erp", scoped(&["user.read"])).await.unwrap().into_inner();
    assert_eq!(scope(&token(&shop.auth, &made.secret).await), "user.read");
    // A token that carries less gives less.
    shop.bind(&shop.admin, "administrator", "serviceAccounts/erp").await.unwrap();
    let (_, secret) = key(&shop, "erp", &["service_account.edit"]).await;
    let narrow = token(&shop.auth, &secret).await;
    let parent = "serviceAccounts/erp".to_owned();
    let request = pb::CreateServiceAccountKeyRequest { parent, key: Some(scoped(&[])) };
    assert_eq!(refusal(shop.accounts().create_service_account_key(signed(&narrow, request)).await), DENIED);
    assert_eq!(keys(&shop, "erp").await.len(), 2);
}

#[tokio::test]
async fn a_role_taken_from_an_account_leaves_its_keys_and_revokes_its_tokens() {
    let shop = Shop::new().await;
    erp(&shop).await;
    let (_, secret) = key(&shop, "erp", &[]).await;
    let before = token(&shop.auth, &secret).await;
    let binding = shop.bindings_of("serviceAccounts/erp").await.remove(0).name;
    shop.unbind(&shop.admin, &binding).await.unwrap();
    assert!(shop.is_revoked(&sid(&before)).await);
    let after = token(&shop.auth, &secret).await;
    assert_eq!(scope(&after), "");
    shop.refused(&before).await;
    assert!(!shop.is_revoked(&sid(&after)).await);
    assert_eq!(refusal(shop.users().list_users(signed(&after, pb::ListUsersRequest::default())).await), DENIED);
}

#[tokio::test]
async fn a_key_is_shown_once_and_its_use_is_noted() {
    let shop = Shop::new().await;
    erp(&shop).await;
    let pool = shop.database.pool().await;
    let (made, secret) = key(&shop, "erp", &["user.read"]).await;
    assert_eq!(keys(&shop, "erp").await, std::slice::from_ref(&made));
    assert_eq!(made.last_use_time, None);
    token(&shop.auth, &secret).await;
    let first = keys(&shop, "erp").await[0].last_use_time.unwrap();
    token(&shop.auth, &secret).await;
    assert_eq!(keys(&shop, "erp").await[0].last_use_time, Some(first));
    let sql = "UPDATE service_keys SET last_use_time = now() - interval '61 seconds'";
    sqlx::query(sql).execute(&pool).await.unwrap();
    token(&shop.auth, &secret).await;
    assert!(keys(&shop, "erp").await[0].last_use_time.unwrap().seconds >= first.seconds);

    let kept: String =
        sqlx::query_scalar("SELECT string_agg(t::text, ' ') FROM (SELECT hash, display_name FROM service_keys) t")
            .fetch_one(&pool)
            .await
            .unwrap();
    let part = secret.split('_').nth(3).unwrap();
    let told = format!("{:?} {:?} {kept}", keys(&shop, "erp").await, shop.events(&made.name).await);
    assert!(!told.contains(part));
}

#[tokio::test]
async fn accounts_and_keys_come_in_pages() {
    let shop = Shop::new().await;
    for id in ["wms", "erp", "pos"] {
        make(&shop, &shop.admin, id).await.unwrap();
    }
    let list = |page_token: String| async {
        let request = shop.admin.asks(pb::ListServiceAccountsRequest { page_size: 2, page_token });
        shop.accounts().list_service_accounts(request).await.map(Response::into_inner)
    };
    let first = list(String::new()).await.unwrap();
    let second = list(first.next_page_token).await.unwrap();
    let names: Vec<_> =
        first.service_accounts.iter().chain(&second.service_accounts).map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["serviceAccounts/erp", "serviceAccounts/pos", "serviceAccounts/wms"]);
    assert_eq!(second.next_page_token, "");

    let made = [key(&shop, "erp", &[]).await.0, key(&shop, "erp", &[]).await.0, key(&shop, "erp", &[]).await.0];
    key(&shop, "wms", &[]).await;
    let list_keys = |parent: &'static str, page_token: String| async {
        let request = pb::ListServiceAccountKeysRequest { parent: parent.into(), page_size: 2, page_token };
        shop.accounts().list_service_account_keys(shop.admin.asks(request)).await.map(Response::into_inner)
    };
    let first = list_keys("serviceAccounts/erp", String::new()).await.unwrap();
    let second = list_keys("serviceAccounts/erp", first.next_page_token).await.unwrap();
    assert_eq!([first.keys, second.keys].concat(), made);
    assert_eq!(refusal(list_keys("serviceAccounts/no", String::new()).await.map(Response::new)), ABSENT);
    for forged in FORGED {
        assert_eq!(refusal(list(forged.into()).await.map(Response::new)), INVALID, "{forged}");
        let answer = list_keys("serviceAccounts/erp", forged.into()).await;
        assert_eq!(refusal(answer.map(Response::new)), INVALID, "{forged}");
    }
}

#[tokio::test]
async fn a_key_without_scopes_does_not_grow_beyond_its_maker() {
    let shop = Shop::new().await;
    let maker = shop.with_permissions("maker", &["service_account.edit", "service_account.read"]).await;
    make(&shop, &maker, "erp").await.unwrap();
    assert_eq!(
        refusal(make_key(&shop, &maker, "erp", scoped(&[])).await),
        DENIED,
        "the account may get any role later"
    );
    assert!(keys(&shop, "erp").await.is_empty());
    key(&shop, "erp", &[]).await;
}

#[tokio::test]
async fn keys_are_deleted_by_those_who_hold_what_their_accounts_hold() {
    let (shop, _) = with_a_service_of_our_own().await;
    let maker = shop.with_permissions("maker", &["service_account.edit", "service_account.read"]).await;
    erp(&shop).await;
    let (erps, _) = key(&shop, "erp", &["order.read"]).await;
    shop.bind(&shop.admin, "administrator", "serviceAccounts/erp").await.unwrap();
    let ours = keys(&shop, "order").await[0].name.clone();
    for name in [&erps.name, &ours] {
        assert_eq!(refusal(delete_key(&shop, &maker, name).await), DENIED, "{name}");
    }
    assert_eq!((keys(&shop, "erp").await.len(), keys(&shop, "order").await.len()), (1, 1));
    delete_key(&shop, &shop.admin, &erps.name).await.unwrap();
}
