//! Files that can't be loaded, and how a file may be sent.

use kontor_proto::google::api::HttpBody;
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_testkit::with_token;
use tonic::Code;
use tonic_types::StatusExt;

use crate::shop::{Shop, assert_field, assert_status};

const ONE: &[u8] = b"Handle,Title,Variant Price\na,A,1\n";

fn typed(content_type: &str) -> pb::ImportProductsRequest {
    let file = Some(HttpBody { content_type: content_type.into(), ..HttpBody::default() });
    pb::ImportProductsRequest { file, ..pb::ImportProductsRequest::default() }
}

#[tokio::test]
async fn what_is_no_product_file_is_malformed() {
    let shop = Shop::open().await;
    let files: [(&[u8], &str); 7] = [
        (b"", "is empty"),
        (b"{\"products\": []}", "Handle, Title, Variant Price"),
        (b"<!doctype html><title>Log in</title>", "Handle, Title, Variant Price"),
        (b"Handle,Title,Price\na,A,1\n", "Variant Price"),
        (b"Handle,Handle,Title,Variant Price\n", "there twice"),
        (b"\x89PNG\r\n\x1a\n", "line 1 is not UTF-8"),
        (b"Handle,Title,Variant Price\na,Caf\xe9,1\n", "line 2 is not UTF-8"),
    ];
    for (file, words) in files {
        let status = shop.try_import(file, &shop.editor, typed("text/csv")).await.unwrap_err();
        assert_status(&status, Code::InvalidArgument, "FILE_MALFORMED");
        assert!(status.message().contains(words), "{}", status.message());
        assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "file");
    }
}

#[tokio::test]
async fn a_stream_without_messages_is_an_empty_file() {
    let shop = Shop::open().await;
    let request = with_token(tokio_stream::iter(Vec::new()), &shop.editor);
    let status = shop.products.clone().import_products(request).await.unwrap_err();
    assert_status(&status, Code::InvalidArgument, "FILE_MALFORMED");
}

#[tokio::test]
async fn only_types_that_a_csv_file_has_are_taken() {
    let shop = Shop::open().await;
    for good in ["", "text/csv", "Text/CSV; charset=utf-8", "application/octet-stream", "application/vnd.ms-excel"] {
        shop.try_import(ONE, &shop.editor, typed(good)).await.unwrap();
    }
    for bad in ["application/json", "text/html", "text/csvx"] {
        let status = shop.try_import(ONE, &shop.editor, typed(bad)).await.unwrap_err();
        assert_field(&status, "file.content_type");
    }
}

#[tokio::test]
async fn the_currency_of_the_prices_is_one_of_iso_4217() {
    let shop = Shop::open().await;
    let currency = |code: &str| pb::ImportProductsRequest { currency_code: code.into(), ..Default::default() };
    let status = shop.try_import(ONE, &shop.editor, currency("ZZZ")).await.unwrap_err();
    assert_field(&status, "currency_code");
    shop.try_import(ONE, &shop.editor, currency("JPY")).await.unwrap();
    let price = shop.product("a").await.unwrap().variants.remove(0).price.unwrap();
    assert_eq!((price.currency_code.as_str(), price.units, price.nanos), ("JPY", 1, 0));
}

#[tokio::test]
async fn a_file_comes_in_pieces_that_may_end_anywhere() {
    let shop = Shop::open().await;
    let file = "Handle,Title,Variant Price\ncafé,Café,1\ntea,Thé,2\n".as_bytes();
    let pieces = file.chunks(1).map(|byte| pb::ImportProductsRequest {
        file: Some(HttpBody { content_type: String::new(), data: byte.to_vec().into() }),
        ..Default::default()
    });
    let request = with_token(tokio_stream::iter(pieces.collect::<Vec<_>>()), &shop.editor);
    let done = shop.products.clone().import_products(request).await.unwrap().into_inner();
    assert_eq!((done.products_created, done.products_refused), (1, 1));
    assert_eq!(shop.product("tea").await.unwrap().title, "Thé");
}

#[tokio::test]
async fn a_file_over_64_mib_is_too_large() {
    let shop = Shop::open().await;
    let file = vec![b'\n'; 64 * 1024 * 1024 + 1];
    let status = shop.try_import(&file, &shop.editor, typed("text/csv")).await.unwrap_err();
    assert_status(&status, Code::ResourceExhausted, "REQUEST_TOO_LARGE");
}
