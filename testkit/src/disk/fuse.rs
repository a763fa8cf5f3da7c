//! The kernel's questions, answered from the model.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen,
    ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use parking_lot::Mutex;
use rustix::fs::OFlags;

use super::model::{Model, Node, Wrong};

/// Everything goes through this kernel, so it may remember what it was told.
const REMEMBERED: Duration = Duration::from_secs(3600);
const BLOCK_BYTES: u32 = 4096;
const BLOCKS: u64 = 1 << 28;

pub struct Served(pub Arc<Mutex<Model>>);

impl Filesystem for Served {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let model = self.0.lock();
        let found = model.find(parent.0, name).and_then(|ino| Ok((ino, model.node(ino)?)));
        match found {
            Ok((ino, node)) => reply.entry(&REMEMBERED, &attributes(ino, node), Generation(0)),
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.0.lock().node(ino.0) {
            Ok(node) => reply.attr(&REMEMBERED, &attributes(ino.0, node)),
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut model = self.0.lock();
        let resized = size.map_or(Ok(()), |size| model.resize(ino.0, number(size)));
        let changed = resized.and_then(|()| model.node_mut(ino.0)).map(|node| {
            node.mode = mode.map_or(node.mode, |mode| mode & 0o7777);
            node.uid = uid.unwrap_or(node.uid);
            node.gid = gid.unwrap_or(node.gid);
            node.modified = match modified {
                Some(TimeOrNow::SpecificTime(time)) => time,
                Some(TimeOrNow::Now) => SystemTime::now(),
                None => node.modified,
            };
            attributes(ino.0, node)
        });
        match changed {
            Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        match self.make(request, parent, name, true, mode & !umask) {
            Ok(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let is_socket = match rustix::fs::FileType::from_raw_mode(mode) {
            rustix::fs::FileType::Socket => true,
            rustix::fs::FileType::RegularFile => false,
            _ => return reply.error(Errno::EPERM),
        };
        let made = self.make(request, parent, name, false, mode & !umask).and_then(|made| {
            let mut model = self.0.lock();
            let node = model.node_mut(made.ino.0)?;
            node.is_socket = is_socket;
            Ok(attributes(made.ino.0, node))
        });
        match made {
            Ok(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.make(request, parent, name, false, mode & !umask) {
            Ok(attributes) => {
                reply.created(&REMEMBERED, &attributes, Generation(0), FileHandle(0), FopenFlags::empty());
            }
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.0.lock().remove(parent.0, name, false));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.0.lock().remove(parent.0, name, true));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        to: INodeNo,
        to_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if flags.intersects(RenameFlags::RENAME_EXCHANGE | RenameFlags::RENAME_WHITEOUT) {
            return reply.error(Errno::EINVAL);
        }
        let replace = !flags.contains(RenameFlags::RENAME_NOREPLACE);
        answer(reply, self.0.lock().rename((parent.0, name), (to.0, to_name), replace));
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.0.lock().node(ino.0) {
            Ok(_) => reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE),
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.0.lock().read(ino.0, number(offset), number(size)) {
            Ok(bytes) => reply.data(bytes),
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        bytes: &[u8],
        _: WriteFlags,
        flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut model = self.0.lock();
        // O_SYNC has the bits of O_DSYNC in it.
        let synced = flags.0 & OFlags::DSYNC.bits().cast_signed() != 0;
        let written = model.write(ino.0, number(offset), bytes);
        match written.and_then(|()| if synced { model.sync(ino.0) } else { Ok(()) }) {
            Ok(()) => reply.written(u32::try_from(bytes.len()).unwrap_or(u32::MAX)),
            Err(wrong) => reply.error(errno(wrong)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(reply, self.0.lock().sync(ino.0));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(reply, self.0.lock().sync(ino.0));
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let model = self.0.lock();
        let names = match model.names(ino.0) {
            Ok(names) => names,
            Err(wrong) => return reply.error(errno(wrong)),
        };
        let itself = [".", ".."].map(|name| (OsStr::new(name), ino.0));
        let entries = itself.into_iter().chain(names.iter().map(|(name, ino)| (name.as_os_str(), *ino)));
        // A name's place is by its order, so a reader who removes as it reads may see less; none here does.
        for (place, (name, ino)) in entries.enumerate().skip(number(offset)) {
            let kind = model.node(ino).map_or(FileType::RegularFile, kind);
            if reply.add(INodeNo(ino), place as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCK_BYTES, 255, BLOCK_BYTES);
    }
}

impl Served {
    fn make(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        is_folder: bool,
        mode: u32,
    ) -> Result<FileAttr, Wrong> {
        let mut model = self.0.lock();
        let ino = model.create(parent.0, name, is_folder, mode & 0o7777, (request.uid(), request.gid()))?;
        Ok(attributes(ino, model.node(ino)?))
    }
}

fn attributes(ino: u64, node: &Node) -> FileAttr {
    FileAttr {
        ino: INodeNo(ino),
        size: node.size() as u64,
        blocks: node.size().div_ceil(512) as u64,
        atime: node.modified,
        mtime: node.modified,
        ctime: node.modified,
        crtime: node.modified,
        kind: kind(node),
        perm: u16::try_from(node.mode).unwrap_or(0o600),
        nlink: if node.is_folder() { 2 } else { 1 },
        uid: node.uid,
        gid: node.gid,
        rdev: 0,
        blksize: BLOCK_BYTES,
        flags: 0,
    }
}

fn kind(node: &Node) -> FileType {
    match node {
        node if node.is_folder() => FileType::Directory,
        Node { is_socket: true, .. } => FileType::Socket,
        _ => FileType::RegularFile,
    }
}

fn answer(reply: ReplyEmpty, done: Result<(), Wrong>) {
    match done {
        Ok(()) => reply.ok(),
        Err(wrong) => reply.error(errno(wrong)),
    }
}

fn errno(wrong: Wrong) -> Errno {
    match wrong {
        Wrong::NoPower => Errno::EIO,
        Wrong::Missing => Errno::ENOENT,
        Wrong::Exists => Errno::EEXIST,
        Wrong::NotAFolder => Errno::ENOTDIR,
        Wrong::IsAFolder => Errno::EISDIR,
        Wrong::NotEmpty => Errno::ENOTEMPTY,
        Wrong::NoRoom => Errno::ENOSPC,
    }
}

fn number(of: impl TryInto<usize>) -> usize {
    of.try_into().unwrap_or(usize::MAX)
}
