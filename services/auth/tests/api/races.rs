//! Refresh tokens under attack.

use futures_util::future::join_all;
use kontor_runtime::fault::ErrorReason;
use tonic::Code;

use crate::world::{ADMIN, Auth, PASSWORD, reason};

const LIVE: &str = "SELECT count(*) FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id \
                    WHERE t.use_time IS NULL AND s.revoke_time IS NULL";

#[tokio::test]
async fn of_forty_refreshes_at_once_one_live_token_is_left() {
    let (auth, database) = Auth::new().await;
    let first = auth.sign_in(ADMIN, PASSWORD).await.unwrap().refresh_token;
    let answers = join_all((0..40).map(|_| auth.refresh(&first))).await;
    assert_eq!(database.count(LIVE).await, 1);
    let mut good = 0;
    for answer in answers {
        match answer {
            Ok(tokens) => good += u32::from(auth.refresh(&tokens.refresh_token).await.is_ok()),
            Err(refusal) => assert_eq!(reason::<()>(Err(refusal)), ErrorReason::RefreshTokenInvalid),
        }
    }
    assert_eq!((good, database.count(LIVE).await), (1, 1));
    assert_eq!(database.count("SELECT count(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn a_refresh_at_the_time_of_signing_out_leaves_nothing_alive() {
    let (auth, database) = Auth::new().await;
    for round in 0..20 {
        let tokens = auth.sign_in(ADMIN, PASSWORD).await.unwrap();
        let name = auth.list_sessions(&tokens.access_token, "users/me").await.unwrap().remove(0).name;
        let refresh = auth.refresh(&tokens.refresh_token);
        let refreshed = match round % 2 {
            0 => tokio::join!(auth.sign_out(&tokens.refresh_token), refresh),
            _ => tokio::join!(auth.revoke_session(&tokens.access_token, &name), refresh),
        };
        refreshed.0.unwrap();
        if let Ok(successor) = refreshed.1 {
            assert_eq!(reason(auth.refresh(&successor.refresh_token).await), ErrorReason::RefreshTokenInvalid);
        }
        assert_eq!(database.count(LIVE).await, 0, "{round}");
        assert_eq!(database.count("SELECT count(*) FROM revocations").await, round + 1);
    }
}

#[tokio::test]
async fn a_token_replayed_after_its_child_was_used_takes_the_family_with_it() {
    let (auth, database) = Auth::new().await;
    let stolen = auth.sign_in(ADMIN, PASSWORD).await.unwrap().refresh_token;
    let child = auth.refresh(&stolen).await.unwrap().refresh_token;
    let grandchild = auth.refresh(&child).await.unwrap().refresh_token;
    let other = auth.sign_in(ADMIN, PASSWORD).await.unwrap().refresh_token;
    let refusal = auth.refresh(&stolen).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
    for token in [&stolen, &child, &grandchild] {
        assert_eq!(reason(auth.refresh(token).await), ErrorReason::RefreshTokenInvalid);
    }
    auth.refresh(&other).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM revocations").await, 1);
    assert_eq!(database.audited("refresh_token.reused").await, 1);
    assert_eq!(database.audited("session.revoked").await, 1);
}

#[tokio::test]
async fn garbage_does_a_family_no_harm() {
    let (auth, database) = Auth::new().await;
    let token = auth.sign_in(ADMIN, PASSWORD).await.unwrap().refresh_token;
    let before = database.accounts().await;
    let mut cut = token.clone();
    cut.pop();
    for garbage in
        [cut, format!("{token}A"), token.to_uppercase(), "'; DROP TABLE sessions; --".into(), "é".repeat(100)]
    {
        assert_eq!(reason(auth.refresh(&garbage).await), ErrorReason::RefreshTokenInvalid);
        auth.sign_out(&garbage).await.unwrap();
    }
    assert_eq!(database.accounts().await, before);
    auth.refresh(&token).await.unwrap();
}

#[tokio::test]
async fn a_session_opened_while_all_are_ended_is_either_ended_or_later() {
    let (auth, database) = Auth::new().await;
    for _ in 0..5 {
        let tokens = auth.sign_in(ADMIN, PASSWORD).await.unwrap();
        let new = auth.change_password(&tokens.access_token, PASSWORD, "another horse battery");
        let (signed_in, changed) = tokio::join!(join_all((0..8).map(|_| auth.sign_in(ADMIN, PASSWORD))), new);
        changed.unwrap();
        // Whatever the old password has opened is closed.
        for late in signed_in.into_iter().flatten() {
            assert_eq!(reason(auth.refresh(&late.refresh_token).await), ErrorReason::RefreshTokenInvalid);
        }
        assert_eq!(database.count(LIVE).await, 1);
        auth.change_password(&tokens.access_token, "another horse battery", PASSWORD).await.unwrap();
        auth.sign_out(&tokens.refresh_token).await.unwrap();
    }
}
