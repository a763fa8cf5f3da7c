//! The programs that are tested: those that were built beside this one.

use std::path::PathBuf;

/// The program as people run it.
pub fn natter() -> PathBuf {
    beside("natter", "cargo build --package natter")
}

/// The same with bugs on purpose in it, each of which lives when it is named.
pub fn with_planted_bugs() -> PathBuf {
    beside("natter-planted", "scripts/plant.sh")
}

fn beside(name: &str, made_by: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap_or_else(|error| panic!("this program has no place: {error}"));
    // Tests stand one folder below.
    let found = this.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("there is no {name} beside {}: run {made_by}", this.display()))
}
