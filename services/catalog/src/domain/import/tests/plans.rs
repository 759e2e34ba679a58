//! What a draft would do to the product as it stands.

use std::collections::HashMap;

use chrono::DateTime;
use kontor_types::ids::{ProductId, VariantName, new_uuid};

use super::super::complete;
use super::super::plan::{Plan, foreign_skus, plan};
use super::*;
use crate::domain::product::{Product, Variant};

/// The one product of these rows below [`HEADER`].
fn draft(rows: &str) -> ProductDraft {
    product(&format!("{HEADER}\n{rows}"))
}

/// The product as it stands after a draft was loaded into an empty catalog.
fn loaded(draft: &ProductDraft) -> Product {
    let id = ProductId::generate();
    let variant = |content| Variant {
        name: VariantName { product: id, id: new_uuid() },
        content,
        product_title: draft.content.title.clone(),
        option_names: draft.content.option_names.clone(),
        available: 0,
        for_sale: true,
    };
    let variants = draft.variants.iter().map(|row| variant(row.content.clone())).collect();
    let time = DateTime::UNIX_EPOCH;
    Product { id, content: draft.content.clone(), variants, version: 1, create_time: time, update_time: time }
}

/// The values of option 1, in the order in which they would stand.
fn order(plan: &Plan<'_>, product: &Product) -> Vec<String> {
    let mut places: HashMap<i32, String> = (0..)
        .zip(&product.variants)
        .map(|(place, variant)| (place, variant.content.option_values[0].clone()))
        .collect();
    places.extend(plan.changed.iter().chain(&plan.moved).map(|p| (p.position, p.content.option_values[0].clone())));
    places.extend(plan.added.iter().map(|(place, row)| (*place, row.content.option_values[0].clone())));
    (0..places.len()).map(|place| places[&(place as i32)].clone()).collect()
}

const THREE: &str = "a,A,Size,S,A-S,1,1\na,,,M,A-M,1,1\na,,,L,A-L,1,1\n";

#[test]
fn what_is_loaded_twice_changes_nothing() {
    let draft = draft(THREE);
    let first = plan(&draft, None).unwrap();
    assert!(first.is_new && first.added.len() == 3);
    let product = loaded(&draft);
    let second = plan(&draft, Some(&product)).unwrap();
    assert!(second.is_empty());
    assert_eq!(second.same, 3);
}

#[test]
fn only_what_differs_is_changed() {
    let product = loaded(&draft(THREE));
    let cheaper = draft(&THREE.replace("A-M,1,1", "A-M,9,0.50"));
    let found = plan(&cheaper, Some(&product)).unwrap();
    assert_eq!(found.changed.iter().map(|placed| placed.id).collect::<Vec<_>>(), [product.variants[1].name.id]);
    assert_eq!((found.differs, found.same, found.added.len(), found.moved.len()), (false, 2, 0, 0));
    let renamed = draft(&THREE.replace("a,A,", "a,Z,"));
    let found = plan(&renamed, Some(&product)).unwrap();
    assert_eq!((found.differs, found.same), (true, 3));
}

#[test]
fn a_quantity_counts_for_new_variants_only() {
    let product = loaded(&draft(THREE));
    assert!(plan(&draft(&THREE.replace(",1,1\n", ",77,1\n")), Some(&product)).unwrap().is_empty());
}

#[test]
fn variants_that_the_file_does_not_name_stay_where_they_are() {
    let product = loaded(&draft(THREE));
    let large = draft("a,A,Size,L,A-L,1,2\n");
    let found = plan(&large, Some(&product)).unwrap();
    assert_eq!(order(&found, &product), ["S", "M", "L"]);
    assert_eq!((found.changed.len(), found.moved.len()), (1, 0));

    let between = draft("a,A,Size,S,A-S,1,1\na,,,XS,A-XS,1,1\na,,,L,A-L,1,1\n");
    let found = plan(&between, Some(&product)).unwrap();
    assert_eq!(order(&found, &product), ["S", "M", "XS", "L"]);
    assert_eq!((found.added.len(), found.same, found.changed.len(), found.moved.len()), (1, 2, 0, 1));

    let turned = draft("a,A,Size,L,A-L,1,1\na,,,S,A-S,1,1\n");
    let found = plan(&turned, Some(&product)).unwrap();
    assert_eq!(order(&found, &product), ["L", "S", "M"]);
    assert_eq!((found.same, found.moved.len()), (2, 3));
}

#[test]
fn a_variant_is_known_by_its_sku_or_without_one_by_its_options() {
    let product = loaded(&draft(THREE));
    let renamed = draft(&THREE.replace(",M,", ",Medium,"));
    let found = plan(&renamed, Some(&product)).unwrap();
    assert_eq!((found.changed.len(), found.changed[0].id), (1, product.variants[1].name.id));

    let bare = loaded(&draft("a,A,Size,S,,1,1\n"));
    let found = draft("a,A,Size,S,NEW,1,1\n");
    let found = plan(&found, Some(&bare)).unwrap();
    assert_eq!((found.changed.len(), found.added.len()), (1, 0));
    let none = draft(&THREE.replace("A-M", ""));
    let found = plan(&none, Some(&product)).unwrap();
    assert_eq!((found.changed.len(), found.changed[0].content.sku.as_deref()), (1, None));
}

#[test]
fn two_variants_with_the_same_options_are_refused() {
    let product = loaded(&draft(THREE));
    let other_sku = draft("a,A,Size,S,OTHER,1,1\n");
    let issues = plan(&other_sku, Some(&product)).unwrap_err();
    assert_eq!((issues.len(), issues[0].line, issues[0].column.as_str()), (1, 2, "Variant SKU"));
    assert!(issues[0].message.contains("\"A-S\""), "{}", issues[0].message);
}

#[test]
fn options_change_for_all_variants_or_none() {
    let product = loaded(&draft(THREE));
    let plain = draft("a,A,,,A-S,1,1\n");
    let issues = plan(&plain, Some(&product)).unwrap_err();
    assert_eq!((issues.len(), issues[0].column.as_str()), (1, "Option1 Name"));
}

#[test]
fn a_file_says_nothing_of_columns_that_it_lacks() {
    let full = "Handle,Title,Body (HTML),Vendor,Type,Tags,Status,Option1 Name,Option1 Value,Variant SKU,Variant Grams,\
        Variant Barcode,Variant Compare At Price,Variant Price\na,A,B,V,T,x,draft,Size,S,A-S,5,77,9,1\n";
    let product = loaded(&super::product(full));
    let same = super::product("Handle,Title,Variant SKU,Variant Price\na,A,A-S,1\n");
    assert!(plan(&complete(&same, Some(&product)), Some(&product)).unwrap().is_empty());
    let cheaper = super::product("Handle,Title,Variant SKU,Variant Price\na,A,A-S,0.5\n");
    let whole = complete(&cheaper, Some(&product));
    let found = plan(&whole, Some(&product)).unwrap();
    assert_eq!((found.differs, found.changed.len(), found.added.len()), (false, 1, 0));
    let emptied = super::product("Handle,Title,Vendor,Variant SKU,Variant Price\na,A,,A-S,1\n");
    assert!(plan(&complete(&emptied, Some(&product)), Some(&product)).unwrap().differs);
}

#[test]
fn an_sku_of_another_product_is_named_with_its_line() {
    let draft = draft(THREE);
    let owners = HashMap::from([("A-M".to_owned(), "mug".to_owned()), ("A-L".to_owned(), "a".to_owned())]);
    let issues = foreign_skus(&draft, &owners);
    let [issue] = &issues[..] else { panic!("{issues:?}") };
    assert_eq!((issue.line, issue.column.as_str()), (3, "Variant SKU"));
    assert_eq!(issue.message, "belongs to the product \"mug\" in the catalog");
}
