//! Where there is no FUSE as Linux has it, there is no such disk, and tests that want one say so.

use std::path::Path;

/// When the name of a new file is durable, and a renaming or a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    Journaled,
    Bare,
}

/// There is none.
pub enum Disk {}

impl Disk {
    pub fn mount(_names: Names) -> Result<Disk, String> {
        Err("a disk that forgets what was not synced is made on Linux alone".to_owned())
    }

    pub fn path(&self) -> &Path {
        match *self {}
    }

    pub fn fill(&self, _full: bool) {
        match *self {}
    }

    pub fn turned_away(&self) -> u64 {
        match *self {}
    }

    pub fn cut_power(&self, _seed: Option<u64>) {
        match *self {}
    }

    pub async fn power_on(&mut self) {
        match *self {}
    }

    pub fn counts(&self) -> (u64, u64) {
        match *self {}
    }
}
