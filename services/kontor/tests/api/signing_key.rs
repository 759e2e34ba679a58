//! The key that auth signs access tokens with, opened as only its operator can.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kontor_runtime::Claims;
use kontor_runtime::token::TOKEN_TYPE;
use sqlx::{Connection, PgConnection};

use crate::stack::{KEY_ENCRYPTION, stack};

pub(crate) async fn sign(claims: &Claims) -> String {
    let mut database = PgConnection::connect(&stack().database_url).await.unwrap();
    let sql = "SELECT kid, sealed_private FROM auth.signing_keys \
               WHERE activate_time <= now() AND (retire_time IS NULL OR retire_time > now()) ORDER BY activate_time DESC LIMIT 1";
    let (kid, sealed): (String, Vec<u8>) = sqlx::query_as(sql).fetch_one(&mut database).await.unwrap();
    let private = open(&kid, &sealed);
    let header = Header { typ: Some(TOKEN_TYPE.into()), kid: Some(kid), ..Header::new(Algorithm::EdDSA) };
    encode(&header, claims, &EncodingKey::from_ed_der(&private)).unwrap()
}

fn open(kid: &str, sealed: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &STANDARD.decode(KEY_ENCRYPTION).unwrap()).unwrap());
    let (nonce, sealed) = sealed.split_at(NONCE_LEN);
    let (nonce, mut private) = (Nonce::try_assume_unique_for_key(nonce).unwrap(), sealed.to_vec());
    let place = format!("auth.signing_keys.sealed_private.{kid}");
    key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut private).unwrap().to_vec()
}
