//! The outbox on disk, so that a program that was killed settles at its next start what was unknown. A file of JSON
//! lines: a command when it is taken, its id when it is settled. Synced before a command is first sent; written anew when
//! most of it is settled.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use natter_events::ClientId;
use serde::{Deserialize, Serialize};

use super::Command;
use crate::error::OutboxFileError;

/// Settled lines that are kept before the file is written anew.
const SETTLED_LINES: usize = 1_000;
/// Largest file that is read: more is some other file.
const MAX_FILE_BYTES: u64 = 256 << 20;

#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// What waits, in order, as the file has it.
    waiting: Vec<Command>,
    settled_lines: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Taken(Command),
    Settled(ClientId),
}

impl Journal {
    /// Opens the file, or makes it, for this client alone. Gives the commands that wait in it.
    pub(crate) fn open(path: &Path, capacity: usize) -> Result<(Self, Vec<Command>), OutboxFileError> {
        let failed = |what| move |source| OutboxFileError::Io { what, path: path.to_owned(), source };
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OutboxFileError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        // The name may have gone to a new file (`compact`) between opening and locking: then another client has that one.
        let (ours, named) =
            (file.metadata().map_err(failed("read"))?, std::fs::metadata(path).map_err(failed("read"))?);
        if (ours.dev(), ours.ino()) != (named.dev(), named.ino()) {
            return Err(OutboxFileError::InUse { path: path.to_owned() });
        }
        let mut text = Vec::new();
        (&mut file).take(MAX_FILE_BYTES).read_to_end(&mut text).map_err(failed("read"))?;
        let (waiting, whole_bytes) =
            replay(&text).map_err(|line| OutboxFileError::Corrupt { path: path.to_owned(), line })?;
        if waiting.len() > capacity {
            return Err(OutboxFileError::TooMany { path: path.to_owned(), found: waiting.len(), capacity });
        }
        // A line without its end was being written when the program died: the command was never sent.
        file.set_len(whole_bytes as u64).map_err(failed("write"))?;
        let mut journal = Self { path: path.to_owned(), file, waiting: waiting.clone(), settled_lines: 0 };
        journal.compact()?;
        Ok((journal, waiting))
    }

    /// The command is on disk when this returns.
    pub(crate) fn taken(&mut self, command: Command) -> Result<(), OutboxFileError> {
        self.write(&Line::Taken(command.clone()), true)?;
        self.waiting.push(command);
        Ok(())
    }

    /// The command is not needed any more. Not synced: being told twice is harmless, for an id is one event for ever.
    pub(crate) fn settled(&mut self, id: ClientId) -> Result<(), OutboxFileError> {
        self.write(&Line::Settled(id), false)?;
        self.waiting.retain(|command| command.id() != id);
        self.settled_lines += 1;
        if self.settled_lines >= SETTLED_LINES { self.compact() } else { Ok(()) }
    }

    fn write(&mut self, line: &Line, sync: bool) -> Result<(), OutboxFileError> {
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut bytes| {
            bytes.push(b'\n');
            self.file.write_all(&bytes)?;
            if sync { self.file.sync_data() } else { Ok(()) }
        });
        written.map_err(|source| OutboxFileError::Io { what: "write", path: self.path.clone(), source })
    }

    /// Writes what waits to a new file and gives it this one's name, so that dying in between loses nothing.
    fn compact(&mut self) -> Result<(), OutboxFileError> {
        let mut content = Vec::new();
        for command in &self.waiting {
            serde_json::to_writer(&mut content, &Line::Taken(command.clone()))
                .map_err(|error| self.failed(error.into()))?;
            content.push(b'\n');
        }
        let beside = self.path.with_added_extension("new");
        let replaced = (|| {
            let mut new = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&beside)?;
            new.set_len(0)?;
            new.rewind()?;
            new.write_all(&content)?;
            new.sync_all()?;
            // Locked before it gets the name, so that nobody opens it in between.
            new.try_lock().map_err(|_| io::Error::other("it is in use"))?;
            std::fs::rename(&beside, &self.path)?;
            Ok(new)
        })();
        self.file = replaced.map_err(|source| self.failed(source))?;
        self.settled_lines = 0;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> OutboxFileError {
        OutboxFileError::Io { what: "write", path: self.path.clone(), source }
    }
}

/// What waits after these lines, and how many bytes of them are whole; or the number of the line that is none.
fn replay(text: &[u8]) -> Result<(Vec<Command>, usize), usize> {
    let mut waiting: Vec<Command> = Vec::new();
    let mut whole_bytes = 0;
    for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if line.last() != Some(&b'\n') {
            break;
        }
        whole_bytes += line.len();
        match serde_json::from_slice(line).map_err(|_| index + 1)? {
            Line::Taken(command) => waiting.push(command),
            Line::Settled(id) => waiting.retain(|command| command.id() != id),
        }
    }
    Ok((waiting, whole_bytes))
}

#[cfg(test)]
mod tests {
    use natter_events::{ConversationId, Role, Visibility};
    use natter_protocol::Handle;
    use natter_protocol::frame::{
        Block, Delete, Edit, Mark, Notify, Pin, Prefer, Preferences, React, RoomCommand, RoomCreate, RoomMember,
        RoomRole, RoomUpdate, Send, SetProfile, To, Toggle,
    };

    use super::*;

    fn send(n: u64) -> Command {
        let to = To::Participants(vec!["bob".parse().expect("a handle")]);
        let text = format!("line {n}\nnext");
        Command::Send(Send {
            reference: None,
            to,
            id: ClientId::at(n),
            text,
            reply_to: None,
            thread: None,
            metadata: None,
        })
    }

    fn mark(n: u64) -> Command {
        let conversation = ConversationId::direct(&[]);
        Command::Mark(Mark { reference: None, conversation, id: ClientId::at(n), read: n, thread: None })
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outbox");
        (folder, path)
    }

    fn open(path: &Path) -> (Journal, Vec<Command>) {
        Journal::open(path, 100).expect("opens")
    }

    #[test]
    fn what_was_not_settled_is_there_at_the_next_start_in_order() {
        let (_folder, path) = folder();
        let (mut journal, waiting) = open(&path);
        assert_eq!(waiting, []);
        let commands = [send(1), mark(2), send(3)];
        for command in &commands {
            journal.taken(command.clone()).expect("writes");
        }
        journal.settled(commands[0].id()).expect("writes");
        drop(journal);
        assert_eq!(open(&path).1, commands[1..]);
    }

    #[test]
    fn every_kind_of_command_is_the_same_after_a_restart() {
        let (_folder, path) = folder();
        let conversation = ConversationId::direct(&[]);
        let user: Handle = "bob".parse().expect("a handle");
        let at = ClientId::at;
        let about = |n| RoomCommand { reference: None, conversation, id: at(n) };
        let member = |n| RoomMember { reference: None, conversation, id: at(n), user: user.clone() };
        let block = |n| Block { reference: None, id: at(n), user: user.clone() };
        let (message, op, emoji) = (5, Toggle::Add, String::from("👍"));
        let commands = [
            send(1),
            mark(2),
            Command::Edit(Edit { reference: None, conversation, message, id: at(3), text: "x".into() }),
            Command::Delete(Delete { reference: None, conversation, message, id: at(4) }),
            Command::React(React { reference: None, conversation, message, id: at(5), emoji, op }),
            Command::Pin(Pin { reference: None, conversation, message, id: at(6), op }),
            Command::Block(block(7)),
            Command::Unblock(block(8)),
            Command::RoomCreate(RoomCreate {
                reference: None,
                id: at(9),
                name: "engines".into(),
                topic: Some("brass".into()),
                visibility: Visibility::Private,
                members: vec![user.clone()],
            }),
            Command::RoomUpdate(RoomUpdate {
                reference: None,
                conversation,
                id: at(10),
                name: None,
                topic: Some(String::new()),
                visibility: Some(Visibility::Public),
                archived: Some(false),
            }),
            Command::RoomArchive(about(11)),
            Command::RoomJoin(about(12)),
            Command::RoomLeave(about(13)),
            Command::RoomAdd(member(14)),
            Command::RoomRemove(member(15)),
            Command::RoomBan(member(16)),
            Command::RoomUnban(member(17)),
            Command::RoomRole(RoomRole {
                reference: None,
                conversation,
                id: at(18),
                user: user.clone(),
                role: Role::Owner,
            }),
            Command::Profile(SetProfile { reference: None, id: at(19), display_name: "Ada L.".into() }),
            Command::Prefer(Prefer {
                reference: None,
                conversation,
                id: at(20),
                preferences: Preferences { muted: true, notify: Notify::Mentions, ..Preferences::default() },
            }),
        ];
        let (mut journal, _) = open(&path);
        for command in &commands {
            journal.taken(command.clone()).expect("writes");
        }
        drop(journal);
        assert_eq!(open(&path).1, commands);
    }

    #[test]
    fn a_line_that_was_being_written_is_as_if_it_never_was() {
        let (_folder, path) = folder();
        let (mut journal, _) = open(&path);
        let command = send(1);
        journal.taken(command.clone()).expect("writes");
        drop(journal);
        let whole = std::fs::read(&path).expect("reads");
        for cut in 1..whole.len() {
            let torn = [&whole[..], &whole[..cut]].concat();
            std::fs::write(&path, if cut == whole.len() { whole.clone() } else { torn }).expect("writes");
            let (mut journal, waiting) = open(&path);
            assert_eq!(waiting, std::slice::from_ref(&command), "cut at {cut}");
            let another = mark(9);
            journal.taken(another.clone()).expect("writes");
            drop(journal);
            let (mut journal, waiting) = open(&path);
            assert_eq!(waiting, [command.clone(), another.clone()]);
            journal.settled(another.id()).expect("writes");
        }
    }

    #[test]
    fn two_clients_do_not_share_a_file() {
        let (_folder, path) = folder();
        let (mut journal, _) = open(&path);
        assert!(matches!(Journal::open(&path, 100), Err(OutboxFileError::InUse { .. })));
        journal.compact().expect("compacts");
        assert!(matches!(Journal::open(&path, 100), Err(OutboxFileError::InUse { .. })));
        drop(journal);
        open(&path);
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let (_folder, path) = folder();
        let (mut journal, _) = open(&path);
        for n in 0..SETTLED_LINES as u64 {
            let command = mark(n);
            journal.taken(command.clone()).expect("writes");
            journal.settled(command.id()).expect("writes");
        }
        assert_eq!(std::fs::metadata(&path).expect("is there").len(), 0);
    }

    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = folder();
        let _journal = open(&path);
        let mode = std::fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_none_or_too_much_is_refused_and_left_alone() {
        let (_folder, path) = folder();
        std::fs::write(&path, "{\"settled\":\"019f0000-0000-7000-8000-000000000001\"}\nmy poems\n").expect("writes");
        let error = Journal::open(&path, 100).expect_err("refuses");
        assert!(matches!(error, OutboxFileError::Corrupt { line: 2, .. }), "{error}");
        assert!(std::fs::read_to_string(&path).expect("reads").contains("my poems"));
        std::fs::remove_file(&path).expect("removes");
        let (mut journal, _) = open(&path);
        for n in 0..3 {
            journal.taken(send(n)).expect("writes");
        }
        drop(journal);
        assert!(matches!(Journal::open(&path, 2), Err(OutboxFileError::TooMany { found: 3, .. })));
        let nowhere = path.join("no/such/folder");
        assert!(matches!(Journal::open(&nowhere, 2), Err(OutboxFileError::Io { what: "open", .. })));
    }
}
