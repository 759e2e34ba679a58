//! The server, as a client sees it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Options, Reply, Smtp};

/// The codes of the server's replies to these lines.
async fn replies(smtp: &Smtp, lines: &[&str]) -> Vec<String> {
    let mut stream = TcpStream::connect(smtp.addr).await.unwrap();
    stream.write_all((lines.join("\r\n") + "\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text.lines().map(|line| line.chars().take(4).collect::<String>().trim_end().to_owned()).collect()
}

#[tokio::test]
async fn a_mail_is_taken_as_it_was_sent_after_the_login() {
    let smtp = Smtp::start(Options { requires_login: true, ..Options::default() }).await;
    let login =
        ["EHLO me", "MAIL FROM:<a@b.example>", "AUTH PLAIN AHNob3AAeA==", "AUTH PLAIN AHNob3AAcDphIHNz", "DATA"];
    let mail = ["mail from:<a@b.example> BODY=8BITMIME", "rcpt to:<c@d.example>", "RCPT TO:<e@f.example>"];
    let data = ["DATA", "Subject: one", " two", "", "..", "..three", ".", "RSET", "VRFY a", "QUIT"];
    let codes = replies(&smtp, &[&login[..], &mail, &data].concat()).await;
    assert_eq!(codes.join(" "), "220 250- 250- 250 530 535 235 503 250 250 250 354 250 250 502 221");
    let mail = smtp.takes(1).await.remove(0);
    assert_eq!((mail.sender.as_str(), mail.recipients.join(" ")), ("a@b.example", "c@d.example e@f.example".into()));
    assert_eq!((mail.header("Subject"), mail.text.as_str()), ("one two", ".\n.three\n"));
    assert!(mail.is_authenticated && !mail.is_encrypted);
}

#[tokio::test]
async fn scripted_replies_are_given_in_their_order_and_once() {
    let script = vec![Reply::Data("554 spam: {body}"), Reply::Rcpt("450 busy"), Reply::Disconnect];
    let smtp = Smtp::start(Options { replies: script, ..Options::default() }).await;
    let mail = ["MAIL FROM:<>", "RCPT TO:<a@b.example>", "RCPT TO:<a@b.example>", "DATA", "A: b", "", "text", "."];
    let codes = replies(&smtp, &[&mail[..], &mail, &mail, &["QUIT"]].concat()).await;
    assert_eq!(codes.join(" "), "220 250 250 250 354 554 250 450 250 354");
    assert_eq!((smtp.taken().len(), smtp.refusals()), (1, 2));
}

#[tokio::test]
async fn a_server_ends_with_its_handle() {
    let smtp = Smtp::start(Options::default()).await;
    let (addr, mut stream) = (smtp.addr, TcpStream::connect(smtp.addr).await.unwrap());
    assert!(stream.read(&mut [0; 64]).await.unwrap() > 0, "a greeting");
    drop(smtp);
    assert_eq!(stream.read(&mut [0; 64]).await.unwrap(), 0);
    assert!(TcpStream::connect(addr).await.is_err());
}
