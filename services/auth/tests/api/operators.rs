//! What operators do again and again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kontor_auth::Config;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::access_service_client::AccessServiceClient;
use kontor_proto::kontor::auth::v1::audit_service_client::AuditServiceClient;
use kontor_proto::kontor::auth::v1::service_account_service_client::ServiceAccountServiceClient;
use kontor_proto::kontor::auth::v1::user_service_client::UserServiceClient;
use kontor_runtime::fault::{ErrorReason, reason_of};
use serde_json::Value;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use crate::world::{ADMIN, Auth, Database, PASSWORD};

#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) tokens: pb::Tokens,
}

impl Person {
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        signed(&self.tokens.access_token, message)
    }
}

pub(crate) fn signed<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

pub(crate) fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

pub(crate) fn sid(token: &str) -> String {
    claims(token)["sid"].as_str().unwrap().to_owned()
}

/// The code and the reason of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> (Code, ErrorReason) {
    let status = answer.unwrap_err();
    (status.code(), reason_of(&status).unwrap())
}

pub(crate) const DENIED: (Code, ErrorReason) = (Code::PermissionDenied, ErrorReason::PermissionMissing);
pub(crate) const ABSENT: (Code, ErrorReason) = (Code::NotFound, ErrorReason::ResourceNotFound);
pub(crate) const INVALID: (Code, ErrorReason) = (Code::InvalidArgument, ErrorReason::FieldViolation);
pub(crate) const LAST: (Code, ErrorReason) = (Code::FailedPrecondition, ErrorReason::LastAdministrator);
pub(crate) const IN_USE: (Code, ErrorReason) = (Code::FailedPrecondition, ErrorReason::RoleInUse);
pub(crate) const FORGED: [&str; 5] = ["x", "p1", "n1A", "p2deadbeef", "p1zz' OR 1=1"];

/// A service with an administrator who is signed in.
pub(crate) struct Shop {
    pub(crate) auth: Auth,
    pub(crate) database: Database,
    pub(crate) admin: Person,
}

impl Shop {
    pub(crate) async fn new() -> Self {
        let database = Database::new().await;
        let config = database.config();
        Self::with(database, config).await
    }

    pub(crate) async fn with(database: Database, config: Config) -> Self {
        let auth = Auth::start(config).await;
        let tokens = auth.sign_in(ADMIN, PASSWORD).await.unwrap();
        let name = auth.get_user(&tokens.access_token, "users/me").await.unwrap().name;
        Self { auth, database, admin: Person { name, email: ADMIN.into(), tokens } }
    }

    pub(crate) async fn customer(&self, email: &str) -> Person {
        let answer = self.auth.account(email).await;
        Person { name: answer.user, email: email.into(), tokens: answer.tokens.unwrap() }
    }

    pub(crate) async fn colleague(&self, email: &str, role: &str) -> Person {
        let person = self.customer(email).await;
        self.bind(&self.admin, role, &person.name).await.unwrap();
        Person { tokens: self.auth.sign_in(email, PASSWORD).await.unwrap(), ..person }
    }

    /// Somebody with exactly these permissions, by a role of this id.
    pub(crate) async fn with_permissions(&self, id: &str, permissions: &[&str]) -> Person {
        self.make_role(&self.admin, id, permissions).await.unwrap();
        self.colleague(&format!("{id}@example.org"), id).await
    }

    pub(crate) fn users(&self) -> UserServiceClient<Channel> {
        UserServiceClient::new(self.auth.channel.clone())
    }

    pub(crate) fn access(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(self.auth.channel.clone())
    }

    pub(crate) fn accounts(&self) -> ServiceAccountServiceClient<Channel> {
        ServiceAccountServiceClient::new(self.auth.channel.clone())
    }

    pub(crate) async fn make_role(
        &self,
        by: &Person,
        id: &str,
        permissions: &[&str],
    ) -> Result<Response<pb::Role>, Status> {
        let permissions = permissions.iter().map(ToString::to_string).collect();
        let role = Some(pb::Role { permissions, ..Default::default() });
        self.access().create_role(by.asks(pb::CreateRoleRequest { role_id: id.into(), role })).await
    }

    pub(crate) async fn bind(
        &self,
        by: &Person,
        role: &str,
        member: &str,
    ) -> Result<Response<pb::RoleBinding>, Status> {
        let (role, member) = (format!("roles/{role}"), member.into());
        let role_binding = Some(pb::RoleBinding { role, member, ..Default::default() });
        self.access().create_role_binding(by.asks(pb::CreateRoleBindingRequest { role_binding })).await
    }

    pub(crate) async fn unbind(
        &self,
        by: &Person,
        binding: &str,
    ) -> Result<Response<pb::DeleteRoleBindingResponse>, Status> {
        let request = pb::DeleteRoleBindingRequest { name: binding.into() };
        self.access().delete_role_binding(by.asks(request)).await
    }

    /// The bindings of somebody, as the administrator sees them.
    pub(crate) async fn bindings_of(&self, member: &str) -> Vec<pb::RoleBinding> {
        let request = pb::ListRoleBindingsRequest { member: member.into(), ..Default::default() };
        self.access().list_role_bindings(self.admin.asks(request)).await.unwrap().into_inner().role_bindings
    }

    pub(crate) async fn user(&self, name: &str) -> pb::User {
        self.auth.get_user(&self.admin.tokens.access_token, name).await.unwrap()
    }

    pub(crate) async fn suspend(&self, by: &Person, name: &str) -> Result<Response<pb::User>, Status> {
        self.users().suspend_user(by.asks(pb::SuspendUserRequest { name: name.into() })).await
    }

    pub(crate) async fn delete(&self, by: &Person, name: &str) -> Result<Response<pb::DeleteUserResponse>, Status> {
        self.users().delete_user(by.asks(pb::DeleteUserRequest { name: name.into() })).await
    }

    pub(crate) async fn events(&self, resource: &str) -> Vec<pb::AuditEvent> {
        let request = pb::ListAuditEventsRequest { resource: resource.into(), ..Default::default() };
        let mut audit = AuditServiceClient::new(self.auth.channel.clone());
        audit.list_audit_events(self.admin.asks(request)).await.unwrap().into_inner().audit_events
    }

    /// The words of the events of operators about a resource, newest first.
    pub(crate) async fn deeds(&self, resource: &str) -> Vec<String> {
        let mut actions: Vec<_> = self.events(resource).await.into_iter().map(|event| event.action).collect();
        actions.retain(|action| !["user.sign", "session."].iter().any(|other| action.starts_with(other)));
        actions
    }

    /// Returns once a token is refused as revoked.
    pub(crate) async fn refused(&self, token: &str) {
        for _ in 0..500 {
            let answer = self.access().test_permissions(signed(token, pb::TestPermissionsRequest::default())).await;
            if let Err(status) = answer {
                assert_eq!(reason_of(&status), Some(ErrorReason::TokenRevoked), "{status}");
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        unreachable!("the token is good after five seconds")
    }

    /// Whether tokens with this claim "sid" are to be refused.
    pub(crate) async fn is_revoked(&self, sid: &str) -> bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM revocations WHERE sid::text = $1 AND expire_time > now() + interval '5 minutes')";
        sqlx::query_scalar(sql).bind(sid).fetch_one(&self.database.pool().await).await.unwrap()
    }
}
