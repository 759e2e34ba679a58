//! Mails, as the people who get them see them.

use reqwest::Method;
use serde_json::json;

use crate::api::Api;
use crate::goods::unique;
use crate::people::mail_to;
use crate::stack::stack;

#[tokio::test]
async fn links_in_mails_lead_where_the_settings_say_whatever_a_request_calls_itself() {
    for (number, (name, value)) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("{}{number}@example.org", unique("linked"));
        let body = json!({"email": email, "password": "a long enough passphrase", "displayName": "evil.example"});
        let request = Api::guest().request(Method::POST, "/v1/auth:signUp").json(&body).header(name, value);
        assert_eq!(request.send().await.unwrap().status(), 200, "{name}");
        let text = mail_to(&email).await["text"].as_str().unwrap().to_owned();
        let link = format!("\nhttp://{}/verify-sign-up#signUp=signUps/", stack().up.edge_addr);
        assert!(text.contains(&link) && !text.contains("evil"), "{name}: {text}");
    }
}
