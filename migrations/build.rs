//! A new SQL file alone must rebuild the crate: the macro that embeds them only watches those that it knows.

fn main() {
    println!("cargo::rerun-if-changed=sql");
}
