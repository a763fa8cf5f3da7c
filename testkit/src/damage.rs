//! Damage to the files of a broker that is down: what a failing disk or a careless hand does.
//!
//! The broker keeps a stream in blocks of 8 MB, `<number>.blk`, records one after the other. A record begins with its
//! length (four bytes, the highest bit says whether it has headers) and its sequence (eight), and ends with a hash.

use std::fs;
use std::path::{Path, PathBuf};

/// The bit of a record's length that says that it has headers.
const HAS_HEADERS: u32 = 1 << 31;
/// Length, sequence, time and the length of the subject.
const HEADER_BYTES: usize = 22;
/// The hash at the end of a record.
const HASH_BYTES: usize = 8;

/// The blocks of one stream, of a broker that does not run.
#[derive(Debug)]
pub struct Blocks {
    folder: PathBuf,
    /// In order.
    files: Vec<PathBuf>,
}

/// Where an event's record is.
struct Place {
    file: PathBuf,
    from: usize,
    to: usize,
}

impl Blocks {
    /// The blocks of a stream in the store of a broker that does not run.
    pub fn of(store: &Path, stream: &str) -> Self {
        let folder = folder_of(store, stream).unwrap_or_else(|| panic!("no stream {stream} below {}", store.display()));
        let numbered = fs::read_dir(&folder).expect("a folder").flatten().filter_map(|entry| {
            let path = entry.path();
            let number: u64 = path.file_name()?.to_str()?.strip_suffix(".blk")?.parse().ok()?;
            Some((number, path))
        });
        let mut numbered: Vec<_> = numbered.collect();
        numbered.sort();
        Self { folder, files: numbered.into_iter().map(|(_, path)| path).collect() }
    }

    /// Where each block begins and ends, as sequences.
    pub fn spans(&self) -> Vec<(u64, u64)> {
        let span = |file: &PathBuf| {
            let records = records(&fs::read(file).expect("a block"));
            Some((records.first()?.0, records.last()?.0))
        };
        self.files.iter().filter_map(span).collect()
    }

    /// Flips one bit in the middle of an event's payload.
    pub fn flip_payload(&self, seq: u64) {
        let place = self.find(seq);
        let at = place.to - HASH_BYTES - (place.to - place.from - HEADER_BYTES) / 4;
        change(&place.file, |bytes| bytes[at] ^= 1);
    }

    /// Flips one bit in the length of an event's record.
    pub fn flip_length(&self, seq: u64) {
        let place = self.find(seq);
        change(&place.file, |bytes| bytes[place.from + 1] ^= 1);
    }

    /// Ends the event's block in the middle of its record.
    pub fn cut(&self, seq: u64) {
        let place = self.find(seq);
        change(&place.file, |bytes| bytes.truncate((place.from + place.to) / 2));
    }

    /// Removes the event's block.
    pub fn remove(&self, seq: u64) {
        fs::remove_file(self.find(seq).file).expect("removed");
    }

    /// Removes what the broker noted about its blocks when it ended, so that it reads them all when it starts.
    pub fn forget_index(&self) {
        let index = self.folder.join("index.db");
        if index.exists() {
            fs::remove_file(index).expect("removed");
        }
    }

    /// Removes also what it noted after it lost the log from this event on: the blocks that begin behind that, which hold
    /// only how far the log went.
    pub fn forget_notes(&self, lost: u64) {
        self.forget_index();
        for file in &self.files {
            let records = records(&fs::read(file).expect("a block"));
            if records.iter().all(|(seq, ..)| *seq >= lost) {
                fs::remove_file(file).expect("removed");
            }
        }
    }

    fn find(&self, seq: u64) -> Place {
        for file in &self.files {
            let found = records(&fs::read(file).expect("a block")).into_iter().find(|(own, ..)| *own == seq);
            if let Some((_, from, to)) = found {
                return Place { file: file.clone(), from, to };
            }
        }
        panic!("no block has event {seq}: {:?}", self.spans());
    }
}

/// The records of a block: sequence, begin and end.
fn records(block: &[u8]) -> Vec<(u64, usize, usize)> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(header) = block.get(from..from + HEADER_BYTES) {
        let (length, rest) = header.split_first_chunk::<4>().expect("22 bytes");
        let (seq, _) = rest.split_first_chunk::<8>().expect("18 bytes");
        let length = (u32::from_le_bytes(*length) & !HAS_HEADERS) as usize;
        assert!(length > HEADER_BYTES && from + length <= block.len(), "no record at {from}: is this a block?");
        found.push((u64::from_le_bytes(*seq), from, from + length));
        from += length;
    }
    found
}

fn change(file: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).expect("a block");
    damage(&mut bytes);
    fs::write(file, bytes).expect("written");
}

/// `<store>/jetstream/<account>/streams/<stream>/msgs`
fn folder_of(store: &Path, stream: &str) -> Option<PathBuf> {
    let accounts = fs::read_dir(store.join("jetstream")).ok()?;
    accounts
        .flatten()
        .map(|account| account.path().join("streams").join(stream).join("msgs"))
        .find(|path| path.is_dir())
}
