//! Lines and messages as they travel.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

/// RFC 5321's limit for a line of text with its CRLF, and the dot that may precede it.
const LINE_MAX: u64 = 1001;
/// The longest message, in bytes.
const MESSAGE_MAX: usize = 1024 * 1024;

pub(super) struct Wire<S>(BufReader<S>);

impl<S: AsyncRead + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// The stream, without what was received ahead.
    pub(super) fn into_inner(self) -> S {
        self.0.into_inner()
    }

    /// The next line, without its CRLF. `None` at the end of the connection.
    pub(super) async fn read_line(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        (&mut self.0).take(LINE_MAX).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(None);
        }
        let line = String::from_utf8(line).map_err(Error::other)?;
        match line.strip_suffix("\r\n") {
            Some(text) if !text.contains('\r') => Ok(Some(text.to_owned())),
            _ => Err(Error::other(format!("a line that is too long or ends in no CRLF: {line:?}"))),
        }
    }

    /// The next line, which must come.
    async fn expect_line(&mut self) -> Result<String> {
        self.read_line().await?.ok_or(ErrorKind::UnexpectedEof.into())
    }

    /// A message up to the line with a single dot, without added dots, and with LF at the ends of its lines.
    pub(super) async fn read_message(&mut self) -> Result<String> {
        let mut message = String::new();
        while message.len() < MESSAGE_MAX {
            let line = self.expect_line().await?;
            if line == "." {
                return Ok(message);
            }
            message += line.strip_prefix('.').unwrap_or(&line);
            message.push('\n');
        }
        Err(Error::other("a message that is too long"))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) async fn reply(&mut self, reply: &str) -> Result<()> {
        self.0.write_all(format!("{reply}\r\n").as_bytes()).await?;
        self.0.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_ends_with_a_dot_and_loses_the_dots_that_the_client_added() {
        let mut wire = Wire::new(&b"..\r\n.. two\r\n a.\r\n\r\n.hidden\r\n.\r\nQUIT\r\n"[..]);
        assert_eq!(wire.read_message().await.unwrap(), ".\n. two\n a.\n\nhidden\n");
        assert_eq!(wire.read_line().await.unwrap().unwrap(), "QUIT");
        assert!(wire.read_line().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn lines_that_end_otherwise_or_never_are_errors() {
        let longest = format!("{}\r\n", "a".repeat(999));
        assert_eq!(Wire::new(longest.as_bytes()).read_line().await.unwrap().unwrap().len(), 999);
        let too_long = format!("a{longest}");
        for bytes in [&b"a\n"[..], b"a\r\r\n", b"a", b"\xff\r\n", too_long.as_bytes()] {
            assert!(Wire::new(bytes).read_line().await.is_err(), "{bytes:?}");
        }
        assert!(Wire::new(&b"text\r\n"[..]).read_message().await.is_err(), "it has no end");
        let endless = longest.repeat(MESSAGE_MAX / 1000 + 1);
        assert!(Wire::new(endless.as_bytes()).read_message().await.is_err());
    }
}
