//! `kontor.auth.v1.AuthenticationService`.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::authentication_service_server::AuthenticationService;
use kontor_proto::kontor::auth::v1::sign_in_response;
use kontor_runtime::convert::time_to_wire;
use kontor_types::ids::{PasswordResetId, SignUpId};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};

use super::parse;
use super::request_context::split;
use crate::ops::{Applicant, Auth, Error, SignedIn};
use crate::wire;

pub(super) struct Authentication(pub(super) Auth);

#[tonic::async_trait]
impl AuthenticationService for Authentication {
    async fn sign_up(&self, request: Request<pb::SignUpRequest>) -> Result<Response<pb::SignUpResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::SignUpRequest { email, password, display_name } = request;
        let applicant = Applicant { email: parse::email(&email)?, password: password.into(), display_name };
        let (id, expire_time) = self.0.sign_up(&context, &applicant).await?;
        let expire_time = Some(time_to_wire(expire_time));
        Ok(Response::new(pb::SignUpResponse { sign_up: id.to_string(), expire_time }))
    }

    async fn verify_sign_up(
        &self,
        request: Request<pb::VerifySignUpRequest>,
    ) -> Result<Response<pb::VerifySignUpResponse>, Status> {
        let (context, request) = split(&self.0, request);
        // A malformed name gets the answer of an unknown one.
        let id = SignUpId::from_name(&request.sign_up).map_err(|_| Error::CodeInvalid)?;
        let (user, tokens) = self.0.verify_sign_up(&context, id, &request.code.into()).await?;
        Ok(Response::new(pb::VerifySignUpResponse { user: user.to_string(), tokens: Some(wire::tokens(&tokens)) }))
    }

    async fn sign_in(&self, request: Request<pb::SignInRequest>) -> Result<Response<pb::SignInResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let result = match self.0.sign_in(&context, &request.email, request.password.into()).await? {
            SignedIn::Tokens(tokens) => sign_in_response::Result::Tokens(wire::tokens(&tokens)),
            SignedIn::Challenge(challenge) => sign_in_response::Result::Challenge(wire::challenge(&challenge)),
        };
        Ok(Response::new(pb::SignInResponse { result: Some(result) }))
    }

    async fn refresh_tokens(
        &self,
        request: Request<pb::RefreshTokensRequest>,
    ) -> Result<Response<pb::RefreshTokensResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let tokens = self.0.refresh_tokens(&context, &request.refresh_token.into()).await?;
        Ok(Response::new(pb::RefreshTokensResponse { tokens: Some(wire::tokens(&tokens)) }))
    }

    async fn issue_service_token(
        &self,
        request: Request<pb::IssueServiceTokenRequest>,
    ) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
        let token = self.0.issue_service_token(&request.into_inner().key.into()).await?;
        Ok(Response::new(pb::IssueServiceTokenResponse {
            access_token: token.token.expose_secret().to_owned(),
            expire_time: Some(time_to_wire(token.expire_time)),
        }))
    }

    async fn continue_sign_in(
        &self,
        request: Request<pb::ContinueSignInRequest>,
    ) -> Result<Response<pb::ContinueSignInResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let (challenge, code) = (request.challenge.into(), request.code.into());
        let tokens = self.0.continue_sign_in(&context, &challenge, &code).await?;
        Ok(Response::new(pb::ContinueSignInResponse { tokens: Some(wire::tokens(&tokens)) }))
    }

    async fn sign_out(&self, request: Request<pb::SignOutRequest>) -> Result<Response<pb::SignOutResponse>, Status> {
        let (context, request) = split(&self.0, request);
        self.0.sign_out(&context, &request.refresh_token.into()).await?;
        Ok(Response::new(pb::SignOutResponse {}))
    }

    async fn request_password_reset(
        &self,
        request: Request<pb::RequestPasswordResetRequest>,
    ) -> Result<Response<pb::RequestPasswordResetResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let (id, expire_time) = self.0.request_password_reset(&context, &parse::email(&request.email)?).await?;
        let (password_reset, expire_time) = (id.to_string(), Some(time_to_wire(expire_time)));
        Ok(Response::new(pb::RequestPasswordResetResponse { password_reset, expire_time }))
    }

    async fn confirm_password_reset(
        &self,
        request: Request<pb::ConfirmPasswordResetRequest>,
    ) -> Result<Response<pb::ConfirmPasswordResetResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let id = PasswordResetId::from_name(&request.password_reset).map_err(|_| Error::CodeInvalid)?;
        let (code, new_password) = (request.code.into(), request.new_password.into());
        self.0.confirm_password_reset(&context, id, &code, new_password).await?;
        Ok(Response::new(pb::ConfirmPasswordResetResponse {}))
    }
}
