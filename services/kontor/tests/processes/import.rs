//! `kontor import` against a running Kontor.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, kontor, up};

const HEADER: &str = "Handle,Title,Published,Variant SKU,Variant Inventory Qty,Variant Price,Status\n";

fn file(dir: &DataDir, name: &str, rows: &str) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, format!("{HEADER}{rows}")).unwrap();
    path
}

fn import(launcher: &Launcher, dir: &DataDir, file: &Path, more: &[&str]) -> Output {
    let mut command = kontor();
    command.arg("import").arg(file).args(more);
    command.env("KONTOR_AUTH_ADDR", launcher.shown("auth")).env("KONTOR_CATALOG_ADDR", launcher.shown("catalog"));
    command.env("KONTOR_DATA_DIR", dir.path()).output().unwrap()
}

/// The numbers beside "products": created, updated, unchanged, refused.
fn products(output: &Output) -> Vec<u32> {
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find_map(|line| line.strip_prefix("products"));
    let line = line.unwrap_or_else(|| panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr)));
    line.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

#[tokio::test]
async fn an_import_does_what_its_dry_run_said_and_the_second_time_nothing() {
    let dir = DataDir::new();
    let launcher = Launcher::start(up(&dir).env("KONTOR_SAMPLE", "none")).await;
    let shop = launcher.shop();
    assert_eq!(shop.product_count().await, 0, "no sample was asked for");
    let good = file(&dir, "good.csv", "mug,Mug,TRUE,MUG-1,10,12.50,active\ncup,Cup,TRUE,CUP-1,3,9.00,active\n");

    let dry = import(&launcher, &dir, &good, &["--dry-run"]);
    assert_eq!((dry.status.code(), products(&dry)), (Some(0), vec![2, 0, 0, 0]));
    assert_eq!(shop.product_count().await, 0, "a dry run does nothing");

    let first = import(&launcher, &dir, &good, &[]);
    assert_eq!((first.status.code(), products(&first)), (Some(0), vec![2, 0, 0, 0]));
    let mug = shop.get("v1/products/mug").await;
    let second = import(&launcher, &dir, &good, &[]);
    assert_eq!((second.status.code(), products(&second)), (Some(0), vec![0, 0, 2, 0]));
    assert_eq!(shop.get("v1/products/mug").await, mug, "etag and all");

    let bad = file(&dir, "bad.csv", "mug,Mug,TRUE,MUG-1,10,13.00,active\npot,Pot,TRUE,POT-1,3,cheap,active\n");
    let refused = import(&launcher, &dir, &bad, &[]);
    let said = String::from_utf8_lossy(&refused.stdout);
    assert_eq!((refused.status.code(), products(&refused)), (Some(1), vec![0, 1, 0, 1]), "{said}");
    let issue = said.lines().find(|line| line.starts_with("error")).unwrap();
    assert!(issue.contains("line 3 ") && issue.contains("Variant Price"), "{issue}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("1 product(s) stayed out"));
    assert_eq!(shop.product_count().await, 2);

    let wrong = import(&launcher, &dir, &good, &["--admin-password", "not the password at all"]);
    assert_eq!(wrong.status.code(), Some(1));
    let complained = String::from_utf8_lossy(&wrong.stderr);
    assert!(
        complained.starts_with("kontor-import: auth: ") && !complained.contains("not the password"),
        "{complained}"
    );
}

#[test]
fn a_file_that_is_not_there_and_a_kontor_that_is_not_running_are_told_apart() {
    let dir = DataDir::new();
    let run = |file: &Path| {
        let mut command = kontor();
        command.arg("import").arg(file).args(["--admin-password", "a long enough password"]);
        let nobody = kontor_testkit::free_addr().to_string();
        let output = command.env("KONTOR_AUTH_ADDR", nobody).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = run(&dir.path().join("none.csv"));
    assert!(missing.contains("none.csv: No such file"), "{missing}");
    let nobody = run(&file(&dir, "good.csv", "mug,Mug,TRUE,MUG-1,10,12.50,active\n"));
    assert!(nobody.starts_with("kontor-import: auth"), "{nobody}");
}
