//! The file as a whole: text, header, rows and their lines.

use std::collections::HashSet;

use proptest::prelude::*;

use super::super::limits::VARIANTS_MAX;
use super::*;

#[test]
fn what_is_no_table_of_products_is_malformed_as_a_whole() {
    assert_eq!(parse(""), Err(Malformed::Empty));
    assert_eq!(parse("\n\r\n\n"), Err(Malformed::Empty));
    assert_eq!(parse("\u{feff}"), Err(Malformed::Empty));
    let all = vec!["Handle", "Title", "Variant Price"];
    for text in ["{\"products\": []}", "<!doctype html><html></html>", "Handle;Title;Variant Price\na;A;1"] {
        assert_eq!(parse(text), Err(Malformed::ColumnsMissing(all.clone())), "{text}");
    }
    assert_eq!(parse("Handle,Title\na,A"), Err(Malformed::ColumnsMissing(vec!["Variant Price"])));
    assert_eq!(parse("Handle,Title,Variant Price,title"), Err(Malformed::ColumnTwice("Title")));
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    assert_eq!(read(png, Currency::USD), Err(Malformed::NotUtf8 { line: 1 }));
    let latin1 = b"Handle,Title,Variant Price\na,A,1\r\nb,Caf\xe9,1\n";
    assert_eq!(read(latin1, Currency::USD), Err(Malformed::NotUtf8 { line: 3 }));
}

#[test]
fn more_rows_than_can_be_held_are_refused() {
    let text = format!("Handle,Title,Variant Price\n{}", "a,A,1\n".repeat(250_001));
    assert_eq!(parse(&text), Err(Malformed::TooManyRows));
}

#[test]
fn columns_come_in_any_order_with_others_between() {
    let text = "\u{feff}Image Src,variant price,Title, Handle \r\nx.png,79.9,Kettle,kettle\r\n";
    let kettle = product(text);
    assert_eq!((kettle.content.handle.as_str(), kettle.content.title.as_str()), ("kettle", "Kettle"));
    assert_eq!(kettle.variants[0].content.price.minor, 7990);
}

#[test]
fn lines_are_those_that_an_editor_shows() {
    for end in ["\n", "\r\n", "\r"] {
        let rows = ["", HEADER, "a,\"A", "\"\"b\"\"\",,,,,1", "", "b,B,,,,,1", "c,C,,,,,x", "", ",,,,,,", "d,D,,,,,"];
        let file = parse(&rows.join(end)).unwrap();
        assert_eq!(file.drafts.iter().map(|draft| draft.line).collect::<Vec<_>>(), [3, 6], "{end:?}");
        assert_eq!(places(&file), [(7, "Variant Price".into()), (10, "Variant Price".into())], "{end:?}");
    }
}

#[test]
fn rows_of_one_handle_are_one_product_wherever_they_stand() {
    let file = parse_rows("a,A,Size,S,A-S,1,1\nb,B,,,,1,1\na,,,M,A-M,2,1\n");
    assert_eq!(file.issues.count(), 0);
    let lines: Vec<Vec<u64>> =
        file.drafts.iter().map(|draft| draft.variants.iter().map(|variant| variant.line).collect()).collect();
    assert_eq!(lines, [vec![2, 4], vec![3]]);
}

#[test]
fn rows_that_only_show_an_image_are_no_variants() {
    let text = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src\n\
        a,A,Size,S,1,1.png\na,,,M,1,2.png\na,,,,,3.png\n";
    assert_eq!(product(text).variants.len(), 2);
}

#[test]
fn a_row_with_too_few_or_too_many_cells_keeps_its_product_out() {
    let file = parse_rows("a,A,,,,1,1\nb,B,,,1,1\n");
    assert_refused(&file, 3, "", "has 6 cells, and the header has 7");
    assert_eq!(file.drafts.len(), 1);
    assert_refused(&parse_rows("a,A,,,,1,1,,\n"), 2, "", "has 9 cells");
    let open_quote = parse_rows("a,A,,,,1,1\nb,\"B,,,,1,1\nc,C,,,,1,1\n");
    assert_refused(&open_quote, 3, "", "is a quote not closed?");
}

#[test]
fn a_nul_character_keeps_its_product_out() {
    assert_refused(&parse_rows("a,A\0,,,,1,1\n"), 2, "Title", "NUL");
    let ignored = parse("Handle,Title,Variant Price,Image Alt Text\na,A,1,x\0y").unwrap();
    assert_refused(&ignored, 2, "Image Alt Text", "NUL");
}

#[test]
fn a_row_without_a_handle_belongs_to_no_product() {
    let file = parse_rows("a,A,,,,1,1\n,B,,,,1,1\n");
    assert_eq!(errors(&file), [(3, "Handle".into(), "is missing".into())]);
    assert_eq!((file.drafts.len(), file.refused), (1, 0));
}

#[test]
fn an_sku_that_is_there_twice_names_the_earlier_line() {
    let file = parse_rows("a,A,,,X,1,1\nb,B,,,Y,1,1\nc,C,,,X,1,1\n");
    assert_refused(&file, 4, "Variant SKU", "is on line 2 already");
    assert_eq!(file.drafts.len(), 2);
}

#[test]
fn a_product_has_a_bounded_number_of_variants() {
    let rows = |number: usize| {
        let row =
            |n: usize| format!("a,{},{},{n},,1,1\n", if n == 0 { "A" } else { "" }, if n == 0 { "N" } else { "" });
        parse_rows(&(0..number).map(row).collect::<String>())
    };
    assert_eq!(rows(VARIANTS_MAX).drafts.len(), 1);
    assert_refused(&rows(VARIANTS_MAX + 1), 252, "", "more than 250 variants");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, Currency::USD);
    }

    #[test]
    fn each_handle_becomes_a_draft_or_is_refused(cells in prop::collection::vec(cell(), 0..200)) {
        let rows: Vec<String> = cells.chunks(7).map(|row| row.join(",")).collect();
        let file = parse_rows(&rows.join("\n"));
        let full = cells.chunks(7).filter(|row| row.iter().any(|cell| !cell.is_empty()));
        let handles: HashSet<&str> = full.map(|row| row[0]).filter(|handle| !handle.is_empty()).collect();
        prop_assert_eq!(file.drafts.len() + file.refused, handles.len());
        let kept: HashSet<&str> = file.drafts.iter().map(|draft| draft.content.handle.as_str()).collect();
        prop_assert!(kept.is_subset(&handles));
        prop_assert!(file.refused == 0 || file.issues.count() > 0);
    }
}

/// What may stand in a cell, so that some rows are good and most are not.
fn cell() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "a", "b", "A!", "1", "-1", "1.5", "x\0", "Title", "Default Title", "é"])
}
