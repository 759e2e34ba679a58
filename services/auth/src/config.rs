//! The service's settings: flags, or the environment.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::TimeDelta;
use ipnet::IpNet;
use kontor_runtime::settings::{DatabaseSettings, Settings, issuer};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::key_life::Schedule;
pub use crate::ops::PasswordCost;
use crate::setting_parsers as parsers;

/// How long a signing key is published before it signs: longer than the caches of gateways and libraries usually keep a key set.
pub const KEY_LEAD: Duration = Duration::from_secs(15 * 60);

/// The settings of auth. Debug output hides the secrets.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "auth")]
pub struct Config {
    /// The address that auth listens on: gRPC
    #[arg(
        id = "auth-addr",
        long = "auth-addr",
        value_name = "ADDR",
        env = "KONTOR_AUTH_ADDR",
        default_value = "127.0.0.1:7101"
    )]
    pub listen: SocketAddr,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// The issuer that access tokens name: the address that callers know Kontor by
    #[arg(long, env = "KONTOR_ISSUER", default_value = "http://127.0.0.1:8080", value_parser = issuer)]
    pub issuer: String,
    /// The e-mail address of the administrator to make if there is none yet
    #[arg(long, env = "KONTOR_ADMIN_EMAIL", value_parser = parsers::admin_email)]
    pub admin_email: Option<String>,
    /// The administrator's password: 15 characters or more
    #[arg(long, env = "KONTOR_ADMIN_PASSWORD", hide_env_values = true, value_parser = parsers::admin_password)]
    pub admin_password: Option<SecretString>,
    /// Keys of service accounts to know, separated by commas; accounts that are missing are made
    #[arg(long, env = "KONTOR_SERVICE_KEYS", hide_env_values = true, value_delimiter = ',', value_parser = parsers::service_key)]
    pub service_keys: Vec<SecretString>,
    /// The key that secrets are sealed under in the database: 32 bytes in base64, as from `openssl rand -base64 32`
    #[arg(long, env = "KONTOR_AUTH_KEK", hide_env_values = true, value_parser = parsers::key_encryption_key)]
    pub key_encryption_key: SecretString,
    /// The networks, separated by commas, of proxies that are believed when they say where a call comes from (x-forwarded-for): the edge, and what
    /// stands in front of it; attempts to sign in are counted by that address
    #[arg(long, env = "KONTOR_TRUSTED_PROXIES", value_delimiter = ',', default_value = "127.0.0.0/8,::1/128")]
    pub trusted_proxies: Vec<IpNet>,
    /// How many days a signing key signs before the next one is made
    #[arg(long, env = "KONTOR_KEY_ROTATION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub key_rotation_days: u32,
    /// How long a signing key is published before it signs. Only tests change it.
    #[arg(skip = KEY_LEAD)]
    pub key_lead: Duration,
    /// The mail server: smtp://user:password@host:587 (with STARTTLS, or nothing is sent) or smtps://user:password@host;
    /// in clear text to this machine only, or with ?tls=none at the end; without it, mail stays queued
    #[arg(long, env = "KONTOR_SMTP_URL", hide_env_values = true, value_parser = parsers::smtp_url)]
    pub smtp_url: Option<SecretString>,
    /// The address that mail comes from, such as "Shop <shop@shop.example>"; the mail server's setting needs it
    #[arg(long, env = "KONTOR_MAIL_FROM", value_parser = parsers::mail_from)]
    pub mail_from: Option<String>,
    /// The origin of the shop's pages that links in mails lead to, such as `https://shop.example` [default: the issuer]
    #[arg(long, env = "KONTOR_LINK_ORIGIN", value_parser = parsers::link_origin)]
    pub link_origin: Option<String>,
    /// Keep mails in memory, and show them at /dev/mailbox of the address for monitoring: for try-outs without a mail server
    #[arg(long, env = "KONTOR_DEV_MAILBOX", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub dev_mailbox: bool,
    /// What a password hash costs. Only tests change it.
    #[arg(skip)]
    pub password_cost: PasswordCost,
}

impl Settings for Config {
    const NEEDS: &'static [(&'static str, &'static str)] =
        &[("smtp-url", "mail-from"), ("admin-email", "admin-password"), ("admin-password", "admin-email")];
}

impl Config {
    /// How signing keys come one after the other.
    pub(crate) fn schedule(&self) -> Schedule {
        let lead = TimeDelta::from_std(self.key_lead).unwrap_or_default();
        Schedule { lead, period: TimeDelta::days(self.key_rotation_days.into()) }
    }

    /// The mail server, if there is one.
    pub(crate) fn smtp_url(&self) -> Option<&SecretString> {
        self.smtp_url.as_ref().filter(|url| !url.expose_secret().is_empty())
    }

    /// What links in mails begin with.
    pub(crate) fn link_origin(&self) -> &str {
        self.link_origin.as_deref().filter(|origin| !origin.is_empty()).unwrap_or(&self.issuer)
    }
}
