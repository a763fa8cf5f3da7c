//! What is kept between two runs, for its owner only.

use std::path::PathBuf;

/// Where programs keep what they remember of a user: `$XDG_STATE_HOME/natter`, or `~/.local/state/natter`.
pub fn state_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(base.join("natter"))
}
