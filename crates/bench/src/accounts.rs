//! People with accounts.

use std::net::Ipv4Addr;
use std::time::Duration;

use kontor_auth::Mailbox;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_proto::kontor::auth::v1::sign_in_response;
use kontor_runtime::Error;
use tonic::Request;
use tonic::transport::Channel;

use crate::stack::Stack;

const PASSWORD: &str = "seven gnomes want one more kettle";
/// How long starting, and then a mail, may take, in steps of a twentieth of a second.
const TRIES: usize = 400;

pub(crate) async fn make(stack: &Stack, number: usize) -> Result<String, Error> {
    let email = format!("person-{number}@bench.example");
    let mut auth = AuthenticationServiceClient::new(stack.auth.clone());
    let request = pb::SignUpRequest { email: email.clone(), password: PASSWORD.into(), display_name: "Ada".into() };
    let sign_up = auth.sign_up(elsewhere(request)?).await?.into_inner().sign_up;
    let code = code(&stack.mailbox, &email).await?;
    auth.verify_sign_up(elsewhere(pb::VerifySignUpRequest { sign_up, code })?).await?;
    Ok(email)
}

/// Signs in, from an address of its own.
pub(crate) async fn sign_in(auth: &Channel, email: &str) -> Result<pb::Tokens, Error> {
    let request = pb::SignInRequest { email: email.into(), password: PASSWORD.into() };
    let answer = AuthenticationServiceClient::new(auth.clone()).sign_in(elsewhere(request)?).await?.into_inner();
    match answer.result {
        Some(sign_in_response::Result::Tokens(tokens)) => Ok(tokens),
        _ => Err("a second factor is asked for".into()),
    }
}

/// As the edge would pass on a call from some address, so that nobody is taken for one who tries too often.
fn elsewhere<T>(message: T) -> Result<Request<T>, Error> {
    let mut request = Request::new(message);
    let [.., a, b, c] = rand::random::<u32>().to_be_bytes();
    request.metadata_mut().insert("x-forwarded-for", Ipv4Addr::new(10, a, b, c).to_string().parse()?);
    Ok(request)
}

async fn code(mailbox: &Mailbox, email: &str) -> Result<String, Error> {
    let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit());
    for _ in 0..TRIES {
        let mail = mailbox.mails().into_iter().rfind(|mail| mail.to == email);
        if let Some(code) = mail.and_then(|mail| mail.text.split_whitespace().find(is_code).map(str::to_owned)) {
            return Ok(code);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("no code came to {email}").into())
}
