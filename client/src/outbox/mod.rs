//! Durable commands that wait for their answer: bounded, in order, sent again with the same id after every
//! reconnection until they are answered (CMD2, CMD3). Pure; `journal` puts it on disk, the driver sends what is due.

pub(crate) mod journal;

use std::collections::VecDeque;
use std::time::Duration;

use natter_events::ClientId;
use natter_protocol::ClientFrame;
use natter_protocol::frame::{
    self, Block, Delete, Edit, Mark, Pin, Prefer, React, Refusal, RoomCommand, RoomCreate, RoomMember, RoomRole,
    RoomUpdate, Send, SetProfile,
};
use serde::{Deserialize, Serialize};

use crate::error::Refused;

/// A temporary refusal that does not say when to try again is tried again after this, doubled each time.
const RETRY_MS: u64 = 500;
/// No retry comes later than this, whatever the server says.
const LONGEST_RETRY_MS: u64 = 60_000;

/// A durable command: one that is in the log when it is answered. Its `reference` is the connection's own business: whatever
/// stands there is replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Says something.
    Send(Send),
    /// Says it otherwise.
    Edit(Edit),
    /// Takes it back.
    Delete(Delete),
    /// Reacts to a message, or no longer.
    React(React),
    /// Pins a message, or takes it from the pinned ones.
    Pin(Pin),
    /// Blocks someone.
    Block(Block),
    /// Takes that back.
    Unblock(Block),
    /// Says how the user wants to be shown.
    Profile(SetProfile),
    /// Says how a conversation is to be treated.
    Prefer(Prefer),
    /// Says how far the user has read.
    Mark(Mark),
    /// Makes a room.
    RoomCreate(RoomCreate),
    /// Changes a room.
    RoomUpdate(RoomUpdate),
    /// Archives it.
    RoomArchive(RoomCommand),
    /// Comes into it.
    RoomJoin(RoomCommand),
    /// Leaves it.
    RoomLeave(RoomCommand),
    /// Brings someone in.
    RoomAdd(RoomMember),
    /// Removes someone.
    RoomRemove(RoomMember),
    /// Keeps someone out.
    RoomBan(RoomMember),
    /// Lets them come back.
    RoomUnban(RoomMember),
    /// Gives a member another role.
    RoomRole(RoomRole),
}

impl Command {
    /// The id that it is known by (CMD2).
    pub fn id(&self) -> ClientId {
        match self {
            Command::Send(send) => send.id,
            Command::Edit(edit) => edit.id,
            Command::Delete(delete) => delete.id,
            Command::React(react) => react.id,
            Command::Pin(pin) => pin.id,
            Command::Block(block) | Command::Unblock(block) => block.id,
            Command::Profile(profile) => profile.id,
            Command::Prefer(prefer) => prefer.id,
            Command::Mark(mark) => mark.id,
            Command::RoomCreate(create) => create.id,
            Command::RoomUpdate(update) => update.id,
            Command::RoomArchive(room) | Command::RoomJoin(room) | Command::RoomLeave(room) => room.id,
            Command::RoomAdd(member)
            | Command::RoomRemove(member)
            | Command::RoomBan(member)
            | Command::RoomUnban(member) => member.id,
            Command::RoomRole(role) => role.id,
        }
    }

    /// As it goes over the socket, with its number on this connection.
    pub(crate) fn frame(&self, reference: Option<u64>) -> ClientFrame {
        match self.clone() {
            Command::Send(send) => ClientFrame::Send(Send { reference, ..send }),
            Command::Edit(edit) => ClientFrame::Edit(Edit { reference, ..edit }),
            Command::Delete(delete) => ClientFrame::Delete(Delete { reference, ..delete }),
            Command::React(react) => ClientFrame::React(React { reference, ..react }),
            Command::Pin(pin) => ClientFrame::Pin(Pin { reference, ..pin }),
            Command::Block(block) => ClientFrame::Block(Block { reference, ..block }),
            Command::Unblock(block) => ClientFrame::Unblock(Block { reference, ..block }),
            Command::Profile(profile) => ClientFrame::Profile(SetProfile { reference, ..profile }),
            Command::Prefer(prefer) => ClientFrame::Prefer(Prefer { reference, ..prefer }),
            Command::Mark(mark) => ClientFrame::Mark(Mark { reference, ..mark }),
            Command::RoomCreate(create) => ClientFrame::RoomCreate(RoomCreate { reference, ..create }),
            Command::RoomUpdate(update) => ClientFrame::RoomUpdate(RoomUpdate { reference, ..update }),
            Command::RoomArchive(room) => ClientFrame::RoomArchive(RoomCommand { reference, ..room }),
            Command::RoomJoin(room) => ClientFrame::RoomJoin(RoomCommand { reference, ..room }),
            Command::RoomLeave(room) => ClientFrame::RoomLeave(RoomCommand { reference, ..room }),
            Command::RoomAdd(member) => ClientFrame::RoomAdd(RoomMember { reference, ..member }),
            Command::RoomRemove(member) => ClientFrame::RoomRemove(RoomMember { reference, ..member }),
            Command::RoomBan(member) => ClientFrame::RoomBan(RoomMember { reference, ..member }),
            Command::RoomUnban(member) => ClientFrame::RoomUnban(RoomMember { reference, ..member }),
            Command::RoomRole(role) => ClientFrame::RoomRole(RoomRole { reference, ..role }),
        }
    }
}

/// How a command ended.
pub(crate) type Outcome = Result<frame::Ok, Refused>;

/// Why a command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    Full,
    Repeated,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    entries: VecDeque<Entry>,
    capacity: usize,
    /// How many commands may be on their way at once.
    window: usize,
}

#[derive(Debug)]
struct Entry {
    command: Command,
    /// Its number on this connection, while it is on its way.
    reference: Option<u64>,
    /// Not before this time.
    not_before_ms: u64,
    refusals: u32,
}

impl Outbox {
    pub(crate) fn new(capacity: usize, window: usize) -> Self {
        Self { entries: VecDeque::new(), capacity: capacity.max(1), window: window.max(1) }
    }

    pub(crate) fn push(&mut self, command: Command) -> Result<(), NotTaken> {
        if self.entries.iter().any(|entry| entry.command.id() == command.id()) {
            return Err(NotTaken::Repeated);
        }
        if self.entries.len() >= self.capacity {
            return Err(NotTaken::Full);
        }
        self.entries.push_back(Entry { command, reference: None, not_before_ms: 0, refusals: 0 });
        Ok(())
    }

    /// Takes back a command that was not sent.
    pub(crate) fn withdraw(&mut self, id: ClientId) {
        self.entries.retain(|entry| entry.command.id() != id || entry.reference.is_some());
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Commands whose answers are awaited.
    pub(crate) fn on_their_way(&self) -> usize {
        self.entries.iter().filter(|entry| entry.reference.is_some()).count()
    }

    /// The commands to send now, in order: never past one that has to wait, and never more than the window on their way.
    pub(crate) fn take_due(&mut self, now_ms: u64, mut next_reference: impl FnMut() -> u64) -> Vec<ClientFrame> {
        let mut free = self.window.saturating_sub(self.on_their_way());
        let mut frames = Vec::new();
        for entry in &mut self.entries {
            if entry.reference.is_some() {
                continue;
            }
            if free == 0 || entry.not_before_ms > now_ms {
                break;
            }
            let reference = next_reference();
            entry.reference = Some(reference);
            frames.push(entry.command.frame(Some(reference)));
            free -= 1;
        }
        frames
    }

    /// When the next command becomes due, if one waits for a time.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        if self.on_their_way() >= self.window {
            return None;
        }
        self.entries.iter().find(|entry| entry.reference.is_none()).map(|entry| entry.not_before_ms)
    }

    /// An `ok` came. Gives the command that it settles, if it is for one of ours.
    pub(crate) fn answered(&mut self, ok: &frame::Ok) -> Option<(Command, Outcome)> {
        let index = self.find(ok.reference?)?;
        let entry = self.entries.remove(index)?;
        Some((entry.command, Ok(ok.clone())))
    }

    /// An `error` came. A temporary one keeps the command for later; any other settles it.
    pub(crate) fn refused(&mut self, refusal: &Refusal, now_ms: u64) -> Option<(Command, Outcome)> {
        let index = self.find(refusal.reference?)?;
        if refusal.temporary {
            let entry = self.entries.get_mut(index)?;
            let doubled_ms = RETRY_MS << entry.refusals.min(7);
            let wait_ms = refusal.retry_after_ms.unwrap_or(doubled_ms).clamp(1, LONGEST_RETRY_MS);
            entry.reference = None;
            entry.not_before_ms = now_ms + wait_ms;
            entry.refusals += 1;
            return None;
        }
        let entry = self.entries.remove(index)?;
        let refused = Refused {
            code: refusal.code,
            message: refusal.message.clone(),
            retry_after: refusal.retry_after_ms.map(Duration::from_millis),
        };
        Some((entry.command, Err(refused)))
    }

    /// The connection is gone: what was on its way is sent again on the next one, with the same id.
    pub(crate) fn disconnected(&mut self) {
        for entry in &mut self.entries {
            entry.reference = None;
        }
    }

    fn find(&self, reference: u64) -> Option<usize> {
        self.entries.iter().position(|entry| entry.reference == Some(reference))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
