//! Where people are signed in, and signing out.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::fault::ErrorReason;
use kontor_testkit::with_token;
use kontor_types::ids::SessionId;
use sqlx::Row;
use tonic::Code;

use crate::people::from;
use crate::world::{ADMIN, Auth, PASSWORD, reason};

const ADA: &str = "ada@example.org";

#[tokio::test]
async fn sessions_are_shown_newest_first_with_where_they_came_from() {
    let (auth, _database) = Auth::new().await;
    let first = auth.account(ADA).await.tokens.unwrap().access_token;
    let mut request = from(pb::SignInRequest { email: ADA.into(), password: PASSWORD.into() }, "203.0.113.7");
    request.metadata_mut().insert("x-forwarded-user-agent", "Lynx/2.8".parse().unwrap());
    auth.authentication().sign_in(request).await.unwrap();

    let sessions = auth.list_sessions(&first, "users/me").await.unwrap();
    assert_eq!((sessions.len(), sessions[0].current, sessions[1].current), (2, false, true));
    assert_eq!((sessions[0].address.as_str(), sessions[0].user_agent.as_str()), ("203.0.113.7", "Lynx/2.8"));
    assert_eq!(sessions[1].address, "127.0.0.1");

    let page = async |page_token: String| {
        let request = pb::ListSessionsRequest { parent: "users/me".into(), page_size: 1, page_token };
        auth.sessions().list_sessions(with_token(request, &first)).await.map(tonic::Response::into_inner)
    };
    let one = page(String::new()).await.unwrap();
    let two = page(one.next_page_token).await.unwrap();
    assert_eq!([&one.sessions[0].name, &two.sessions[0].name], [&sessions[0].name, &sessions[1].name]);
    assert_eq!(two.next_page_token, "");
    for forged in ["x", "p1", "p1zz", &one.sessions[0].name, "p1'; DROP TABLE sessions; --"] {
        let refusal = page(forged.to_owned()).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument, "{forged}");
        assert_eq!(reason::<()>(Err(refusal)), ErrorReason::FieldViolation);
    }
    // One that could have been given out to somebody else shows one's own sessions only.
    let foreign = page(format!("p1{}", "f".repeat(32))).await.unwrap();
    assert_eq!(foreign.sessions[0].name, sessions[0].name);
}

#[tokio::test]
async fn a_session_that_was_revoked_refreshes_no_more_and_its_tokens_are_noted() {
    let (auth, database) = Auth::new().await;
    let mine = auth.account(ADA).await.tokens.unwrap();
    let other = auth.sign_in(ADA, PASSWORD).await.unwrap();
    let name = auth.list_sessions(&other.access_token, "users/me").await.unwrap().remove(0).name;
    for _ in 0..2 {
        auth.revoke_session(&mine.access_token, &name).await.unwrap();
    }
    assert_eq!(reason(auth.refresh(&other.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    auth.refresh(&mine.refresh_token).await.unwrap();
    let sid = sqlx::query("SELECT sid::text FROM revocations").fetch_one(&database.pool().await).await.unwrap();
    assert!(name.ends_with(&sid.get::<String, _>(0)));
    assert_eq!(database.audited("session.revoked").await, 1);
}

#[tokio::test]
async fn anothers_session_is_not_found_and_goes_on() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account(ADA).await;
    let bob = auth.account("bob@example.org").await;
    let (ada_token, bob_tokens) = (ada.tokens.unwrap().access_token, bob.tokens.unwrap());
    let name = auth.list_sessions(&bob_tokens.access_token, "users/me").await.unwrap().remove(0).name;
    let id = name.rsplit('/').next().unwrap();
    let unknown = SessionId::generate();
    let before = database.accounts().await;
    for name in [
        name.clone(),
        // Another's session under one's own name.
        format!("users/me/sessions/{id}"),
        format!("{}/sessions/{id}", ada.user),
        format!("users/me/{unknown}"),
    ] {
        let refusal = auth.revoke_session(&ada_token, &name).await.unwrap_err();
        assert_eq!(refusal.code(), Code::NotFound, "{name}");
        assert_eq!(reason::<()>(Err(refusal)), ErrorReason::ResourceNotFound);
    }
    assert_eq!(reason(auth.list_sessions(&ada_token, &bob.user).await), ErrorReason::ResourceNotFound);
    let all = pb::RevokeAllSessionsRequest { parent: bob.user.clone(), keep_current: false };
    let refusal = auth.sessions().revoke_all_sessions(with_token(all, &ada_token)).await;
    assert_eq!(reason(refusal), ErrorReason::ResourceNotFound);
    assert_eq!(database.accounts().await, before);

    let admin = auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    assert_eq!(auth.list_sessions(&admin, &bob.user).await.unwrap().len(), 1);
    auth.revoke_session(&admin, &name).await.unwrap();
    assert_eq!(reason(auth.refresh(&bob_tokens.refresh_token).await), ErrorReason::RefreshTokenInvalid);
}

#[tokio::test]
async fn all_sessions_end_at_once_but_for_the_current_one_if_it_is_to_stay() {
    let (auth, database) = Auth::new().await;
    let current = auth.account(ADA).await.tokens.unwrap();
    let others = [auth.sign_in(ADA, PASSWORD).await.unwrap(), auth.sign_in(ADA, PASSWORD).await.unwrap()];
    let revoke_all = async |keep_current| {
        let request = pb::RevokeAllSessionsRequest { parent: "users/me".into(), keep_current };
        let answer = auth.sessions().revoke_all_sessions(with_token(request, &current.access_token)).await;
        answer.unwrap().into_inner().revoked_count
    };
    assert_eq!(revoke_all(true).await, 2);
    for other in others {
        assert_eq!(reason(auth.refresh(&other.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    }
    let current_refresh = auth.refresh(&current.refresh_token).await.unwrap().refresh_token;
    assert_eq!(revoke_all(false).await, 1);
    assert_eq!(reason(auth.refresh(&current_refresh).await), ErrorReason::RefreshTokenInvalid);
    assert_eq!(database.count("SELECT count(*) FROM revocations").await, 3);
}

#[tokio::test]
async fn signing_out_ends_the_session_of_either_token_and_tells_nothing_of_others() {
    let (auth, database) = Auth::new().await;
    let one = auth.account(ADA).await.tokens.unwrap();
    let two = auth.sign_in(ADA, PASSWORD).await.unwrap();
    let admin = auth.sign_in(ADMIN, PASSWORD).await.unwrap();
    for token in [&one.refresh_token, &one.refresh_token, "unknown"] {
        auth.sign_out(token).await.unwrap();
    }
    let request = with_token(pb::SignOutRequest::default(), &two.access_token);
    auth.authentication().sign_out(request).await.unwrap();
    for tokens in [&one, &two] {
        assert_eq!(reason(auth.refresh(&tokens.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    }
    auth.refresh(&admin.refresh_token).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM revocations").await, 2);
    assert_eq!(database.audited("session.revoked").await, 2);

    let refusal = auth.sign_out("").await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
    assert_eq!(reason::<()>(Err(refusal)), ErrorReason::TokenMissing);
}

#[tokio::test]
async fn whoever_is_suspended_learns_it_by_the_right_password_only() {
    let (auth, database) = Auth::new().await;
    let tokens = auth.account(ADA).await.tokens.unwrap();
    database.run("UPDATE users SET suspend_time = now() WHERE email_lower = 'ada@example.org'").await;
    let before = database.accounts().await;
    let refusal = auth.sign_in(ADA, PASSWORD).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    assert_eq!(reason::<()>(Err(refusal)), ErrorReason::AccountSuspended);
    assert_eq!(reason(auth.sign_in(ADA, "wrong horse battery").await), ErrorReason::CredentialsInvalid);
    assert_eq!(reason(auth.refresh(&tokens.refresh_token).await), ErrorReason::RefreshTokenInvalid);
    assert_eq!(database.accounts().await, before);
    assert_eq!(database.audited("user.sign_in_failed").await, 2);
}

#[tokio::test]
async fn whoever_is_suspended_before_the_code_gets_no_session() {
    let (auth, database) = Auth::new().await;
    let ada = auth.account_with_second_factor(ADA).await;
    let challenge = auth.challenge(ADA).await;
    database.run("UPDATE users SET suspend_time = now()").await;
    let before = database.accounts().await;
    let answer = auth.continue_sign_in(&challenge, &ada.authenticator.code(1)).await;
    assert_eq!(reason(answer), ErrorReason::AccountSuspended);
    assert_eq!(database.accounts().await, before);
}
