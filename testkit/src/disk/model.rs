//! The disk as it is, and as it would be after a power cut. Pure: no kernel, no clock, no threads.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub const ROOT: u64 = 1;
/// What a kernel writes back at once.
const PAGE_BYTES: usize = 4096;

/// When the name of a new file is durable, and a renaming or a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// With any sync that comes after it, of whatever file or folder.
    Journaled,
    /// With a sync of the folder that it is in, and nothing else.
    Bare,
}

/// What can be wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    NoPower,
    Missing,
    Exists,
    NotAFolder,
    IsAFolder,
    NotEmpty,
    NoRoom,
}

pub struct Model {
    names: Names,
    nodes: HashMap<u64, Node>,
    next: u64,
    power: bool,
    /// Nothing more fits: no new name, and no byte behind the end of a file.
    full: bool,
    /// How often something did not fit.
    turned_away: u64,
    /// Folders whose names are not durable as they are.
    changed_folders: BTreeSet<u64>,
    /// Files that were truncated and not synced since.
    truncated: BTreeSet<u64>,
    syncs: u64,
}

pub struct Node {
    /// The name of a socket, which is a file without content.
    pub is_socket: bool,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub modified: SystemTime,
    /// As programs see it.
    now: Content,
    /// As a power cut would leave it; none when the disk has not heard of it.
    kept: Option<Content>,
    /// What was done to a file and not synced.
    changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    File(Vec<u8>),
    Folder(BTreeMap<OsString, u64>),
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
}

impl Node {
    fn new(content: Content, mode: u32, (uid, gid): (u32, u32)) -> Node {
        Node {
            is_socket: false,
            mode,
            uid,
            gid,
            modified: SystemTime::now(),
            now: content,
            kept: None,
            changes: Vec::new(),
        }
    }

    pub fn is_folder(&self) -> bool {
        matches!(self.now, Content::Folder(_))
    }

    pub fn size(&self) -> usize {
        match &self.now {
            Content::File(bytes) => bytes.len(),
            Content::Folder(_) => 0,
        }
    }

    fn empty_of_its_kind(&self) -> Content {
        match self.now {
            Content::File(_) => Content::File(Vec::new()),
            Content::Folder(_) => Content::Folder(BTreeMap::new()),
        }
    }
}

impl Model {
    pub fn new(names: Names) -> Model {
        let mut root = Node::new(Content::Folder(BTreeMap::new()), 0o755, (0, 0));
        root.kept = Some(root.now.clone());
        Model {
            names,
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            power: true,
            full: false,
            turned_away: 0,
            changed_folders: BTreeSet::new(),
            truncated: BTreeSet::new(),
            syncs: 0,
        }
    }

    pub fn syncs(&self) -> u64 {
        self.syncs
    }

    pub fn unsynced_bytes(&self) -> u64 {
        let written = |change: &Change| if let Change::Write { bytes, .. } = change { bytes.len() as u64 } else { 0 };
        self.nodes.values().flat_map(|node| &node.changes).map(written).sum()
    }

    pub fn node(&self, ino: u64) -> Result<&Node, Wrong> {
        if !self.power {
            return Err(Wrong::NoPower);
        }
        self.nodes.get(&ino).ok_or(Wrong::Missing)
    }

    pub fn node_mut(&mut self, ino: u64) -> Result<&mut Node, Wrong> {
        self.node(ino)?;
        self.nodes.get_mut(&ino).ok_or(Wrong::Missing)
    }

    pub fn names(&self, folder: u64) -> Result<&BTreeMap<OsString, u64>, Wrong> {
        match &self.node(folder)?.now {
            Content::Folder(names) => Ok(names),
            Content::File(_) => Err(Wrong::NotAFolder),
        }
    }

    pub fn find(&self, folder: u64, name: &OsStr) -> Result<u64, Wrong> {
        self.names(folder)?.get(name).copied().ok_or(Wrong::Missing)
    }

    pub fn create(
        &mut self,
        folder: u64,
        name: &OsStr,
        is_folder: bool,
        mode: u32,
        owner: (u32, u32),
    ) -> Result<u64, Wrong> {
        if self.names(folder)?.contains_key(name) {
            return Err(Wrong::Exists);
        }
        self.check_room(true)?;
        let content = if is_folder { Content::Folder(BTreeMap::new()) } else { Content::File(Vec::new()) };
        let ino = self.next;
        self.next += 1;
        self.nodes.insert(ino, Node::new(content, mode, owner));
        self.names_mut(folder)?.insert(name.to_owned(), ino);
        if is_folder {
            self.changed_folders.insert(ino);
        }
        Ok(ino)
    }

    pub fn remove(&mut self, folder: u64, name: &OsStr, is_folder: bool) -> Result<(), Wrong> {
        let ino = self.find(folder, name)?;
        match (&self.node(ino)?.now, is_folder) {
            (Content::File(_), true) => return Err(Wrong::NotAFolder),
            (Content::Folder(_), false) => return Err(Wrong::IsAFolder),
            (Content::Folder(names), true) if !names.is_empty() => return Err(Wrong::NotEmpty),
            _ => {}
        }
        // The node stays: it may be open, and the disk may still know it.
        self.names_mut(folder)?.remove(name);
        Ok(())
    }

    pub fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr), replace: bool) -> Result<(), Wrong> {
        let ino = self.find(from.0, from.1)?;
        if let Ok(other) = self.find(to.0, to.1) {
            if !replace {
                return Err(Wrong::Exists);
            }
            match (&self.node(other)?.now, self.node(ino)?.is_folder()) {
                (Content::Folder(names), true) if !names.is_empty() => return Err(Wrong::NotEmpty),
                (Content::Folder(_), false) => return Err(Wrong::IsAFolder),
                (Content::File(_), true) => return Err(Wrong::NotAFolder),
                _ => {}
            }
        }
        self.names(to.0)?;
        self.names_mut(from.0)?.remove(from.1);
        self.names_mut(to.0)?.insert(to.1.to_owned(), ino);
        Ok(())
    }

    pub fn read(&self, ino: u64, offset: usize, length: usize) -> Result<&[u8], Wrong> {
        match &self.node(ino)?.now {
            Content::File(bytes) => {
                let begin = offset.min(bytes.len());
                Ok(&bytes[begin..(begin + length).min(bytes.len())])
            }
            Content::Folder(_) => Err(Wrong::IsAFolder),
        }
    }

    /// Whether there is room for anything more.
    pub fn fill(&mut self, full: bool) {
        self.full = full;
    }

    pub fn turned_away(&self) -> u64 {
        self.turned_away
    }

    fn check_room(&mut self, is_needed: bool) -> Result<(), Wrong> {
        if self.full && is_needed {
            self.turned_away += 1;
            return Err(Wrong::NoRoom);
        }
        Ok(())
    }

    pub fn write(&mut self, ino: u64, offset: usize, bytes: &[u8]) -> Result<(), Wrong> {
        let grows = offset + bytes.len() > self.node(ino)?.size();
        self.check_room(grows)?;
        self.change(ino, Change::Write { offset, bytes: bytes.to_vec() })
    }

    pub fn resize(&mut self, ino: u64, size: usize) -> Result<(), Wrong> {
        let grows = size > self.node(ino)?.size();
        self.check_room(grows)?;
        if size < self.node(ino)?.size() {
            self.truncated.insert(ino);
        }
        self.change(ino, Change::Resize(size))
    }

    /// `fsync`, `fdatasync`, or the end of a write to a file that was opened for synced writes.
    pub fn sync(&mut self, ino: u64) -> Result<(), Wrong> {
        let node = self.node_mut(ino)?;
        if let Content::File(_) = node.now {
            let mut kept = node.kept.take().unwrap_or(Content::File(Vec::new()));
            for change in node.changes.drain(..) {
                apply(&mut kept, &change);
            }
            node.kept = Some(kept);
            self.truncated.remove(&ino);
        } else if self.names == Names::Bare {
            self.keep_names(ino);
        }
        if self.names == Names::Journaled {
            self.commit();
        }
        self.syncs += 1;
        Ok(())
    }

    /// Everything that was not synced is gone, or with a seed, some of it.
    pub fn cut_power(&mut self, seed: Option<u64>) {
        if !std::mem::replace(&mut self.power, false) {
            return;
        }
        if let Some(seed) = seed {
            self.write_some_back(&mut StdRng::seed_from_u64(seed));
        }
        let known: BTreeMap<u64, Node> = self.nodes.drain().collect();
        for (ino, mut node) in known {
            let Some(kept) = node.kept else { continue };
            node.changes.clear();
            node.now = kept.clone();
            node.kept = Some(kept);
            self.nodes.insert(ino, node);
        }
        self.changed_folders.clear();
        self.truncated.clear();
    }

    pub fn power_on(&mut self) {
        // What has no name any more is forgotten.
        let (mut named, mut left) = (BTreeSet::from([ROOT]), vec![ROOT]);
        while let Some(folder) = left.pop() {
            if let Some(Node { now: Content::Folder(names), .. }) = self.nodes.get(&folder) {
                left.extend(names.values().filter(|ino| named.insert(**ino)));
            }
        }
        self.nodes.retain(|ino, _| named.contains(ino));
        self.syncs = 0;
        self.power = true;
    }

    fn names_mut(&mut self, folder: u64) -> Result<&mut BTreeMap<OsString, u64>, Wrong> {
        self.names(folder)?;
        self.changed_folders.insert(folder);
        match self.nodes.get_mut(&folder).map(|node| {
            node.modified = SystemTime::now();
            &mut node.now
        }) {
            Some(Content::Folder(names)) => Ok(names),
            _ => Err(Wrong::NotAFolder),
        }
    }

    fn change(&mut self, ino: u64, change: Change) -> Result<(), Wrong> {
        let node = self.node_mut(ino)?;
        if node.is_folder() {
            return Err(Wrong::IsAFolder);
        }
        apply(&mut node.now, &change);
        node.changes.push(change);
        node.modified = SystemTime::now();
        Ok(())
    }

    /// What a journal does: all names as they are now, and truncations without what was written after them.
    fn commit(&mut self) {
        for folder in std::mem::take(&mut self.changed_folders) {
            self.keep_names(folder);
        }
        for ino in std::mem::take(&mut self.truncated) {
            let Some(Node { kept: Some(Content::File(kept)), changes, .. }) = self.nodes.get_mut(&ino) else {
                continue;
            };
            for change in changes.iter() {
                if let Change::Resize(size) = change {
                    kept.truncate(*size);
                }
            }
        }
    }

    fn keep_names(&mut self, folder: u64) {
        let Some(node) = self.nodes.get_mut(&folder) else { return };
        let Content::Folder(names) = &node.now else { return };
        let names = names.clone();
        node.kept = Some(Content::Folder(names.clone()));
        for ino in names.values() {
            if let Some(child) = self.nodes.get_mut(ino)
                && child.kept.is_none()
            {
                child.kept = Some(child.empty_of_its_kind());
            }
        }
        self.changed_folders.remove(&folder);
    }

    fn write_some_back(&mut self, rng: &mut StdRng) {
        match self.names {
            Names::Journaled => {
                if rng.random() {
                    self.commit();
                }
            }
            Names::Bare => {
                for folder in self.changed_folders.clone() {
                    if rng.random() {
                        self.keep_names(folder);
                    }
                }
            }
        }
        let mut inos: Vec<u64> = self.nodes.keys().copied().collect();
        inos.sort_unstable();
        for ino in inos {
            let Some(node) = self.nodes.get_mut(&ino) else { continue };
            let (Some(kept), changes) = (&mut node.kept, std::mem::take(&mut node.changes)) else { continue };
            for change in changes {
                for piece in pieces(change) {
                    if rng.random() {
                        apply(kept, &piece);
                    }
                }
            }
        }
    }
}

fn apply(content: &mut Content, change: &Change) {
    let Content::File(file) = content else { return };
    match change {
        Change::Write { offset, bytes } => {
            let end = offset + bytes.len();
            if file.len() < end {
                file.resize(end, 0);
            }
            file[*offset..end].copy_from_slice(bytes);
        }
        Change::Resize(size) => file.resize(*size, 0),
    }
}

/// A write as the pages that it touches.
fn pieces(change: Change) -> Vec<Change> {
    let Change::Write { mut offset, bytes } = change else { return vec![change] };
    let mut pieces = Vec::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let (page, after) = rest.split_at(rest.len().min(PAGE_BYTES - offset % PAGE_BYTES));
        pieces.push(Change::Write { offset, bytes: page.to_vec() });
        offset += page.len();
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: (u32, u32) = (0, 0);

    #[test]
    fn a_full_disk_takes_nothing_more_and_keeps_what_it_has() {
        let mut model = Model::new(Names::Journaled);
        let file = model.create(ROOT, name("a"), false, 0o600, OWNER).expect("made");
        model.write(file, 0, b"abcd").expect("written");
        model.fill(true);
        assert_eq!(model.write(file, 2, b"xyz"), Err(Wrong::NoRoom));
        assert_eq!(model.resize(file, 9), Err(Wrong::NoRoom));
        assert_eq!(model.create(ROOT, name("b"), false, 0o600, OWNER), Err(Wrong::NoRoom));
        assert_eq!(model.write(file, 0, b"AB"), Ok(()), "what is there can be written over");
        assert_eq!(model.turned_away(), 3);
        model.fill(false);
        assert_eq!(model.write(file, 2, b"xyz"), Ok(()));
    }

    fn name(name: &str) -> &OsStr {
        OsStr::new(name)
    }

    fn file(model: &mut Model, called: &str) -> u64 {
        model.create(ROOT, name(called), false, 0o600, OWNER).expect("made")
    }

    /// What is in the file after a power cut, if it is there.
    fn after_cut(model: &mut Model, called: &str) -> Option<Vec<u8>> {
        model.cut_power(None);
        assert_eq!(model.find(ROOT, name(called)), Err(Wrong::NoPower));
        model.power_on();
        let ino = model.find(ROOT, name(called)).ok()?;
        Some(model.read(ino, 0, 1_000_000).expect("read").to_vec())
    }

    #[test]
    fn what_was_synced_stays_and_what_came_after_it_is_gone() {
        let mut model = Model::new(Names::Journaled);
        let ino = file(&mut model, "a");
        model.write(ino, 0, b"synced").expect("written");
        model.sync(ino).expect("synced");
        model.write(ino, 3, b"other and more").expect("written");
        assert_eq!(model.read(ino, 0, 100).expect("read"), b"synother and more");
        assert_eq!(model.unsynced_bytes(), 14);
        assert_eq!(after_cut(&mut model, "a"), Some(b"synced".to_vec()));
    }

    #[test]
    fn a_name_needs_a_journal_or_a_sync_of_its_folder() {
        for (names, there) in [(Names::Journaled, true), (Names::Bare, false)] {
            let mut model = Model::new(names);
            let ino = file(&mut model, "a");
            model.write(ino, 0, b"x").expect("written");
            model.sync(ino).expect("synced");
            assert_eq!(after_cut(&mut model, "a").is_some(), there, "{names:?}");
        }
        let mut model = Model::new(Names::Bare);
        let ino = file(&mut model, "a");
        model.sync(ROOT).expect("synced");
        model.write(ino, 0, b"x").expect("written");
        assert_eq!(after_cut(&mut model, "a"), Some(Vec::new()), "the name alone");
    }

    #[test]
    fn a_renaming_is_whole_or_has_not_happened() {
        let mut model = Model::new(Names::Journaled);
        let old = file(&mut model, "a");
        model.write(old, 0, b"old").expect("written");
        model.sync(old).expect("synced");
        let new = file(&mut model, "a.new");
        model.write(new, 0, b"new").expect("written");
        model.rename((ROOT, name("a.new")), (ROOT, name("a")), true).expect("renamed");
        assert_eq!(model.read(model.find(ROOT, name("a")).expect("there"), 0, 9).expect("read"), b"new");
        // Another file's sync makes the names durable, and not what was never synced: the old bytes are lost with the name.
        let other = file(&mut model, "b");
        model.sync(other).expect("synced");
        assert_eq!(after_cut(&mut model, "a"), Some(Vec::new()));

        let mut model = Model::new(Names::Journaled);
        let old = file(&mut model, "a");
        model.write(old, 0, b"old").expect("written");
        model.sync(old).expect("synced");
        let new = file(&mut model, "a.new");
        model.rename((ROOT, name("a.new")), (ROOT, name("a")), true).expect("renamed");
        model.write(new, 0, b"new").expect("written");
        assert_eq!(after_cut(&mut model, "a"), Some(b"old".to_vec()));
    }

    #[test]
    fn a_truncation_is_durable_before_what_is_written_after_it() {
        let mut model = Model::new(Names::Journaled);
        let (a, b) = (file(&mut model, "a"), file(&mut model, "b"));
        model.write(a, 0, b"everything").expect("written");
        model.sync(a).expect("synced");
        model.resize(a, 0).expect("truncated");
        model.write(a, 0, b"again").expect("written");
        model.sync(b).expect("synced");
        assert_eq!(after_cut(&mut model, "a"), Some(Vec::new()));
    }

    #[test]
    fn of_what_was_not_synced_any_pages_may_be_there_and_nothing_else() {
        let (mut whole, mut gone, mut torn) = (0, 0, 0);
        for seed in 0..200 {
            let mut model = Model::new(Names::Journaled);
            let ino = file(&mut model, "a");
            model.write(ino, 0, b"kept").expect("written");
            model.sync(ino).expect("synced");
            model.write(ino, 4, &[1; 2 * PAGE_BYTES]).expect("written");
            model.cut_power(Some(seed));
            model.power_on();
            let bytes = model.read(ino, 0, 1_000_000).expect("read");
            assert!(bytes.starts_with(b"kept"));
            match bytes[4..].iter().filter(|byte| **byte == 1).count() {
                0 => gone += 1,
                written if written == 2 * PAGE_BYTES => whole += 1,
                _ => torn += 1,
            }
        }
        assert!(whole > 0 && gone > 0 && torn > 0, "{whole} {gone} {torn}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mut model = Model::new(Names::Journaled);
        file(&mut model, "a");
        let folder = model.create(ROOT, name("f"), true, 0o700, OWNER).expect("made");
        model.create(folder, name("inner"), false, 0o600, OWNER).expect("made");
        assert_eq!(model.create(ROOT, name("a"), false, 0, OWNER), Err(Wrong::Exists));
        assert_eq!(model.remove(ROOT, name("f"), true), Err(Wrong::NotEmpty));
        assert_eq!(model.remove(ROOT, name("f"), false), Err(Wrong::IsAFolder));
        assert_eq!(model.rename((ROOT, name("a")), (ROOT, name("f")), true), Err(Wrong::IsAFolder));
        assert_eq!(model.find(ROOT, name("nothing")), Err(Wrong::Missing));
        model.remove(folder, name("inner"), false).expect("removed");
        model.remove(ROOT, name("f"), true).expect("removed");
    }
}
