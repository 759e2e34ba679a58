//! Files go through in pieces.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::{Body, Method};

use crate::support::{Harness, KEY, field, ok, problem};

const MIB: usize = 1024 * 1024;

fn file(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

fn import(edge: &Harness, query: &str, body: impl Into<Body>) -> reqwest::RequestBuilder {
    let request = edge.request(Method::POST, &format!("/v1/products:import{query}"));
    request.header("content-type", "text/csv").body(body)
}

#[tokio::test]
async fn a_file_arrives_whole_with_the_settings_on_its_first_message() {
    let edge = Harness::start().await;
    let sent = file(5 * MIB + 17);
    let answer = ok(import(&edge, "?currencyCode=CHF&validateOnly=true", sent.clone())).await;
    let uploads = edge.uploads.lock().unwrap();
    let received = uploads[0].as_ref().unwrap();
    assert!(received.bytes == sent);
    assert!(received.largest_piece <= 256 * 1024);
    assert_eq!(received.settings[0], ("CHF".into(), true, "text/csv".into()));
    assert!(received.settings[1..].iter().all(|settings| *settings == (String::new(), false, String::new())));
    assert_eq!(answer["productsCreated"], received.settings.len());
}

#[tokio::test]
async fn the_idempotency_key_goes_out_on_the_first_message() {
    let edge = Harness::start().await;
    ok(import(&edge, "", file(MIB)).header("idempotency-key", format!("\"{KEY}\""))).await;
    ok(import(&edge, &format!("?requestId={KEY}"), file(1))).await;
    let differing = import(&edge, "?requestId=018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b12", file(1));
    let (status, body) = problem(differing.header("idempotency-key", KEY)).await;
    assert_eq!((status, field(&body)), (400, "requestId"));
    let uploads = edge.uploads.lock().unwrap();
    let [by_header, by_query] = &uploads[..] else { panic!("{} uploads arrived", uploads.len()) };
    for received in [by_header, by_query] {
        let [first, rest @ ..] = &received.as_ref().unwrap().request_ids[..] else { panic!("no message arrived") };
        assert_eq!(first, KEY);
        assert!(rest.iter().all(String::is_empty), "{rest:?}");
    }
}

#[tokio::test]
async fn an_empty_file_is_one_message() {
    let edge = Harness::start().await;
    assert_eq!(ok(import(&edge, "", "")).await["productsCreated"], 1);
}

#[tokio::test]
async fn settings_are_query_parameters_and_the_file_is_none() {
    let edge = Harness::start().await;
    for (query, at_fault) in [("?currency=CHF", "currency"), ("?validateOnly=yes", "validateOnly"), ("?file=x", "file")]
    {
        let (status, body) = problem(import(&edge, query, "a,b")).await;
        assert_eq!((status, field(&body)), (400, at_fault));
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_and_never_ends_for_the_service() {
    let edge = Harness::start().await;
    let (status, _) = problem(import(&edge, "", vec![b'x'; 64 * MIB + 1])).await;
    assert_eq!(status, 413);
    assert!(edge.uploads.lock().unwrap().is_empty(), "told by its length, it is not even begun");
    let chunks = stream::iter((0..65).map(|_| Ok::<_, std::io::Error>(vec![b'x'; MIB])));
    let (status, body) = problem(import(&edge, "", Body::wrap_stream(chunks))).await;
    assert_eq!((status, body["reason"].as_str()), (413, Some("REQUEST_TOO_LARGE")));
    assert_cut(&edge).await;
}

#[tokio::test]
async fn a_file_that_breaks_off_never_ends_for_the_service() {
    let edge = Harness::start().await;
    let broken = stream::iter([Ok(file(MIB)), Err(std::io::Error::other("the caller went away"))]);
    let slow = broken.then(async |chunk| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        chunk
    });
    assert!(import(&edge, "", Body::wrap_stream(slow)).send().await.is_err());
    assert_cut(&edge).await;
}

/// Waits until the service has seen the upload end, and checks that it ended with an error.
async fn assert_cut(edge: &Harness) {
    for _ in 0..100 {
        if let Some(received) = edge.uploads.lock().unwrap().first() {
            assert!(received.is_err(), "the service took half a file for a whole one");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the service still waits for the upload");
}
