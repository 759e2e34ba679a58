//! The second factor.

use futures_util::future::join_all;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::second_factor::State;
use kontor_runtime::fault::ErrorReason;
use kontor_testkit::with_token;
use tonic::{Code, Response};

use crate::people::from;
use crate::world::{ADMIN, Auth, Database, PASSWORD, reason};

const ADA: &str = "ada@example.org";

/// Lets the codes of this moment be good once more.
async fn forget_steps(database: &Database) {
    database.run("UPDATE authenticators SET last_step = 0").await;
}

#[tokio::test]
async fn an_authenticator_is_asked_for_once_it_has_shown_a_first_code() {
    let (auth, database) = Auth::new().await;
    let token = auth.account(ADA).await.tokens.unwrap().access_token;
    let state = async || auth.second_factor(&token, "users/me").await.unwrap();
    assert_eq!(state().await.state(), State::Absent);
    assert_eq!(reason(auth.confirm_totp(&token, "123456").await), ErrorReason::SecondFactorState);

    let forgotten = auth.enroll(&token).await.unwrap();
    let authenticator = auth.enroll(&token).await.unwrap();
    assert_eq!(state().await.state(), State::Pending);
    auth.sign_in(ADA, PASSWORD).await.unwrap();
    assert_eq!(reason(auth.confirm_totp(&token, &forgotten.code(0)).await), ErrorReason::CodeInvalid);

    let recovery_codes = auth.confirm_totp(&token, &authenticator.code(0)).await.unwrap();
    let found = state().await;
    assert_eq!((recovery_codes.len(), found.state(), found.recovery_codes_left), (10, State::Active, 10));
    assert!(found.confirm_time.is_some() && found.name.ends_with("/secondFactor"));
    assert_eq!(reason(auth.enroll(&token).await.map(|_| ())), ErrorReason::SecondFactorState);

    let challenge = auth.challenge(ADA).await;
    auth.continue_sign_in(&challenge, &authenticator.code(1)).await.unwrap();
    assert!(auth.mail_to(ADA).await.subject.contains("second factor"));
    assert_eq!(database.audited("second_factor.added").await, 1);
    let rows = database.accounts().await;
    assert!(recovery_codes.iter().all(|code| !rows.contains(code)));
}

#[tokio::test]
async fn a_code_is_good_once() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    // That of the confirmation, and one of before.
    for steps in [0, -1] {
        let challenge = auth.challenge(ADA).await;
        let replayed = auth.continue_sign_in(&challenge, &ada.authenticator.code(steps)).await;
        assert_eq!(reason(replayed), ErrorReason::CodeInvalid);
    }
    let code = ada.authenticator.code(1);
    auth.continue_sign_in(&auth.challenge(ADA).await, &code).await.unwrap();
    let sessions = database.count("SELECT count(*) FROM sessions").await;
    let refusal = auth.continue_sign_in(&auth.challenge(ADA).await, &code).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert_eq!(reason::<()>(Err(refusal)), ErrorReason::CodeInvalid);
    assert_eq!(database.count("SELECT count(*) FROM sessions").await, sessions);
}

#[tokio::test]
async fn of_forty_answers_at_once_with_one_code_one_wins() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let sessions = database.count("SELECT count(*) FROM sessions").await;
    // The same challenge, and others.
    let same = auth.challenge(ADA).await;
    let mut challenges = vec![same; 36];
    for _ in 0..4 {
        challenges.push(auth.challenge(ADA).await);
    }
    let code = ada.authenticator.code(1);
    let answers = join_all(challenges.iter().map(|challenge| auth.continue_sign_in(challenge, &code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(database.count("SELECT count(*) FROM sessions").await, sessions + 1);
}

#[tokio::test]
async fn five_wrong_codes_end_a_challenge_and_time_does_too() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let (wrong, right) = (ada.authenticator.wrong_code(), ada.authenticator.code(1));
    let challenge = auth.challenge(ADA).await;
    for _ in 0..5 {
        assert_eq!(reason(auth.continue_sign_in(&challenge, &wrong).await), ErrorReason::CodeInvalid);
    }
    let ended = auth.continue_sign_in(&challenge, &right).await.unwrap_err();
    let unknown = auth.continue_sign_in("unknown", &right).await.unwrap_err();
    let expired = auth.challenge(ADA).await;
    database.run("UPDATE challenges SET expire_time = now()").await;
    let expired = auth.continue_sign_in(&expired, &right).await.unwrap_err();
    assert_eq!(ended.code(), Code::Unauthenticated);
    for refusal in [&unknown, &expired] {
        assert_eq!((refusal.message(), refusal.details()), (ended.message(), ended.details()));
    }
    assert_eq!(reason::<()>(Err(ended)), ErrorReason::ChallengeInvalid);

    let challenge = auth.challenge(ADA).await;
    auth.continue_sign_in(&challenge, &right).await.unwrap();
    assert_eq!(reason(auth.continue_sign_in(&challenge, &right).await), ErrorReason::ChallengeInvalid);
}

#[tokio::test]
async fn new_challenges_give_no_new_tries() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let before = database.accounts().await;
    let wrong = ada.authenticator.wrong_code();
    let mut looked_at = 0;
    for n in 0..30 {
        // The attacker has the password and many addresses.
        database.run("DELETE FROM throttles WHERE key = sha256('password ada@example.org')").await;
        let challenge = auth.challenge(ADA).await;
        let request = pb::ContinueSignInRequest { challenge, code: wrong.clone() };
        let address = format!("198.51.100.{n}");
        let answer = auth.authentication().continue_sign_in(from(request, &address)).await;
        match reason(answer) {
            ErrorReason::CodeInvalid => looked_at += 1,
            other => assert_eq!(other, ErrorReason::Throttled),
        }
    }
    assert_eq!(looked_at, 10);
    assert_eq!(database.accounts().await, before);
    assert_eq!(database.audited("user.sign_in_failed").await, 10);
}

#[tokio::test]
async fn each_recovery_code_is_good_once_however_it_is_typed() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let typed = ada.recovery_codes[0].to_lowercase().replace('-', " ");
    auth.continue_sign_in(&auth.challenge(ADA).await, &typed).await.unwrap();
    let again = auth.continue_sign_in(&auth.challenge(ADA).await, &ada.recovery_codes[0]).await;
    assert_eq!(reason(again), ErrorReason::CodeInvalid);
    assert_eq!(auth.second_factor(&ada.token, "users/me").await.unwrap().recovery_codes_left, 9);

    let code = ada.authenticator.code(1);
    let request = pb::RegenerateRecoveryCodesRequest {
        parent: "users/me".into(),
        password: PASSWORD.into(),
        totp_code: code.clone(),
    };
    let regenerate = async |request| {
        let answer = auth.second_factors().regenerate_recovery_codes(with_token(request, &ada.token)).await;
        answer.map(Response::into_inner)
    };
    let new = regenerate(request.clone()).await.unwrap().recovery_codes;
    assert_eq!(reason(regenerate(request).await), ErrorReason::CodeInvalid);
    let old = auth.continue_sign_in(&auth.challenge(ADA).await, &ada.recovery_codes[1]).await;
    assert_eq!(reason(old), ErrorReason::CodeInvalid);
    auth.continue_sign_in(&auth.challenge(ADA).await, &new[9]).await.unwrap();
    assert_eq!(database.audited("second_factor.recovery_codes_replaced").await, 1);
}

#[tokio::test]
async fn taking_it_away_takes_password_and_code() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let before = database.accounts().await;
    let (code, wrong) = (ada.authenticator.code(1), ada.authenticator.wrong_code());
    let remove = async |shown| auth.remove_second_factor(&ada.token, "users/me", shown).await;
    assert_eq!(reason(remove(("", "")).await), ErrorReason::CredentialsInvalid);
    assert_eq!(reason(remove(("wrong horse battery", &code)).await), ErrorReason::CredentialsInvalid);
    assert_eq!(reason(remove((PASSWORD, &wrong)).await), ErrorReason::CodeInvalid);
    assert_eq!(database.accounts().await, before);

    let pending = auth.challenge(ADA).await;
    remove((PASSWORD, &ada.recovery_codes[0])).await.unwrap();
    assert_eq!(reason(auth.continue_sign_in(&pending, &code).await), ErrorReason::ChallengeInvalid);
    auth.sign_in(ADA, PASSWORD).await.unwrap();
    assert_eq!(reason(remove((PASSWORD, &code)).await), ErrorReason::SecondFactorState);
    assert_eq!(database.count("SELECT count(*) FROM recovery_codes").await, 0);
    assert_eq!(database.audited("second_factor.removed").await, 1);
}

#[tokio::test]
async fn a_short_password_is_good_with_a_second_factor_only() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let short = "x7!Qt-2p";
    assert_eq!(reason(auth.change_password(&ada.token, PASSWORD, "x7!Qt-2").await), ErrorReason::PasswordRefused);
    auth.change_password(&ada.token, PASSWORD, short).await.unwrap();
    let remove = async |password, code| auth.remove_second_factor(&ada.token, "users/me", (password, code)).await;
    let code = ada.authenticator.code(1);
    assert_eq!(reason(remove(short, &code).await), ErrorReason::PasswordRefused);
    assert_eq!(auth.second_factor(&ada.token, "users/me").await.unwrap().state(), State::Active);

    // Somebody else can't know how long it is: signing in shows it.
    let admin = auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    auth.remove_second_factor(&admin, &ada.user, ("", "")).await.unwrap();
    assert_eq!(reason(auth.sign_in(ADA, short).await), ErrorReason::PasswordRefused);
    assert_eq!(reason(auth.sign_in(ADA, "wrong").await), ErrorReason::CredentialsInvalid);
    assert_eq!(database.count("SELECT count(*) FROM authenticators").await, 0);
    auth.change_password(&ada.token, short, PASSWORD).await.unwrap();
    auth.sign_in(ADA, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn others_second_factors_are_out_of_reach() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let bob = auth.account("bob@example.org").await.tokens.unwrap().access_token;
    forget_steps(&database).await;
    let before = database.accounts().await;
    let removed = auth.remove_second_factor(&bob, &ada.user, (PASSWORD, &ada.authenticator.code(0))).await;
    assert_eq!(reason(removed), ErrorReason::ResourceNotFound);
    assert_eq!(reason(auth.second_factor(&bob, &ada.user).await), ErrorReason::ResourceNotFound);
    let enroll = pb::EnrollTotpRequest { parent: ada.user.clone(), password: PASSWORD.into() };
    let enrolled = auth.second_factors().enroll_totp(with_token(enroll, &bob)).await;
    assert_eq!(reason(enrolled), ErrorReason::ResourceNotFound);
    assert_eq!(database.accounts().await, before);
}

#[tokio::test]
async fn whoever_may_edit_users_still_takes_nothing_from_those_who_may_more() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    database.run("INSERT INTO roles (id, description, permissions) VALUES ('editor', '', '{user.edit}')").await;
    let editor = "INSERT INTO bindings (id, role, member) SELECT gen_random_uuid(), 'editor', 'users/' || id FROM users \
                  WHERE email_lower = 'bob@example.org'";
    auth.account("bob@example.org").await;
    database.run(editor).await;
    let bob = auth.sign_in("bob@example.org", PASSWORD).await.unwrap().access_token;
    let admin = "INSERT INTO bindings (id, role, member) SELECT gen_random_uuid(), 'administrator', 'users/' || id \
                 FROM users WHERE email_lower = 'ada@example.org'";
    database.run(admin).await;
    let refusal = auth.remove_second_factor(&bob, &ada.user, ("", "")).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    assert_eq!(reason::<()>(Err(refusal)), ErrorReason::PermissionMissing);
    database.run("DELETE FROM bindings WHERE role = 'administrator'").await;
    auth.remove_second_factor(&bob, &ada.user, ("", "")).await.unwrap();
}

/// Whoever knew the password before has perhaps begun to add an authenticator.
#[tokio::test]
async fn another_password_ends_the_adding_of_an_authenticator() {
    let (auth, database) = Auth::new().await;
    let token = auth.account(ADA).await.tokens.unwrap().access_token;
    let authenticator = auth.enroll(&token).await.unwrap();
    auth.change_password(&token, PASSWORD, "quite another passphrase").await.unwrap();
    let confirmed = auth.confirm_totp(&token, &authenticator.code(0)).await;
    assert_eq!(reason(confirmed), ErrorReason::SecondFactorState);
    assert_eq!(database.count("SELECT count(*) FROM authenticators").await, 0);
}
