//! An issuer of access tokens, for tests of services that verify them: it signs with a key of its own, publishes it and tells what
//! was revoked by `kontor.auth.v1.TokenService`, and sells service tokens by `IssueServiceToken`, as auth does.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
use kontor_runtime::access::INTERNAL;
use kontor_runtime::settings::{IdentitySettings, TokenSettings};
use kontor_runtime::token::{AUDIENCE, TOKEN_TYPE};
use kontor_types::ids::{UserId, new_uuid};
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status};
use uuid::Uuid;

pub const ISSUER: &str = "http://issuer.test";
const KID: &str = "test";
/// How often it says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// An issuer that listens on the loopback interface.
#[derive(Clone)]
pub struct Issuer {
    pub addr: SocketAddr,
    key: Arc<Key>,
    told: watch::Sender<Told>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    fetches: AtomicUsize,
    sales: AtomicUsize,
}

#[derive(Clone, Default)]
struct Told {
    revoked: Vec<pb::Revocation>,
    is_silent: bool,
    has_no_keys: bool,
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
        let (told, counts) = (watch::Sender::default(), Arc::default());
        let issuer = Self { addr, key: Arc::new(Key { signing, public }), told, counts };
        let server = tonic::transport::Server::builder()
            .add_service(TokenServiceServer::new(issuer.clone()))
            .add_service(AuthenticationServiceServer::new(issuer.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        issuer
    }

    /// The settings of a service that verifies its tokens.
    pub fn tokens(&self) -> TokenSettings {
        TokenSettings { auth_addr: self.addr.to_string(), issuer: ISSUER.into() }
    }

    /// The settings of a service that buys its own tokens from it, by any key.
    pub fn identity(&self, service_key: &str) -> IdentitySettings {
        IdentitySettings { tokens: self.tokens(), service_key: service_key.into() }
    }

    pub fn user(&self, user: UserId, permissions: &[&str]) -> String {
        self.sign(&claims(&user.to_string(), &permissions.join(" ")))
    }

    /// A token of a user with permissions, in a session.
    pub fn user_in(&self, sid: Uuid, user: UserId, permissions: &[&str]) -> String {
        self.sign(&Claims { sid: sid.to_string(), ..claims(&user.to_string(), &permissions.join(" ")) })
    }

    /// A token of one of Kontor's own services.
    pub fn service(&self, account: &str) -> String {
        self.service_with(account, &[INTERNAL])
    }

    /// A token of a service with permissions: without "internal" it is not one of Kontor's own.
    pub fn service_with(&self, account: &str, permissions: &[&str]) -> String {
        self.sign(&claims(&format!("serviceAccounts/{account}"), &permissions.join(" ")))
    }

    /// Revokes the tokens of a session, and tells all who listen at once.
    pub fn revoke(&self, sid: Uuid) {
        let seconds = claims("", "").exp;
        let revocation =
            pb::Revocation { sid: sid.to_string(), expire_time: Some(prost_types::Timestamp { seconds, nanos: 0 }) };
        self.told.send_modify(|told| told.revoked.push(revocation));
    }

    /// Whether it says nothing any more to those who listen, as if it were away.
    pub fn be_silent(&self, is_silent: bool) {
        self.told.send_modify(|told| told.is_silent = is_silent);
    }

    pub fn jwk(&self) -> pb::Jwk {
        pb::Jwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: self.key.public.clone(),
            kid: KID.into(),
            alg: "EdDSA".into(),
            r#use: "sig".into(),
        }
    }

    /// Tells that its key does not count any more. It goes on publishing it, as a process would that has not heard of it.
    pub fn retire_key(&self) {
        self.told.send_modify(|told| told.has_no_keys = true);
    }

    pub fn fetches(&self) -> usize {
        self.counts.fetches.load(Ordering::Relaxed)
    }

    pub fn sales(&self) -> usize {
        self.counts.sales.load(Ordering::Relaxed)
    }

    /// A token with claims of the test's choice.
    pub fn sign(&self, claims: &Claims) -> String {
        self.sign_as(&header(), claims)
    }

    /// Anything, under a header of the test's choice.
    pub fn sign_as(&self, header: &Header, claims: &impl Serialize) -> String {
        encode(header, claims, &self.key.signing).expect("claims are JSON")
    }
}

pub fn header() -> Header {
    Header { typ: Some(TOKEN_TYPE.into()), kid: Some(KID.into()), ..Header::new(Algorithm::EdDSA) }
}

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

/// Methods that a test has no use for: each answers UNIMPLEMENTED.
macro_rules! not_here {
    ($($method:ident($request:ident) -> $response:ident;)*) => {$(
        fn $method<'a, 'b>(
            &'a self,
            _: Request<pb::$request>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<pb::$response>, Status>> + Send + 'b>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async { Err(Status::unimplemented("not in this test")) })
        }
    )*};
}

#[tonic::async_trait]
impl TokenService for Issuer {
    async fn get_jwks(&self, _: Request<pb::GetJwksRequest>) -> Result<Response<pb::Jwks>, Status> {
        self.counts.fetches.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(pb::Jwks { keys: vec![self.jwk()] }))
    }

    not_here! {
        get_open_id_configuration(GetOpenIdConfigurationRequest) -> OpenIdConfiguration;
        list_signing_keys(ListSigningKeysRequest) -> ListSigningKeysResponse;
        rotate_signing_key(RotateSigningKeyRequest) -> SigningKey;
    }

    type WatchRevocationsStream = ReceiverStream<Result<pb::WatchRevocationsResponse, Status>>;

    async fn watch_revocations(
        &self,
        request: Request<pb::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("services only"));
        }
        let (messages, stream) = mpsc::channel(1);
        tokio::spawn(tell(self.told.subscribe(), messages));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// Tells all at first, then what has come since, and something each second.
async fn tell(mut told: watch::Receiver<Told>, messages: mpsc::Sender<Result<pb::WatchRevocationsResponse, Status>>) {
    let mut count = 0;
    loop {
        let now = told.borrow_and_update().clone();
        if !now.is_silent {
            let kids = if now.has_no_keys { Vec::new() } else { vec![KID.to_owned()] };
            let revocations = now.revoked[count..].to_vec();
            count = now.revoked.len();
            if messages.send(Ok(pb::WatchRevocationsResponse { revocations, kids })).await.is_err() {
                return;
            }
        }
        let _ = timeout(HEARTBEAT, told.changed()).await;
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
        self.counts.sales.fetch_add(1, Ordering::Relaxed);
        let access_token = self.service(account);
        Ok(Response::new(pb::IssueServiceTokenResponse { access_token, expire_time: None }))
    }

    not_here! {
        sign_up(SignUpRequest) -> SignUpResponse;
        verify_sign_up(VerifySignUpRequest) -> VerifySignUpResponse;
        sign_in(SignInRequest) -> SignInResponse;
        refresh_tokens(RefreshTokensRequest) -> RefreshTokensResponse;
        continue_sign_in(ContinueSignInRequest) -> ContinueSignInResponse;
        sign_out(SignOutRequest) -> SignOutResponse;
        request_password_reset(RequestPasswordResetRequest) -> RequestPasswordResetResponse;
        confirm_password_reset(ConfirmPasswordResetRequest) -> ConfirmPasswordResetResponse;
    }
}
