//! A mail as the server took it.

#[derive(Clone, Debug, Default)]
pub struct TakenMail {
    pub sender: String,
    pub recipients: Vec<String>,
    pub headers: Vec<String>,
    pub text: String,
    pub is_encrypted: bool,
    pub is_authenticated: bool,
}

impl TakenMail {
    /// Adds the message, whose lines end in LF, to the envelope. `None` if no empty line ends its header.
    pub(super) fn with_message(self, message: &str) -> Option<Self> {
        let (head, body) = message.split_once("\n\n")?;
        let headers: Vec<_> = head.replace("\n ", " ").lines().map(str::to_owned).collect();
        Some(Self { text: decode(&headers, body), headers, ..self })
    }

    /// The value of a header that must be there once.
    pub fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        let mut found = self.headers.iter().filter_map(|line| line.strip_prefix(&prefix));
        let value = found.next().unwrap_or_else(|| panic!("no {name} in {:?}", self.headers));
        assert!(found.next().is_none(), "{name} twice in {:?}", self.headers);
        value
    }
}

/// Decodes as much of quoted-printable as Kontor's mails need: soft line breaks and "=".
fn decode(headers: &[String], body: &str) -> String {
    match headers.iter().any(|line| line == "Content-Transfer-Encoding: quoted-printable") {
        true => body.replace("=\n", "").replace("=3D", "="),
        false => body.to_owned(),
    }
}
