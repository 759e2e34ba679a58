//! Guessing.

use std::time::Instant;

use futures_util::future::join_all;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::fault::ErrorReason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::people::from;
use crate::world::{ADMIN, Auth, PASSWORD, code_in, reason};

/// How many of the answers are refusals for this reason.
fn refused<T: std::fmt::Debug>(answers: &[Result<T, Status>], why: ErrorReason) -> usize {
    answers
        .iter()
        .filter(|answer| answer.as_ref().is_err_and(|status| reason::<()>(Err(status.clone())) == why))
        .count()
}

fn address(n: usize) -> String {
    format!("198.51.{}.{}", n / 250, n % 250)
}

#[tokio::test]
async fn a_hundred_guesses_from_everywhere_get_no_more_than_ten_looked_at() {
    let (auth, database) = Auth::new().await;
    auth.jwks().await;
    let before = database.accounts().await;
    for email in [ADMIN, "nobody@example.org"] {
        let guesses = (0..100).map(async |n| auth.sign_in_from(&address(n), email, "wrong horse battery").await);
        let answers = join_all(guesses).await;
        assert_eq!(refused(&answers, ErrorReason::CredentialsInvalid), 10, "{email}");
        let turned_away = refused(&answers, ErrorReason::Throttled) + refused(&answers, ErrorReason::Overloaded);
        assert_eq!(turned_away, 90, "{email}");
    }
    assert_eq!(database.accounts().await, before);
    assert_eq!(database.audited("user.sign_in_failed").await, 20);

    // Not even the right one is looked at, in any spelling of the address.
    let refusal = auth.sign_in("ADMIN@example.org", PASSWORD).await.unwrap_err();
    assert_eq!(refusal.code(), Code::ResourceExhausted);
    let wait = refusal.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!((20..=30).contains(&wait.as_secs()), "{wait:?}");
    database.run("UPDATE throttles SET free_time = free_time - interval '31 seconds'").await;
    auth.sign_in(ADMIN, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_hundred_guesses_from_one_place_over_many_accounts_are_all_that_it_gets() {
    let (auth, database) = Auth::new().await;
    auth.jwks().await;
    let before = database.accounts().await;
    let guess = async |n| {
        // Addresses of one IPv6 network.
        let place = format!("2001:db8:0:1::{n:x}");
        auth.sign_in_from(&place, &format!("user{n}@example.org"), "wrong horse battery").await
    };
    let began = Instant::now();
    let mut answers = Vec::new();
    // Not so many at once that some are turned away for that.
    for first in (0..150).step_by(5) {
        answers.extend(join_all((first..first + 5).map(guess)).await);
    }
    let looked_at = refused(&answers, ErrorReason::CredentialsInvalid);
    // One more for each second that it took.
    let most = 100 + 1 + usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!((100..=most).contains(&looked_at), "{looked_at}");
    assert_eq!(refused(&answers, ErrorReason::Throttled), 150 - looked_at);
    database.run("UPDATE throttles SET free_time = free_time + interval '1 minute'").await;
    assert_eq!(refused(&[auth.sign_in_from("2001:db8:0:1::ffff", ADMIN, PASSWORD).await], ErrorReason::Throttled), 1);
    assert_eq!(database.accounts().await, before);
    auth.sign_in_from("2001:db8:0:2::1", ADMIN, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_right_password_makes_good_for_wrong_ones() {
    let (auth, _database) = Auth::new().await;
    for _ in 0..3 {
        for n in 0..9 {
            let wrong = auth.sign_in_from(&address(n), ADMIN, "wrong horse battery").await;
            assert_eq!(reason(wrong), ErrorReason::CredentialsInvalid);
        }
        auth.sign_in(ADMIN, PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn nobodys_mailbox_is_flooded() {
    let (auth, database) = Auth::new().await;
    for n in 0..20 {
        let request = pb::RequestPasswordResetRequest { email: ADMIN.into() };
        let reset = auth.authentication().request_password_reset(from(request, &address(n))).await;
        assert_eq!(reset.is_ok(), n < 5, "{n}");
        let unknown = pb::RequestPasswordResetRequest { email: "nobody@example.org".into() };
        let unknown = auth.authentication().request_password_reset(from(unknown, &address(n))).await;
        assert_eq!(unknown.is_ok(), n < 5, "{n}");
    }
    assert_eq!(reason(auth.sign_up(ADMIN).await), ErrorReason::Throttled);
    assert_eq!(database.count("SELECT count(*) FROM mails").await, 5);
}

#[tokio::test]
async fn a_place_that_guessed_too_much_gets_nothing_else_done_either() {
    let (auth, database) = Auth::new().await;
    let sign_up = auth.sign_up("ada@example.org").await.unwrap().sign_up;
    let code = code_in(&auth.mail_to("ada@example.org").await).unwrap();
    database.run("UPDATE throttles SET free_time = now() + interval '1 hour'").await;
    assert_eq!(reason(auth.verify(&sign_up, &code).await), ErrorReason::Throttled);
    assert_eq!(reason(auth.sign_up("bob@example.org").await), ErrorReason::Throttled);
    assert_eq!(reason(auth.request_reset(ADMIN).await), ErrorReason::Throttled);
    let confirmed = auth.confirm_reset("passwordResets/018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11", &code, PASSWORD).await;
    assert_eq!(reason(confirmed), ErrorReason::Throttled);
    database.run("DELETE FROM throttles").await;
    auth.verify(&sign_up, &code).await.unwrap();
}
