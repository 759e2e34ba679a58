//! Mail, to a real mail server.

use std::time::Duration;

use futures_util::future::join_all;
use kontor_auth::Config;
use kontor_testkit::smtp::{LOGIN, Options, Reply};
use kontor_testkit::{Smtp, free_addr};
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use crate::world::{Auth, Database};

const ADA: &str = "ada@example.org";
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Settings that send mail to a server; `more` goes at the end of its URL.
fn sending_to(database: &Database, smtp: std::net::SocketAddr, more: &str) -> Config {
    Config {
        smtp_url: Some(format!("smtp://{smtp}{more}").into()),
        mail_from: Some("Shop <shop@shop.example>".into()),
        link_origin: Some("https://shop.example".into()),
        ..database.config()
    }
}

/// A service that sends its mail to a server with scripted replies.
async fn with_replies(replies: &[Reply]) -> (Auth, Smtp, Database) {
    let options = Options { replies: replies.to_vec(), ..Options::default() };
    let (database, smtp) = (Database::new().await, Smtp::start(options).await);
    let auth = Auth::start(sending_to(&database, smtp.addr, "")).await;
    (auth, smtp, database)
}

kontor_postgres::from_row! {
    /// A mail as it stands in the queue.
    #[derive(Debug)]
    struct Row {
        id: uuid::Uuid,
        body: String,
        is_sent: bool,
        attempts: i32,
        failure: Option<String>,
    }
}

async fn rows(pool: &PgPool) -> Vec<Row> {
    let sql = "SELECT id, body, sent_time IS NOT NULL AS is_sent, attempts, failure FROM mails ORDER BY create_time";
    sqlx::query_as(sql).fetch_all(pool).await.unwrap()
}

/// The one mail in the queue, once it has ended.
async fn ended(pool: &PgPool) -> Row {
    let began = Instant::now();
    loop {
        let mut rows = rows(pool).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = rows.remove(0);
        if row.is_sent || row.failure.is_some() {
            return row;
        }
        assert!(began.elapsed() < WAIT_MAX, "{row:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn queue(pool: &PgPool, to: &str, expires_in: Option<i32>) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO mails (id, recipient, subject, body, expire_time) \
               VALUES (gen_random_uuid(), $1, 'Hello', 'secret 12345678', now() + $2 * interval '1 second')";
    sqlx::query(sql).bind(to).bind(expires_in).execute(pool).await.map(|_| ())
}

/// The code in a text that begins with it.
fn code_in(text: &str) -> &str {
    text.strip_prefix("Your code is ").unwrap().get(..8).unwrap()
}

#[tokio::test]
async fn a_sign_up_s_mail_arrives_with_the_code_and_a_link_to_the_configured_origin() {
    let (auth, smtp, database) = with_replies(&[]).await;
    let sign_up = auth.sign_up(ADA).await.unwrap().sign_up;
    let mail = smtp.takes(1).await.remove(0);
    let row = ended(&database.pool().await).await;

    assert_eq!((mail.sender.as_str(), mail.recipients.as_slice()), ("shop@shop.example", &[ADA.to_owned()][..]));
    for (name, value) in [
        ("From", "Shop <shop@shop.example>"),
        ("To", ADA),
        ("Subject", "Your sign-up code"),
        ("Message-ID", &format!("<{}@shop.example>", row.id)),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Type", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(mail.header(name), value);
    }
    assert!(mail.header("Date").ends_with(" +0000"));

    let code = code_in(&mail.text);
    let link = format!("https://shop.example/verify-sign-up#signUp={sign_up}&code={code}\n");
    assert!(mail.text.contains(&link), "no {link} in {}", mail.text);
    assert_eq!((row.is_sent, row.attempts, row.body.as_str(), row.failure), (true, 1, "", None));
    assert!(auth.mailbox.mails().is_empty(), "what is sent is not shown");
    auth.verify(&sign_up, code).await.unwrap();
}

#[tokio::test]
async fn mail_that_waits_for_its_server_arrives_once_it_is_there_and_once_only() {
    let (database, addr) = (Database::new().await, free_addr());
    let auth = Auth::start(sending_to(&database, addr, "")).await;
    auth.sign_up(ADA).await.unwrap();
    let pool = database.pool().await;
    while rows(&pool).await[0].attempts < 2 {
        sleep(Duration::from_millis(20)).await;
    }
    let smtp = Smtp::start_at(addr, Options::default()).await;
    smtp.takes(1).await;
    let row = ended(&pool).await;
    auth.stop().await;
    assert!(row.is_sent && row.attempts > 1, "{row:?}");
    assert_eq!(smtp.taken().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_and_gets_one_mail() {
    let (auth, smtp, database) =
        with_replies(&[Reply::Rcpt("451 4.3.0 busy"), Reply::Data("421 4.3.2 still busy")]).await;
    auth.sign_up(ADA).await.unwrap();
    let row = ended(&database.pool().await).await;
    assert_eq!((row.is_sent, row.attempts, row.body.as_str()), (true, 3, ""));
    assert_eq!((smtp.taken().len(), smtp.refusals()), (1, 2));
}

#[tokio::test]
async fn mail_that_is_refused_is_given_up_with_the_reason_and_its_text_is_forgotten() {
    let (auth, smtp, database) = with_replies(&[Reply::Rcpt("550 5.1.1 no such user")]).await;
    auth.sign_up(ADA).await.unwrap();
    let row = ended(&database.pool().await).await;
    assert_eq!((row.is_sent, row.attempts, row.body.as_str()), (false, 1, ""));
    assert!(row.failure.unwrap().contains("550"));
    // The next one is not held up by it.
    auth.sign_up("bob@example.org").await.unwrap();
    assert_eq!(smtp.takes(1).await[0].recipients, ["bob@example.org"]);
}

#[tokio::test]
async fn a_refusal_that_quotes_the_mail_leaves_no_code_behind() {
    let (auth, _smtp, database) = with_replies(&[Reply::Data("554 5.7.1 spam: {body}")]).await;
    auth.sign_up(ADA).await.unwrap();
    let row = ended(&database.pool().await).await;
    let failure = row.failure.unwrap();
    assert_eq!(row.body, "");
    assert!(!failure.bytes().any(|b| b.is_ascii_digit()), "{failure}");
}

#[tokio::test]
async fn a_mail_whose_acknowledgement_is_lost_comes_again_under_the_same_message_id() {
    let (auth, smtp, database) = with_replies(&[Reply::Disconnect]).await;
    auth.sign_up(ADA).await.unwrap();
    let mails = smtp.takes(2).await;
    assert_eq!(mails[0].headers, mails[1].headers, "Message-ID, Date and all");
    assert_eq!(mails[0].text, mails[1].text);
    assert!(ended(&database.pool().await).await.is_sent);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_gets_neither_mail_nor_password() {
    let options = Options { starttls: true, requires_login: true, ..Options::default() };
    let (database, smtp) = (Database::new().await, Smtp::start(options).await);
    let url = format!("smtp://{LOGIN}@{}?tls=required", smtp.addr);
    let config = Config { smtp_url: Some(url.into()), ..sending_to(&database, smtp.addr, "") };
    let auth = Auth::start(config).await;
    auth.sign_up(ADA).await.unwrap();
    smtp.is_called(2).await;
    auth.stop().await;
    let row = rows(&database.pool().await).await.remove(0);
    assert!(!row.is_sent && row.failure.is_none() && row.body.contains("Your code"), "it waits: {row:?}");
    assert!(smtp.taken().is_empty());
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing_if_it_is_required() {
    let (database, smtp) = (Database::new().await, Smtp::start(Options::default()).await);
    let auth = Auth::start(sending_to(&database, smtp.addr, "?tls=required")).await;
    auth.sign_up(ADA).await.unwrap();
    smtp.is_called(2).await;
    auth.stop().await;
    assert!(smtp.taken().is_empty());

    // Unless the settings say that clear text will do.
    let auth = Auth::start(sending_to(&database, smtp.addr, "?tls=none")).await;
    assert!(!smtp.takes(1).await[0].is_encrypted);
    auth.stop().await;
}

#[tokio::test]
async fn a_wrong_password_of_the_mail_server_loses_no_mail() {
    let options = Options { requires_login: true, ..Options::default() };
    let (database, smtp) = (Database::new().await, Smtp::start(options).await);
    let config = |login: &str| {
        let url = format!("smtp://{login}@{}", smtp.addr);
        Config { smtp_url: Some(url.into()), ..sending_to(&database, smtp.addr, "") }
    };
    let auth = Auth::start(config("shop:wrong")).await;
    auth.sign_up(ADA).await.unwrap();
    smtp.is_called(2).await;
    auth.stop().await;
    let auth = Auth::start(config(LOGIN)).await;
    assert!(smtp.takes(1).await[0].is_authenticated);
    assert!(ended(&database.pool().await).await.is_sent);
    auth.stop().await;
}

#[tokio::test]
async fn replicas_share_the_queue_and_send_each_mail_once() {
    let (database, smtp) = (Database::new().await, Smtp::start(Options::default()).await);
    let config = sending_to(&database, smtp.addr, "");
    let replicas = join_all((0..3).map(|_| Auth::start(config.clone()))).await;
    replicas[0].jwks().await;
    let pool = database.pool().await;
    join_all((0..60).map(|number| {
        let pool = pool.clone();
        async move { queue(&pool, &format!("ada{number}@example.org"), None).await.unwrap() }
    }))
    .await;
    smtp.takes(60).await;
    for replica in replicas {
        replica.stop().await;
    }
    let mut recipients: Vec<_> = smtp.taken().into_iter().flat_map(|mail| mail.recipients).collect();
    recipients.sort();
    recipients.dedup();
    assert_eq!((recipients.len(), smtp.taken().len()), (60, 60));
    assert!(rows(&pool).await.iter().all(|row| row.is_sent && row.attempts == 1 && row.body.is_empty()));
}

#[tokio::test]
async fn a_mail_that_its_sender_died_over_is_sent_by_another_once_the_lease_has_ended() {
    let (auth, smtp, database) = with_replies(&[]).await;
    auth.jwks().await;
    let pool = database.pool().await;
    let mut tx = pool.begin().await.unwrap();
    let sql = "INSERT INTO mails (id, recipient, subject, body, attempts, next_attempt_time) \
               VALUES (gen_random_uuid(), $1, 'Hello', 'text', 1, now() + interval '3 seconds')";
    sqlx::query(sql).bind(ADA).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    sleep(Duration::from_millis(1500)).await;
    assert!(smtp.taken().is_empty(), "it belongs to another");
    smtp.takes(1).await;
    let row = ended(&pool).await;
    assert!(row.is_sent && row.attempts == 2, "{row:?}");
}

#[tokio::test]
async fn a_code_that_has_expired_is_not_sent_any_more() {
    let (auth, smtp, database) = with_replies(&[]).await;
    auth.jwks().await;
    let pool = database.pool().await;
    queue(&pool, ADA, Some(-1)).await.unwrap();
    let row = ended(&pool).await;
    assert!(!row.is_sent && row.body.is_empty() && row.failure.unwrap().contains("expired"));
    assert_eq!(smtp.connections(), 0);

    auth.sign_up("bob@example.org").await.unwrap();
    smtp.takes(1).await;
    let same = "SELECT count(*) FROM mails m JOIN sign_ups s ON s.expire_time = m.expire_time WHERE recipient = email";
    assert_eq!(sqlx::query_scalar::<_, i64>(same).fetch_one(&pool).await.unwrap(), 1, "it expires with its code");
}

#[tokio::test]
async fn line_breaks_in_names_and_addresses_add_no_header_and_no_recipient() {
    let (auth, smtp, database) = with_replies(&[]).await;
    let authentication = |email: &str, display_name: &str| {
        let request = kontor_proto::kontor::auth::v1::SignUpRequest {
            email: email.into(),
            password: crate::world::PASSWORD.into(),
            display_name: display_name.into(),
        };
        let mut client = auth.authentication();
        async move { client.sign_up(request).await }
    };
    let evil = "\r\nBcc: eve@example.org\r\n\r\nHello";
    for email in [format!("ada@example.org{evil}"), format!("ada{evil}@example.org"), "a\r@example.org".into()] {
        let refusal = authentication(&email, "Ada").await.unwrap_err();
        assert_eq!(refusal.code(), tonic::Code::InvalidArgument, "{email:?}");
    }
    let pool = database.pool().await;
    assert!(rows(&pool).await.is_empty());

    // A name stands in no mail, whatever it is.
    let _ = authentication(ADA, &format!("Ada{evil}")).await;
    // Even if such an address came into the queue, it would be in no mail.
    queue(&pool, &format!("ada@example.org{evil}"), None).await.unwrap();
    queue(&pool, "bob@example.org", None).await.unwrap();
    while rows(&pool).await.iter().any(|row| !row.is_sent && row.failure.is_none()) {
        sleep(Duration::from_millis(20)).await;
    }
    assert!(rows(&pool).await.iter().any(|row| row.failure.is_some() && row.body.is_empty()));
    for mail in smtp.taken() {
        assert!(!mail.headers.iter().any(|line| line.contains("eve@") || line.starts_with("Bcc")), "{mail:?}");
        assert!(mail.recipients.len() == 1 && !mail.text.contains("eve@"), "{mail:?}");
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_stop_the_start_and_tell_no_password() {
    let database = Database::new().await;
    let config = |url: &str, from: Option<&str>| Config {
        smtp_url: Some(url.to_owned().into()),
        mail_from: from.map(str::to_owned),
        ..database.config()
    };
    for (config, setting) in [
        (config("smtp://shop:hunter2@mail.example", None), "KONTOR_MAIL_FROM"),
        (config("smtp://shop:hunter2@mail.example", Some("shop")), "KONTOR_MAIL_FROM"),
        (config("smtp://shop:hunter2@mail.example", Some("shop@shop.example\r\nBcc: a@b.example")), "KONTOR_MAIL_FROM"),
        (config("http://shop:hunter2@mail.example", Some("shop@shop.example")), "KONTOR_SMTP_URL"),
        (config("smtp://shop:hunter2@mail.example?tls=no", Some("shop@shop.example")), "KONTOR_SMTP_URL"),
        (Config { link_origin: Some("shop.example".into()), ..database.config() }, "KONTOR_LINK_ORIGIN"),
        (Config { link_origin: Some("https://shop.example/x".into()), ..database.config() }, "KONTOR_LINK_ORIGIN"),
        (Config { issuer: "kontor".into(), ..database.config() }, "KONTOR_LINK_ORIGIN"),
    ] {
        let error = Auth::refused(config).await;
        assert!(error.contains(setting) && !error.contains("hunter2"), "{error}");
    }
}
