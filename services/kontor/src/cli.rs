//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use kontor_auth::setting_parsers as parsers;
use kontor_runtime::program::{ENVIRONMENT, version};
use kontor_runtime::settings::{ProcessSettings, database_url, peer_address};
use secrecy::{ExposeSecret, SecretString};

/// Kontor: a commerce backend that other programs call. Accounts, a catalog and orders over gRPC and HTTP.
///
/// Without a command: `kontor up`.
#[derive(Parser)]
#[command(name = "kontor", version = version(), args_conflicts_with_subcommands = true, after_help = ENVIRONMENT)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to do `up`, when no command is named.
    #[command(flatten)]
    pub up: Up,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Run all services in this process, on a private Postgres that is started with them
    Up(Box<Up>),
    /// Load a product file (Shopify's export format, CSV) into a running Kontor
    Import(Import),
    /// Make a new key to sign access tokens with, in a running Kontor, and show all of them
    RotateKeys(RotateKeys),
    /// Make the roles and schemas of all services in a database, and bring them up to date
    Migrate(Migrate),
    /// Print the administrator's password
    AdminPassword(AdminPassword),
    /// Print a file `.env` with fresh secrets for docker-compose.yml
    MakeEnv,
}

/// Settings that are of no use without another one.
pub const NEEDS: &[(&str, &str)] = &[("smtp-url", "mail-from")];

/// Where data lies and services listen.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Up {
    /// Of the process.
    #[command(flatten)]
    pub process: ProcessSettings,
    /// Where data is kept between runs [default: /var/lib/kontor as root, else $XDG_DATA_HOME/kontor or ~/.local/share/kontor]
    #[arg(long, env = "KONTOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// An existing database, as a role that may create roles and schemas; without it a private Postgres is started
    #[arg(long, env = "KONTOR_DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = database_url)]
    pub database_url: Option<SecretString>,
    /// Where the edge listens: HTTP/JSON
    #[arg(long, env = "KONTOR_EDGE_ADDR", default_value = "127.0.0.1:8080")]
    pub edge_addr: SocketAddr,
    /// Where auth listens: gRPC
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101")]
    pub auth_addr: SocketAddr,
    /// Where the catalog listens: gRPC
    #[arg(long, env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102")]
    pub catalog_addr: SocketAddr,
    /// Where the order service listens: gRPC
    #[arg(long, env = "KONTOR_ORDER_ADDR", default_value = "127.0.0.1:7103")]
    pub order_addr: SocketAddr,
    /// Where the sandbox payment provider listens: gRPC
    #[arg(long, env = "KONTOR_PSP_ADDR", default_value = "127.0.0.1:7104")]
    pub psp_addr: SocketAddr,
    /// How many seconds units are sure to be held for an order
    #[arg(long, env = "KONTOR_HOLD_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..))]
    pub hold_seconds: u32,
    /// Proxies whose word about where a call comes from is taken (x-forwarded-for), as networks separated by commas
    #[arg(long, env = "KONTOR_TRUSTED_PROXIES", value_delimiter = ',', default_value = "127.0.0.0/8,::1/128")]
    pub trusted_proxies: Vec<IpNet>,
    /// How many days a key signs access tokens before the next one is made
    #[arg(long, env = "KONTOR_KEY_ROTATION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub key_rotation_days: u32,
    /// The administrator to make on the first start
    #[arg(long, env = "KONTOR_ADMIN_EMAIL", default_value = "admin@kontor.localhost", value_parser = parsers::admin_email)]
    pub admin_email: String,
    /// The administrator's password, 15 characters or more; one is made up if there is none
    #[arg(long, env = "KONTOR_ADMIN_PASSWORD", hide_env_values = true, value_parser = parsers::admin_password)]
    pub admin_password: Option<SecretString>,
    /// The mail server: smtp://user:password@host:587 (with STARTTLS, or nothing is sent) or smtps://user:password@host; in
    /// clear text to this machine only, or with ?tls=none at the end. Without it, mails are shown at /dev/mailbox
    #[arg(long, env = "KONTOR_SMTP_URL", hide_env_values = true, value_parser = parsers::smtp_url)]
    pub smtp_url: Option<SecretString>,
    /// The address that mail comes from, such as "Shop <shop@shop.example>"; the mail server's setting needs it
    #[arg(long, env = "KONTOR_MAIL_FROM", value_parser = parsers::mail_from)]
    pub mail_from: Option<String>,
    /// The origin of the shop's pages that links in mails lead to, such as `https://shop.example` [default: the edge's]
    #[arg(long, env = "KONTOR_LINK_ORIGIN", value_parser = parsers::link_origin)]
    pub link_origin: Option<String>,
    /// The catalog to load on the first start: "default", or "none"
    #[arg(long, env = "KONTOR_SAMPLE", default_value = "default", value_parser = ["default", "none"])]
    pub sample: String,
}

impl Up {
    /// Whether mail is sent, and not only shown.
    pub(crate) fn sends_mail(&self) -> bool {
        self.smtp_url.as_ref().is_some_and(|url| !url.expose_secret().is_empty())
    }
}

/// What to load, and where.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Import {
    /// The file
    #[arg(required_unless_present = "sample")]
    pub file: Option<PathBuf>,
    /// Instead of a file, the sample catalog, if the catalog is empty
    #[arg(long, conflicts_with = "file")]
    pub sample: bool,
    /// The currency of its prices, by its three letters
    #[arg(long, default_value = "USD")]
    pub currency: String,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where the catalog listens
    #[arg(long, env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102", value_parser = peer_address)]
    pub catalog_addr: String,
    /// Who loads it.
    #[command(flatten)]
    pub operator: Operator,
}

/// How to rotate.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct RotateKeys {
    /// The keys have fallen into wrong hands: refuse all of them, and all that they have signed, at once
    #[arg(long)]
    pub compromised: bool,
    /// Who rotates.
    #[command(flatten)]
    pub operator: Operator,
}

/// Which database to migrate.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Migrate {
    /// Only tell whether the schemas are current: exit code 0 if they are, else 1
    #[arg(long)]
    pub check: bool,
    /// The database, as a role that may create roles and schemas: postgres://user:password@host/database
    #[arg(long, env = "KONTOR_DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = database_url)]
    pub database_url: SecretString,
    /// The password of the role kontor_auth, which is made if it is missing
    #[arg(long, env = "KONTOR_AUTH_DATABASE_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub auth_database_password: SecretString,
    /// The password of the role kontor_catalog
    #[arg(long, env = "KONTOR_CATALOG_DATABASE_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub catalog_database_password: SecretString,
    /// The password of the role kontor_order
    #[arg(long, env = "KONTOR_ORDER_DATABASE_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub order_database_password: SecretString,
}

/// Whose password.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct AdminPassword {
    /// The password itself, where it is known by its variable; without it, the one that `kontor up` made and keeps in its data directory
    #[arg(long, env = "KONTOR_ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<SecretString>,
    /// The data directory of `kontor up`
    #[arg(long, env = "KONTOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Who asks a running Kontor for something.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Operator {
    /// Where auth listens
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101", value_parser = peer_address)]
    pub auth_addr: String,
    /// The administrator who signs in
    #[arg(long, env = "KONTOR_ADMIN_EMAIL", default_value = "admin@kontor.localhost", value_parser = parsers::admin_email)]
    pub admin_email: String,
    /// Their password; without it, the one that `kontor up` made and keeps in its data directory
    #[arg(long, env = "KONTOR_ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<SecretString>,
    /// The data directory of `kontor up`
    #[arg(long, env = "KONTOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}
