//! Signing up.

use futures_util::future::join_all;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::fault::ErrorReason;
use kontor_runtime::{Subject, Verifier};
use kontor_types::ids::{SignUpId, UserId};
use tonic::Code;
use tonic_types::StatusExt;

use crate::world::{ADMIN, Auth, ISSUER, PASSWORD, code_in, reason, wrong};

#[tokio::test]
async fn the_mailed_code_makes_an_account_whose_token_every_service_can_verify() {
    let (auth, _database) = Auth::new().await;
    let account = auth.account("Ada@Example.org").await;
    let tokens = account.tokens.unwrap();

    let verifier = Verifier::remote(ISSUER, auth.channel.clone());
    let caller = verifier.verify(&tokens.access_token).await.unwrap();
    assert_eq!(caller.subject, Subject::User(UserId::from_name(&account.user).unwrap()));

    let user = auth.get_user(&tokens.access_token, "users/me").await.unwrap();
    assert_eq!((user.name, user.email, user.display_name), (account.user, "Ada@example.org".into(), "Ada".into()));
    assert_eq!(user.roles, ["customer"]);
    assert!(user.create_time.is_some());
    auth.sign_in("ADA@example.org", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn one_account_has_one_address_and_one_password_however_they_are_spelt() {
    let (auth, _database) = Auth::new().await;
    let sign_up = auth.sign_up("ada@b\u{fc}cher.example").await.unwrap().sign_up;
    let code = code_in(&auth.mail_to("ada@xn--bcher-kva.example").await).unwrap();
    auth.verify(&sign_up, &code).await.unwrap();
    // As a Japanese keyboard writes it.
    let wide: String = PASSWORD
        .chars()
        .map(|c| if c == ' ' { '\u{3000}' } else { char::from_u32(c as u32 + 0xfee0).unwrap() })
        .collect();
    for (email, password) in [("ADA@B\u{dc}CHER.example", PASSWORD), ("ada@xn--bcher-kva.example", &wide)] {
        auth.sign_in(email, password).await.unwrap();
    }
    for email in ["a..b@example.org", "a;b@example.org", "<a@example.org>", "a@example.org.", "a\u{ad}b@example.org"] {
        assert_eq!(reason(auth.sign_up(email).await), ErrorReason::FieldViolation, "{email}");
    }
}

#[tokio::test]
async fn tags_get_a_mailbox_no_more_mails() {
    let (auth, _database) = Auth::new().await;
    for n in 0..5 {
        auth.sign_up(&format!("ada+{n}@example.org")).await.unwrap();
    }
    let refused = auth.sign_up("Ada+x@EXAMPLE.org").await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    auth.sign_up("bob+1@example.org").await.unwrap();
}

#[tokio::test]
async fn a_code_is_good_once() {
    let (auth, _database) = Auth::new().await;
    let sign_up = auth.sign_up("ada@example.org").await.unwrap().sign_up;
    let code = code_in(&auth.mail_to("ada@example.org").await).unwrap();
    auth.verify(&sign_up, &code).await.unwrap();
    assert_eq!(reason(auth.verify(&sign_up, &code).await), ErrorReason::CodeInvalid);
}

#[tokio::test]
async fn four_wrong_codes_do_no_harm_and_five_end_the_sign_up() {
    let (auth, _database) = Auth::new().await;
    for (email, wrong_codes, good) in [("a@example.org", 4, true), ("b@example.org", 5, false)] {
        let sign_up = auth.sign_up(email).await.unwrap().sign_up;
        let code = code_in(&auth.mail_to(email).await).unwrap();
        for _ in 0..wrong_codes {
            assert_eq!(reason(auth.verify(&sign_up, &wrong(&code)).await), ErrorReason::CodeInvalid);
        }
        assert_eq!(auth.verify(&sign_up, &code).await.is_ok(), good, "{email}");
    }
}

#[tokio::test]
async fn guessing_many_codes_at_once_gets_no_more_tries() {
    let (auth, database) = Auth::new().await;
    let sign_up = auth.sign_up("ada@example.org").await.unwrap().sign_up;
    let code = wrong(&code_in(&auth.mail_to("ada@example.org").await).unwrap());
    let guesses = join_all((0..30).map(|_| auth.verify(&sign_up, &code))).await;
    assert!(guesses.iter().all(Result::is_err));
    let looked_at = sqlx::query_scalar::<_, i32>("SELECT wrong_codes FROM sign_ups");
    assert_eq!(looked_at.fetch_one(&database.pool().await).await.unwrap(), 5);
}

#[tokio::test]
async fn wrong_unknown_expired_and_used_codes_are_answered_alike() {
    let (auth, database) = Auth::new().await;
    let wrong_one = auth.sign_up("ada@example.org").await.unwrap().sign_up;
    let code = code_in(&auth.mail_to("ada@example.org").await).unwrap();
    let unknown = SignUpId::generate().to_string();
    let expired = auth.sign_up("bob@example.org").await.unwrap().sign_up;
    let expired_code = code_in(&auth.mail_to("bob@example.org").await).unwrap();
    let aged = sqlx::query("UPDATE sign_ups SET expire_time = now() - interval '1 second' WHERE email = $1");
    aged.bind("bob@example.org").execute(&database.pool().await).await.unwrap();

    let refusals = [
        auth.verify(&wrong_one, &wrong(&code)).await.unwrap_err(),
        auth.verify(&unknown, &code).await.unwrap_err(),
        auth.verify(&expired, &expired_code).await.unwrap_err(),
    ];
    for refusal in &refusals {
        assert_eq!(refusal.code(), Code::InvalidArgument);
        assert_eq!((refusal.message(), refusal.details()), (refusals[0].message(), refusals[0].details()));
    }
    assert_eq!(reason::<()>(Err(refusals[0].clone())), ErrorReason::CodeInvalid);
}

#[tokio::test]
async fn two_verifications_at_once_make_one_user() {
    let (auth, database) = Auth::new().await;
    let sign_up = auth.sign_up("ada@example.org").await.unwrap().sign_up;
    let code = code_in(&auth.mail_to("ada@example.org").await).unwrap();
    let (a, b) = tokio::join!(auth.verify(&sign_up, &code), auth.verify(&sign_up, &code));
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    let users = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM users WHERE email_lower = 'ada@example.org'");
    assert_eq!(users.fetch_one(&database.pool().await).await.unwrap(), 1);
}

#[tokio::test]
async fn two_sign_ups_of_one_address_make_one_user() {
    let (auth, _database) = Auth::new().await;
    let first = auth.sign_up("ada@example.org").await.unwrap().sign_up;
    let first_code = code_in(&auth.mail_to("ada@example.org").await).unwrap();
    let second = auth.sign_up("ADA@example.org").await.unwrap().sign_up;
    let second_code = code_in(&auth.mail_to("ADA@example.org").await).unwrap();
    auth.verify(&first, &first_code).await.unwrap();
    assert_eq!(reason(auth.verify(&second, &second_code).await), ErrorReason::CodeInvalid);
}

#[tokio::test]
async fn an_address_with_an_account_is_answered_like_any_other_and_the_mail_carries_no_code() {
    let (auth, _database) = Auth::new().await;
    let fresh = auth.sign_up("ada@example.org").await.unwrap();
    let taken = auth.sign_up(ADMIN).await.unwrap();
    assert!(SignUpId::from_name(&taken.sign_up).is_ok());
    let seconds = |answer: &pb::SignUpResponse| answer.expire_time.unwrap().seconds;
    assert!((seconds(&taken) - seconds(&fresh)).abs() < 10);

    let mail = auth.mail_to(ADMIN).await;
    assert_eq!(code_in(&mail), None);
    assert!(mail.text.contains("sign in"), "{}", mail.text);
    assert_eq!(reason(auth.verify(&taken.sign_up, "00000000").await), ErrorReason::CodeInvalid);
}

#[tokio::test]
async fn a_weak_password_is_refused_with_the_field_and_sends_no_mail() {
    let (auth, database) = Auth::new().await;
    for password in ["short", "passwordpassword", "ada@example.org"] {
        let request = pb::SignUpRequest {
            email: "ada@example.org".into(),
            password: password.into(),
            display_name: String::new(),
        };
        let refusal = auth.authentication().sign_up(request).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument);
        assert_eq!(refusal.get_details_bad_request().unwrap().field_violations[0].field, "password");
        assert_eq!(reason::<()>(Err(refusal)), ErrorReason::PasswordRefused);
    }
    let mails = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM mails");
    assert_eq!(mails.fetch_one(&database.pool().await).await.unwrap(), 0);
}

#[tokio::test]
async fn the_database_keeps_neither_code_nor_password_nor_the_text_of_sent_mail() {
    let (auth, database) = Auth::new().await;
    auth.sign_up("ada@example.org").await.unwrap();
    let code = code_in(&auth.mail_to("ada@example.org").await).unwrap();
    let pool = database.pool().await;
    let sent = || sqlx::query_scalar::<_, i64>("SELECT count(*) FROM mails WHERE sent_time IS NOT NULL");
    while sent().fetch_one(&pool).await.unwrap() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let dump = "SELECT (SELECT json_agg(s)::text FROM sign_ups s) || (SELECT json_agg(m)::text FROM mails m)";
    let rows: String = sqlx::query_scalar(dump).fetch_one(&pool).await.unwrap();
    assert!(rows.contains("ada@example.org"));
    assert!(!rows.contains(&code) && !rows.contains(PASSWORD), "{rows}");
}
