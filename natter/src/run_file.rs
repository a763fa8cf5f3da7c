//! `natter.run` in the data folder: where the Natter that runs there can be reached, for `natter doctor` and other tools.
//!
//! It holds passwords, so only its owner may read it. It goes away when Natter stops; after a crash it stays, with a process
//! in it that is no more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};

const NAME: &str = "natter.run";

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    /// The one public origin.
    pub url: String,
    /// With user and password, for tools of NATS.
    pub nats_url: String,
    pub nats_address: String,
    pub nats_user: String,
    pub nats_password: String,
    /// The account on the broker that may read the streams and nothing else.
    pub analytics_user: String,
    pub analytics_password: String,
    pub postgres_url: String,
}

/// The file of this process. It is removed when this is dropped.
#[derive(Debug)]
pub struct RunFile(PathBuf);

impl RunFile {
    pub fn write(data: &Path, running: &Running) -> Result<Self, Failure> {
        let path = data.join(NAME);
        write_private(&path, running)
            .map_err(|error| Failure::new(Exit::Folder, format!("cannot write {}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

/// The Natter that runs on this folder, or why there is none.
pub fn read(data: &Path) -> Result<Running, String> {
    let path = data.join(NAME);
    let text = fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("does not run on {}", data.display()),
        _ => format!("cannot read {}: {error}", path.display()),
    })?;
    let running: Running =
        serde_json::from_slice(&text).map_err(|error| format!("{} is damaged: {error}", path.display()))?;
    let pid = i32::try_from(running.pid).ok().and_then(Pid::from_raw);
    // A process of another user exists too, even if it may not be signalled.
    let gone = pid.is_none_or(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH));
    if gone { Err(format!("ran on {} and has ended without saying so", data.display())) } else { Ok(running) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn running(pid: u32) -> Running {
        let some = String::new;
        let (nats_url, nats_address, nats_user, nats_password) = (some(), some(), some(), some());
        let (url, analytics_user, analytics_password, postgres_url) = (some(), some(), some(), some());
        Running {
            pid,
            url,
            nats_url,
            nats_address,
            nats_user,
            nats_password,
            analytics_user,
            analytics_password,
            postgres_url,
        }
    }

    #[test]
    fn a_running_natter_is_found_until_it_stops() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read(folder.path()).is_err_and(|why| why.contains("does not run")));
        let file = RunFile::write(folder.path(), &running(std::process::id())).expect("written");
        assert!(read(folder.path()).is_ok_and(|found| found == running(std::process::id())));
        drop(file);
        assert!(read(folder.path()).is_err());
    }

    #[test]
    fn one_that_was_killed_is_told_from_one_that_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        // Above the largest process id that Linux gives.
        let _file = RunFile::write(folder.path(), &running(1 << 30)).expect("written");
        assert!(read(folder.path()).is_err_and(|why| why.contains("has ended without saying so")));
    }
}
