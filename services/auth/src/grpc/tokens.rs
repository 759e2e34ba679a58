//! `kontor.auth.v1.TokenService`.

use std::sync::Arc;

use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::token_service_server::TokenService;
use tonic::{Request, Response, Status};

use crate::domain::signing_key::PublicKey;
use crate::ops::Auth;

/// Publishes the keys that access tokens are signed with.
pub(crate) struct Tokens(pub(crate) Arc<Auth>);

#[tonic::async_trait]
impl TokenService for Tokens {
    async fn get_jwks(&self, _: Request<pb::GetJwksRequest>) -> Result<Response<pb::Jwks>, Status> {
        Ok(Response::new(jwks(self.0.public_keys())))
    }

    async fn get_open_id_configuration(
        &self,
        _: Request<pb::GetOpenIdConfigurationRequest>,
    ) -> Result<Response<pb::OpenIdConfiguration>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn list_signing_keys(
        &self,
        _: Request<pb::ListSigningKeysRequest>,
    ) -> Result<Response<pb::ListSigningKeysResponse>, Status> {
        Err(Status::unimplemented("soon"))
    }

    async fn rotate_signing_key(
        &self,
        _: Request<pb::RotateSigningKeyRequest>,
    ) -> Result<Response<pb::SigningKey>, Status> {
        Err(Status::unimplemented("soon"))
    }

    type WatchRevocationsStream = tokio_stream::Pending<Result<pb::WatchRevocationsResponse, Status>>;

    async fn watch_revocations(
        &self,
        _: Request<pb::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        Err(Status::unimplemented("soon"))
    }
}

/// Keys as a JSON Web Key Set.
pub(crate) fn jwks(keys: &[PublicKey]) -> pb::Jwks {
    pb::Jwks { keys: keys.iter().map(jwk).collect() }
}

fn jwk(key: &PublicKey) -> pb::Jwk {
    pb::Jwk {
        kty: "OKP".into(),
        crv: "Ed25519".into(),
        x: key.x(),
        kid: key.kid.clone(),
        alg: "EdDSA".into(),
        r#use: "sig".into(),
    }
}
