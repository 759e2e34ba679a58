//! Refresh tokens.

use futures_util::future::join_all;
use kontor_runtime::fault::ErrorReason;
use tonic::Code;

use crate::world::{ADMIN, Auth, Database, PASSWORD, reason};

async fn signed_in() -> (Auth, Database, String) {
    let (auth, database) = Auth::new().await;
    let token = auth.sign_in(ADMIN, PASSWORD).await.unwrap().refresh_token;
    (auth, database, token)
}

/// Makes everything in the database a while older.
async fn let_pass(database: &Database, seconds: i32) {
    let pool = database.pool().await;
    let tokens = "UPDATE refresh_tokens SET use_time = use_time - $1 * interval '1 second'";
    sqlx::query(tokens).bind(seconds).execute(&pool).await.unwrap();
    let sessions = "UPDATE sessions SET expire_time = expire_time - $1 * interval '1 second'";
    sqlx::query(sessions).bind(seconds).execute(&pool).await.unwrap();
}

#[tokio::test]
async fn each_token_trades_for_the_next() {
    let (auth, database, first) = signed_in().await;
    let second = auth.refresh(&first).await.unwrap();
    let_pass(&database, 3600).await;
    let third = auth.refresh(&second.refresh_token).await.unwrap();
    assert!(first != second.refresh_token && second.refresh_token != third.refresh_token);
    auth.get_user(&third.access_token, "users/me").await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_and_the_lost_one_is_no_good() {
    let (auth, _database, first) = signed_in().await;
    let lost = auth.refresh(&first).await.unwrap().refresh_token;
    let again = auth.refresh(&first).await.unwrap().refresh_token;
    assert_eq!(reason(auth.refresh(&lost).await), ErrorReason::RefreshTokenInvalid);
    auth.refresh(&again).await.unwrap();
}

#[tokio::test]
async fn a_used_token_that_comes_late_ends_the_session() {
    let (auth, database, first) = signed_in().await;
    let second = auth.refresh(&first).await.unwrap().refresh_token;
    let_pass(&database, 11).await;
    let refusal = auth.refresh(&first).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
    assert_eq!(reason::<()>(Err(refusal)), ErrorReason::RefreshTokenInvalid);
    assert_eq!(reason(auth.refresh(&second).await), ErrorReason::RefreshTokenInvalid);
}

#[tokio::test]
async fn a_used_token_whose_successor_was_used_ends_the_session_at_once() {
    let (auth, _database, first) = signed_in().await;
    let second = auth.refresh(&first).await.unwrap().refresh_token;
    let third = auth.refresh(&second).await.unwrap().refresh_token;
    assert_eq!(reason(auth.refresh(&first).await), ErrorReason::RefreshTokenInvalid);
    assert_eq!(reason(auth.refresh(&third).await), ErrorReason::RefreshTokenInvalid);
}

#[tokio::test]
async fn an_ended_successor_that_comes_late_ends_the_session() {
    let (auth, database, first) = signed_in().await;
    let stolen = auth.refresh(&first).await.unwrap().refresh_token;
    let again = auth.refresh(&first).await.unwrap().refresh_token;
    let_pass(&database, 11).await;
    assert_eq!(reason(auth.refresh(&stolen).await), ErrorReason::RefreshTokenInvalid);
    assert_eq!(reason(auth.refresh(&again).await), ErrorReason::RefreshTokenInvalid);
}

#[tokio::test]
async fn one_ended_session_leaves_the_users_others_alone() {
    let (auth, database, first) = signed_in().await;
    let other = auth.sign_in(ADMIN, PASSWORD).await.unwrap().refresh_token;
    auth.refresh(&first).await.unwrap();
    let_pass(&database, 11).await;
    auth.refresh(&first).await.unwrap_err();
    auth.refresh(&other).await.unwrap();
}

#[tokio::test]
async fn of_twenty_refreshes_at_once_one_token_is_left() {
    let (auth, database, first) = signed_in().await;
    let answers = join_all((0..20).map(|_| auth.refresh(&first))).await;
    let tokens: Vec<String> = answers.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
    let live = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM refresh_tokens WHERE use_time IS NULL");
    assert_eq!(live.fetch_one(&database.pool().await).await.unwrap(), 1);
    let mut good = 0;
    for token in &tokens {
        good += u32::from(auth.refresh(token).await.is_ok());
    }
    assert_eq!(good, 1);
}

#[tokio::test]
async fn garbage_is_refused_and_harms_nobody() {
    let (auth, _database, first) = signed_in().await;
    for garbage in ["x".to_owned(), first.to_lowercase(), format!("{first} ")] {
        assert_eq!(reason(auth.refresh(&garbage).await), ErrorReason::RefreshTokenInvalid);
    }
    auth.refresh(&first).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_without_refresh() {
    const DAY: i32 = 24 * 60 * 60;
    let (auth, database, first) = signed_in().await;
    let_pass(&database, 29 * DAY).await;
    let second = auth.refresh(&first).await.unwrap().refresh_token;
    let_pass(&database, 29 * DAY).await;
    let third = auth.refresh(&second).await.unwrap().refresh_token;
    let_pass(&database, 30 * DAY).await;
    assert_eq!(reason(auth.refresh(&third).await), ErrorReason::RefreshTokenInvalid);
}
