//! What people do with their accounts, for the tests of several files.

use std::time::{SystemTime, UNIX_EPOCH};

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::second_factor_service_client::SecondFactorServiceClient;
use kontor_proto::kontor::auth::v1::session_service_client::SessionServiceClient;
use kontor_proto::kontor::auth::v1::sign_in_response::Result as SignedIn;
use kontor_proto::kontor::auth::v1::user_service_client::UserServiceClient;
use kontor_testkit::with_token;
use sqlx::PgPool;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::world::{Auth, Database, PASSWORD};

/// A request as the edge passes it on, from this address.
pub(crate) fn from<T>(message: T, address: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
    request
}

impl Auth {
    pub(crate) fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel.clone())
    }

    pub(crate) fn second_factors(&self) -> SecondFactorServiceClient<Channel> {
        SecondFactorServiceClient::new(self.channel.clone())
    }

    /// Signs in from an address, as far as it goes.
    pub(crate) async fn sign_in_from(&self, address: &str, email: &str, password: &str) -> Result<SignedIn, Status> {
        let request = pb::SignInRequest { email: email.into(), password: password.into() };
        Ok(self.authentication().sign_in(from(request, address)).await?.into_inner().result.unwrap())
    }

    /// Signs in up to the question for a code.
    pub(crate) async fn challenge(&self, email: &str) -> String {
        match self.sign_in_from("192.0.2.200", email, PASSWORD).await.unwrap() {
            SignedIn::Challenge(challenge) => challenge.challenge,
            SignedIn::Tokens(_) => unreachable!("no challenge"),
        }
    }

    pub(crate) async fn continue_sign_in(&self, challenge: &str, code: &str) -> Result<pb::Tokens, Status> {
        let request = pb::ContinueSignInRequest { challenge: challenge.into(), code: code.into() };
        let answer = self.authentication().continue_sign_in(from(request, "192.0.2.200")).await?;
        Ok(answer.into_inner().tokens.unwrap())
    }

    pub(crate) async fn sign_out(&self, refresh_token: &str) -> Result<(), Status> {
        let request = pb::SignOutRequest { refresh_token: refresh_token.into() };
        self.authentication().sign_out(request).await.map(|_| ())
    }

    pub(crate) async fn list_sessions(&self, token: &str, parent: &str) -> Result<Vec<pb::Session>, Status> {
        let request = pb::ListSessionsRequest { parent: parent.into(), ..Default::default() };
        Ok(self.sessions().list_sessions(with_token(request, token)).await?.into_inner().sessions)
    }

    pub(crate) async fn revoke_session(&self, token: &str, name: &str) -> Result<(), Status> {
        let request = pb::RevokeSessionRequest { name: name.into() };
        self.sessions().revoke_session(with_token(request, token)).await.map(|_| ())
    }

    pub(crate) async fn change_password(&self, token: &str, current: &str, new: &str) -> Result<(), Status> {
        let (name, current_password, new_password) = ("users/me".into(), current.into(), new.into());
        let request = pb::ChangePasswordRequest { name, current_password, new_password };
        let mut users = UserServiceClient::new(self.channel.clone());
        users.change_password(with_token(request, token)).await.map(|_| ())
    }

    pub(crate) async fn request_reset(&self, email: &str) -> Result<pb::RequestPasswordResetResponse, Status> {
        let request = pb::RequestPasswordResetRequest { email: email.into() };
        self.authentication().request_password_reset(request).await.map(Response::into_inner)
    }

    pub(crate) async fn confirm_reset(&self, reset: &str, code: &str, password: &str) -> Result<(), Status> {
        let (password_reset, code, new_password) = (reset.into(), code.into(), password.into());
        let request = pb::ConfirmPasswordResetRequest { password_reset, code, new_password };
        self.authentication().confirm_password_reset(request).await.map(|_| ())
    }

    pub(crate) async fn enroll(&self, token: &str) -> Result<Authenticator, Status> {
        let request = pb::EnrollTotpRequest { parent: "users/me".into(), password: PASSWORD.into() };
        let answer = self.second_factors().enroll_totp(with_token(request, token)).await?.into_inner();
        Ok(Authenticator::new(&answer.secret))
    }

    pub(crate) async fn confirm_totp(&self, token: &str, code: &str) -> Result<Vec<String>, Status> {
        let request = pb::ConfirmTotpRequest { parent: "users/me".into(), totp_code: code.into() };
        Ok(self.second_factors().confirm_totp(with_token(request, token)).await?.into_inner().recovery_codes)
    }

    pub(crate) async fn remove_second_factor(
        &self,
        token: &str,
        parent: &str,
        (password, code): (&str, &str),
    ) -> Result<(), Status> {
        let (parent, password, code) = (parent.into(), password.into(), code.into());
        let request = pb::RemoveSecondFactorRequest { parent, password, code };
        self.second_factors().remove_second_factor(with_token(request, token)).await.map(|_| ())
    }

    pub(crate) async fn second_factor(&self, token: &str, user: &str) -> Result<pb::SecondFactor, Status> {
        let request = pb::GetSecondFactorRequest { name: format!("{user}/secondFactor") };
        self.second_factors().get_second_factor(with_token(request, token)).await.map(Response::into_inner)
    }

    /// Makes an account with a second factor.
    pub(crate) async fn account_with_second_factor(&self, email: &str) -> Guarded {
        let account = self.account(email).await;
        let token = account.tokens.unwrap().access_token;
        let authenticator = self.enroll(&token).await.unwrap();
        let recovery_codes = self.confirm_totp(&token, &authenticator.code(0)).await.unwrap();
        Guarded { user: account.user, token, authenticator, recovery_codes }
    }
}

/// Somebody with a second factor.
pub(crate) struct Guarded {
    pub(crate) user: String,
    pub(crate) token: String,
    pub(crate) authenticator: Authenticator,
    pub(crate) recovery_codes: Vec<String>,
}

pub(crate) struct Authenticator(totp_rs::Totp);

impl Authenticator {
    fn new(secret: &str) -> Self {
        let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
        Self(totp_rs::Builder::new().with_secret(secret).build().unwrap())
    }

    /// The code that it shows so many steps from now.
    pub(crate) fn code(&self, steps: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.0.generate(now.checked_add_signed(steps * 30).unwrap()).to_string()
    }

    /// One that is good at no time near now.
    pub(crate) fn wrong_code(&self) -> String {
        let near: Vec<_> = (-3..=3).map(|steps| self.code(steps)).collect();
        (0..10).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

impl Database {
    pub(crate) async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.pool().await).await.unwrap();
    }

    /// What the database knows of people's accounts, as text to compare.
    pub(crate) async fn accounts(&self) -> String {
        let sql = "SELECT concat((SELECT json_agg(u ORDER BY id) FROM users u), (SELECT json_agg(s ORDER BY id) FROM sessions s), \
                   (SELECT json_agg(t ORDER BY token_hash) FROM refresh_tokens t), (SELECT json_agg(a ORDER BY user_id) FROM authenticators a), \
                   (SELECT json_agg(r ORDER BY code_hash) FROM recovery_codes r), (SELECT json_agg(b ORDER BY id) FROM bindings b), \
                   (SELECT json_agg(v ORDER BY sid) FROM revocations v))";
        sqlx::query_scalar(sql).fetch_one(&self.pool().await).await.unwrap()
    }

    pub(crate) async fn audited(&self, action: &str) -> i64 {
        let sql = "SELECT count(*) FROM audit_events WHERE action = $1";
        sqlx::query_scalar(sql).bind(action).fetch_one(&self.pool().await).await.unwrap()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        count(&self.pool().await, sql).await
    }
}

pub(crate) async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}
