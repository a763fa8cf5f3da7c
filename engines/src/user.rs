//! As whom an engine runs.
//!
//! PostgreSQL refuses to run as root. When this process is root, the engine becomes the owner of its data, or `postgres`,
//! or `nobody`. If that user cannot get to the binaries or the data, because a folder above them is closed to others
//! (a clone below /root, a temporary folder with mode 0700), the child keeps the one right to pass through folders.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use crate::child_setup::Right;
use crate::error::{EngineError, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunAs {
    /// As the user that this process runs as.
    Itself,
    Other(OtherUser),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherUser {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub(crate) keep: Option<Right>,
}

impl RunAs {
    /// Whom to be for an engine that refuses to be root, with its data in `folder` and its binary at `binary`.
    pub fn for_engine(engine: &'static str, folder: &Path, binary: &Path) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Itself);
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let owner = fs::metadata(folder).ok().filter(|data| data.uid() != 0);
        let (name, uid, gid) = match owner {
            Some(data) => (name_of(&passwd, data.uid()), data.uid(), data.gid()),
            None => ["postgres", "nobody"]
                .into_iter()
                .find_map(|name| find_user(&passwd, name))
                .ok_or(EngineError::NoUser { engine })?,
        };
        let reachable = [binary.parent(), folder.parent()].into_iter().flatten().all(|path| can_pass(path, uid, gid));
        let keep = if reachable { None } else { Right::available() };
        Ok(Self::Other(OtherUser { name, uid, gid, keep }))
    }

    pub fn name(&self) -> Option<String> {
        match self {
            Self::Itself => None,
            Self::Other(user) => Some(user.name.clone()),
        }
    }

    /// Gives one file or folder to the engine's user.
    pub fn give(&self, path: &Path) -> Result<()> {
        match self {
            Self::Itself => Ok(()),
            Self::Other(user) => {
                chown(path, Some(user.uid), Some(user.gid)).map_err(EngineError::io("change the owner of", path))
            }
        }
    }
}

fn find_user(passwd: &str, wanted: &str) -> Option<(String, u32, u32)> {
    entries(passwd).find(|(name, ..)| name == wanted).filter(|(_, uid, _)| *uid != 0)
}

fn name_of(passwd: &str, wanted: u32) -> String {
    entries(passwd).find(|(_, uid, _)| *uid == wanted).map_or_else(|| wanted.to_string(), |(name, ..)| name)
}

fn entries(passwd: &str) -> impl Iterator<Item = (String, u32, u32)> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((name, uid, gid))
    })
}

/// Whether a user may pass through this folder and all above it.
fn can_pass(folder: &Path, uid: u32, gid: u32) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    folder.ancestors().all(|ancestor| {
        fs::metadata(ancestor).is_ok_and(|data| may_search(data.mode(), data.uid(), data.gid(), uid, gid))
    })
}

fn may_search(mode: u32, owner: u32, group: u32, uid: u32, gid: u32) -> bool {
    let bit = if owner == uid {
        0o100
    } else if group == gid {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbroken line\nnobody:x:65534:65533::/:/bin/false\n";

    #[test]
    fn users_are_read_from_passwd_and_root_is_never_one() {
        assert_eq!(find_user(PASSWD, "nobody"), Some(("nobody".to_owned(), 65534, 65533)));
        assert_eq!(find_user(PASSWD, "postgres"), None);
        assert_eq!(find_user(PASSWD, "root"), None);
        assert_eq!(name_of(PASSWD, 65534), "nobody");
        assert_eq!(name_of(PASSWD, 7), "7");
    }

    #[test]
    fn the_first_class_that_fits_decides_about_passing_a_folder() {
        assert!(may_search(0o755, 0, 0, 101, 104));
        assert!(!may_search(0o700, 0, 0, 101, 104));
        assert!(may_search(0o700, 101, 0, 101, 104));
        assert!(may_search(0o710, 0, 104, 101, 104));
        assert!(!may_search(0o701, 0, 104, 101, 104), "a group that is shut out is shut out, whatever others may");
    }
}
