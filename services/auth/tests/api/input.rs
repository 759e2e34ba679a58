//! What is not even looked at, and what is not told.

use std::time::{Duration, Instant};

use kontor_auth::{Config, PasswordCost};
use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::fault::ErrorReason;
use tonic::Code;

use crate::world::{ADMIN, Auth, Database, PASSWORD, reason};

#[tokio::test]
async fn a_password_of_a_mebibyte_is_refused_before_it_is_hashed() {
    let (auth, database) = Auth::new().await;
    let long = "x".repeat(1024 * 1024);
    let sign_in = auth.sign_in("ada@example.org", &long).await.unwrap_err();
    let sign_up =
        pb::SignUpRequest { email: "ada@example.org".into(), password: long.clone(), display_name: "".into() };
    let sign_up = auth.authentication().sign_up(sign_up).await.unwrap_err();
    let just_too_long = auth.sign_in("ada@example.org", &"x".repeat(129)).await.unwrap_err();
    for refusal in [sign_in, sign_up, just_too_long] {
        assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
        assert_eq!(reason::<()>(Err(refusal)), ErrorReason::FieldViolation);
    }
    // Five mebibytes are more than any message may have.
    let huge = auth.sign_in("ada@example.org", &"x".repeat(5 * 1024 * 1024)).await.unwrap_err();
    assert!(matches!(huge.code(), Code::OutOfRange | Code::ResourceExhausted), "{huge:?}");
    // Not even counted, which comes before the hashing.
    let written = "SELECT (SELECT count(*) FROM audit_events) + (SELECT count(*) FROM throttles)";
    assert_eq!(database.count(written).await, 0);
}

#[tokio::test]
async fn control_characters_in_an_address_are_refused() {
    let (auth, database) = Auth::new().await;
    auth.jwks().await;
    let before = database.accounts().await;
    let evil =
        ["ada\0@example.org", "ada@example.org\r\nBcc: eve@example.org", "a da@example.org", "ada@example.org\n"];
    for email in evil {
        let refusal = auth.sign_up(email).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument, "{email:?}");
        assert_eq!(reason::<()>(Err(refusal)), ErrorReason::FieldViolation);
        assert_eq!(reason(auth.request_reset(email).await), ErrorReason::FieldViolation, "{email:?}");
        auth.sign_in(email, PASSWORD).await.unwrap_err();
    }
    assert_eq!(reason(auth.sign_in(evil[0], PASSWORD).await), ErrorReason::FieldViolation);
    assert_eq!(reason(auth.sign_in(evil[1], PASSWORD).await), ErrorReason::CredentialsInvalid);
    assert_eq!(database.accounts().await, before);
    assert_eq!(database.count("SELECT count(*) FROM mails").await, 0);
}

fn spread(mut times: Vec<Duration>) -> (Duration, Duration, Duration) {
    times.sort();
    (times[0], times[times.len() / 2], times[times.len() - 1])
}

/// Whether each median lies within the other's range.
fn are_alike([known, unknown]: &[Vec<Duration>; 2]) -> bool {
    let (known, unknown) = (spread(known.clone()), spread(unknown.clone()));
    let lies_in = |one: Duration, other: (Duration, _, Duration)| other.0 <= one && one <= other.2;
    lies_in(known.1, unknown) && lies_in(unknown.1, known)
}

/// How long signing in, and asking for a reset, takes with an address that has an account and with one that has none.
async fn times(auth: &Auth, database: &Database) -> [[Vec<Duration>; 2]; 2] {
    let (mut sign_in, mut reset) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in 0..20 {
        database.run("DELETE FROM throttles").await;
        for (which, email) in [ADMIN, "nobody@example.org"].into_iter().enumerate() {
            let began = Instant::now();
            let wrong = auth.sign_in(email, "wrong horse battery").await;
            sign_in[which].push(began.elapsed());
            assert_eq!(reason(wrong), ErrorReason::CredentialsInvalid);
            let began = Instant::now();
            auth.request_reset(email).await.unwrap();
            reset[which].push(began.elapsed());
        }
    }
    [sign_in, reset]
}

/// What differs does so in each round: hashing takes ten times as long as the rest. What a busy machine does to one round, it does not do
/// to all of them.
#[tokio::test]
async fn how_long_an_answer_takes_does_not_tell_whether_there_is_an_account() {
    let database = Database::new().await;
    let password_cost = PasswordCost { memory_kib: 4096, passes: 3, lanes: 1 };
    let auth = Auth::start(Config { password_cost, ..database.config() }).await;
    auth.jwks().await;
    let mut have_differed = [true, true];
    for _ in 0..10 {
        let found = times(&auth, &database).await;
        for (differed, found) in have_differed.iter_mut().zip(&found) {
            *differed &= !are_alike(found);
        }
        if have_differed == [false, false] {
            return;
        }
    }
    panic!("signing in and asking for a reset differed in all rounds: {have_differed:?}");
}
