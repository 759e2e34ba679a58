//! `kontor.auth.v1.TokenService`.

use std::sync::Arc;

use futures_util::stream::unfold;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::token_service_server::TokenService;
use kontor_runtime::Verifier;
use kontor_runtime::access::permissions_asked;
use kontor_runtime::convert::time_to_wire;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::error::status;
use super::who::who;
use crate::domain::key_life::State;
use crate::domain::signing_key::PublicKey;
use crate::ops::feed::{Heard, Heed, Listener};
use crate::ops::keys::SigningKey;
use crate::ops::{Auth, keys};

/// The claims of an access token (RFC 9068, section 2.2).
const CLAIMS: [&str; 9] = ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "sid", "scope"];

/// Publishes the keys that access tokens are signed with, and which tokens are refused all the same.
pub(crate) struct Tokens {
    pub(crate) auth: Arc<Auth>,
    /// Ends the streams.
    pub(crate) stop: CancellationToken,
}

#[tonic::async_trait]
impl TokenService for Tokens {
    async fn get_jwks(&self, _: Request<pb::GetJwksRequest>) -> Result<Response<pb::Jwks>, Status> {
        Ok(Response::new(jwks(&self.auth.public_keys())))
    }

    async fn get_open_id_configuration(
        &self,
        _: Request<pb::GetOpenIdConfigurationRequest>,
    ) -> Result<Response<pb::OpenIdConfiguration>, Status> {
        Ok(Response::new(configuration(self.auth.issuer())))
    }

    async fn list_signing_keys(
        &self,
        _: Request<pb::ListSigningKeysRequest>,
    ) -> Result<Response<pb::ListSigningKeysResponse>, Status> {
        let keys = keys::list(&self.auth).await.map_err(status)?;
        Ok(Response::new(pb::ListSigningKeysResponse { signing_keys: keys.into_iter().map(signing_key).collect() }))
    }

    async fn rotate_signing_key(
        &self,
        request: Request<pb::RotateSigningKeyRequest>,
    ) -> Result<Response<pb::SigningKey>, Status> {
        let who = who(&self.auth, &request);
        let key = keys::rotate(&self.auth, &who, request.get_ref().compromised).await.map_err(status)?;
        Ok(Response::new(signing_key(key)))
    }

    type WatchRevocationsStream = BoxStream<pb::WatchRevocationsResponse>;

    async fn watch_revocations(
        &self,
        _: Request<pb::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        let start = (Listener::new(&self.auth), self.stop.clone());
        let messages = unfold(start, |(mut listener, stop)| async move {
            let heard = stop.run_until_cancelled(listener.next()).await?;
            Some((Ok(message(&heard)), (listener, stop)))
        });
        Ok(Response::new(Box::pin(messages)))
    }
}

/// Tells this process's own verifier.
pub(crate) fn heed(verifier: Arc<Verifier>) -> Heed {
    Box::new(move |news| {
        if let Some(keys) = &news.keys {
            verifier.set_keys(&jwks(keys));
        }
        verifier.apply(&message(&news.heard));
    })
}

fn message(heard: &Heard) -> pb::WatchRevocationsResponse {
    let revocations = heard.revocations.iter().map(|revocation| pb::Revocation {
        sid: revocation.sid.to_string(),
        expire_time: Some(time_to_wire(revocation.expire_time)),
    });
    pb::WatchRevocationsResponse { revocations: revocations.collect(), kids: heard.kids.clone() }
}

fn signing_key(key: SigningKey) -> pb::SigningKey {
    let state = match key.state {
        State::Published => pb::signing_key::State::Published,
        State::Active => pb::signing_key::State::Active,
        State::Retiring => pb::signing_key::State::Retiring,
        State::Retired => pb::signing_key::State::Retired,
    };
    pb::SigningKey {
        kid: key.life.kid,
        state: state.into(),
        create_time: Some(time_to_wire(key.life.create_time)),
        activate_time: Some(time_to_wire(key.life.activate_time)),
        retire_time: key.life.retire_time.map(time_to_wire),
    }
}

fn configuration(issuer: &str) -> pb::OpenIdConfiguration {
    let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
    pb::OpenIdConfiguration {
        issuer: issuer.into(),
        jwks_uri: at("/.well-known/jwks.json"),
        token_endpoint: at("/v1/auth:refreshTokens"),
        subject_types_supported: vec!["public".into()],
        id_token_signing_alg_values_supported: vec!["EdDSA".into()],
        claims_supported: CLAIMS.map(str::to_owned).into(),
        scopes_supported: permissions_asked().into_iter().collect(),
    }
}

/// Keys as a JSON Web Key Set.
fn jwks(keys: &[PublicKey]) -> pb::Jwks {
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
