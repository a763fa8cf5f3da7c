//! A disk whose power can be cut: what was not synced by then is gone, as when a machine loses power.
//!
//! `kill -9` proves nothing about that. What a killed process had written is in the kernel's memory and reaches the disk;
//! what a machine without power had there is lost. So this is a file system of our own, over FUSE, which lives in this
//! process and knows of each byte whether it was synced. It keeps all of it in memory.
//!
//! **What is modelled** (`model.rs`):
//!
//! - What is in a file after the cut is what the last `fsync` or `fdatasync` of that file found there, its size
//!   included. A write to a file that was opened with `O_SYNC` or `O_DSYNC` counts as synced at once.
//! - Creating, renaming and removing, as `Names` says: with [`Names::Journaled`], as ext4, XFS and btrfs do it, a sync of
//!   any file or folder makes all of it durable that was done before. With [`Names::Bare`], which is all that POSIX
//!   promises, only a sync of the folder does, and a synced file that no synced folder names is gone.
//! - A truncation is what a journal has to say too: with `Journaled` it becomes durable with whatever sync comes next, while
//!   the bytes that were written after it do not. That is stricter than ext4, which waits for the bytes when a file is
//!   truncated to be written again.
//! - [`Disk::cut_power`] loses everything that is not synced. With a seed it loses some of it: of each write that was not
//!   synced, each page may have reached the disk or not, in any order, and so may the journal. That is what the cache of a
//!   kernel does in the minutes before a cut, and it leaves files with holes and torn ends.
//!
//! **What is not**: owner, mode and times are durable at once; nothing that was synced is ever lost or damaged (a disk that
//! lies about its cache); there are no links of either kind. Room runs out when [`Disk::fill`] says so, and for all at once.
//!
//! From the cut on every operation fails with `EIO`, so that nothing can be acknowledged that was not synced before. Kill what
//! uses the disk, then give it its power back: [`Disk::power_on`].

mod fuse;
mod model;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fuser::{BackgroundSession, Config, MountOption, SessionACL};
use parking_lot::Mutex;

pub use model::Names;

use crate::eventually;
use crate::workspace::scratch_folder;
use fuse::Served;
use model::Model;

/// How long what used the disk may take to let go of it.
const UNMOUNT_LIMIT: Duration = Duration::from_secs(20);

pub struct Disk {
    path: PathBuf,
    model: Arc<Mutex<Model>>,
    session: Option<BackgroundSession>,
}

impl Disk {
    /// Mounts an empty disk, or says why there can be none here: it takes root and `/dev/fuse`.
    pub fn mount(names: Names) -> Result<Disk, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("mounting a file system takes root".to_owned());
        }
        if !Path::new("/dev/fuse").exists() {
            return Err("there is no /dev/fuse".to_owned());
        }
        let mut disk =
            Disk { path: scratch_folder("disk"), model: Arc::new(Mutex::new(Model::new(names))), session: None };
        disk.attach().map_err(|error| format!("a FUSE file system can't be mounted: {error}"))?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From here on there is room for nothing more, or there is again.
    pub fn fill(&self, full: bool) {
        self.model.lock().fill(full);
    }

    /// How often something did not fit, since it was mounted first.
    pub fn turned_away(&self) -> u64 {
        self.model.lock().turned_away()
    }

    /// From here on nothing works. What was not synced is lost: all of it, or with a seed, some of it.
    pub fn cut_power(&self, seed: Option<u64>) {
        self.model.lock().cut_power(seed);
    }

    /// Mounts what survived. Whatever used the disk must have been killed.
    pub async fn power_on(&mut self) {
        if let Some(session) = self.session.take() {
            // The kernel's copies go with the mount: what is read next is what the disk has.
            let path = self.path.clone();
            eventually("nothing uses the disk", UNMOUNT_LIMIT, async || {
                rustix::mount::unmount(&path, rustix::mount::UnmountFlags::empty())
            })
            .await;
            session.join().expect("it served until it was unmounted");
        }
        self.model.lock().power_on();
        self.attach().unwrap_or_else(|error| panic!("it could be mounted before: {error}"));
    }

    /// How many syncs there were since the power was last on, and how many bytes were never synced.
    pub fn counts(&self) -> (u64, u64) {
        let model = self.model.lock();
        (model.syncs(), model.unsynced_bytes())
    }

    fn attach(&mut self) -> std::io::Result<()> {
        let mut config = Config::default();
        config.mount_options =
            vec![MountOption::FSName("natter-test-disk".to_owned()), MountOption::DefaultPermissions];
        config.acl = SessionACL::All;
        self.session = Some(fuser::spawn_mount(Served(self.model.clone()), &self.path, &config)?);
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What still uses it gets errors from here on.
        self.model.lock().cut_power(None);
        let _ = rustix::mount::unmount(&self.path, rustix::mount::UnmountFlags::DETACH);
    }
}
