//! From the types of accounts to messages of the contract.

use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::convert::time_to_wire;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::domain::account::User;
use crate::domain::audit::Entry;
use crate::domain::binding::Binding;
use crate::domain::challenge::Challenge;
use crate::domain::definition::Definition;
use crate::domain::key_life::{self, SigningKey};
use crate::domain::revocation::{Revocation, RevocationUpdate};
use crate::domain::second_factor::{self, SecondFactor};
use crate::domain::service_account::{AccountKey, ServiceAccount};
use crate::domain::session::{Session, Tokens};
use crate::domain::signing_key::PublicKey;

/// The claims of an access token (RFC 9068, section 2.2).
const CLAIMS: [&str; 9] = ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "sid", "scope"];

pub fn user(user: User) -> pb::User {
    let state = match user.is_suspended {
        true => pb::user::State::Suspended,
        false => pb::user::State::Active,
    };
    pb::User {
        name: user.id.to_string(),
        email: user.email,
        display_name: user.display_name,
        roles: user.roles,
        create_time: Some(time_to_wire(user.create_time)),
        state: state.into(),
    }
}

pub fn tokens(tokens: &Tokens) -> pb::Tokens {
    pb::Tokens {
        access_token: tokens.access.token.expose_secret().to_owned(),
        refresh_token: tokens.refresh.expose_secret().to_owned(),
        expire_time: Some(time_to_wire(tokens.access.expire_time)),
    }
}

pub fn challenge(challenge: &Challenge) -> pb::Challenge {
    pb::Challenge {
        challenge: challenge.token.expose_secret().to_owned(),
        expire_time: Some(time_to_wire(challenge.expire_time)),
    }
}

/// A session, marked as the current one if it has the `sid` of the caller's token.
pub fn session(session: Session, sid: Option<Uuid>) -> pb::Session {
    pb::Session {
        name: session.name.to_string(),
        address: session.address,
        user_agent: session.user_agent,
        create_time: Some(time_to_wire(session.create_time)),
        refresh_time: Some(time_to_wire(session.refresh_time)),
        expire_time: Some(time_to_wire(session.expire_time)),
        current: sid == Some(session.name.id.0),
    }
}

pub fn second_factor(found: &SecondFactor) -> pb::SecondFactor {
    let (state, confirm_time) = match found.state {
        second_factor::State::Absent => (pb::second_factor::State::Absent, None),
        second_factor::State::Pending => (pb::second_factor::State::Pending, None),
        second_factor::State::Active(since) => (pb::second_factor::State::Active, Some(time_to_wire(since))),
    };
    pb::SecondFactor {
        name: format!("{}/secondFactor", found.user),
        state: state.into(),
        confirm_time,
        recovery_codes_left: i32::try_from(found.recovery_codes_left).unwrap_or(i32::MAX),
    }
}

pub fn recovery_codes(codes: &[SecretString]) -> Vec<String> {
    codes.iter().map(|code| code.expose_secret().to_owned()).collect()
}

pub fn role(role: Definition) -> pb::Role {
    let name = role.name();
    let (built_in, create_time) = (role.create_time.is_none(), role.create_time.map(time_to_wire));
    pb::Role { name, description: role.description, permissions: role.permissions, built_in, create_time }
}

pub fn role_binding(binding: Binding) -> pb::RoleBinding {
    pb::RoleBinding {
        name: binding.name(),
        role: format!("roles/{}", binding.role),
        member: binding.member,
        create_time: Some(time_to_wire(binding.create_time)),
    }
}

pub fn service_account(account: ServiceAccount) -> pb::ServiceAccount {
    let (name, create_time) = (account.name(), Some(time_to_wire(account.create_time)));
    pb::ServiceAccount { name, display_name: account.display_name, built_in: account.built_in, create_time }
}

pub fn service_account_key(key: AccountKey) -> pb::ServiceAccountKey {
    pb::ServiceAccountKey {
        name: key.name(),
        display_name: key.display_name,
        scopes: key.scopes,
        expire_time: key.expire_time.map(time_to_wire),
        create_time: Some(time_to_wire(key.create_time)),
        last_use_time: key.last_use_time.map(time_to_wire),
    }
}

pub fn audit_event(event: Entry) -> pb::AuditEvent {
    pb::AuditEvent {
        name: format!("auditEvents/{}", event.id),
        action: event.action,
        actor: event.actor,
        resource: event.resource,
        address: event.address,
        user_agent: event.user_agent,
        details: event.details.into_iter().collect(),
        create_time: Some(time_to_wire(event.create_time)),
    }
}

pub fn signing_key(key: SigningKey) -> pb::SigningKey {
    let state = match key.state {
        key_life::State::Published => pb::signing_key::State::Published,
        key_life::State::Active => pb::signing_key::State::Active,
        key_life::State::Retiring => pb::signing_key::State::Retiring,
        key_life::State::Retired => pb::signing_key::State::Retired,
    };
    pb::SigningKey {
        kid: key.life.kid,
        state: state.into(),
        create_time: Some(time_to_wire(key.life.create_time)),
        activate_time: Some(time_to_wire(key.life.activate_time)),
        retire_time: key.life.retire_time.map(time_to_wire),
    }
}

pub fn revocation_update(update: &RevocationUpdate) -> pb::WatchRevocationsResponse {
    let revocations = update.revocations.iter().map(revocation).collect();
    pb::WatchRevocationsResponse { revocations, kids: update.kids.clone() }
}

fn revocation(revocation: &Revocation) -> pb::Revocation {
    pb::Revocation { sid: revocation.sid.to_string(), expire_time: Some(time_to_wire(revocation.expire_time)) }
}

/// Keys as a JSON Web Key Set.
pub fn jwks(keys: &[PublicKey]) -> pb::Jwks {
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

/// The provider's configuration, as OpenID Connect Discovery publishes it.
pub fn open_id_configuration(issuer: &str, scopes: Vec<String>) -> pb::OpenIdConfiguration {
    let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
    pb::OpenIdConfiguration {
        issuer: issuer.into(),
        jwks_uri: at("/.well-known/jwks.json"),
        token_endpoint: at("/v1/auth:refreshTokens"),
        subject_types_supported: vec!["public".into()],
        id_token_signing_alg_values_supported: vec!["EdDSA".into()],
        claims_supported: CLAIMS.map(str::to_owned).into(),
        scopes_supported: scopes,
    }
}
