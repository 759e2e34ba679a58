//! The ways that mail can take.

use crate::config::Config;
use crate::domain::delivery::Refusal;
use crate::mailbox::{Mail, Mailbox};
use crate::smtp::{SettingsError, Smtp};
use crate::store::mails::Queued;

/// A way that mail can take.
pub(crate) enum Post {
    /// To a mail server.
    Smtp(Box<Smtp>),
    /// Into the memory of a try-out.
    Mailbox(Mailbox),
}

impl Post {
    /// The mail server that the settings name, or the mailbox. None if there is neither: then mail stays queued.
    pub(crate) fn new(config: &Config, mailbox: Option<Mailbox>) -> Result<Option<Self>, SettingsError> {
        let from = config.mail_from.as_deref().filter(|from| !from.is_empty());
        match config.smtp_url() {
            Some(url) => Ok(Some(Self::Smtp(Box::new(Smtp::new(url, from)?)))),
            None => Ok(mailbox.map(Self::Mailbox)),
        }
    }

    /// Sends a mail. Ok once it has been taken.
    pub(crate) async fn send(&self, mail: &Queued) -> Result<(), Refusal> {
        match self {
            Self::Smtp(smtp) => smtp.send(mail).await,
            Self::Mailbox(mailbox) => {
                tracing::info!("mail for {} is at /dev/mailbox", mail.to);
                let (to, subject, text) = (mail.to.clone(), mail.subject.clone(), mail.text.clone());
                mailbox.put(Mail { to, subject, text, time: mail.create_time });
                Ok(())
            }
        }
    }
}
