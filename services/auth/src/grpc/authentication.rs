//! `kontor.auth.v1.AuthenticationService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::authentication_service_server::AuthenticationService;
use kontor_proto::kontor::auth::v1::sign_in_response;
use kontor_runtime::Fault;
use kontor_runtime::convert::time_to_wire;
use kontor_types::ids::SignUpId;
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};

use super::error::status;
use crate::domain::email::Email;
use crate::ops::sign_up::{self, Applicant};
use crate::ops::{Auth, Error, Tokens, refresh, service_tokens, sign_in};

/// Turns passwords, codes, refresh tokens and service keys into access tokens.
pub(crate) struct Authentication(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl AuthenticationService for Authentication {
    async fn sign_up(&self, request: Request<pb::SignUpRequest>) -> Result<Response<pb::SignUpResponse>, Status> {
        let applicant = applicant(request.into_inner())?;
        let (id, expire_time) = sign_up::start(&self.0, &applicant).await.map_err(status)?;
        let expire_time = Some(time_to_wire(expire_time));
        Ok(Response::new(pb::SignUpResponse { sign_up: id.to_string(), expire_time }))
    }

    async fn verify_sign_up(
        &self,
        request: Request<pb::VerifySignUpRequest>,
    ) -> Result<Response<pb::VerifySignUpResponse>, Status> {
        let pb::VerifySignUpRequest { sign_up, code } = request.into_inner();
        // A name that can't be one is answered like one that is not known.
        let id = SignUpId::from_name(&sign_up).map_err(|_| status(Error::CodeInvalid))?;
        let (user, tokens) = sign_up::verify(&self.0, id, &code.into()).await.map_err(status)?;
        Ok(Response::new(pb::VerifySignUpResponse { user: user.to_string(), tokens: Some(to_wire(&tokens)) }))
    }

    async fn sign_in(&self, request: Request<pb::SignInRequest>) -> Result<Response<pb::SignInResponse>, Status> {
        let pb::SignInRequest { email, password } = request.into_inner();
        let tokens = sign_in::sign_in(&self.0, &email, password.into()).await.map_err(status)?;
        let result = sign_in_response::Result::Tokens(to_wire(&tokens));
        Ok(Response::new(pb::SignInResponse { result: Some(result) }))
    }

    async fn refresh_tokens(
        &self,
        request: Request<pb::RefreshTokensRequest>,
    ) -> Result<Response<pb::RefreshTokensResponse>, Status> {
        let token = request.into_inner().refresh_token.into();
        let tokens = refresh::refresh(&self.0, &token).await.map_err(status)?;
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
        _: Request<pb::ContinueSignInRequest>,
    ) -> Result<Response<pb::ContinueSignInResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn sign_out(&self, _: Request<pb::SignOutRequest>) -> Result<Response<pb::SignOutResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn request_password_reset(
        &self,
        _: Request<pb::RequestPasswordResetRequest>,
    ) -> Result<Response<pb::RequestPasswordResetResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn confirm_password_reset(
        &self,
        _: Request<pb::ConfirmPasswordResetRequest>,
    ) -> Result<Response<pb::ConfirmPasswordResetResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }
}

fn applicant(request: pb::SignUpRequest) -> Result<Applicant, Status> {
    let pb::SignUpRequest { email, password, display_name } = request;
    let email = Email::parse(&email).map_err(|error| Fault::field("email", error.to_string()))?;
    Ok(Applicant { email, password: password.into(), display_name })
}

fn to_wire(tokens: &Tokens) -> pb::Tokens {
    pb::Tokens {
        access_token: tokens.access.token.expose_secret().to_owned(),
        refresh_token: tokens.refresh.expose_secret().to_owned(),
        expire_time: Some(time_to_wire(tokens.access.expire_time)),
    }
}
