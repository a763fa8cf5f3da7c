//! A backup as it lies on disk, and whether it is whole.
//!
//! ```text
//! FOLDER/
//!   manifest.json            what it is a backup of, and what must be in it
//!   CHAT.copy, KV_keys.copy  one for each stream and bucket, as the broker gave it
//!   KV_keys.changes          what was written to a bucket while it was copied: a line of JSON for each entry
//!   SHA256SUMS               of all of these; `sha256sum --check SHA256SUMS` reads it too
//! ```
//!
//! It is written beside its place, as `FOLDER.partial`, synced, and renamed: what has the right name is whole.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use natter_log::{Epoch, Hole, Holes, Part, StreamState, Tag};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::exit::{Exit, Failure};

const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";
/// Held while somebody writes.
const LOCK: &str = "lock";
/// A thousand accepted holes with long reasons among it.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;
const READ_BYTES: usize = 1 << 20;

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// The version of Natter that wrote it.
    natter: String,
    pub made_at: String,
    /// Of the log that was copied. What is restored gets another one.
    epoch: u64,
    /// The last event of the copy, so that it can be recognised where it is restored.
    pub last_event: Option<LastEvent>,
    /// What was accepted as lost of the log.
    #[serde(default)]
    holes: Vec<Hole>,
    /// What only the right master key opens, in hexadecimal digits.
    proof: Option<String>,
    pub parts: Vec<CopiedPart>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEvent {
    pub seq: u64,
    tag: u64,
}

/// One stream or bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedPart {
    pub name: String,
    pub first_seq: u64,
    pub last_seq: u64,
    pub messages: u64,
    stored_bytes: u64,
    pub copy: Written,
    /// For a bucket: what was written while it was copied.
    pub changes: Option<Written>,
}

/// A file of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub file: String,
    pub bytes: u64,
}

impl Manifest {
    pub fn new(
        epoch: Epoch,
        last: Option<(u64, Tag)>,
        holes: &Holes,
        proof: Option<&[u8]>,
        parts: Vec<CopiedPart>,
    ) -> Self {
        Self {
            format: FORMAT,
            natter: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            epoch: epoch.0,
            last_event: last.map(|(seq, tag)| LastEvent { seq, tag: tag.0 }),
            holes: holes.iter().cloned().collect(),
            proof: proof.map(to_hex),
            parts,
        }
    }

    pub fn epoch(&self) -> Epoch {
        Epoch(self.epoch)
    }

    pub fn proof(&self) -> Option<Vec<u8>> {
        self.proof.as_deref().and_then(from_hex)
    }

    pub fn holes(&self) -> Holes {
        Holes::new(self.holes.clone())
    }

    pub fn part(&self, name: &str) -> Option<&CopiedPart> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// How many events of the log are in it.
    pub fn events(&self) -> u64 {
        self.part(natter_log::Stream::Chat.name()).map_or(0, |part| part.messages)
    }

    /// All that is copied.
    pub fn bytes(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }

    fn files(&self) -> impl Iterator<Item = &Written> {
        self.parts.iter().flat_map(|part| std::iter::once(&part.copy).chain(&part.changes))
    }
}

impl LastEvent {
    pub fn tag(&self) -> Tag {
        Tag(self.tag)
    }
}

impl CopiedPart {
    pub fn new(part: Part, state: StreamState, copy: Written, changes: Option<Written>) -> Self {
        let StreamState { first_seq, last_seq, messages, bytes: stored_bytes, .. } = state;
        Self { name: part.name(), first_seq, last_seq, messages, stored_bytes, copy, changes }
    }

    /// What the broker had in it.
    pub fn state(&self) -> StreamState {
        let Self { first_seq, last_seq, messages, stored_bytes: bytes, .. } = *self;
        StreamState { first_seq, last_seq, messages, bytes, gone: 0 }
    }
}

/// A backup that is being written. Dropped before [`Self::finish`], nothing of it stays.
pub struct NewBackup {
    target: PathBuf,
    partial: PathBuf,
    sums: Vec<(String, String)>,
    _lock: File,
}

impl NewBackup {
    pub fn begin(target: &Path) -> Result<Self, Failure> {
        if target.exists() {
            let why = format!("{} is there already: a backup is written into a folder of its own", target.display());
            return Err(Failure::new(Exit::Usage, why));
        }
        let mut partial = target.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&partial);
        made.map_err(|error| unwritable(&partial, &error))?;
        let lock = take_lock(&partial)?;
        clear(&partial)?;
        Ok(Self { target: target.to_owned(), partial, sums: Vec::new(), _lock: lock })
    }

    pub fn create(&self, name: String) -> Result<NewFile, Failure> {
        let path = self.partial.join(&name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| unwritable(&path, &error))?;
        Ok(NewFile { name, path, file, sum: Sha256::new(), bytes: 0 })
    }

    /// The file is whole and on disk.
    pub fn close(&mut self, file: NewFile) -> Result<Written, Failure> {
        file.file.sync_all().map_err(|error| unwritable(&file.path, &error))?;
        self.sums.push((file.name.clone(), to_hex(&file.sum.finalize())));
        Ok(Written { file: file.name, bytes: file.bytes })
    }

    /// Gives the backup its name, when all of it is on disk.
    pub fn finish(mut self, manifest: &Manifest) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(manifest).map_err(|error| Failure::caused_by(Exit::Other, &error))?;
        let mut file = self.create(MANIFEST.to_owned())?;
        file.write(&text)?;
        self.close(file)?;
        let mut sums = self.create(SUMS.to_owned())?;
        let lines: Vec<_> = self.sums.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        sums.write(lines.concat().as_bytes())?;
        self.close(sums)?;
        let lock = self.partial.join(LOCK);
        fs::remove_file(&lock).map_err(|error| unwritable(&lock, &error))?;
        sync_folder(&self.partial)?;
        fs::rename(&self.partial, &self.target).map_err(|error| unwritable(&self.target, &error))?;
        sync_folder(self.target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }
}

impl Drop for NewBackup {
    /// After it has been renamed, there is nothing here.
    fn drop(&mut self) {
        if clear(&self.partial).is_ok() {
            let _ = fs::remove_file(self.partial.join(LOCK));
            let _ = fs::remove_dir(&self.partial);
        }
    }
}

/// A file of a backup that is being written.
pub struct NewFile {
    name: String,
    path: PathBuf,
    file: File,
    sum: Sha256,
    bytes: u64,
}

impl NewFile {
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| unwritable(&self.path, &error))?;
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Reads all of a backup and says what it is, if it is whole and as it was written. Tells on the way how far it is.
pub fn check(folder: &Path, mut at: impl FnMut(u64, u64)) -> Result<Manifest, Failure> {
    let sums = read_sums(folder)?;
    let manifest = read_manifest(folder, &sums)?;
    for part in Part::ALL {
        if manifest.part(&part.name()).is_none() {
            return Err(broken(folder, format!("it has no {}", part.name())));
        }
    }
    let (mut read, of) = (0, manifest.bytes());
    for file in manifest.files() {
        let path = folder.join(&file.file);
        let found = fs::metadata(&path).map_err(|error| broken(folder, format!("{}: {error}", file.file)))?.len();
        if found != file.bytes {
            let what = format!("{} has {found} bytes, and had {} when it was written", file.file, file.bytes);
            return Err(broken(folder, what));
        }
        let sum = sum_of(&path, |bytes| {
            read += bytes;
            at(read, of);
        });
        let sum = sum.map_err(|error| broken(folder, format!("{}: {error}", file.file)))?;
        if sums.get(&file.file) != Some(&sum) {
            return Err(broken(folder, format!("{} is not as it was written", file.file)));
        }
    }
    Ok(manifest)
}

fn read_manifest(folder: &Path, sums: &HashMap<String, String>) -> Result<Manifest, Failure> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let bad = |error: io::Error| broken(folder, format!("{MANIFEST}: {error}"));
    let mut text = Vec::new();
    let file = File::open(folder.join(MANIFEST)).map_err(bad)?;
    file.take(MAX_MANIFEST_BYTES).read_to_end(&mut text).map_err(bad)?;
    if sums.get(MANIFEST) != Some(&to_hex(&Sha256::digest(&text))) {
        return Err(broken(folder, format!("{MANIFEST} is not as it was written")));
    }
    let malformed = |error: serde_json::Error| broken(folder, format!("{MANIFEST}: {error}"));
    let Head { format } = serde_json::from_slice(&text).map_err(malformed)?;
    if format != FORMAT {
        let what = format!("it has the format {format}, and this Natter reads {FORMAT}: use the version that wrote it");
        return Err(broken(folder, what));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(malformed)?;
    if let Some(file) = manifest.files().find(|file| !is_plain(&file.file)) {
        return Err(broken(folder, format!("{MANIFEST} names the file {:?}", file.file)));
    }
    Ok(manifest)
}

/// File name → digest.
fn read_sums(folder: &Path) -> Result<HashMap<String, String>, Failure> {
    let text = fs::read_to_string(folder.join(SUMS)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => broken(folder, format!("there is no {SUMS} in it")),
        _ => broken(folder, format!("{SUMS}: {error}")),
    })?;
    let line = |line: &str| line.split_once("  ").map(|(sum, name)| (name.to_owned(), sum.to_owned()));
    text.lines().map(line).collect::<Option<_>>().ok_or_else(|| broken(folder, format!("{SUMS} is damaged")))
}

fn sum_of(path: &Path, mut read: impl FnMut(u64)) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; READ_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(to_hex(&sum.finalize())),
            bytes => {
                sum.update(&buffer[..bytes]);
                read(bytes as u64);
            }
        }
    }
}

fn broken(folder: &Path, what: String) -> Failure {
    Failure::new(Exit::Backup, format!("{} is not a whole backup: {what}", folder.display()))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Folder, format!("cannot write {}: {error}; there is no backup", path.display()))
}

fn take_lock(partial: &Path) -> Result<File, Failure> {
    let path = partial.join(LOCK);
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let lock = lock.map_err(|error| unwritable(&path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => {
            Err(Failure::new(Exit::Folder, format!("another `natter backup` writes {} now", partial.display())))
        }
        Err(fs::TryLockError::Error(error)) => Err(unwritable(&path, &error)),
    }
}

/// Takes away what a backup that was killed has left there, and nothing else.
fn clear(partial: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| unwritable(partial, &error);
    for entry in fs::read_dir(partial).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = name.ends_with(".copy") || name.ends_with(".changes") || name == MANIFEST || name == SUMS;
        if ours {
            fs::remove_file(&path).map_err(failed)?;
        } else if name != LOCK {
            let why = format!("{} holds {name}, which no backup left there", partial.display());
            return Err(Failure::new(Exit::Folder, why));
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> Result<(), Failure> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| unwritable(folder, &error))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\'])
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
    digits.collect()
}
