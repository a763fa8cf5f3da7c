//! The master key: 32 random bytes, kept as 64 hexadecimal digits in a file that only its owner may read.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use natter_platform::secret::Secret;

use crate::exit::{Exit, Failure};

pub const BYTES: usize = 32;
/// Its name in a data folder.
pub const FILE: &str = "master.key";

/// The key in the file, which nobody but its owner may be able to read.
pub fn read(path: &Path) -> Result<[u8; BYTES], Failure> {
    let bad = |what: String| Failure::new(Exit::Usage, format!("the master key {}: {what}", path.display()));
    let mode = fs::metadata(path).map_err(|error| bad(format!("cannot be read: {error}")))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(bad(format!("others may read it (mode {mode:04o}): run `chmod 600 {}`", path.display())));
    }
    let secret = Secret::from_value_or_file("master-key", None, Some(path)).map_err(|error| bad(error.to_string()))?;
    let text = secret.as_ref().map(Secret::expose).unwrap_or_default();
    parse(text).ok_or_else(|| bad(format!("it does not hold {} hexadecimal digits", BYTES * 2)))
}

/// The key in the file, or a new one that is there afterwards.
pub fn read_or_create(path: &Path) -> Result<[u8; BYTES], Failure> {
    if !path.exists() {
        let key = natter_engines::random_secret() + "\n";
        write_private(path, &key)
            .map_err(|error| Failure::new(Exit::Folder, format!("cannot write {}: {error}", path.display())))?;
    }
    read(path)
}

/// Keeps a copy of the key in the file `from`, unless one is kept there already.
pub fn keep(from: &Path, at: &Path) -> Result<(), Failure> {
    let key: String = read(from)?.iter().map(|byte| format!("{byte:02x}")).collect();
    if at.exists() {
        return Ok(());
    }
    write_private(at, &(key + "\n"))
        .map_err(|error| Failure::new(Exit::Folder, format!("cannot write {}: {error}", at.display())))
}

fn parse(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != BYTES * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; BYTES];
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(key)
}

/// Written aside and renamed: the key is there whole or not at all.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let partial = path.with_extension("partial");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        let key = read_or_create(&path).expect("made");
        assert_eq!(read_or_create(&path).expect("read"), key);
        assert_ne!(key, [0; BYTES]);
        assert_eq!(fs::metadata(&path).expect("it is there").mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_is_wrong_or_open_to_others_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"a".repeat(65), &"é".repeat(32)] {
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("closed");
            let error = read(&path).expect_err("not a key").to_string();
            assert!(error.contains("master.key") && (text.is_empty() || !error.contains(text)), "{error}");
        }
        fs::write(&path, "a".repeat(64)).expect("written");
        assert_eq!(read(&path).expect("a key"), [0xaa; BYTES]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("opened");
        assert!(read(&path).expect_err("open").to_string().contains("chmod 600"));
    }
}
