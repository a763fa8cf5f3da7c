//! Where the engines' binaries are.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{EngineError, Result};

/// A folder as `make tools` fills it: `nats-server` and `postgres/bin/{postgres,initdb}`.
#[derive(Debug, Clone)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// The folder that is named, or `NATTER_TOOLS`, or the nearest `.tools` above the working folder or the executable.
    ///
    /// A folder that is named must be the right one: nothing else is tried, so that a typing error is noticed.
    pub fn find(named: Option<&Path>) -> Result<Self> {
        let named = named.map(Path::to_owned).or_else(|| env::var_os("NATTER_TOOLS").map(PathBuf::from));
        let candidates = match named {
            Some(folder) => vec![folder],
            None => nearby(),
        };
        Self::choose(candidates)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn nats_server(&self) -> PathBuf {
        self.folder.join("nats-server")
    }

    pub fn postgres(&self) -> PathBuf {
        self.folder.join("postgres/bin/postgres")
    }

    pub fn initdb(&self) -> PathBuf {
        self.folder.join("postgres/bin/initdb")
    }

    fn choose(candidates: Vec<PathBuf>) -> Result<Self> {
        let mut missing = "nats-server";
        for folder in &candidates {
            let Ok(folder) = folder.canonicalize() else { continue };
            let tools = Self { folder };
            match tools.missing() {
                None => return Ok(tools),
                Some(engine) => missing = engine,
            }
        }
        Err(EngineError::Missing { engine: missing, looked_in: candidates })
    }

    fn missing(&self) -> Option<&'static str> {
        if !self.nats_server().is_file() {
            Some("nats-server")
        } else if !self.postgres().is_file() || !self.initdb().is_file() {
            Some("PostgreSQL")
        } else {
            None
        }
    }
}

/// `.tools` beside the working folder and the executable, and beside each folder above them.
fn nearby() -> Vec<PathBuf> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    let starts = [env::current_dir().ok(), env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned))];
    for start in starts.into_iter().flatten() {
        for ancestor in start.ancestors() {
            let candidate = ancestor.join(".tools");
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_without_engines_is_an_error_that_names_it() {
        let empty = tempfile::tempdir().expect("a temporary folder");
        let error = Tools::find(Some(empty.path())).expect_err("there is no engine in there");
        assert!(
            matches!(&error, EngineError::Missing { engine: "nats-server", looked_in } if looked_in == &[empty.path()])
        );
        assert!(error.to_string().contains("make tools"), "{error}");
    }

    #[test]
    fn the_first_folder_with_both_engines_is_taken() {
        let (half, whole) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        std::fs::write(half.path().join("nats-server"), "").expect("write");
        std::fs::create_dir_all(whole.path().join("postgres/bin")).expect("create");
        for file in ["nats-server", "postgres/bin/postgres", "postgres/bin/initdb"] {
            std::fs::write(whole.path().join(file), "").expect("write");
        }
        let candidates = vec![PathBuf::from("/does/not/exist"), half.path().into(), whole.path().into()];
        let tools = Tools::choose(candidates).expect("the last has both");
        assert_eq!(tools.folder(), whole.path().canonicalize().expect("it exists"));
        assert!(matches!(
            Tools::choose(vec![half.path().into()]),
            Err(EngineError::Missing { engine: "PostgreSQL", .. })
        ));
    }
}
