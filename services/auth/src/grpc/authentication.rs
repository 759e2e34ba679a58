//! `kontor.auth.v1.AuthenticationService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::authentication_service_server::AuthenticationService;
use kontor_proto::kontor::auth::v1::sign_in_response;
use kontor_runtime::Fault;
use kontor_runtime::convert::time_to_wire;
use kontor_types::ids::{PasswordResetId, SignUpId};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};

use super::error::{status, status_of_new_password};
use super::who::who;
use crate::domain::email::Email;
use crate::ops::sign_in::{self, Challenge, SignedIn};
use crate::ops::sign_up::{self, Applicant};
use crate::ops::{Auth, Error, Tokens, continue_sign_in, password_reset, refresh, service_tokens, sign_out};

/// Turns passwords, codes, refresh tokens and service keys into access tokens.
pub(crate) struct Authentication(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl AuthenticationService for Authentication {
    async fn sign_up(&self, request: Request<pb::SignUpRequest>) -> Result<Response<pb::SignUpResponse>, Status> {
        let who = who(&self.0, &request);
        let applicant = applicant(request.into_inner())?;
        let (id, expire_time) = sign_up::start(&self.0, &who, &applicant).await.map_err(status)?;
        let expire_time = Some(time_to_wire(expire_time));
        Ok(Response::new(pb::SignUpResponse { sign_up: id.to_string(), expire_time }))
    }

    async fn verify_sign_up(
        &self,
        request: Request<pb::VerifySignUpRequest>,
    ) -> Result<Response<pb::VerifySignUpResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::VerifySignUpRequest { sign_up, code } = request.into_inner();
        // A name that can't be one is answered like one that is not known.
        let id = SignUpId::from_name(&sign_up).map_err(|_| status(Error::CodeInvalid))?;
        let (user, tokens) = sign_up::verify(&self.0, &who, id, &code.into()).await.map_err(status)?;
        Ok(Response::new(pb::VerifySignUpResponse { user: user.to_string(), tokens: Some(to_wire(&tokens)) }))
    }

    async fn sign_in(&self, request: Request<pb::SignInRequest>) -> Result<Response<pb::SignInResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::SignInRequest { email, password } = request.into_inner();
        let result = match sign_in::sign_in(&self.0, &who, &email, password.into()).await.map_err(status)? {
            SignedIn::Tokens(tokens) => sign_in_response::Result::Tokens(to_wire(&tokens)),
            SignedIn::Challenge(challenge) => sign_in_response::Result::Challenge(challenge_to_wire(&challenge)),
        };
        Ok(Response::new(pb::SignInResponse { result: Some(result) }))
    }

    async fn refresh_tokens(
        &self,
        request: Request<pb::RefreshTokensRequest>,
    ) -> Result<Response<pb::RefreshTokensResponse>, Status> {
        let who = who(&self.0, &request);
        let token = request.into_inner().refresh_token.into();
        let tokens = refresh::refresh(&self.0, &who, &token).await.map_err(status)?;
        Ok(Response::new(pb::RefreshTokensResponse { tokens: Some(to_wire(&tokens)) }))
    }

    async fn issue_service_token(
        &self,
        request: Request<pb::IssueServiceTokenRequest>,
    ) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
        let key = request.into_inner().key.into();
        let token = service_tokens::issue(&self.0, &key).await.map_err(status)?;
        Ok(Response::new(pb::IssueServiceTokenResponse {
            access_token: token.token.expose_secret().to_owned(),
            expire_time: Some(time_to_wire(token.expire_time)),
        }))
    }

    async fn continue_sign_in(
        &self,
        request: Request<pb::ContinueSignInRequest>,
    ) -> Result<Response<pb::ContinueSignInResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::ContinueSignInRequest { challenge, code } = request.into_inner();
        let (challenge, code) = (challenge.into(), code.into());
        let tokens = continue_sign_in::continue_sign_in(&self.0, &who, &challenge, &code).await.map_err(status)?;
        Ok(Response::new(pb::ContinueSignInResponse { tokens: Some(to_wire(&tokens)) }))
    }

    async fn sign_out(&self, request: Request<pb::SignOutRequest>) -> Result<Response<pb::SignOutResponse>, Status> {
        let who = who(&self.0, &request);
        let token = request.into_inner().refresh_token.into();
        sign_out::sign_out(&self.0, &who, &token).await.map_err(status)?;
        Ok(Response::new(pb::SignOutResponse {}))
    }

    async fn request_password_reset(
        &self,
        request: Request<pb::RequestPasswordResetRequest>,
    ) -> Result<Response<pb::RequestPasswordResetResponse>, Status> {
        let email = email(&request.get_ref().email)?;
        let (id, expire_time) =
            password_reset::request(&self.0, &who(&self.0, &request), &email).await.map_err(status)?;
        let (password_reset, expire_time) = (id.to_string(), Some(time_to_wire(expire_time)));
        Ok(Response::new(pb::RequestPasswordResetResponse { password_reset, expire_time }))
    }

    async fn confirm_password_reset(
        &self,
        request: Request<pb::ConfirmPasswordResetRequest>,
    ) -> Result<Response<pb::ConfirmPasswordResetResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::ConfirmPasswordResetRequest { password_reset, code, new_password } = request.into_inner();
        // A name that can't be one is answered like one that is not known.
        let id = PasswordResetId::from_name(&password_reset).map_err(|_| status(Error::CodeInvalid))?;
        let given = (&code.into(), new_password.into());
        password_reset::confirm(&self.0, &who, id, given).await.map_err(status_of_new_password)?;
        Ok(Response::new(pb::ConfirmPasswordResetResponse {}))
    }
}

fn applicant(request: pb::SignUpRequest) -> Result<Applicant, Status> {
    let pb::SignUpRequest { email, password, display_name } = request;
    Ok(Applicant { email: self::email(&email)?, password: password.into(), display_name })
}

fn email(text: &str) -> Result<Email, Status> {
    Ok(Email::parse(text).map_err(|error| Fault::field("email", error.to_string()))?)
}

fn to_wire(tokens: &Tokens) -> pb::Tokens {
    pb::Tokens {
        access_token: tokens.access.token.expose_secret().to_owned(),
        refresh_token: tokens.refresh.expose_secret().to_owned(),
        expire_time: Some(time_to_wire(tokens.access.expire_time)),
    }
}

fn challenge_to_wire(challenge: &Challenge) -> pb::Challenge {
    pb::Challenge {
        challenge: challenge.token.expose_secret().to_owned(),
        expire_time: Some(time_to_wire(challenge.expire_time)),
    }
}
