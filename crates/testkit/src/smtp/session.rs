//! One SMTP session: as much of RFC 5321 as clients need, with STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954, RFC 4616).

use std::io::{Error, ErrorKind, Result};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::mail::TakenMail;
use super::{Reply, Shared};

/// The account of a server that requires a login, `user:password` as in a URL.
pub const LOGIN: &str = "shop:p%3Aa%20ss";
/// The response of AUTH PLAIN for that account: an identity to act as, the user and the password.
const RESPONSE: &str = "\0shop\0p:a ss";

/// RFC 5321's limit for a line of text with its CRLF, and the dot that may precede it.
const LINE_MAX: u64 = 1001;
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Serves a connection until the client closes it.
pub(super) async fn serve(stream: TcpStream, shared: &Shared) -> Result<()> {
    let mut session = Session { stream: BufReader::new(stream), shared, mail: TakenMail::default() };
    session.reply("220 localhost ESMTP").await?;
    if let Some(tls) = session.run().await? {
        let stream = BufReader::new(tls.accept(session.stream.into_inner()).await?);
        let mail = TakenMail { is_encrypted: true, ..TakenMail::default() };
        Session { stream, shared, mail }.run().await?;
    }
    Ok(())
}

struct Session<'a, S> {
    stream: BufReader<S>,
    shared: &'a Shared,
    /// The mail that the client sends now; whether it is encrypted and authenticated holds for the session.
    mail: TakenMail,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    /// Executes commands until the client leaves, or is about to start TLS.
    async fn run(&mut self) -> Result<Option<&'a TlsAcceptor>> {
        while let Some(line) = self.read_line().await? {
            let tls = self.shared.tls.as_ref().filter(|_| !self.mail.is_encrypted);
            let offers_login = self.shared.requires_login && tls.is_none();
            let (command, argument) = line.split_once(' ').unwrap_or((&line, ""));
            let reply = match (command.to_ascii_uppercase().as_str(), tls) {
                ("QUIT", _) => return self.reply("221 2.0.0 closing").await.map(|()| None),
                ("STARTTLS", Some(tls)) => return self.reply("220 2.0.0 start TLS").await.map(|()| Some(tls)),
                ("EHLO", Some(_)) => "250-localhost\r\n250-8BITMIME\r\n250 STARTTLS",
                ("EHLO", None) if offers_login => "250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN",
                ("EHLO", None) => "250-localhost\r\n250 8BITMIME",
                ("AUTH", _) if offers_login => self.log_in(argument),
                ("MAIL", _) if self.shared.requires_login && !self.mail.is_authenticated => "530 5.7.0 login required",
                ("MAIL", _) => {
                    (self.mail.sender, self.mail.recipients) = (path(argument), Vec::new());
                    "250 2.1.0 fine"
                }
                ("RCPT", _) => self.add_recipient(argument),
                ("DATA", _) if self.mail.recipients.is_empty() => "503 5.5.1 RCPT comes first",
                ("DATA", _) => &self.receive_message().await?,
                ("RSET" | "NOOP", _) => "250 2.0.0 fine",
                (_, _) => "502 5.5.1 command not implemented",
            };
            self.reply(reply).await?;
        }
        Ok(None)
    }

    fn log_in(&mut self, argument: &str) -> &'static str {
        let response = argument.strip_prefix("PLAIN ").and_then(|response| STANDARD.decode(response).ok());
        self.mail.is_authenticated = response.is_some_and(|response| response == RESPONSE.as_bytes());
        if self.mail.is_authenticated { "235 2.7.0 logged in" } else { "535 5.7.8 invalid credentials" }
    }

    fn add_recipient(&mut self, argument: &str) -> &'static str {
        match self.next_reply(|reply| matches!(reply, Reply::Rcpt(_))) {
            Some(Reply::Rcpt(refusal)) => self.refuse(refusal),
            _ => {
                self.mail.recipients.push(path(argument));
                "250 2.1.5 fine"
            }
        }
    }

    /// Receives a message up to the line with a single dot, without the dots that the client added.
    async fn receive_message(&mut self) -> Result<String> {
        self.reply("354 end with a dot").await?;
        let mut message = String::new();
        while message.len() < MESSAGE_BYTES_MAX {
            let line = self.read_line().await?.ok_or(ErrorKind::UnexpectedEof)?;
            if line == "." {
                return self.take(&message);
            }
            message += line.strip_prefix('.').unwrap_or(&line);
            message.push('\n');
        }
        Err(Error::other("a message that is too long"))
    }

    fn take(&mut self, message: &str) -> Result<String> {
        let scripted = self.next_reply(|reply| !matches!(reply, Reply::Rcpt(_)));
        if let Some(Reply::Data(refusal)) = scripted {
            let words: Vec<_> = message.split_whitespace().collect();
            let last_words = words[words.len().saturating_sub(80)..].join(" ");
            return Ok(self.refuse(refusal).replace("{body}", &last_words));
        }
        let mail = self.mail.clone().with_message(message).ok_or_else(|| Error::other("the header does not end"))?;
        self.shared.log.send_modify(|log| log.taken.push(mail));
        match scripted {
            Some(_disconnect) => Err(Error::other("disconnected as scripted")),
            None => Ok("250 2.0.0 taken".to_owned()),
        }
    }

    /// The next scripted reply, if it is due.
    fn next_reply(&self, is_due: impl Fn(&Reply) -> bool) -> Option<Reply> {
        self.shared.replies.lock().expect("no panic while it was held").pop_front_if(|reply| is_due(reply))
    }

    fn refuse(&self, reply: &'static str) -> &'static str {
        self.shared.log.send_modify(|log| log.refusals += 1);
        reply
    }

    /// The next line, without its CRLF. `None` at the end of the connection.
    async fn read_line(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        (&mut self.stream).take(LINE_MAX).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(None);
        }
        let line = String::from_utf8(line).map_err(Error::other)?;
        let text = line.strip_suffix("\r\n").filter(|text| !text.contains('\r'));
        text.map(|text| Some(text.to_owned())).ok_or_else(|| Error::other(format!("too long, or no CRLF: {line:?}")))
    }

    async fn reply(&mut self, reply: &str) -> Result<()> {
        self.stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }
}

/// The address in the argument of MAIL or RCPT. Parameters behind it are ignored.
fn path(argument: &str) -> String {
    argument.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
