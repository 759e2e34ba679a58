//! `kontor.auth.v1.SecondFactorService`.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::second_factor_service_server::SecondFactorService;
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};

use super::request_context::split;
use crate::ops::Auth;
use crate::wire;

pub(super) struct SecondFactors(pub(super) Auth);

#[tonic::async_trait]
impl SecondFactorService for SecondFactors {
    async fn get_second_factor(
        &self,
        request: Request<pb::GetSecondFactorRequest>,
    ) -> Result<Response<pb::SecondFactor>, Status> {
        let (context, request) = split(&self.0, request);
        let found = self.0.get_second_factor(&context, &request.name).await?;
        Ok(Response::new(wire::second_factor(&found)))
    }

    async fn enroll_totp(
        &self,
        request: Request<pb::EnrollTotpRequest>,
    ) -> Result<Response<pb::EnrollTotpResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let enrolled = self.0.enroll_totp(&context, &request.parent, request.password.into()).await?;
        let (secret, uri) = (enrolled.secret.expose_secret().to_owned(), enrolled.uri.expose_secret().to_owned());
        Ok(Response::new(pb::EnrollTotpResponse { secret, uri }))
    }

    async fn confirm_totp(
        &self,
        request: Request<pb::ConfirmTotpRequest>,
    ) -> Result<Response<pb::ConfirmTotpResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let codes = self.0.confirm_totp(&context, &request.parent, &request.totp_code.into()).await?;
        Ok(Response::new(pb::ConfirmTotpResponse { recovery_codes: wire::recovery_codes(&codes) }))
    }

    async fn regenerate_recovery_codes(
        &self,
        request: Request<pb::RegenerateRecoveryCodesRequest>,
    ) -> Result<Response<pb::RegenerateRecoveryCodesResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::RegenerateRecoveryCodesRequest { parent, password, totp_code } = request;
        let (password, code) = (password.into(), totp_code.into());
        let codes = self.0.regenerate_recovery_codes(&context, &parent, password, &code).await?;
        Ok(Response::new(pb::RegenerateRecoveryCodesResponse { recovery_codes: wire::recovery_codes(&codes) }))
    }

    async fn remove_second_factor(
        &self,
        request: Request<pb::RemoveSecondFactorRequest>,
    ) -> Result<Response<pb::RemoveSecondFactorResponse>, Status> {
        let (context, request) = split(&self.0, request);
        let pb::RemoveSecondFactorRequest { parent, password, code } = request;
        self.0.remove_second_factor(&context, &parent, password.into(), &code.into()).await?;
        Ok(Response::new(pb::RemoveSecondFactorResponse {}))
    }
}
