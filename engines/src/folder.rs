//! The data folder of one Natter: what is in it, who holds it, whether it is whole.
//!
//! ```text
//! data/
//!   natter.lock        held while a Natter runs on this folder
//!   natter.data        written last: from then on the parts that it lists must be there
//!   natter.run         where the Natter that runs here can be reached
//!   keys/              signing key and master key
//!   secrets/           passwords of the engines, random, made for this folder
//!   nats/              the event log
//!   postgres/          the read models
//! ```
//!
//! A first start that is interrupted leaves a folder without `natter.data`; the next start goes on with it, because every
//! part is made aside and renamed into place. A folder that has `natter.data` but misses a part was damaged, and Natter
//! says so instead of starting with half of its data.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{EngineError, Result};
use crate::random_secret;

const LOCK: &str = "natter.lock";
const MARKER: &str = "natter.data";
const MARKER_HEAD: &str = "natter data folder, format 1";
/// What an interrupted first start may have left behind.
const OWN_NAMES: [&str; 9] =
    [LOCK, MARKER, "natter.data.partial", "natter.run", "keys", "secrets", "nats", "postgres", "postgres.partial"];
/// What a file system or a file manager puts into a folder that is otherwise empty.
const HARMLESS_NAMES: [&str; 3] = ["lost+found", ".DS_Store", ".gitkeep"];

#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    complete: bool,
    /// Unlocked by the kernel when this process ends, however it ends.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be, takes its lock, and checks that it is Natter's and whole.
    pub fn open(path: &Path) -> Result<Self> {
        make_folder(path)?;
        let path = path.canonicalize().map_err(EngineError::io("find", path))?;
        refuse_foreign(&path)?;
        let lock = take_lock(&path)?;
        let complete = check_marker(&path)?;
        Ok(Self { path, complete, _lock: lock })
    }

    /// Whether a Natter has completed this folder once. Changes nothing, and asks for no lock.
    pub fn is_there(path: &Path) -> bool {
        path.join(MARKER).exists()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an earlier start has made everything.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn nats(&self) -> PathBuf {
        self.path.join("nats")
    }

    pub fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// The folder of the keys, made if need be.
    pub fn keys(&self) -> Result<PathBuf> {
        let keys = self.path.join("keys");
        make_private_folder(&keys)?;
        Ok(keys)
    }

    /// A random password, made once and kept in `secrets/NAME`.
    pub fn secret(&self, name: &str) -> Result<String> {
        let folder = self.path.join("secrets");
        make_private_folder(&folder)?;
        let path = folder.join(name);
        let bytes = private_file_once(&path, || random_secret().into_bytes())?;
        String::from_utf8(bytes).ok().filter(|secret| !secret.is_empty()).ok_or_else(|| EngineError::HalfInitialised {
            path,
            what: "the password in it is empty or not text".to_owned(),
            advice: "Restore the file from a backup; without it the engines cannot be opened",
        })
    }

    /// Says that everything has been made. From now on the folder is only whole with all of `parts` (relative paths).
    ///
    /// The broker syncs its files, and leaves it to the file system when the folders that it makes are on disk by name. Most
    /// keep the two together; here they are on any, before anyone is told that Natter is ready.
    pub fn mark_complete(&mut self, parts: &[&str]) -> Result<()> {
        if self.nats().exists() {
            sync_folders(&self.nats())?;
        }
        if self.complete {
            return Ok(());
        }
        let text = parts.iter().fold(MARKER_HEAD.to_owned() + "\n", |text, part| text + part + "\n");
        private_file_once(&self.path.join(MARKER), || text.into_bytes())?;
        self.complete = true;
        Ok(())
    }
}

/// Reads a file that only this user may read, after making it if it is not there. It is made aside and linked into place,
/// so it is never seen half written, and never written twice.
pub(crate) fn private_file_once(path: &Path, content: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>> {
    if !path.try_exists().map_err(EngineError::io("look for", path))? {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)
            .map_err(EngineError::io("write", &partial))?;
        file.write_all(&content()).and_then(|()| file.sync_all()).map_err(EngineError::io("write", &partial))?;
        fs::rename(&partial, path).map_err(EngineError::io("write", path))?;
        sync_folder_of(path)?;
    }
    fs::read(path).map_err(EngineError::io("read", path))
}

/// Makes the entries of the folder that holds `path` durable.
pub(crate) fn sync_folder_of(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(EngineError::io("sync", folder))
}

/// A folder that others may pass through: an engine that runs as another user has its own folder in it.
fn make_folder(path: &Path) -> Result<()> {
    make(path, 0o755)
}

/// A folder that nobody else may look into.
pub(crate) fn make_private_folder(path: &Path) -> Result<()> {
    make(path, 0o700)
}

fn make(path: &Path, mode: u32) -> Result<()> {
    make_durably(path, mode).map_err(|source| EngineError::Unwritable { path: path.to_owned(), source })
}

/// With the folders above it, each of which is on disk by its name afterwards: a key in a folder whose name was lost with the
/// power would be lost too.
fn make_durably(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_durably(above, mode)?;
    match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => File::open(above)?.sync_all(),
        // Another process was first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names of all that is in a folder durable, and in the folders in it.
pub(crate) fn sync_folders(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(EngineError::io("sync", path))?;
    for entry in fs::read_dir(path).map_err(EngineError::io("read", path))? {
        let entry = entry.map_err(EngineError::io("read", path))?;
        // What the broker removes as we look is no concern of ours.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.path().exists() {
            sync_folders(&entry.path())?;
        }
    }
    Ok(())
}

fn refuse_foreign(path: &Path) -> Result<()> {
    if path.join(MARKER).exists() {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(EngineError::io("read", path))? {
        let name = entry.map_err(EngineError::io("read", path))?.file_name();
        let name = name.to_string_lossy();
        if !OWN_NAMES.contains(&name.as_ref()) && !HARMLESS_NAMES.contains(&name.as_ref()) {
            return Err(EngineError::Foreign { path: path.to_owned(), found: name.into_owned() });
        }
    }
    Ok(())
}

fn take_lock(path: &Path) -> Result<File> {
    let unwritable = |source: io::Error| EngineError::Unwritable { path: path.to_owned(), source };
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.join(LOCK))
        .map_err(unwritable)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = lock.read_to_string(&mut holder);
            return Err(EngineError::Locked { path: path.to_owned(), holder: holder.trim().parse().ok() });
        }
        Err(TryLockError::Error(source)) => return Err(unwritable(source)),
    }
    lock.set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .map_err(unwritable)?;
    Ok(lock)
}

/// Whether the folder was completed once. If so, all of its parts must still be there.
fn check_marker(path: &Path) -> Result<bool> {
    let marker = match fs::read_to_string(path.join(MARKER)) {
        Ok(marker) => marker,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(EngineError::Io { doing: "read", path: path.join(MARKER), source }),
    };
    let mut lines = marker.lines();
    let head = lines.next().unwrap_or_default();
    if head != MARKER_HEAD {
        return Err(EngineError::OtherVersion {
            engine: "Natter",
            path: path.to_owned(),
            found: format!("(`{head}`)"),
            wanted: format!("(`{MARKER_HEAD}`)"),
        });
    }
    match lines.find(|part| !path.join(part).exists()) {
        None => Ok(true),
        Some(part) => Err(EngineError::HalfInitialised {
            path: path.to_owned(),
            what: format!("`{part}` was there once and is missing"),
            advice: "Restore the whole folder from a backup, or start with another one",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    #[test]
    fn a_folder_is_made_and_found_again_with_its_secrets() {
        let temporary = temporary();
        let path = temporary.path().join("a/b/data");
        let secret = {
            let mut data = DataFolder::open(&path).expect("a new folder");
            assert!(!data.is_complete());
            let secret = data.secret("nats").expect("a secret");
            data.mark_complete(&["secrets/nats"]).expect("complete");
            secret
        };
        assert_eq!(secret.len(), 64);
        let data = DataFolder::open(&path).expect("the same folder");
        assert!(data.is_complete());
        assert_eq!(data.secret("nats").expect("a secret"), secret);
        let mode = fs::metadata(path.join("secrets/nats")).map(|data| std::os::unix::fs::MetadataExt::mode(&data));
        assert_eq!(mode.expect("it exists") & 0o777, 0o600);
    }

    #[test]
    fn two_cannot_have_one_folder() {
        let temporary = temporary();
        let _first = DataFolder::open(temporary.path()).expect("the first gets it");
        let error = DataFolder::open(temporary.path()).expect_err("the second does not");
        assert!(matches!(&error, EngineError::Locked { holder, .. } if *holder == Some(std::process::id())), "{error}");
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let temporary = temporary();
        fs::write(temporary.path().join("thesis.tex"), "dear").expect("write");
        let error = DataFolder::open(temporary.path()).expect_err("not ours");
        assert!(matches!(&error, EngineError::Foreign { found, .. } if found == "thesis.tex"), "{error}");
        assert_eq!(fs::read_dir(temporary.path()).expect("read").count(), 1, "nothing was written into it");
    }

    #[test]
    fn a_part_that_went_missing_is_named() {
        let temporary = temporary();
        let mut data = DataFolder::open(temporary.path()).expect("a new folder");
        data.secret("nats").expect("a secret");
        data.mark_complete(&["secrets/nats"]).expect("complete");
        drop(data);
        fs::remove_file(temporary.path().join("secrets/nats")).expect("remove");
        let error = DataFolder::open(temporary.path()).expect_err("half a folder");
        assert!(error.to_string().contains("`secrets/nats` was there once"), "{error}");
    }

    #[test]
    fn a_folder_of_another_format_is_refused() {
        let temporary = temporary();
        fs::write(temporary.path().join(MARKER), "natter data folder, format 2\n").expect("write");
        assert!(matches!(DataFolder::open(temporary.path()), Err(EngineError::OtherVersion { .. })));
    }

    #[test]
    fn a_first_start_that_was_interrupted_goes_on() {
        let temporary = temporary();
        drop(DataFolder::open(temporary.path()).expect("a new folder").secret("nats"));
        fs::create_dir(temporary.path().join("postgres.partial")).expect("create");
        assert!(!DataFolder::open(temporary.path()).expect("it goes on").is_complete());
    }

    #[test]
    fn a_path_that_cannot_be_written_says_which() {
        let temporary = temporary();
        let file = temporary.path().join("file");
        fs::write(&file, "").expect("write");
        let error = DataFolder::open(&file.join("data")).expect_err("below a file");
        assert!(matches!(&error, EngineError::Unwritable { path, .. } if path == &file.join("data")), "{error}");
    }
}
