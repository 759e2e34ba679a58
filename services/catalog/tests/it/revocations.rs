//! What becomes of callers whose tokens auth has revoked, and what goes on while nothing is heard from auth.

use std::time::{Duration, Instant};

use kontor_proto::google::api::HttpBody;
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_runtime::Claims;
use kontor_testkit::issuer::claims;
use kontor_testkit::{Issuer, with_token};
use kontor_types::ids::{OrderId, UserId, new_uuid};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use crate::shop::{Shop, assert_status};

/// Longer than five seconds of silence, with the second after which the silence is noticed.
const LONG: Duration = Duration::from_secs(8);

impl Shop {
    async fn adjust_as(&self, token: &str, variant: &str) -> Result<pb::Stock, Status> {
        let change = pb::AdjustStockRequest { variant: variant.into(), delta: 1, reason: 1, request_id: String::new() };
        self.inventory.clone().adjust_stock(with_token(change, token)).await.map(tonic::Response::into_inner)
    }

    async fn watch_as(&self, token: &str) -> tonic::Streaming<pb::WatchEventsResponse> {
        let request = with_token(pb::WatchEventsRequest::default(), token);
        let mut stream = self.events.clone().watch_events(request).await.unwrap().into_inner();
        stream.message().await.unwrap();
        stream
    }

    /// Adjusts until that is refused, and tells by what, and how often it went well.
    async fn refusal(&self, token: &str, variant: &str, limit: Duration) -> (Status, i64) {
        let (began, mut times) = (Instant::now(), 0);
        loop {
            match self.adjust_as(token, variant).await {
                Err(refused) => return (refused, times),
                Ok(_) => times += 1,
            }
            assert!(began.elapsed() < limit, "it was not refused");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// How a stream ends, and after how long.
async fn end_of(mut stream: tonic::Streaming<pb::WatchEventsResponse>) -> (Status, Duration) {
    let began = Instant::now();
    loop {
        match stream.message().await {
            Ok(message) => assert!(message.is_some(), "it ended as if all had been said"),
            Err(status) => return (status, began.elapsed()),
        }
    }
}

#[tokio::test]
async fn a_token_that_was_seen_is_refused_within_a_second_of_its_revocation() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let (session, other, user) = (new_uuid(), new_uuid(), UserId::generate());
    let revoked = shop.issuer.user_in(session, user, &["inventory.adjust"]);
    let stays = shop.issuer.user_in(other, user, &["inventory.adjust"]);
    shop.adjust_as(&revoked, &cup).await.unwrap();
    shop.adjust_as(&stays, &cup).await.unwrap();

    shop.issuer.revoke(session);
    let (refused, times) = shop.refusal(&revoked, &cup, Duration::from_secs(1)).await;
    assert_status(&refused, Code::Unauthenticated, "TOKEN_REVOKED");
    // Nor is another token of that session taken, nor the token where none is needed.
    let next = shop.issuer.user_in(session, user, &["inventory.adjust"]);
    assert_status(&shop.adjust_as(&next, &cup).await.unwrap_err(), Code::Unauthenticated, "TOKEN_REVOKED");
    let list = with_token(pb::ListProductsRequest::default(), &revoked);
    let refused = shop.products.clone().list_products(list).await.unwrap_err();
    assert_status(&refused, Code::Unauthenticated, "TOKEN_REVOKED");
    assert_eq!(shop.stock(&cup).await, (7 + times, 0), "what was refused has changed nothing");
    shop.adjust_as(&stays, &cup).await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_when_its_session_does() {
    let shop = Shop::open().await;
    let (session, user) = (new_uuid(), UserId::generate());
    let revoked = shop.watch_as(&shop.issuer.user_in(session, user, &["catalog.watch"])).await;
    let mut stays = shop.watch_as(&shop.issuer.user(user, &["catalog.watch"])).await;
    shop.issuer.revoke(session);
    let (status, after) = end_of(revoked).await;
    assert_status(&status, Code::Unauthenticated, "TOKEN_REVOKED");
    assert!(after < Duration::from_secs(1), "{after:?}");
    shop.stocked("cup", &[("CUP", 5)]).await;
    while stays.message().await.unwrap().unwrap().events.is_empty() {}
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_goes_on_with_the_next() {
    let shop = Shop::open().await;
    let user = UserId::generate();
    let claims = claims(&user.to_string(), "catalog.watch");
    let short = shop.issuer.sign(&Claims { exp: claims.iat + 2, ..claims });
    let request = with_token(pb::WatchEventsRequest::default(), &short);
    let mut stream = shop.events.clone().watch_events(request).await.unwrap().into_inner();
    let cursor = stream.message().await.unwrap().unwrap().cursor;
    assert_status(&end_of(stream).await.0, Code::Unauthenticated, "TOKEN_EXPIRED");
    shop.stocked("cup", &[("CUP", 5)]).await;
    let request = pb::WatchEventsRequest { cursor, ..Default::default() };
    let request = with_token(request, &shop.issuer.user(user, &["catalog.watch"]));
    let mut stream = shop.events.clone().watch_events(request).await.unwrap().into_inner();
    while stream.message().await.unwrap().unwrap().events.is_empty() {}
}

#[tokio::test]
async fn a_call_that_waits_for_auths_first_word_is_judged_by_it() {
    let issuer = Issuer::start().await;
    let (session, user) = (new_uuid(), UserId::generate());
    issuer.be_silent(true);
    issuer.revoke(session);
    let revoked = issuer.user_in(session, user, &["inventory.adjust"]);
    let shop = Shop::open_with(issuer.clone()).await;
    let call = || shop.adjust_as(&revoked, "products/cup/variants/CUP");
    let speak = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        issuer.be_silent(false);
    };
    let (one, another, ()) = tokio::join!(call(), call(), speak);
    let mut answers = vec![one, another];
    // On a busy machine they may have waited too long.
    while answers.last().is_some_and(|answer| answer.as_ref().is_err_and(|status| status.code() == Code::Unavailable)) {
        assert!(answers.len() < 100, "it does not hear");
        answers.push(call().await);
    }
    for answer in answers.into_iter().map(Result::unwrap_err).filter(|status| status.code() != Code::Unavailable) {
        assert_status(&answer, Code::Unauthenticated, "TOKEN_REVOKED");
    }
}

fn piece(csv: &str) -> pb::ImportProductsRequest {
    let file = HttpBody { content_type: "text/csv".into(), data: csv.to_owned().into() };
    pb::ImportProductsRequest { file: Some(file), ..Default::default() }
}

#[tokio::test]
async fn an_upload_ends_when_its_session_does_and_nothing_is_loaded() {
    let shop = Shop::open().await;
    let session = new_uuid();
    let token = shop.issuer.user_in(session, UserId::generate(), &["catalog.edit"]);
    let (pieces, stream) = mpsc::channel(1);
    let mut products = shop.products.clone();
    let upload =
        tokio::spawn(async move { products.import_products(with_token(ReceiverStream::new(stream), &token)).await });
    pieces.send(piece("Handle,Title,Variant SKU,Variant Price\nmug,Mug,MUG-1,12.50\n")).await.unwrap();
    shop.issuer.revoke(session);
    assert_status(&upload.await.unwrap().unwrap_err(), Code::Unauthenticated, "TOKEN_REVOKED");
    assert_eq!(shop.product("mug").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_file_that_is_being_loaded_stops_when_its_session_ends() {
    let shop = Shop::open().await;
    let session = new_uuid();
    let token = shop.issuer.user_in(session, UserId::generate(), &["catalog.edit"]);
    let rows: String = (0..5000).map(|n| format!("mug-{n},Mug {n},MUG-{n},12.50\n")).collect();
    let file = piece(&format!("Handle,Title,Variant SKU,Variant Price\n{rows}"));
    let mut products = shop.products.clone();
    let upload =
        tokio::spawn(async move { products.import_products(with_token(tokio_stream::iter([file]), &token)).await });
    while shop.product("mug-0").await.is_err() {
        assert!(!upload.is_finished());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    shop.issuer.revoke(session);
    assert_status(&upload.await.unwrap().unwrap_err(), Code::Unauthenticated, "TOKEN_REVOKED");
    assert_eq!(shop.product("mug-4999").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn when_nothing_is_heard_privileges_rest_and_sales_go_on() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let stream = shop.watch_as(&shop.issuer.user(UserId::generate(), &["catalog.watch"])).await;
    shop.issuer.be_silent(true);
    let (refused, times) = shop.refusal(&shop.editor, &cup, LONG).await;
    assert_status(&refused, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    assert!(tonic_types::StatusExt::get_details_retry_info(&refused).is_some());
    assert_status(&end_of(stream).await.0, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    // Seeing more by a permission is a privilege, too.
    assert_status(&shop.product("cup").await.unwrap_err(), Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    let on_hand = 5 + times;
    assert_eq!(shop.stock(&cup).await, (on_hand, 0), "anybody may look, and nothing has changed");
    let request = with_token(
        pb::GetProductRequest { name: "products/cup".into() },
        &shop.issuer.user(UserId::generate(), &["order.read"]),
    );
    shop.products.clone().get_product(request).await.unwrap();
    shop.reserve(OrderId::generate(), &[(&cup, 2)]).await.unwrap();
    assert_eq!(shop.stock(&cup).await, (on_hand, 2));

    shop.issuer.be_silent(false);
    let began = Instant::now();
    while let Err(refused) = shop.adjust_as(&shop.editor, &cup).await {
        assert_status(&refused, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
        assert!(began.elapsed() < LONG, "it does not recover");
    }
    assert_eq!(shop.stock(&cup).await, (on_hand + 1, 2));
}

#[tokio::test]
async fn a_key_that_counts_no_more_takes_its_tokens_with_it() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let stream = shop.watch_as(&shop.issuer.user(UserId::generate(), &["catalog.watch"])).await;
    shop.issuer.retire_key();
    let (refused, times) = shop.refusal(&shop.editor, &cup, Duration::from_secs(1)).await;
    assert_status(&refused, Code::Unauthenticated, "TOKEN_INVALID");
    assert_status(&end_of(stream).await.0, Code::Unauthenticated, "TOKEN_INVALID");
    let refused = shop.reserve(OrderId::generate(), &[(&cup, 1)]).await.unwrap_err();
    assert_status(&refused, Code::Unauthenticated, "TOKEN_INVALID");
    assert_eq!(shop.stock(&cup).await, (5 + times, 0));
}
