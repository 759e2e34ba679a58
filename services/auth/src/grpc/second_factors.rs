//! `kontor.auth.v1.SecondFactorService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::second_factor_service_server::SecondFactorService;
use tonic::{Request, Response, Status};

use crate::ops::Auth;

/// TODO
pub(crate) struct SecondFactors(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl SecondFactorService for SecondFactors {
    async fn get_second_factor(
        &self,
        _: Request<pb::GetSecondFactorRequest>,
    ) -> Result<Response<pb::SecondFactor>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn enroll_totp(&self, _: Request<pb::EnrollTotpRequest>) -> Result<Response<pb::EnrollTotpResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn confirm_totp(
        &self,
        _: Request<pb::ConfirmTotpRequest>,
    ) -> Result<Response<pb::ConfirmTotpResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn regenerate_recovery_codes(
        &self,
        _: Request<pb::RegenerateRecoveryCodesRequest>,
    ) -> Result<Response<pb::RegenerateRecoveryCodesResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn remove_second_factor(
        &self,
        _: Request<pb::RemoveSecondFactorRequest>,
    ) -> Result<Response<pb::RemoveSecondFactorResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }
}
