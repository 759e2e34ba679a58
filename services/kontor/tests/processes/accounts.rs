//! An account's whole life over HTTP, while everything is logged: nothing of what is secret comes into the log.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use kontor_testkit::secrets;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, up};
use crate::shop::{ADMIN, Shop, good};

const EMAIL: &str = "ada@example.org";
const PASSWORDS: [&str; 3] = ["seven green bicycles", "eight brown umbrellas", "nine blue wheelbarrows"];

/// Somebody at the shop, and what they hold at the moment.
struct Person {
    shop: Shop,
    access: String,
    refresh: String,
}

impl Person {
    fn call(&self, path: &str, body: &Value) -> RequestBuilder {
        self.shop.request(Method::POST, path).json(body)
    }

    async fn say(&self, path: &str, body: Value) -> Value {
        good(self.call(path, &body)).await
    }

    async fn say_signed_in(&self, path: &str, body: Value) -> Value {
        good(self.call(path, &body).bearer_auth(&self.access)).await
    }

    fn take(&mut self, tokens: &Value) {
        self.access = kept(&tokens["accessToken"]);
        self.refresh = kept(&tokens["refreshToken"]);
    }

    /// The eight digits in the newest mail with this subject.
    async fn code(&self, subject: &str) -> String {
        for _ in 0..100 {
            let mails = self.shop.get("dev/mailbox").await;
            let mail =
                mails.as_array().unwrap().iter().find(|mail| mail["subject"].as_str().unwrap().contains(subject));
            if let Some(mail) = mail {
                let text = mail["text"].as_str().unwrap().to_owned();
                let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit());
                return text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code).unwrap().to_owned();
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("no mail about {subject}");
    }
}

/// A secret, from now on not to be seen in a log.
fn kept(secret: &Value) -> String {
    let secret = secret.as_str().unwrap().to_owned();
    secrets::keep(&secret);
    secret
}

/// What an authenticator shows (RFC 6238) some steps from now, in another implementation than the service's.
fn totp(secret: &str, steps_ahead: u64) -> String {
    let bits: String = secret
        .bytes()
        .map(|c| format!("{:05b}", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|letter| *letter == c).unwrap()))
        .collect();
    let key: Vec<u8> =
        bits.as_bytes().chunks_exact(8).map(|b| u8::from_str_radix(str::from_utf8(b).unwrap(), 2).unwrap()).collect();
    let step = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30 + steps_ahead;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[tokio::test]
async fn an_accounts_whole_life_leaves_no_secret_in_the_log() {
    let dir = DataDir::new();
    let mut launcher = Launcher::start(up(&dir).env("RUST_LOG", "trace")).await;
    PASSWORDS.into_iter().for_each(secrets::keep);
    secrets::keep(&launcher.password());
    let mut ada = Person { shop: launcher.shop(), access: String::new(), refresh: String::new() };

    sign_up(&mut ada).await;
    let recovery = second_factor(&mut ada).await;
    change_and_reset_password(&mut ada, &recovery).await;
    run_a_program(&launcher).await;

    let log = launcher.program.complained();
    assert!(log.lines().count() > 1000, "this log is not worth reading");
    secrets::look_through(&log);
    assert!(launcher.stop("INT").await.success());
}

async fn sign_up(ada: &mut Person) {
    let sign_up =
        ada.say("v1/auth:signUp", json!({"email": EMAIL, "password": PASSWORDS[0], "displayName": "Ada"})).await;
    let code = ada.code("sign-up").await;
    secrets::keep(&code);
    let account = ada.say("v1/auth:verifySignUp", json!({"signUp": sign_up["signUp"], "code": code})).await;
    ada.take(&account["tokens"]);
    let refreshed = ada.say("v1/auth:refreshTokens", json!({"refreshToken": ada.refresh})).await;
    ada.take(&refreshed["tokens"]);
    let wrong = ada.call("v1/auth:signIn", &json!({"email": EMAIL, "password": PASSWORDS[1]})).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
}

async fn second_factor(ada: &mut Person) -> String {
    let enrolled = ada.say_signed_in("v1/users/me:enrollTotp", json!({"password": PASSWORDS[0]})).await;
    let secret = kept(&enrolled["secret"]);
    let code = totp(&secret, 0);
    let codes = ada.say_signed_in("v1/users/me:confirmTotp", json!({"totpCode": code})).await;
    let codes: Vec<String> = codes["recoveryCodes"].as_array().unwrap().iter().map(kept).collect();
    assert_eq!(codes.len(), 10);

    let answer = ada.say("v1/auth:signIn", json!({"email": EMAIL, "password": PASSWORDS[0]})).await;
    let challenge = kept(&answer["challenge"]["challenge"]);
    // The next step's: this one's is used up.
    let answer = ada.say("v1/auth:continueSignIn", json!({"challenge": challenge, "code": totp(&secret, 1)})).await;
    ada.take(&answer["tokens"]);
    codes[0].clone()
}

async fn change_and_reset_password(ada: &mut Person, recovery: &str) {
    let change = json!({"currentPassword": PASSWORDS[0], "newPassword": PASSWORDS[1]});
    ada.say_signed_in("v1/users/me:changePassword", change).await;
    let reset = ada.say("v1/auth:requestPasswordReset", json!({"email": EMAIL})).await;
    let code = ada.code("new password").await;
    secrets::keep(&code);
    let confirmed = json!({"passwordReset": reset["passwordReset"], "code": code, "newPassword": PASSWORDS[2]});
    ada.say("v1/auth:confirmPasswordReset", confirmed).await;

    let answer = ada.say("v1/auth:signIn", json!({"email": EMAIL, "password": PASSWORDS[2]})).await;
    let challenge = kept(&answer["challenge"]["challenge"]);
    let answer = ada.say("v1/auth:continueSignIn", json!({"challenge": challenge, "code": recovery})).await;
    ada.take(&answer["tokens"]);
    ada.say("v1/auth:signOut", json!({"refreshToken": ada.refresh})).await;
}

/// A service account's, from its making to the end of its key.
async fn run_a_program(launcher: &Launcher) {
    let shop = launcher.shop();
    let access = shop.sign_in(ADMIN, &launcher.password()).await.unwrap();
    let admin = Person { shop, access, refresh: String::new() };
    admin.say_signed_in("v1/serviceAccounts?serviceAccountId=warehouse", json!({})).await;
    let binding = json!({"role": "roles/fulfilment", "member": "serviceAccounts/warehouse"});
    admin.say_signed_in("v1/roleBindings", binding).await;
    let key = admin.say_signed_in("v1/serviceAccounts/warehouse/keys", json!({"scopes": ["order.read"]})).await;
    let token = admin.say("v1/auth:issueServiceToken", json!({"key": kept(&key["secret"])})).await;
    let may = json!({"permissions": ["order.read", "inventory.adjust"]});
    let may = good(admin.call("v1/permissions:test", &may).bearer_auth(kept(&token["accessToken"]))).await;
    assert_eq!(may["permissions"], json!(["order.read"]));
    let delete = admin.shop.request(Method::DELETE, &format!("v1/{}", key["key"]["name"].as_str().unwrap()));
    good(delete.bearer_auth(&admin.access)).await;
}
