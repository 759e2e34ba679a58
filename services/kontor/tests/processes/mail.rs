//! Mail that leaves the machine: through TLS, with links to where the settings say.

use std::process::Command;

use kontor_testkit::Smtp;
use kontor_testkit::smtp::{LOGIN, Options};
use reqwest::Method;
use serde_json::json;

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, up};

/// `kontor up` that sends its mail to this server by STARTTLS, trusting the server's authority alone.
fn sending_to(smtp: &Smtp, dir: &DataDir) -> Command {
    let mut command = up(dir);
    command.args(["--smtp-url", &format!("smtp://{LOGIN}@localhost:{}?tls=required", smtp.addr.port())]);
    command.args(["--mail-from", "Shop <shop@shop.example>", "--link-origin", "https://shop.example"]);
    command.env("SSL_CERT_FILE", smtp.authority()).env("KONTOR_SAMPLE", "none");
    command
}

#[tokio::test]
async fn mail_goes_through_tls_and_its_links_follow_no_forged_header() {
    let options = Options { starttls: true, requires_login: true, ..Options::default() };
    let (dir, smtp) = (DataDir::new(), Smtp::start(options).await);
    let mut kontor = Launcher::start(&mut sending_to(&smtp, &dir)).await;
    let body = json!({"email": "ada@example.org", "password": "seven green bicycles"});
    let sign_up = kontor.shop().request(Method::POST, "v1/auth:signUp").json(&body);
    let forged = [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("origin", "https://evil.example")];
    let sign_up = forged.into_iter().fold(sign_up, |request, (name, value)| request.header(name, value));
    assert_eq!(sign_up.send().await.unwrap().status(), 200);

    let mail = smtp.takes(1).await.remove(0);
    assert!(mail.is_encrypted && mail.is_authenticated, "{mail:?}");
    assert!(mail.text.contains("https://shop.example/verify-sign-up#signUp=signUps/"), "{}", mail.text);
    assert!(!mail.text.contains("evil"), "{}", mail.text);

    let mailbox = kontor.shop().request(Method::GET, "dev/mailbox").send().await.unwrap();
    assert_eq!(mailbox.status(), 404, "what is sent is not shown");
    let said = kontor.program.said();
    assert!(said.contains("Shop <shop@shop.example>") && !said.contains("/dev/mailbox"), "{said}");
    assert_eq!(kontor.stop("TERM").await.code(), Some(0), "{}", kontor.program.complained());
    let log = kontor.program.complained();
    assert!(!log.contains("p:a ss") && !log.contains("p%3Aa"), "{log}");
}

#[tokio::test]
async fn without_a_sender_it_does_not_start_and_says_what_is_missing() {
    let dir = DataDir::new();
    let mut kontor = kontor_testkit::Program::start(up(&dir).args(["--smtp-url", "smtp://mail.example"]));
    assert_eq!(kontor.ends(std::time::Duration::from_secs(90)).await.code(), Some(2));
    assert!(kontor.complained().contains("KONTOR_MAIL_FROM"), "{}", kontor.complained());
}
