//! `kontor make-env`: the variables that `docker-compose.yml` wants, with fresh secrets.

use kontor_auth::ServiceKey;
use secrecy::ExposeSecret;

use crate::secrets::{base64, hex, password};

/// A file `.env`.
pub fn file() -> String {
    let warning =
        "# Made by `kontor make-env`. Keep it to yourself: with these secrets one can do anything to this Kontor.";
    let key = |account| ServiceKey::generate(account).expose_secret().to_owned();
    let variables = [
        ("POSTGRES_PASSWORD", hex()),
        ("KONTOR_AUTH_DATABASE_PASSWORD", hex()),
        ("KONTOR_CATALOG_DATABASE_PASSWORD", hex()),
        ("KONTOR_ORDER_DATABASE_PASSWORD", hex()),
        ("KONTOR_AUTH_KEK", base64(&rand::random())),
        ("KONTOR_CATALOG_SERVICE_KEY", key("catalog")),
        ("KONTOR_ORDER_SERVICE_KEY", key("order")),
        ("KONTOR_ADMIN_EMAIL", "admin@kontor.localhost".to_owned()),
        ("KONTOR_ADMIN_PASSWORD", password()),
        ("GRAFANA_ADMIN_PASSWORD", password()),
    ];
    let lines = variables.map(|(name, value)| format!("{name}={value}"));
    format!("{warning}\n{}", lines.join("\n"))
}
