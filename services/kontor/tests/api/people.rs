//! Users who sign up as people do: with an address, a password and the code from their mail.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use serde_json::Value;
use tonic::Request;

use crate::api::Api;
use crate::goods::unique;
use crate::stack::stack;

pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

pub(crate) const PASSWORD: &str = "a long enough passphrase";

/// As if each came from an address of its own, so that attempts of the one do not count for the other.
fn from_elsewhere<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let address = Ipv4Addr::from_bits(rand::random()).to_string();
    request.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
    request
}

pub(crate) async fn sign_up() -> User {
    let channel = kontor_testkit::channel(stack().up.auth_addr);
    let mut auth = AuthenticationServiceClient::new(channel);
    let email = format!("{}@example.org", unique("buyer"));
    let request = pb::SignUpRequest { email: email.clone(), password: PASSWORD.into(), display_name: "Ada".into() };
    let sign_up = auth.sign_up(from_elsewhere(request)).await.unwrap().into_inner().sign_up;
    let request = pb::VerifySignUpRequest { sign_up, code: mailed_code(&email).await };
    let answer = auth.verify_sign_up(from_elsewhere(request)).await.unwrap().into_inner();
    let tokens = answer.tokens.unwrap();
    User { name: answer.user, email, access_token: tokens.access_token, refresh_token: tokens.refresh_token }
}

/// The code that was mailed to an address, once it is there.
async fn mailed_code(email: &str) -> String {
    code_in(&mail_to(email).await)
}

/// The mail to an address, once it is there.
pub(crate) async fn mail_to(email: &str) -> Value {
    let begin = Instant::now();
    loop {
        let mails = Api::guest().get("/dev/mailbox").await.ok();
        if let Some(mail) = mails.as_array().unwrap().iter().find(|mail| mail["to"] == email) {
            return mail.clone();
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "no mail came to {email}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn code_in(mail: &Value) -> String {
    let text = mail["text"].as_str().unwrap();
    let mut words = text.split(|letter: char| !letter.is_ascii_digit());
    words.find(|word| word.len() == 8).expect("a code of eight digits").to_owned()
}
