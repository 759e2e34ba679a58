//! `kontor rotate-keys` against a running Kontor, and what gateways and libraries find out by themselves.

use std::process::Output;

use serde_json::Value;

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, kontor, up};

fn rotate(launcher: &Launcher, dir: &DataDir, more: &[&str]) -> Output {
    let mut command = kontor();
    command.arg("rotate-keys").args(more).env("KONTOR_AUTH_ADDR", launcher.shown("auth"));
    command.env("KONTOR_DATA_DIR", dir.path()).output().unwrap()
}

/// The keys that it shows, with their states.
fn keys(output: &Output) -> Vec<(String, String)> {
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let rows = said.lines().skip_while(|line| !line.starts_with("key ")).skip(1);
    let words = rows.map(|row| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words.map(|words| (words[0].clone(), words[1].clone())).collect()
}

fn states(keys: &[(String, String)]) -> Vec<&str> {
    keys.iter().map(|(_, state)| state.as_str()).collect()
}

/// The ids of the keys at `jwks_uri`, in order.
async fn published(jwks_uri: &str) -> Vec<String> {
    let jwks: Value = reqwest::get(jwks_uri).await.unwrap().json().await.unwrap();
    let keys = jwks["keys"].as_array().unwrap().iter();
    let mut kids: Vec<_> = keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    kids.sort();
    kids
}

fn sorted(keys: &[(String, String)]) -> Vec<String> {
    let mut kids: Vec<_> = keys.iter().map(|(kid, _)| kid.clone()).collect();
    kids.sort();
    kids
}

#[tokio::test]
async fn keys_rotate_by_command_and_are_found_by_discovery() {
    let dir = DataDir::new();
    let launcher = Launcher::start(up(&dir).env("KONTOR_SAMPLE", "none")).await;
    let shop = launcher.shop();
    let found = shop.get(".well-known/openid-configuration").await;
    assert_eq!(shop.get(".well-known/oauth-authorization-server").await, found);
    let issuer = found["issuer"].as_str().unwrap();
    assert_eq!(found["jwks_uri"], format!("{issuer}/.well-known/jwks.json"));
    assert_eq!(found["token_endpoint"], format!("{issuer}/v1/auth:refreshTokens"));
    for (name, holds) in [
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "EdDSA"),
        ("claims_supported", "scope"),
        ("scopes_supported", "order.read"),
    ] {
        assert!(found[name].as_array().unwrap().contains(&holds.into()), "{name}: {found}");
    }
    let jwks_uri = found["jwks_uri"].as_str().unwrap();

    let planned = keys(&rotate(&launcher, &dir, &[]));
    assert_eq!(states(&planned), ["published", "active"]);
    assert_eq!(keys(&rotate(&launcher, &dir, &[])), planned, "one that waits is not followed by another");
    assert_eq!(published(jwks_uri).await, sorted(&planned));

    let compromised = keys(&rotate(&launcher, &dir, &["--compromised"]));
    assert_eq!(states(&compromised), ["active", "retired", "retired"]);
    assert_eq!(published(jwks_uri).await, sorted(&compromised[..1]));

    let wrong = rotate(&launcher, &dir, &["--compromised", "--admin-password", "not the password at all"]);
    let complained = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        complained.starts_with("kontor-rotate-keys: auth: ") && !complained.contains("not the password"),
        "{complained}"
    );
    assert_eq!(keys(&rotate(&launcher, &dir, &[])).len(), 4);
}
