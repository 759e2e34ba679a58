//! One SMTP session: RFC 5321 with STARTTLS (RFC 3207) and AUTH (RFC 4954).

use std::io::{Error, Result};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::auth;
use super::mail::TakenMail;
use super::server::{Reply, Shared};
use super::wire::Wire;

/// The most recipients of one mail.
const RECIPIENTS_MAX: usize = 100;

/// Serves a connection until the client closes it.
pub(super) async fn serve(stream: TcpStream, shared: &Shared) -> Result<()> {
    let mut session = Session::new(stream, shared, false);
    session.wire.reply("220 localhost ESMTP").await?;
    if let Some(tls) = session.run().await? {
        let stream = tls.accept(session.wire.into_inner()).await?;
        Session::new(stream, shared, true).run().await?;
    }
    Ok(())
}

struct Session<'a, S> {
    wire: Wire<S>,
    shared: &'a Shared,
    is_encrypted: bool,
    is_authenticated: bool,
    mail: Option<TakenMail>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    fn new(stream: S, shared: &'a Shared, is_encrypted: bool) -> Self {
        Self { wire: Wire::new(stream), shared, is_encrypted, is_authenticated: false, mail: None }
    }

    /// Executes commands until the client leaves, or is about to start TLS.
    async fn run(&mut self) -> Result<Option<&'a TlsAcceptor>> {
        while let Some(line) = self.wire.read_line().await? {
            let (command, argument) = line.split_once(' ').unwrap_or((&line, ""));
            match (command.to_ascii_uppercase().as_str(), self.offered_tls()) {
                ("STARTTLS", Some(tls)) => {
                    self.wire.reply("220 2.0.0 start TLS").await?;
                    return Ok(Some(tls));
                }
                ("QUIT", _) => return self.wire.reply("221 2.0.0 closing").await.map(|()| None),
                ("DATA", _) => self.receive_message().await?,
                (command, _) => {
                    let reply = self.execute(command, argument);
                    self.wire.reply(reply).await?;
                }
            }
        }
        Ok(None)
    }

    /// Executes a command that takes one line and has one reply.
    fn execute(&mut self, command: &str, argument: &str) -> &'static str {
        match command {
            "EHLO" => self.extensions(),
            "HELO" => "250 localhost",
            "AUTH" => self.log_in(argument),
            "MAIL" => self.start_mail(argument),
            "RCPT" => self.add_recipient(argument),
            "RSET" => {
                self.mail = None;
                "250 2.0.0 reset"
            }
            "NOOP" => "250 2.0.0 fine",
            _ => "502 5.5.1 command not implemented",
        }
    }

    fn extensions(&self) -> &'static str {
        match (self.offered_tls(), self.offers_login()) {
            (Some(_), _) => "250-localhost\r\n250-8BITMIME\r\n250 STARTTLS",
            (None, true) => "250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            (None, false) => "250-localhost\r\n250 8BITMIME",
        }
    }

    fn offered_tls(&self) -> Option<&'a TlsAcceptor> {
        self.shared.tls.as_ref().filter(|_| !self.is_encrypted)
    }

    fn offers_login(&self) -> bool {
        self.shared.requires_login && self.offered_tls().is_none()
    }

    fn start_mail(&mut self, argument: &str) -> &'static str {
        match path(argument, "FROM:") {
            _ if self.shared.requires_login && !self.is_authenticated => "530 5.7.0 login required",
            _ if self.mail.is_some() => "503 5.5.1 another mail has begun",
            None => "501 5.5.4 no valid sender",
            Some(sender) => {
                let Self { is_encrypted, is_authenticated, .. } = *self;
                let sender = sender.to_owned();
                self.mail = Some(TakenMail { sender, is_encrypted, is_authenticated, ..TakenMail::default() });
                "250 2.1.0 fine"
            }
        }
    }

    fn add_recipient(&mut self, argument: &str) -> &'static str {
        match (&mut self.mail, path(argument, "TO:")) {
            (None, _) => "503 5.5.1 MAIL comes first",
            (_, None) => "501 5.5.4 no valid recipient",
            (Some(mail), _) if mail.recipients.len() == RECIPIENTS_MAX => "452 4.5.3 too many recipients",
            (Some(mail), Some(recipient)) => match self.shared.next_reply(|reply| matches!(reply, Reply::Rcpt(_))) {
                Some(Reply::Rcpt(refusal)) => self.shared.refuse(refusal),
                _ => {
                    mail.recipients.push(recipient.to_owned());
                    "250 2.1.5 fine"
                }
            },
        }
    }

    async fn receive_message(&mut self) -> Result<()> {
        let Some(mail) = self.mail.take_if(|mail| !mail.recipients.is_empty()) else {
            return self.wire.reply("503 5.5.1 RCPT comes first").await;
        };
        self.wire.reply("354 end with a dot").await?;
        let message = self.wire.read_message().await?;
        let scripted = self.shared.next_reply(|reply| !matches!(reply, Reply::Rcpt(_)));
        if let Some(Reply::Data(refusal)) = scripted {
            let reply = self.shared.refuse(refusal).replace("{body}", &last_words(&message));
            return self.wire.reply(&reply).await;
        }
        let mail = mail.with_message(&message).ok_or_else(|| Error::other("no empty line ends the header"))?;
        self.shared.log.send_modify(|log| log.taken.push(mail));
        match scripted {
            Some(_disconnect) => Err(Error::other("disconnected as scripted")),
            None => self.wire.reply("250 2.0.0 taken").await,
        }
    }

    fn log_in(&mut self, argument: &str) -> &'static str {
        self.is_authenticated = self.offers_login() && auth::is_valid(argument);
        match (self.offers_login(), self.is_authenticated) {
            (false, _) => "503 5.5.1 AUTH is not offered",
            (true, true) => "235 2.7.0 logged in",
            (true, false) => "535 5.7.8 invalid credentials",
        }
    }
}

/// The address in the argument of MAIL or RCPT. Parameters behind it are ignored.
fn path<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let (start, rest) = argument.split_at_checked(keyword.len())?;
    let (path, _parameters) = rest.strip_prefix('<')?.split_once('>')?;
    start.eq_ignore_ascii_case(keyword).then_some(path)
}

fn last_words(message: &str) -> String {
    let words: Vec<_> = message.split_whitespace().collect();
    words[words.len().saturating_sub(80)..].join(" ")
}
