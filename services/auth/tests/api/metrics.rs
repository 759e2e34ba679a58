//! Sign-ins count by what came of them.

use kontor_testkit::metrics::{value, value_becomes};

use crate::world::{ADMIN, Auth, PASSWORD};

#[tokio::test]
async fn sign_ins_count_by_their_outcome() {
    let (auth, _database) = Auth::new().await;
    let outcome = |outcome| [("kontor_sign_in_outcome", outcome)];
    let count = |name| value("kontor_auth_sign_ins_total", &outcome(name));
    let (signed_in, wrong) = (count("signed_in"), count("wrong_password"));
    auth.sign_in(ADMIN, PASSWORD).await.unwrap();
    auth.sign_in(ADMIN, "wrong horse battery").await.unwrap_err();
    assert!(count("signed_in") > signed_in);
    assert!(count("wrong_password") > wrong);
    // One address has so many tries in a row.
    while auth.sign_in("nobody@example.org", "wrong horse battery").await.unwrap_err().code()
        == tonic::Code::Unauthenticated
    {}
    value_becomes("kontor_auth_sign_ins_total", &outcome("throttled"), |count| count >= 1.0).await;
}
