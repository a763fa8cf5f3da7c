//! Dependencies point one way. ARCHITECTURE.md says why; this holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each part may use of the others, in the program itself. Tests may also use the test kit and what it uses.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("natter-events", &[]),
    ("natter-planted", &[]),
    ("natter-protocol", &["natter-events"]),
    ("natter-log", &["natter-events", "natter-planted"]),
    ("natter-platform", &["natter-events", "natter-protocol"]),
    ("natter-migrations", &[]),
    ("natter-engines", &[]),
    ("natter-testkit", &["natter-engines"]),
    ("natter-client", &["natter-events", "natter-protocol"]),
    ("natter-gateway", &["natter-events", "natter-log", "natter-planted", "natter-protocol", "natter-platform"]),
    ("natter-projector", &["natter-events", "natter-log", "natter-planted", "natter-platform", "natter-migrations"]),
    (
        "natter-history-api",
        &["natter-events", "natter-planted", "natter-protocol", "natter-platform", "natter-migrations"],
    ),
    (
        "natter",
        &[
            "natter-client",
            "natter-engines",
            "natter-events",
            "natter-gateway",
            "natter-history-api",
            "natter-log",
            "natter-migrations",
            "natter-planted",
            "natter-platform",
            "natter-projector",
            "natter-protocol",
        ],
    ),
    // It runs the program, and uses of its parts what reads and what connects.
    (
        "natter-tests",
        &[
            "natter-client",
            "natter-engines",
            "natter-events",
            "natter-log",
            "natter-planted",
            "natter-platform",
            "natter-protocol",
            "natter-testkit",
        ],
    ),
];

/// Who may name these libraries, in tests too.
const NAMED_ONLY_BY: [(&str, &[&str]); 2] = [
    ("async-nats", &["natter-log"]),
    ("sqlx", &["natter-history-api", "natter-migrations", "natter-projector", "natter-testkit", "natter-tests"]),
];

/// The services that never import each other, not even in tests.
const SERVICES: [&str; 3] = ["natter-gateway", "natter-projector", "natter-history-api"];

struct Dependency {
    name: String,
    for_tests: bool,
}

fn packages() -> BTreeMap<String, Vec<Dependency>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let dependencies = |package: &Value| {
        let list = package["dependencies"].as_array().expect("a list");
        list.iter().map(|one| Dependency { name: name(one), for_tests: one["kind"] == "dev" }).collect()
    };
    packages.iter().map(|package| (name(package), dependencies(package))).collect()
}

#[test]
fn parts_use_only_what_they_may() {
    let packages = packages();
    let parts: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    let listed: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    assert_eq!(parts, listed, "a part is new or gone: say here what it may use");
    for (name, allowed) in MAY_USE {
        for dependency in packages[name].iter().filter(|one| parts.contains(one.name.as_str()) && !one.for_tests) {
            assert!(allowed.contains(&dependency.name.as_str()), "{name} must not use {}", dependency.name);
        }
    }
}

#[test]
fn services_never_import_each_other() {
    let packages = packages();
    for service in SERVICES {
        for dependency in &packages[service] {
            assert!(!SERVICES.contains(&dependency.name.as_str()), "{service} must not use {}", dependency.name);
        }
    }
}

#[test]
fn only_the_log_speaks_to_the_broker_and_only_the_read_side_to_postgresql() {
    for (library, allowed) in NAMED_ONLY_BY {
        for (part, dependencies) in packages() {
            let names = dependencies.iter().any(|dependency| dependency.name == library);
            assert!(!names || allowed.contains(&part.as_str()), "{part} must not name {library}");
        }
    }
}

/// A dependency back, even for tests, would build a part twice and hide a wrong arrow.
#[test]
fn only_the_test_kit_and_what_is_below_are_used_by_tests() {
    let packages = packages();
    for (part, dependencies) in &packages {
        for dependency in dependencies.iter().filter(|one| one.for_tests && one.name.starts_with("natter")) {
            let users = &packages[&dependency.name];
            let back = users.iter().any(|one| one.name == *part && !one.for_tests);
            let kit = dependency.name == "natter-testkit";
            assert!(kit || !back, "{part} uses {} in tests, which uses {part}", dependency.name);
        }
    }
}
