//! `kontor.auth.v1.TokenService`.

use std::sync::Arc;

use futures_util::stream::unfold;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::token_service_server::TokenService;
use kontor_runtime::Verifier;
use kontor_runtime::access::permissions_asked;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::request_context::split;
use crate::ops::{Auth, OnUpdate};
use crate::wire;

pub(super) struct Tokens {
    pub(super) auth: Auth,
    pub(super) stop: CancellationToken,
}

#[tonic::async_trait]
impl TokenService for Tokens {
    async fn get_jwks(&self, _: Request<pb::GetJwksRequest>) -> Result<Response<pb::Jwks>, Status> {
        Ok(Response::new(wire::jwks(&self.auth.public_keys())))
    }

    async fn get_open_id_configuration(
        &self,
        _: Request<pb::GetOpenIdConfigurationRequest>,
    ) -> Result<Response<pb::OpenIdConfiguration>, Status> {
        let scopes = permissions_asked().into_iter().collect();
        Ok(Response::new(wire::open_id_configuration(self.auth.issuer(), scopes)))
    }

    async fn list_signing_keys(
        &self,
        _: Request<pb::ListSigningKeysRequest>,
    ) -> Result<Response<pb::ListSigningKeysResponse>, Status> {
        let signing_keys = self.auth.list_signing_keys().await?.into_iter().map(wire::signing_key).collect();
        Ok(Response::new(pb::ListSigningKeysResponse { signing_keys }))
    }

    async fn rotate_signing_key(
        &self,
        request: Request<pb::RotateSigningKeyRequest>,
    ) -> Result<Response<pb::SigningKey>, Status> {
        let (context, request) = split(&self.auth, request);
        let key = self.auth.rotate_signing_key(&context, request.compromised).await?;
        Ok(Response::new(wire::signing_key(key)))
    }

    type WatchRevocationsStream = BoxStream<pb::WatchRevocationsResponse>;

    async fn watch_revocations(
        &self,
        _: Request<pb::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        let start = (self.auth.watch_revocations(), self.stop.clone());
        let messages = unfold(start, |(mut subscription, stop)| async move {
            let update = stop.run_until_cancelled(subscription.next()).await?;
            Some((Ok(wire::revocation_update(&update)), (subscription, stop)))
        });
        Ok(Response::new(Box::pin(messages)))
    }
}

/// Updates this process's own verifier, which then needs no stream.
pub(crate) fn on_update(verifier: Arc<Verifier>) -> OnUpdate {
    Box::new(move |snapshot| {
        if let Some(keys) = &snapshot.keys {
            verifier.set_keys(&wire::jwks(keys));
        }
        verifier.apply(&wire::revocation_update(&snapshot.update));
    })
}
