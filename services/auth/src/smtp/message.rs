//! A mail as it goes over the wire (RFC 5322).

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use url::Host;

use crate::store::mails::Queued;

/// The same for each repetition: a server that has taken it before can tell by the Message-ID and the date.
pub(super) fn message(from: &Mailbox, mail: &Queued) -> Result<Message, String> {
    let to: Address = mail.to.parse().map_err(|_| "the address is none that mail can be sent to".to_owned())?;
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, with_ascii_domain(to)))
        .subject(&mail.subject)
        .date(mail.create_time.into())
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .header(AutoSubmitted)
        .singlepart(SinglePart::plain(mail.text.clone()));
    message.map_err(|error| error.to_string())
}

/// Names with other letters have a spelling that every server understands (RFC 5890).
fn with_ascii_domain(address: Address) -> Address {
    let Ok(Host::Domain(domain)) = Host::parse(address.domain()) else { return address };
    Address::new(address.user(), domain).unwrap_or(address)
}

/// Tells that no person wrote it, so that nobody's holiday answers (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn mail(to: &str, text: &str) -> Queued {
        let (id, create_time) = (Uuid::nil(), DateTime::UNIX_EPOCH);
        let (to, subject, text) = (to.to_owned(), "Your code".to_owned(), text.to_owned());
        Queued { id, to, subject, text, create_time, attempts: 1, is_expired: false }
    }

    fn formatted(mail: &Queued) -> Result<String, String> {
        let from = "Shop <shop@shop.example>".parse().unwrap();
        message(&from, mail).map(|message| String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn headers_are_complete_and_the_same_each_time() {
        let mail = mail("ada@example.org", "Your code is 12345678\n");
        let message = formatted(&mail).unwrap();
        for line in [
            "From: Shop <shop@shop.example>",
            "To: ada@example.org",
            "Subject: Your code",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "Message-ID: <00000000-0000-0000-0000-000000000000@shop.example>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(message.split("\r\n").any(|found| found == line), "no {line:?} in:\n{message}");
        }
        assert_eq!(formatted(&mail).unwrap(), message);
    }

    #[test]
    fn other_letters_are_encoded() {
        let message = formatted(&mail("ada@münchen.example", "Grüße\n")).unwrap();
        assert!(message.contains("To: ada@xn--mnchen-3ya.example\r\n"), "{message}");
        assert!(message.is_ascii() && !message.contains("Grüße"), "{message}");
    }

    #[test]
    fn an_address_adds_no_header_and_no_recipient() {
        for to in [
            "ada@example.org\r\nBcc: eve@example.org",
            "ada\r\nBcc: eve@example.org",
            "ada@example.org, eve@example.org",
            "ada@example.org>\r\nRCPT TO:<eve@example.org",
            "Ada <ada@example.org>",
            "ada@example.org\n",
            "ada@example.org\0",
            "ada@exam\rple.org",
            "",
        ] {
            assert!(formatted(&mail(to, "text")).is_err(), "{to:?}");
        }
    }
}
