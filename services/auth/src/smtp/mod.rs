//! Mail to a mail server, by SMTP.

mod message;
mod server;

use std::time::Duration;

use lettre::Message;
use lettre::message::Mailbox as Sender;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::domain::delivery::{Refusal, SEND_MAX};
use crate::store::mails::Queued;
pub(crate) use server::SettingsError;
use server::{Security, Server, is_loopback};

/// How long a farewell may take.
const QUIT_MAX: Duration = Duration::from_secs(2);

/// Whether a URL names a mail server.
pub(crate) fn check_url(url: &SecretString) -> Result<(), SettingsError> {
    Server::parse(url).map(drop)
}

/// Whether mail can come from this address.
pub(crate) fn check_sender(from: &str) -> Result<(), SettingsError> {
    from.parse::<Sender>().map(drop).map_err(|_| SettingsError::Sender)
}

/// A mail server, and who mail comes from.
pub(crate) struct Smtp {
    server: Server,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    hello: ClientId,
    from: Sender,
}

impl Smtp {
    /// From the settings. Nothing is connected yet.
    pub(crate) fn new(url: &SecretString, from: Option<&str>) -> Result<Self, SettingsError> {
        let server = Server::parse(url)?;
        let from = from.ok_or(SettingsError::NoSender)?.parse().map_err(|_| SettingsError::Sender)?;
        let tls = TlsParameters::new(server.host.clone()).map_err(|error| SettingsError::Tls(error.to_string()))?;
        let credentials = server.user.as_ref();
        let credentials = credentials.map(|(user, it)| Credentials::new(user.clone(), it.expose_secret().to_owned()));
        if server.security == Security::Plain && !is_loopback(&server.host) {
            tracing::warn!(host = server.host, "mail goes to the mail server in clear text, as the settings say");
        }
        Ok(Self { server, tls, credentials, hello: ClientId::default(), from })
    }

    /// Sends a mail. Ok once the server has taken it.
    pub(crate) async fn send(&self, mail: &Queued) -> Result<(), Refusal> {
        let message = message::message(&self.from, mail).map_err(Refusal::Never)?;
        match timeout(SEND_MAX, self.send_message(&message)).await {
            Ok(sent) => sent,
            Err(_elapsed) => Err(Refusal::Later(format!("no answer within {} s", SEND_MAX.as_secs()))),
        }
    }

    async fn send_message(&self, message: &Message) -> Result<(), Refusal> {
        // Whatever goes wrong before there is talk of the mail is no fault of the mail's.
        let mut conn = self.connect().await.map_err(|error| Refusal::Later(error.to_string()))?;
        let sent = conn.send(message.envelope(), &message.formatted()).await.map_err(refusal);
        // Its answer changes nothing, so that nobody waits for it.
        tokio::spawn(async move { timeout(QUIT_MAX, conn.quit()).await });
        sent.map(|_| ())
    }

    /// Connects; in clear text only if the settings say so.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let Server { host, port, security, .. } = &self.server;
        let tls = (*security == Security::Tls).then(|| self.tls.clone());
        let address = (host.as_str(), *port);
        let mut conn = AsyncSmtpConnection::connect_tokio1(address, Some(SEND_MAX), &self.hello, tls, None).await?;
        if *security == Security::StartTls {
            conn.starttls(self.tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            conn.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(conn)
    }
}

fn refusal(error: Error) -> Refusal {
    // "Client": the server lacks what this mail would need, such as addresses in other letters.
    match error.is_permanent() || error.is_client() {
        true => Refusal::Never(error.to_string()),
        false => Refusal::Later(error.to_string()),
    }
}
