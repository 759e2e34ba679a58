//! Product files over HTTP.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::answer::assert_refused;
use crate::api::Api;
use crate::goods::{HEADER, import, import_turn, row, unique};

/// The report on a file of which nothing is said but these counts.
fn report(counts: Value) -> Value {
    let mut report = json!({
        "productsCreated": 0, "productsUpdated": 0, "productsUnchanged": 0, "productsRefused": 0,
        "variantsCreated": 0, "variantsUpdated": 0, "variantsUnchanged": 0, "issues": [], "issueCount": 0,
    });
    report.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
    report
}

#[tokio::test]
async fn loading_a_file_twice_changes_nothing() {
    let admin = Api::administrator().await;
    let (one, two) = (unique("one"), unique("two"));
    let file = format!("{HEADER}\n{}{}", row(&one, &one, 3, "active"), row(&two, &two, 5, "active"));
    let tried = import(&admin, "?validateOnly=true", file.clone()).await.ok();
    assert_eq!(tried, report(json!({"productsCreated": 2, "variantsCreated": 2})));
    admin.get(&format!("/v1/products/{one}")).await.refused(404, "RESOURCE_NOT_FOUND");

    let first = import(&admin, "", file.clone()).await.ok();
    assert_eq!(first, tried, "what was said is what is done");
    let product = admin.get(&format!("/v1/products/{one}")).await.ok();

    let second = import(&admin, "", file).await.ok();
    assert_eq!(second, report(json!({"productsUnchanged": 2, "variantsUnchanged": 2})));
    assert_eq!(admin.get(&format!("/v1/products/{one}")).await.ok(), product);
}

#[tokio::test]
async fn each_bad_row_is_an_issue_and_its_product_stays_out() {
    let admin = Api::administrator().await;
    let (good, bad, worse) = (unique("good"), unique("bad"), unique("worse"));
    let dear = row(&bad, &bad, 1, "active").replace(crate::goods::PRICE, "a lot");
    let odd = row(&worse, &worse, 1, "active").replace(",1,", ",some,");
    let file = format!("{HEADER}\n{dear}{}{odd}", row(&good, &good, 1, "active"));
    let answer = import(&admin, "", file).await.ok();
    assert_eq!((&answer["productsCreated"], &answer["productsRefused"]), (&json!(1), &json!(2)), "{answer}");
    assert_eq!(answer["issueCount"], 2);
    let issues = answer["issues"].as_array().unwrap().iter();
    let places: Vec<_> = issues.map(|issue| json!([issue["line"], issue["column"], issue["severity"]])).collect();
    assert_eq!(places, [json!(["2", "Variant Price", "ERROR"]), json!(["4", "Variant Inventory Qty", "ERROR"])]);
    admin.get(&format!("/v1/products/{good}")).await.ok();
    for refused in [&bad, &worse] {
        admin.get(&format!("/v1/products/{refused}")).await.refused(404, "RESOURCE_NOT_FOUND");
    }
}

#[tokio::test]
async fn files_that_are_none_are_refused_as_a_whole() {
    let admin = Api::administrator().await;
    let _turn = import_turn().await;
    let handle = unique("none");
    let send = |kind: &str, query: &str, file: Vec<u8>| -> RequestBuilder {
        let request = admin.request(Method::POST, &format!("/v1/products:import{query}"));
        request.header("content-type", kind).body(file)
    };
    let file = format!("{HEADER}\n{}", row(&handle, &handle, 1, "active"));
    let csv = |text: &[u8]| send("text/csv", "", text.to_vec());
    let json = send("application/json", "", file.clone().into_bytes());
    let malformed = "FILE_MALFORMED";
    assert_refused(vec![
        ("no CSV", csv(b"\x89PNG\r\n\x1a\n\0\0\0"), 400, malformed, "file"),
        ("a page", csv(b"<html><body>404</body></html>"), 400, malformed, "file"),
        ("nothing", csv(b""), 400, malformed, "file"),
        ("no text", csv(&[file.as_bytes(), b"\xff\xfe"].concat()), 400, malformed, "file"),
        ("another file's columns", csv(b"Name,Email\nAda,ada@example.org\n"), 400, malformed, "file"),
        ("another type", json, 400, "FIELD_VIOLATION", "file.contentType"),
        (
            "an unknown currency",
            send("text/csv", "?currencyCode=XQX", file.clone().into()),
            400,
            "FIELD_VIOLATION",
            "currencyCode",
        ),
        ("an unknown setting", send("text/csv", "?dryRun=true", file.into()), 400, "MALFORMED_REQUEST", "dryRun"),
    ])
    .await;
    admin.get(&format!("/v1/products/{handle}")).await.refused(404, "RESOURCE_NOT_FOUND");
}
