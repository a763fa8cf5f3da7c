//! `natter.run` in the data folder: where the Natter that runs there can be reached, for `natter doctor` and other tools.
//!
//! It holds passwords, so only its owner may read it. It goes away when Natter stops; after a crash it stays, with a process
//! in it that is no more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};

const NAME: &str = "natter.run";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    /// The one public origin.
    pub url: String,
    pub nats_url: String,
    pub postgres_url: String,
}

/// The file of this process. It is removed when this is dropped.
#[derive(Debug)]
pub struct RunFile(PathBuf);

impl RunFile {
    pub fn write(data: &Path, url: &str, nats_url: &str, postgres_url: &str) -> Result<Self, Failure> {
        let path = data.join(NAME);
        let running = Running {
            pid: std::process::id(),
            url: url.to_owned(),
            nats_url: nats_url.to_owned(),
            postgres_url: postgres_url.to_owned(),
        };
        write_private(&path, &running)
            .map_err(|error| Failure::new(Exit::Folder, format!("cannot write {}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn write_private(path: &Path, running: &Running) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    serde_json::to_writer_pretty(file, running).map_err(io::Error::from)
}
