//! `kontor.auth.v1.SecondFactorService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::second_factor_service_server::SecondFactorService;
use kontor_runtime::convert::time_to_wire;
use secrecy::{ExposeSecret, SecretString};
use tonic::{Request, Response, Status};

use super::error::{status, status_of_totp_code};
use super::who::who;
use crate::domain::second_factor::{SecondFactor, State};
use crate::ops::{Auth, second_factor, second_factor_removal};

/// Adds second factors to accounts, and takes them away.
pub(crate) struct SecondFactors(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl SecondFactorService for SecondFactors {
    async fn get_second_factor(
        &self,
        request: Request<pb::GetSecondFactorRequest>,
    ) -> Result<Response<pb::SecondFactor>, Status> {
        let found =
            second_factor::get(&self.0, &who(&self.0, &request), &request.get_ref().name).await.map_err(status)?;
        Ok(Response::new(to_wire(&found)))
    }

    async fn enroll_totp(
        &self,
        request: Request<pb::EnrollTotpRequest>,
    ) -> Result<Response<pb::EnrollTotpResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::EnrollTotpRequest { parent, password } = request.into_inner();
        let begun = second_factor::enroll(&self.0, &who, &parent, password.into()).await.map_err(status)?;
        let (secret, uri) = (begun.secret.expose_secret().to_owned(), begun.uri.expose_secret().to_owned());
        Ok(Response::new(pb::EnrollTotpResponse { secret, uri }))
    }

    async fn confirm_totp(
        &self,
        request: Request<pb::ConfirmTotpRequest>,
    ) -> Result<Response<pb::ConfirmTotpResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::ConfirmTotpRequest { parent, totp_code } = request.into_inner();
        let codes = second_factor::confirm(&self.0, &who, &parent, &totp_code.into()).await;
        let recovery_codes = codes_to_wire(&codes.map_err(status_of_totp_code)?);
        Ok(Response::new(pb::ConfirmTotpResponse { recovery_codes }))
    }

    async fn regenerate_recovery_codes(
        &self,
        request: Request<pb::RegenerateRecoveryCodesRequest>,
    ) -> Result<Response<pb::RegenerateRecoveryCodesResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::RegenerateRecoveryCodesRequest { parent, password, totp_code } = request.into_inner();
        let shown = (password.into(), &totp_code.into());
        let codes = second_factor::regenerate(&self.0, &who, &parent, shown).await;
        let recovery_codes = codes_to_wire(&codes.map_err(status_of_totp_code)?);
        Ok(Response::new(pb::RegenerateRecoveryCodesResponse { recovery_codes }))
    }

    async fn remove_second_factor(
        &self,
        request: Request<pb::RemoveSecondFactorRequest>,
    ) -> Result<Response<pb::RemoveSecondFactorResponse>, Status> {
        let who = who(&self.0, &request);
        let pb::RemoveSecondFactorRequest { parent, password, code } = request.into_inner();
        let shown = (password.into(), &code.into());
        second_factor_removal::remove(&self.0, &who, &parent, shown).await.map_err(status)?;
        Ok(Response::new(pb::RemoveSecondFactorResponse {}))
    }
}

fn codes_to_wire(codes: &[SecretString]) -> Vec<String> {
    codes.iter().map(|code| code.expose_secret().to_owned()).collect()
}

fn to_wire(found: &SecondFactor) -> pb::SecondFactor {
    let (state, confirm_time) = match found.state {
        State::Absent => (pb::second_factor::State::Absent, None),
        State::Pending => (pb::second_factor::State::Pending, None),
        State::Active(since) => (pb::second_factor::State::Active, Some(time_to_wire(since))),
    };
    pb::SecondFactor {
        name: format!("{}/secondFactor", found.user),
        state: state.into(),
        confirm_time,
        recovery_codes_left: i32::try_from(found.recovery_codes_left).unwrap_or(i32::MAX),
    }
}
