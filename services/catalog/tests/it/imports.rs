//! What loading a file does to the catalog.

use std::path::Path;

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_types::ids::{UserId, new_uuid};
use pb::import_issue::Severity;
use pb::product::Status;
use tonic::Code;

use crate::shop::{Shop, assert_status};

const HEADER: &str = "Handle,Title,Body (HTML),Vendor,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Grams,\
    Variant Inventory Qty,Variant Price,Variant Compare At Price,Status\n";

fn small() -> String {
    let rows = "kettle,Kettle,<p>Hot</p>,Works,\"tea, steel\",Colour,Black,K-BLK,720,12,79.00,99.5,active\n\
        kettle,,,,,,White,K-WHT,720,0,84,,\n\
        dripper,Dripper,,,,Title,Default Title,,,3,28.00,,draft\n";
    format!("{HEADER}{rows}")
}

fn products(done: &pb::ImportProductsResponse) -> [i32; 4] {
    [done.products_created, done.products_updated, done.products_unchanged, done.products_refused]
}

fn variants(done: &pb::ImportProductsResponse) -> [i32; 3] {
    [done.variants_created, done.variants_updated, done.variants_unchanged]
}

#[tokio::test]
async fn a_file_creates_products_with_variants_and_stock() {
    let shop = Shop::open().await;
    let done = shop.import(&small()).await;
    assert_eq!((products(&done), variants(&done), done.issue_count), ([2, 0, 0, 0], [3, 0, 0], 0));

    let kettle = shop.product("kettle").await.unwrap();
    assert_eq!((kettle.title.as_str(), kettle.vendor.as_str(), kettle.status()), ("Kettle", "Works", Status::Active));
    assert_eq!(
        (kettle.tags.as_slice(), kettle.option_names.as_slice()),
        (&["tea".into(), "steel".into()][..], &["Colour".into()][..])
    );
    let [black, white] = <[pb::Variant; 2]>::try_from(kettle.variants).unwrap();
    assert_eq!((black.sku.as_str(), black.options["Colour"].as_str(), black.weight_grams), ("K-BLK", "Black", 720));
    let former = black.compare_at_price.unwrap();
    assert_eq!((former.currency_code.as_str(), former.units, former.nanos), ("USD", 99, 500_000_000));
    assert_eq!((black.available_quantity, black.for_sale, white.available_quantity), (12, true, 0));
    assert_eq!((shop.stock(&black.name).await, shop.stock(&white.name).await), ((12, 0), (0, 0)));
    assert_eq!(shop.product("dripper").await.unwrap().status(), Status::Draft);
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE reason = 'IMPORTED'").await, 2);
    assert_eq!(shop.count("SELECT count(*) FROM outbox_events").await, 2);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_file_loaded_twice_changes_nothing() {
    let shop = Shop::open().await;
    shop.import(&small()).await;
    let before = shop.product("kettle").await.unwrap();
    let done = shop.import(&small()).await;
    assert_eq!((products(&done), variants(&done)), ([0, 0, 2, 0], [0, 0, 3]));
    assert_eq!(shop.product("kettle").await.unwrap(), before);
    assert_eq!(shop.count("SELECT count(*) FROM outbox_events").await, 2);
}

#[tokio::test]
async fn what_differs_is_updated_and_stock_is_left_alone() {
    let shop = Shop::open().await;
    shop.import(&small()).await;
    let before = shop.product("kettle").await.unwrap();
    let file = small()
        .replace("12,79.00", "500,75.00")
        .replace("kettle,,,,,,White", "kettle,,,,,,Red,K-RED,1,7,1,,\nkettle,,,,,,White");
    let done = shop.import(&file).await;
    assert_eq!((products(&done), variants(&done)), ([0, 1, 1, 0], [1, 1, 2]));
    let after = shop.product("kettle").await.unwrap();
    assert_eq!(
        after.variants.iter().map(|variant| variant.sku.as_str()).collect::<Vec<_>>(),
        ["K-BLK", "K-RED", "K-WHT"]
    );
    assert_eq!(after.variants[0].name, before.variants[0].name);
    assert_eq!(after.variants[0].price.as_ref().unwrap().units, 75);
    assert_eq!(after.variants.iter().map(|variant| variant.available_quantity).collect::<Vec<_>>(), [12, 7, 0]);
    assert_ne!(after.etag, before.etag);
    assert_ne!(after.update_time, before.update_time);
    assert_eq!(products(&shop.import(&file).await), [0, 0, 2, 0]);

    let payload: Vec<u8> = sqlx::query_scalar("SELECT payload FROM outbox_events WHERE aggregate = $1 AND version = 2")
        .bind(&after.name)
        .fetch_one(&shop.db)
        .await
        .unwrap();
    assert_eq!(<pb::Product as prost::Message>::decode(&payload[..]).unwrap(), after);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_bad_row_is_named_and_keeps_only_its_own_product_out() {
    let shop = Shop::open().await;
    let rows = "good,Good,,,,,,G,,1,1.00,,\n\
        bad,Bad,,,,Size,S,B-S,,1,1.00,,\n\
        bad,,,,,,M,B-M,,1,a lot,,\n\
        owing,Owing,,,,,,O,,-4,1.00,,\n";
    let done = shop.import(&format!("{HEADER}{rows}")).await;
    assert_eq!((products(&done), done.issue_count), ([2, 0, 0, 1], 2));
    let found: Vec<_> = done.issues.iter().map(|issue| (issue.line, issue.column.as_str(), issue.severity())).collect();
    assert_eq!(found, [(4, "Variant Price", Severity::Error), (5, "Variant Inventory Qty", Severity::Warning)]);
    assert!(done.issues[0].message.contains("\"a lot\""), "{}", done.issues[0].message);
    shop.product("good").await.unwrap();
    shop.product("bad").await.unwrap_err();
    assert_eq!(shop.count("SELECT count(*) FROM variants").await, 2);
}

#[tokio::test]
async fn all_issues_are_counted_and_the_first_thousand_named() {
    let shop = Shop::open().await;
    let rows: String = (0..1_500).map(|n| format!("p{n},P,x\n")).collect();
    let done = shop.import(&format!("Handle,Title,Variant Price\n{rows}")).await;
    assert_eq!((done.products_refused, done.issue_count, done.issues.len()), (1_500, 1_500, 1_000));
    assert_eq!((done.issues[0].line, done.issues[999].line), (2, 1_001));
}

#[tokio::test]
async fn validate_only_says_what_would_be_done_and_does_nothing() {
    let shop = Shop::open().await;
    let dry = || pb::ImportProductsRequest { validate_only: true, ..Default::default() };
    let done = shop.try_import(small().as_bytes(), &shop.editor, dry()).await.unwrap();
    assert_eq!((products(&done), variants(&done)), ([2, 0, 0, 0], [3, 0, 0]));
    for table in
        ["SELECT count(*) FROM products", "SELECT count(*) FROM variants", "SELECT count(*) FROM outbox_events"]
    {
        assert_eq!(shop.count(table).await, 0);
    }
    shop.import(&small()).await;
    let cheaper = small().replace("79.00", "75.00");
    let done = shop.try_import(cheaper.as_bytes(), &shop.editor, dry()).await.unwrap();
    assert_eq!((products(&done), variants(&done)), ([0, 1, 1, 0], [0, 1, 2]));
    assert_eq!(shop.product("kettle").await.unwrap().variants[0].price.as_ref().unwrap().units, 79);
}

fn keyed() -> pb::ImportProductsRequest {
    pb::ImportProductsRequest { request_id: new_uuid().to_string(), ..Default::default() }
}

#[tokio::test]
async fn an_import_sent_again_with_its_request_id_gets_the_first_report() {
    let shop = Shop::open().await;
    let rows = "good,Good,,,,,,G,,1,1.00,,\nbad,Bad,,,,,,B,,1,a lot,,\nowing,Owing,,,,,,O,,-4,1.00,,\n";
    let file = format!("{HEADER}{rows}");
    let keyed = keyed();
    let first = shop.try_import(file.as_bytes(), &shop.editor, keyed.clone()).await.unwrap();
    assert_eq!((products(&first), first.issue_count), ([2, 0, 0, 1], 2));
    shop.import(&file.replace("Good", "Better")).await;
    let again = shop.try_import(file.as_bytes(), &shop.editor, keyed).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(shop.product("good").await.unwrap().title, "Better", "nothing is done again");
}

#[tokio::test]
async fn a_request_id_is_good_for_one_file_and_its_settings() {
    let shop = Shop::open().await;
    let keyed = keyed();
    shop.try_import(small().as_bytes(), &shop.editor, keyed.clone()).await.unwrap();
    let other_file = small().replace("79.00", "75.00");
    let dry = pb::ImportProductsRequest { validate_only: true, ..keyed.clone() };
    let euros = pb::ImportProductsRequest { currency_code: "EUR".into(), ..keyed.clone() };
    for (file, first) in [(&other_file, keyed.clone()), (&small(), dry), (&small(), euros)] {
        let refused = shop.try_import(file.as_bytes(), &shop.editor, first).await.unwrap_err();
        assert_status(&refused, Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED");
    }
    assert_eq!(shop.product("kettle").await.unwrap().variants[0].price.as_ref().unwrap().units, 79);
    assert_eq!(shop.count("SELECT count(*) FROM outbox_events").await, 2);
    let someone = shop.issuer.user(UserId::generate(), &["catalog.edit"]);
    let done = shop.try_import(other_file.as_bytes(), &someone, keyed).await.unwrap();
    assert_eq!(products(&done), [0, 1, 1, 0], "each caller's ids are its own");
}

#[tokio::test]
async fn a_file_that_can_not_be_read_leaves_its_request_id_free() {
    let shop = Shop::open().await;
    let keyed = keyed();
    let malformed = shop.try_import(b"nothing", &shop.editor, keyed.clone()).await.unwrap_err();
    assert_status(&malformed, Code::InvalidArgument, "FILE_MALFORMED");
    let done = shop.try_import(small().as_bytes(), &shop.editor, keyed).await.unwrap();
    assert_eq!(products(&done), [2, 0, 0, 0]);
}

#[tokio::test]
async fn an_import_that_broke_off_goes_on_with_its_request_id_and_no_other_file_does() {
    let shop = Shop::open().await;
    let keyed = keyed();
    shop.try_import(small().as_bytes(), &shop.editor, keyed.clone()).await.unwrap();
    // What a process leaves that dies in the middle of it.
    sqlx::query("UPDATE idempotency_keys SET answer = ''").execute(&shop.db).await.unwrap();
    let other = small().replace("79.00", "75.00");
    let refused = shop.try_import(other.as_bytes(), &shop.editor, keyed.clone()).await.unwrap_err();
    assert_status(&refused, Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED");
    let done = shop.try_import(small().as_bytes(), &shop.editor, keyed.clone()).await.unwrap();
    assert_eq!(products(&done), [0, 0, 2, 0]);
    assert_eq!(shop.try_import(small().as_bytes(), &shop.editor, keyed).await.unwrap(), done);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_sent_twice_at_once_is_reported_once() {
    let shop = Shop::open().await;
    let rows: String = (0..60).map(|n| format!("p{n},P{n},S{n},5,1.00\n")).collect();
    let file = format!("Handle,Title,Variant SKU,Variant Inventory Qty,Variant Price\n{rows}");
    let keyed = keyed();
    let (one, two) = tokio::join!(
        shop.try_import(file.as_bytes(), &shop.editor, keyed.clone()),
        shop.try_import(file.as_bytes(), &shop.editor, keyed),
    );
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(shop.count("SELECT count(*) FROM outbox_events").await, 60);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn an_sku_of_another_product_keeps_the_product_out_whole() {
    let shop = Shop::open().await;
    shop.stocked("cup", &[("CUP", 1)]).await;
    let rows = "mug,Mug,,,,Size,S,MUG-S,,1,1.00,,\nmug,,,,,,M,CUP,,1,1.00,,\n";
    let done = shop.import(&format!("{HEADER}{rows}")).await;
    assert_eq!(products(&done), [0, 0, 0, 1]);
    assert_eq!((done.issues[0].line, done.issues[0].column.as_str()), (3, "Variant SKU"));
    assert!(done.issues[0].message.contains("\"cup\""), "{}", done.issues[0].message);
    shop.product("mug").await.unwrap_err();
}

#[tokio::test]
async fn a_file_without_a_column_leaves_what_it_would_hold_alone() {
    let shop = Shop::open().await;
    shop.import(&small()).await;
    let done = shop.import("Handle,Title,Variant Price\ndripper,Dripper,30\n").await;
    assert_eq!((products(&done), variants(&done)), ([0, 1, 0, 0], [0, 1, 0]));
    assert_eq!(shop.product("dripper").await.unwrap().status(), Status::Draft);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_at_once_end_as_one_would() {
    let shop = Shop::open().await;
    let rows: String = (0..60).map(|n| format!("p{n},P{n},S{n},5,1.00\n")).collect();
    let turned: String = (0..60).rev().map(|n| format!("p{n},P{n},S{n},5,1.00\n")).collect();
    let header = "Handle,Title,Variant SKU,Variant Inventory Qty,Variant Price\n";
    let (one, two) = (format!("{header}{rows}"), format!("{header}{turned}"));
    let (one, two) = tokio::join!(shop.import(&one), shop.import(&two));
    assert_eq!(one.products_created + two.products_created, 60);
    assert_eq!((one.issue_count, two.issue_count), (0, 0));
    assert_eq!(shop.count("SELECT count(*) FROM outbox_events").await, 60);
    shop.assert_books_balance().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sku_that_two_imports_want_goes_to_one_product() {
    let shop = Shop::open().await;
    let file = |handle: &str| {
        let rows: String = (0..40).map(|n| format!("{handle}-{n},P,S{n},1.00\n")).collect();
        format!("Handle,Title,Variant SKU,Variant Price\n{rows}")
    };
    let (a, b) = (file("a"), file("b"));
    let (a, b) = tokio::join!(shop.import(&a), shop.import(&b));
    assert_eq!(a.products_created + b.products_created, 40);
    assert_eq!(a.products_refused + b.products_refused, 40);
    assert!(a.issues.iter().chain(&b.issues).all(|issue| issue.column == "Variant SKU"));
    assert_eq!(shop.count("SELECT count(*) FROM products").await, 40);
}

#[tokio::test]
async fn the_sample_catalog_loads_whole() {
    let shop = Shop::open().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kontor/sample/catalog.csv");
    let file = std::fs::read_to_string(path).unwrap();
    let done = shop.import(&file).await;
    assert_eq!((products(&done), variants(&done), done.issues), ([64, 0, 0, 0], [254, 0, 0], vec![]));
    let done = shop.import(&file).await;
    assert_eq!((products(&done), variants(&done)), ([0, 0, 64, 0], [0, 0, 254]));
    shop.assert_books_balance().await;
}
