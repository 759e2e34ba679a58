//! Has the crate built again when a migration is added; `sqlx::migrate!` alone notices changed ones only.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
