//! Lost and changed passwords.

use futures_util::future::join_all;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::fault::ErrorReason;
use tonic::Code;
use tonic_types::StatusExt;

use crate::world::{ADMIN, Auth, PASSWORD, code_in, reason, wrong};

const ADA: &str = "ada@example.org";
const NEW: &str = "another horse battery";

/// Asks for a reset, and reads the code. Mails of earlier changes, which have none, may come meanwhile.
async fn reset(auth: &Auth) -> (String, String) {
    let before = auth.mailbox.mails().len();
    let reset = auth.request_reset(ADA).await.unwrap().password_reset;
    loop {
        if let Some(code) = auth.mailbox.mails().iter().skip(before).find_map(code_in) {
            return (reset, code);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_mailed_code_sets_a_new_password_once_and_signs_out_everywhere() {
    let (auth, database) = Auth::new().await;
    let tokens = auth.account(ADA).await.tokens.unwrap();
    for _ in 0..12 {
        auth.sign_in(ADA, "wrong horse battery").await.unwrap_err();
    }
    let (reset, code) = reset(&auth).await;

    let weak = auth.confirm_reset(&reset, &code, "short").await.unwrap_err();
    assert_eq!(weak.get_details_bad_request().unwrap().field_violations[0].field, "new_password");
    assert_eq!(reason::<()>(Err(weak)), ErrorReason::PasswordRefused);
    auth.confirm_reset(&reset, &code, NEW).await.unwrap();
    let after = database.accounts().await;
    assert_eq!(reason(auth.confirm_reset(&reset, &code, PASSWORD).await), ErrorReason::CodeInvalid);
    assert_eq!(database.accounts().await, after);

    assert_eq!(reason(auth.refresh(&tokens.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    assert_eq!(reason(auth.sign_in(ADA, PASSWORD).await), ErrorReason::CredentialsInvalid);
    // Twelve wrong ones are forgotten.
    auth.sign_in(ADA, NEW).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM revocations").await, 1);
    assert_eq!(database.audited("user.password_reset").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM mails WHERE subject = 'Your password was changed'").await, 1);
}

#[tokio::test]
async fn codes_that_are_no_good_are_answered_alike_and_change_nothing() {
    let (auth, database) = Auth::new().await;
    auth.account(ADA).await;
    let (first, first_code) = reset(&auth).await;
    let (second, code) = reset(&auth).await;
    let sign_up = auth.sign_up("bob@example.org").await.unwrap().sign_up;
    let sign_up_code = code_in(&auth.mail_to("bob@example.org").await).unwrap();
    let before = database.accounts().await;
    let as_reset = sign_up.replace("signUps", "passwordResets");
    let as_sign_up = second.replace("passwordResets", "signUps");
    let unknown = auth.request_reset("nobody@example.org").await.unwrap().password_reset;

    let refusals = [
        // A later one has replaced it.
        auth.confirm_reset(&first, &first_code, NEW).await.unwrap_err(),
        auth.confirm_reset(&second, &wrong(&code), NEW).await.unwrap_err(),
        auth.confirm_reset(&as_reset, &sign_up_code, NEW).await.unwrap_err(),
        auth.confirm_reset(&second, &sign_up_code, NEW).await.unwrap_err(),
        auth.confirm_reset(&unknown, &code, NEW).await.unwrap_err(),
        auth.verify(&as_sign_up, &code).await.unwrap_err(),
        auth.verify(&sign_up, &code).await.unwrap_err(),
    ];
    for refusal in &refusals {
        assert_eq!(refusal.code(), Code::InvalidArgument);
        assert_eq!((refusal.message(), refusal.details()), (refusals[0].message(), refusals[0].details()));
    }
    assert_eq!(reason::<()>(Err(refusals[0].clone())), ErrorReason::CodeInvalid);
    database.run("UPDATE password_resets SET expire_time = now()").await;
    assert_eq!(reason(auth.confirm_reset(&second, &code, NEW).await), ErrorReason::CodeInvalid);
    assert_eq!(database.accounts().await, before);
}

#[tokio::test]
async fn guessing_many_codes_at_once_gets_five_looked_at() {
    let (auth, database) = Auth::new().await;
    auth.account(ADA).await;
    let (reset, code) = reset(&auth).await;
    let before = database.accounts().await;
    let wrong = wrong(&code);
    let guesses = join_all((0..30).map(|_| auth.confirm_reset(&reset, &wrong, NEW))).await;
    assert!(guesses.iter().all(Result::is_err));
    assert_eq!(reason(auth.confirm_reset(&reset, &code, NEW).await), ErrorReason::CodeInvalid);
    assert_eq!(database.count("SELECT wrong_codes::bigint FROM password_resets").await, 5);
    assert_eq!(database.accounts().await, before);
}

#[tokio::test]
async fn of_many_resets_at_once_with_one_code_one_wins() {
    let (auth, database) = Auth::new().await;
    auth.account(ADA).await;
    let (reset, code) = reset(&auth).await;
    let new: Vec<String> = (0..10).map(|n| format!("{NEW} {n}")).collect();
    let answers = join_all(new.iter().map(|new| auth.confirm_reset(&reset, &code, new))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(database.audited("user.password_reset").await, 1);
}

#[tokio::test]
async fn an_address_without_account_is_answered_alike_and_gets_no_mail() {
    let (auth, database) = Auth::new().await;
    let known = auth.request_reset("ADMIN@example.org").await.unwrap();
    let unknown = auth.request_reset("nobody@example.org").await.unwrap();
    assert_eq!(known.password_reset.len(), unknown.password_reset.len());
    let seconds = |answer: pb::RequestPasswordResetResponse| answer.expire_time.unwrap().seconds;
    assert!((seconds(known) - seconds(unknown)).abs() < 10);
    // To the address as its owner spells it.
    auth.mail_to(ADMIN).await;
    assert_eq!(database.count("SELECT count(*) FROM mails").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM password_resets").await, 2);
}

#[tokio::test]
async fn a_reset_leaves_the_second_factor_and_lets_no_challenge_through() {
    let (auth, _database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let challenge = auth.challenge(ADA).await;
    let (reset, code) = reset(&auth).await;
    auth.confirm_reset(&reset, &code, PASSWORD).await.unwrap();
    let stale = auth.continue_sign_in(&challenge, &ada.authenticator.code(1)).await;
    assert_eq!(reason(stale), ErrorReason::ChallengeInvalid);
    let challenge = auth.challenge(ADA).await;
    auth.continue_sign_in(&challenge, &ada.authenticator.code(1)).await.unwrap();
}

#[tokio::test]
async fn changing_the_password_ends_the_other_sessions_only() {
    let (auth, database) = Auth::new().await;
    let current = auth.account(ADA).await.tokens.unwrap();
    let other = auth.sign_in(ADA, PASSWORD).await.unwrap();
    let (reset, code) = reset(&auth).await;
    auth.change_password(&current.access_token, PASSWORD, NEW).await.unwrap();
    assert_eq!(reason(auth.refresh(&other.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    auth.refresh(&current.refresh_token).await.unwrap();
    assert_eq!(reason(auth.sign_in(ADA, PASSWORD).await), ErrorReason::CredentialsInvalid);
    auth.sign_in(ADA, NEW).await.unwrap();
    assert_eq!(reason(auth.confirm_reset(&reset, &code, PASSWORD).await), ErrorReason::CodeInvalid);
    assert_eq!(database.count("SELECT count(*) FROM revocations").await, 1);
    assert_eq!(database.audited("user.password_changed").await, 1);
}

#[tokio::test]
async fn a_stolen_access_token_does_not_change_the_password_and_guesses_no_further_than_signing_in() {
    let (auth, database) = Auth::new().await;
    let token = auth.account(ADA).await.tokens.unwrap().access_token;
    let before = database.accounts().await;
    for n in 0..12 {
        let refused = reason(auth.change_password(&token, "wrong horse battery", NEW).await);
        let expected = if n < 10 { ErrorReason::CredentialsInvalid } else { ErrorReason::Throttled };
        assert_eq!(refused, expected, "{n}");
    }
    assert_eq!(reason(auth.sign_in(ADA, PASSWORD).await), ErrorReason::Throttled);
    assert_eq!(database.accounts().await, before);
    assert_eq!(database.audited("user.password_check_failed").await, 10);
}
