//! Signing in.

use std::time::{Duration, Instant};

use kontor_auth::PasswordCost;
use kontor_runtime::fault::ErrorReason;
use kontor_runtime::settings::DatabaseSettings;
use tonic::Code;

use crate::world::{ADMIN, Auth, Database, PASSWORD, reason};

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_answered_alike() {
    let (auth, _database) = Auth::new().await;
    let unknown = auth.sign_in("nobody@example.org", PASSWORD).await.unwrap_err();
    let wrong = auth.sign_in(ADMIN, "wrong horse battery").await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unauthenticated);
    assert_eq!((unknown.message(), unknown.details()), (wrong.message(), wrong.details()));
    assert_eq!(reason::<()>(Err(wrong)), ErrorReason::CredentialsInvalid);
}

#[tokio::test]
async fn an_unknown_address_costs_as_much_as_a_wrong_password() {
    let database = Database::new().await;
    let password_cost = PasswordCost { memory_kib: 1024, passes: 20, lanes: 1 };
    let auth = Auth::start(kontor_auth::Config { password_cost, ..database.config() }).await;
    auth.sign_in(ADMIN, PASSWORD).await.unwrap();
    let fastest = async |email: &str| {
        let mut fastest = Duration::MAX;
        for _ in 0..3 {
            let began = Instant::now();
            auth.sign_in(email, "wrong horse battery").await.unwrap_err();
            fastest = fastest.min(began.elapsed());
        }
        fastest
    };
    let (unknown, wrong) = (fastest("nobody@example.org").await, fastest(ADMIN).await);
    // Without the hash an unknown address would take a twentieth.
    assert!(unknown > wrong / 2, "unknown {unknown:?}, wrong {wrong:?}");
}

#[tokio::test]
async fn the_administrator_of_the_settings_has_the_permissions() {
    let (auth, _database) = Auth::new().await;
    let tokens = auth.sign_in("admin@EXAMPLE.org", PASSWORD).await.unwrap();
    let user = auth.get_user(&tokens.access_token, "users/me").await.unwrap();
    assert_eq!((user.email.as_str(), user.roles), (ADMIN, vec!["administrator".to_owned()]));
    let verifier = kontor_runtime::Verifier::remote(crate::world::ISSUER, auth.channel.clone());
    let caller = verifier.verify(&tokens.access_token).await.unwrap();
    for permission in ["catalog.edit", "inventory.adjust", "order.read", "user.read"] {
        assert!(caller.may(permission), "{permission}");
    }
}

#[tokio::test]
async fn an_administrators_weak_password_stops_the_start_and_is_not_repeated() {
    let database = Database::new().await;
    let weak = "passwordpassword";
    let error = Auth::refused(kontor_auth::Config { admin_password: Some(weak.into()), ..database.config() }).await;
    assert!(error.contains("KONTOR_ADMIN_PASSWORD") && !error.contains(weak), "{error}");
}

#[tokio::test]
async fn half_an_administrator_stops_the_start() {
    let database = Database::new().await;
    let error = Auth::refused(kontor_auth::Config { admin_password: None, ..database.config() }).await;
    assert!(error.contains("go together"), "{error}");
}

#[tokio::test]
async fn an_account_that_exists_is_not_made_the_administrator() {
    let database = Database::new().await;
    let none = kontor_auth::Config { admin_email: None, admin_password: None, ..database.config() };
    let auth = Auth::start(none).await;
    auth.account(ADMIN).await;
    auth.stop().await;
    let error = Auth::refused(database.config()).await;
    assert!(error.contains("KONTOR_ADMIN_EMAIL"), "{error}");
}

#[test]
fn debug_output_of_the_settings_hides_the_secrets() {
    let config = kontor_auth::Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database: DatabaseSettings { url: "hunter2".into(), connections: 1 },
        issuer: String::new(),
        admin_email: None,
        admin_password: Some("hunter2".into()),
        service_keys: vec!["hunter2".into()],
        key_encryption_key: "hunter2".into(),
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        key_rotation_days: 30,
        key_lead: kontor_auth::KEY_LEAD,
        smtp_url: Some("hunter2".into()),
        mail_from: None,
        link_origin: None,

        dev_mailbox: false,
        password_cost: PasswordCost::default(),
    };
    assert!(!format!("{config:?}").contains("hunter2"));
}
