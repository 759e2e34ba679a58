//! An issuer of access tokens, for tests of services that verify them: it signs with a key of its own and publishes it by
//! `kontor.auth.v1.TokenService`, and sells service tokens by `IssueServiceToken`, as auth does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::authentication_service_server::{
    AuthenticationService, AuthenticationServiceServer,
};
use kontor_proto::kontor::auth::v1::token_service_server::{TokenService, TokenServiceServer};
use kontor_runtime::Claims;
use kontor_runtime::token::{AUDIENCE, TOKEN_TYPE};
use kontor_types::ids::{UserId, new_uuid};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// The issuer that the tokens name.
pub const ISSUER: &str = "http://issuer.test";

/// An issuer that listens on the loopback interface.
#[derive(Clone)]
pub struct Issuer {
    /// Where it listens.
    pub addr: SocketAddr,
    key: Arc<Key>,
}

struct Key {
    signing: EncodingKey,
    public: String,
}

impl Issuer {
    /// Starts one; it ends with the test's runtime.
    pub async fn start() -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key pair");
        let pkcs8 = pair.to_pkcs8().expect("its PKCS #8 form");
        let signing = EncodingKey::from_ed_der(pkcs8.as_ref());
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let (listener, addr) = crate::listener().await;
        let issuer = Self { addr, key: Arc::new(Key { signing, public }) };
        let server = tonic::transport::Server::builder()
            .add_service(TokenServiceServer::new(issuer.clone()))
            .add_service(AuthenticationServiceServer::new(issuer.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        issuer
    }

    /// A token of a user with permissions.
    pub fn user(&self, user: UserId, permissions: &[&str]) -> String {
        self.sign(&claims(&user.to_string(), &permissions.join(" ")))
    }

    /// A token of a service.
    pub fn service(&self, account: &str) -> String {
        self.sign(&claims(&format!("serviceAccounts/{account}"), ""))
    }

    /// A token with claims of the test's choice.
    pub fn sign(&self, claims: &Claims) -> String {
        let header = Header { typ: Some(TOKEN_TYPE.into()), kid: Some("test".into()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, &self.key.signing).expect("claims are JSON")
    }
}

/// Valid claims, for five minutes.
pub fn claims(sub: &str, scope: &str) -> Claims {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    Claims {
        iss: ISSUER.into(),
        sub: sub.into(),
        aud: AUDIENCE.into(),
        client_id: "test".into(),
        iat: now,
        exp: now + 300,
        jti: new_uuid().to_string(),
        sid: String::new(),
        scope: scope.into(),
    }
}

#[tonic::async_trait]
impl TokenService for Issuer {
    async fn get_jwks(&self, _: Request<pb::GetJwksRequest>) -> Result<Response<pb::Jwks>, Status> {
        let key = pb::Jwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: self.key.public.clone(),
            kid: "test".into(),
            alg: "EdDSA".into(),
            r#use: "sig".into(),
        };
        Ok(Response::new(pb::Jwks { keys: vec![key] }))
    }

    async fn get_open_id_configuration(
        &self,
        _: Request<pb::GetOpenIdConfigurationRequest>,
    ) -> Result<Response<pb::OpenIdConfiguration>, Status> {
        Err(Status::unimplemented("keys only"))
    }

    async fn list_signing_keys(
        &self,
        _: Request<pb::ListSigningKeysRequest>,
    ) -> Result<Response<pb::ListSigningKeysResponse>, Status> {
        Err(Status::unimplemented("keys only"))
    }

    async fn rotate_signing_key(
        &self,
        _: Request<pb::RotateSigningKeyRequest>,
    ) -> Result<Response<pb::SigningKey>, Status> {
        Err(Status::unimplemented("keys only"))
    }

    type WatchRevocationsStream = tokio_stream::Pending<Result<pb::WatchRevocationsResponse, Status>>;

    async fn watch_revocations(
        &self,
        _: Request<pb::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        Err(Status::unimplemented("soon"))
    }
}

/// Service keys are `kt_sk_{account}_…`; people can't sign in here.
#[tonic::async_trait]
impl AuthenticationService for Issuer {
    async fn issue_service_token(
        &self,
        request: Request<pb::IssueServiceTokenRequest>,
    ) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
        let key = request.into_inner().key;
        let account = key.strip_prefix("kt_sk_").and_then(|rest| rest.split('_').next());
        let account = account.ok_or_else(|| Status::unauthenticated("no service key"))?;
        let access_token = self.service(account);
        Ok(Response::new(pb::IssueServiceTokenResponse { access_token, expire_time: None }))
    }

    async fn sign_up(&self, _: Request<pb::SignUpRequest>) -> Result<Response<pb::SignUpResponse>, Status> {
        Err(Status::unimplemented("services only"))
    }

    async fn verify_sign_up(
        &self,
        _: Request<pb::VerifySignUpRequest>,
    ) -> Result<Response<pb::VerifySignUpResponse>, Status> {
        Err(Status::unimplemented("services only"))
    }

    async fn sign_in(&self, _: Request<pb::SignInRequest>) -> Result<Response<pb::SignInResponse>, Status> {
        Err(Status::unimplemented("services only"))
    }

    async fn refresh_tokens(
        &self,
        _: Request<pb::RefreshTokensRequest>,
    ) -> Result<Response<pb::RefreshTokensResponse>, Status> {
        Err(Status::unimplemented("services only"))
    }

    async fn continue_sign_in(
        &self,
        _: Request<pb::ContinueSignInRequest>,
    ) -> Result<Response<pb::ContinueSignInResponse>, Status> {
        Err(Status::unimplemented("services only"))
    }

    async fn sign_out(&self, _: Request<pb::SignOutRequest>) -> Result<Response<pb::SignOutResponse>, Status> {
        Err(Status::unimplemented("services only"))
    }

    async fn request_password_reset(
        &self,
        _: Request<pb::RequestPasswordResetRequest>,
    ) -> Result<Response<pb::RequestPasswordResetResponse>, Status> {
        Err(Status::unimplemented("services only"))
    }

    async fn confirm_password_reset(
        &self,
        _: Request<pb::ConfirmPasswordResetRequest>,
    ) -> Result<Response<pb::ConfirmPasswordResetResponse>, Status> {
        Err(Status::unimplemented("services only"))
    }
}
