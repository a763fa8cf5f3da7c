//! What documents say of the code is there.

use std::collections::BTreeSet;
use std::path::Path;

/// The names of all tests: functions in Rust, and what stands in quotes in the web client's tests.
fn tests_in(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() && !name.starts_with('.') && !matches!(&*name, "target" | "node_modules" | "dist") {
            tests_in(&path, names);
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            let functions = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
            names.extend(functions.map(str::to_owned));
        } else if name.ends_with(".e2e.ts") || name.ends_with(".test.ts") || name.ends_with(".test.tsx") {
            let text = std::fs::read_to_string(&path).expect("text");
            names.extend(text.split(['\'', '`']).filter(|quoted| quoted.contains('_')).map(str::to_owned));
            names.insert(name);
        }
    }
}

#[test]
fn every_test_that_features_md_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut names = BTreeSet::new();
    tests_in(root, &mut names);
    let features = std::fs::read_to_string(root.join("docs/FEATURES.md")).expect("text");
    let mut checked = 0;
    for named in features.split('`').skip(1).step_by(2) {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begun = named.trim_end_matches('…');
        if begun.ends_with(".ts") && !begun.contains('*') {
            let file = begun.rsplit('/').next().unwrap_or(begun);
            assert!(names.contains(file), "there is no file {named}");
            continue;
        }
        // One word alone is a file, or an event.
        if !begun.contains('_') || !begun.chars().all(is_name) || names_a_file(root, begun) {
            continue;
        }
        let found = match named.ends_with('…') {
            true => names.iter().any(|name| name.starts_with(begun)),
            false => names.contains(begun),
        };
        assert!(found, "there is no test {named}");
        checked += 1;
    }
    assert!(checked > 60, "{checked} names");
}

/// Test files go by their names, too.
fn names_a_file(root: &Path, name: &str) -> bool {
    let folders = [
        "gateway/tests/it",
        "projector/src/tests",
        "history-api/tests/history",
        "log/tests/log",
        "natter/tests/natter",
        "client/src",
        "tests/tests",
    ];
    folders.iter().any(|folder| root.join(folder).join(format!("{name}.rs")).exists())
}
