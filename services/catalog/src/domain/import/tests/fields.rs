//! The cells of a product and its variants.

use super::super::issue::quoted;
use super::*;
use crate::domain::product::Status;

const FULL: &str = "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Status,Variant SKU,Variant Grams,\
    Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,\
    Variant Barcode\n";

/// A product with one cell of the columns of [`FULL`] as given, and good ones elsewhere.
fn with(column: &str, cell: &str) -> ProductFile {
    let columns: Vec<&str> = FULL.trim().split(',').collect();
    assert!(columns.contains(&column), "{column}");
    let good = ["a", "A", "<p>x</p>", "V", "T", "x, y", "", "", "S", "1", "shopify", "3", "deny", "2.50", "", "4"];
    let cells = columns.iter().zip(good).map(|(&name, good)| if name == column { cell } else { good });
    let row: Vec<String> = cells.map(|cell| format!("\"{cell}\"")).collect();
    parse(&format!("{FULL}{}\n", row.join(","))).unwrap()
}

fn draft(file: ProductFile) -> ProductDraft {
    assert_eq!(errors(&file), []);
    file.drafts.into_iter().next().unwrap()
}

#[test]
fn a_full_row_is_read_as_it_is_meant() {
    let file = with("Handle", "a");
    assert_eq!(file.issues.count(), 0);
    let draft = draft(file);
    let content = &draft.content;
    assert_eq!((content.vendor.as_str(), content.product_type.as_str()), ("V", "T"));
    assert_eq!((content.description.as_str(), content.status), ("<p>x</p>", Status::Active));
    assert_eq!(content.tags, ["x", "y"]);
    let variant = &draft.variants[0];
    assert_eq!((variant.content.sku.as_deref(), variant.content.barcode.as_str()), (Some("S"), "4"));
    assert_eq!((variant.content.price.minor, variant.quantity, variant.content.weight_grams), (250, 3, 1));
    assert_eq!(variant.content.compare_at, None);
}

#[test]
fn bad_prices_keep_the_product_out() {
    for column in ["Variant Price", "Variant Compare At Price"] {
        assert_refused(&with(column, "ten"), 2, column, "no decimal number");
        assert_refused(&with(column, "1,50"), 2, column, "no decimal number");
        assert_refused(&with(column, "$5"), 2, column, "no decimal number");
        assert_refused(&with(column, "-0.01"), 2, column, "is negative");
        assert_refused(&with(column, "1.005"), 2, column, "2 decimals");
        assert_refused(&with(column, "99999999999999999999"), 2, column, "too large");
        assert_refused(&with(column, "10000000000.01"), 2, column, "too large");
    }
    assert_refused(&with("Variant Price", ""), 2, "Variant Price", "is missing");
    let yen = read(b"Handle,Title,Variant Price\na,A,1.5", Currency::from_code("JPY").unwrap()).unwrap();
    assert_refused(&yen, 2, "Variant Price", "0 decimals");
}

#[test]
fn quantities_are_whole_numbers() {
    let column = "Variant Inventory Qty";
    for bad in ["x", "1.5", "1.0", "-", "+1", "1e3", "٣"] {
        assert_refused(&with(column, bad), 2, column, "no whole number");
    }
    for large in ["1000000001", "99999999999999999999"] {
        assert_refused(&with(column, large), 2, column, "more than 1000000000");
    }
    assert_eq!(draft(with(column, "")).variants[0].quantity, 0);
    assert_eq!(draft(with(column, "1000000000")).variants[0].quantity, 1_000_000_000);
}

#[test]
fn what_can_be_taken_otherwise_is_a_warning() {
    let warned = |file: &ProductFile, column: &str, words: &str| {
        let warnings = issues(file, Severity::Warning);
        assert!(
            warnings.iter().any(|(line, at, text)| *line == 2 && at == column && text.contains(words)),
            "{warnings:?}"
        );
    };
    let negative = with("Variant Inventory Qty", "-3");
    warned(&negative, "Variant Inventory Qty", "taken as 0");
    assert_eq!(draft(negative).variants[0].quantity, 0);

    let heavy = with("Variant Grams", "2 kg");
    warned(&heavy, "Variant Grams", "taken as 0");
    assert_eq!(draft(heavy).variants[0].content.weight_grams, 0);

    warned(&with("Variant Inventory Policy", "continue"), "Variant Inventory Policy", "never sells more");
    let untracked = parse("Handle,Title,Variant Price,Variant Inventory Tracker\na,A,1,\n").unwrap();
    warned(&untracked, "Variant Inventory Tracker", "always counted");
}

#[test]
fn weights_are_taken_to_the_nearest_gram() {
    let grams = |text| draft(with("Variant Grams", text)).variants[0].content.weight_grams;
    let read = ["", "0", "8981", "8981.0", "453.592", "453.4", "-1", "1.", ".5", "1e3", "100000001", "99999999999"];
    assert_eq!(read.map(grams), [0, 0, 8981, 8981, 454, 453, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn the_status_is_as_given_and_else_follows_published() {
    let status = |column, text| draft(with(column, text)).content.status;
    assert_eq!(
        ["Active", "draft", "ARCHIVED"].map(|text| status("Status", text)),
        [Status::Active, Status::Draft, Status::Archived]
    );
    assert_eq!(
        ["TRUE", "true", "", "FALSE"].map(|text| status("Published", text)),
        [Status::Active, Status::Active, Status::Active, Status::Draft]
    );
    assert_refused(&with("Status", "sold out"), 2, "Status", "active, draft, archived");
    assert_refused(&with("Published", "maybe"), 2, "Published", "TRUE, FALSE");
}

#[test]
fn handles_are_names_in_addresses() {
    for bad in ["Kettle", "tea pot", "é", "a/b", "a_b"] {
        assert_refused(&with("Handle", bad), 2, "Handle", "lower-case letters");
    }
    for other in ["-", "0192f3a0-0000-7000-8000-000000000000"] {
        assert_refused(&with("Handle", other), 2, "Handle", "means something else");
    }
    assert_eq!(draft(with("Handle", &"a".repeat(255))).content.handle.len(), 255);
    assert_refused(&with("Handle", &"a".repeat(256)), 2, "Handle", "longer than 255");
}

#[test]
fn texts_are_bounded() {
    for column in ["Title", "Vendor", "Type", "Variant SKU", "Variant Barcode"] {
        assert_eq!(errors(&with(column, &"é".repeat(255))), [], "{column}");
        assert_refused(&with(column, &"é".repeat(256)), 2, column, "longer than 255");
    }
    assert_eq!(errors(&with("Body (HTML)", &"x".repeat(65_536))), []);
    assert_refused(&with("Body (HTML)", &"x".repeat(65_537)), 2, "Body (HTML)", "longer than 65536");
    assert_refused(&with("Tags", &"x".repeat(256)), 2, "Tags", "tag of more than 255");
    let tags = |number: usize| (0..number).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(draft(with("Tags", &tags(250))).content.tags.len(), 250);
    assert_refused(&with("Tags", &tags(251)), 2, "Tags", "more than 250 tags");
    assert_eq!(draft(with("Tags", " a, ,b,, a ")).content.tags, ["a", "b"]);
}

#[test]
fn a_title_is_on_the_first_row() {
    assert_refused(&parse_rows("a,,,,,1,1\n"), 2, "Title", "is missing");
    let two = parse_rows("a,A,Size,S,,1,1\na,B,,M,,1,1\n");
    assert_eq!(two.drafts[0].content.title, "A");
    let warnings = issues(&two, Severity::Warning);
    assert_eq!(warnings, [(3, "Title".into(), "differs from the title on line 2, which counts".into())]);
}

#[test]
fn a_product_that_comes_in_one_way_has_no_options() {
    for row in ["a,A,Title,Default Title,,1,1", "a,A,,,,1,1", "a,A,Title,,,1,1", "a,A,,Default Title,,1,1"] {
        let draft = product(&format!("{HEADER}\n{row}\n"));
        assert!(draft.content.option_names.is_empty(), "{row}");
        assert!(draft.variants[0].content.option_values.is_empty(), "{row}");
    }
    let named = product(&format!("{HEADER}\na,A,Title,Large,,1,1\n"));
    assert_eq!(named.content.option_names, ["Title"]);
}

#[test]
fn each_variant_has_its_own_value_of_each_option() {
    let sizes = product(&format!("{HEADER}\na,A,Size,S,,1,1\na,,,M,,1,1\n"));
    assert_eq!(sizes.content.option_names, ["Size"]);
    let values: Vec<_> = sizes.variants.iter().map(|variant| variant.content.option_values.clone()).collect();
    assert_eq!(values, [["S"], ["M"]]);

    let missing = parse_rows("a,A,Size,S,,1,1\na,,,,,1,1\n");
    assert_refused(&missing, 3, "Option1 Value", "is missing");
    let twice = parse_rows("a,A,Size,S,,1,1\na,,,M,,1,1\na,,,S,,1,1\n");
    assert_refused(&twice, 4, "Option1 Value", "same options on line 2");
    let twice = parse_rows("a,A,,,,1,1\na,,,,,1,1\n");
    assert_refused(&twice, 3, "Option1 Value", "same options on line 2");
    assert_refused(&parse_rows("a,A,,Large,,1,1\n"), 2, "Option1 Name", "is missing");
}

#[test]
fn options_are_named_in_turn_and_once() {
    let header = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price\n";
    let same = parse(&format!("{header}a,A,Size,S,Size,M,1\n")).unwrap();
    assert_refused(&same, 2, "Option2 Name", "same option again");
    let gap = parse(&format!("{header}a,A,,,Size,M,1\n")).unwrap();
    assert_refused(&gap, 2, "Option1 Name", "is missing");
}

#[test]
fn messages_quote_little_and_plainly() {
    assert_eq!(quoted("a\n\u{1b}"), "\"a\\n\\u{1b}\"");
    assert_eq!(quoted(&"x".repeat(50)).chars().count(), 43);
}
