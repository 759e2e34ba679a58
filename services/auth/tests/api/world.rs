//! A running auth service, and what the tests do with it again and again.

use kontor_auth::{Config, KEY_LEAD, Mail, Mailbox, PasswordCost};
use kontor_postgres::testing::{TestDatabase, role, server};
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_proto::kontor::auth::v1::user_service_client::UserServiceClient;
use kontor_proto::kontor::auth::v1::{self as pb, sign_in_response};
use kontor_runtime::fault::{ErrorReason, reason_of};
use kontor_runtime::settings::DatabaseSettings;
use kontor_testkit::{channel, secrets};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Request, Status};

pub(crate) const ISSUER: &str = "http://kontor.test";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const ADMIN: &str = "Admin@example.org";
/// 32 bytes of 1.
pub(crate) const KEK: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub(crate) struct Database {
    database: TestDatabase,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let roles = [role("kontor_auth", "auth")];
        Self { database: server().await.unwrap().database(&roles).await.unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        self.database.url(&role("kontor_auth", "auth"))
    }

    pub(crate) async fn pool(&self) -> PgPool {
        PgPool::connect(&self.url()).await.unwrap()
    }

    /// Settings for a service on this database, with the cheapest password hashes.
    pub(crate) fn config(&self) -> Config {
        Config {
            listen: ([127, 0, 0, 1], 0).into(),
            database: DatabaseSettings { url: self.url().into(), connections: 10 },
            issuer: ISSUER.into(),
            admin_email: Some(ADMIN.into()),
            admin_password: Some(PASSWORD.into()),
            service_keys: Vec::new(),
            key_encryption_key: KEK.into(),
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            key_rotation_days: 30,
            key_lead: KEY_LEAD,
            smtp_url: None,
            mail_from: None,
            link_origin: None,
            dev_mailbox: false,
            password_cost: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 },
        }
    }
}

pub(crate) struct Auth {
    pub(crate) channel: Channel,
    pub(crate) mailbox: Mailbox,
    stop: CancellationToken,
    task: JoinHandle<Result<(), String>>,
}

impl Auth {
    pub(crate) async fn new() -> (Self, Database) {
        let database = Database::new().await;
        (Self::start(database.config()).await, database)
    }

    pub(crate) async fn start(config: Config) -> Self {
        secrets::watch();
        kontor_testkit::metrics::install();
        [PASSWORD, KEK].into_iter().for_each(secrets::keep);
        let listener = TcpListener::bind(config.listen).await.unwrap();
        let channel = channel(listener.local_addr().unwrap());
        let (mailbox, stop) = (Mailbox::default(), CancellationToken::new());
        let serving = kontor_auth::service(config, Some(mailbox.clone())).migrating().serve(listener, stop.clone());
        let task = tokio::spawn(async { serving.await.map_err(|error| error.to_string()) });
        Self { channel, mailbox, stop, task }
    }

    /// Why a service with these settings does not start.
    pub(crate) async fn refused(config: Config) -> String {
        Self::start(config).await.task.await.unwrap().unwrap_err()
    }

    pub(crate) async fn stop(self) {
        drop(self.channel);
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    pub(crate) fn authentication(&self) -> AuthenticationServiceClient<Channel> {
        AuthenticationServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn jwks(&self) -> pb::Jwks {
        let answer = TokenServiceClient::new(self.channel.clone()).get_jwks(pb::GetJwksRequest {}).await;
        answer.unwrap().into_inner()
    }

    pub(crate) async fn sign_up(&self, email: &str) -> Result<pb::SignUpResponse, Status> {
        let (email, display_name) = (email.into(), "Ada".into());
        let request = pb::SignUpRequest { email, password: PASSWORD.into(), display_name };
        self.authentication().sign_up(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn verify(&self, sign_up: &str, code: &str) -> Result<pb::VerifySignUpResponse, Status> {
        let request = pb::VerifySignUpRequest { sign_up: sign_up.into(), code: code.into() };
        self.authentication().verify_sign_up(request).await.map(tonic::Response::into_inner)
    }

    /// Makes an account, by way of the mailed code.
    pub(crate) async fn account(&self, email: &str) -> pb::VerifySignUpResponse {
        let sign_up = self.sign_up(email).await.unwrap().sign_up;
        let code = code_in(&self.mail_to(email).await).unwrap();
        self.verify(&sign_up, &code).await.unwrap()
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<pb::Tokens, Status> {
        let request = pb::SignInRequest { email: email.into(), password: password.into() };
        let answer = self.authentication().sign_in(request).await?.into_inner();
        let Some(sign_in_response::Result::Tokens(tokens)) = answer.result else { unreachable!("a challenge") };
        secrets::keep(&tokens.refresh_token);
        Ok(tokens)
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<pb::Tokens, Status> {
        let request = pb::RefreshTokensRequest { refresh_token: token.into() };
        Ok(self.authentication().refresh_tokens(request).await?.into_inner().tokens.unwrap())
    }

    pub(crate) async fn get_user(&self, token: &str, name: &str) -> Result<pb::User, Status> {
        let mut request = Request::new(pb::GetUserRequest { name: name.into() });
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        self.send_get_user(request).await
    }

    pub(crate) async fn send_get_user(&self, request: Request<pb::GetUserRequest>) -> Result<pb::User, Status> {
        UserServiceClient::new(self.channel.clone()).get_user(request).await.map(tonic::Response::into_inner)
    }

    /// The newest mail to an address, once there is one. Domains are kept in lower case.
    pub(crate) async fn mail_to(&self, email: &str) -> Mail {
        let (local, domain) = email.split_once('@').unwrap();
        let to = format!("{local}@{}", domain.to_lowercase());
        for _ in 0..2000 {
            if let Some(mail) = self.mailbox.mails().into_iter().rfind(|mail| mail.to == to) {
                return mail;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        unreachable!("no mail came to {email}")
    }
}

pub(crate) fn code_in(mail: &Mail) -> Option<String> {
    let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit());
    mail.text.split_whitespace().find(is_code).map(str::to_owned)
}

pub(crate) fn wrong(code: &str) -> String {
    format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000)
}

pub(crate) fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> ErrorReason {
    reason_of(&answer.unwrap_err()).unwrap()
}
