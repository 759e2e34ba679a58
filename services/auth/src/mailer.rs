//! Where mail is sent: to a mail server, or into the mailbox of a try-out.

use crate::config::Config;
use crate::domain::delivery::Refusal;
use crate::mailbox::{Mail, Mailbox};
use crate::smtp::{SettingsError, Smtp};
use crate::store::mails::Queued;

pub(crate) enum Mailer {
    Smtp(Box<Smtp>),
    Mailbox(Mailbox),
}

impl Mailer {
    /// The mail server in the settings, or the mailbox. None if there is neither: then mail stays queued.
    pub(crate) fn new(config: &Config, mailbox: Option<Mailbox>) -> Result<Option<Self>, SettingsError> {
        let from = config.mail_from.as_deref().filter(|from| !from.is_empty());
        match config.smtp_url() {
            Some(url) => Ok(Some(Self::Smtp(Box::new(Smtp::new(url, from)?)))),
            None => Ok(mailbox.map(Self::Mailbox)),
        }
    }

    /// Sends a mail. Returns once the receiver has accepted it.
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
