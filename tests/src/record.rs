//! Everything that was done and everything that was seen, in the order in which it was, for the checkers.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use natter_client::{ClientId, Command, ConversationId, ErrorCode, Position, Toggle};
use natter_events::Tag;
use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_64;

/// What an event says, as it is compared: a text, or what is done to a message. None for an empty text.
pub type Said = Option<u64>;

pub fn said(text: &str) -> Said {
    (!text.is_empty()).then(|| xxh3_64(text.as_bytes()))
}

pub fn of_message(message: u64) -> Said {
    said(&message.to_string())
}

pub fn reaction(message: u64, emoji: &str, op: Toggle) -> Said {
    said(&format!("{message} {emoji} {op:?}"))
}

pub fn pin(message: u64, op: Toggle) -> Said {
    said(&format!("{message} {op:?}"))
}

/// The same, as a command asks for it.
pub fn asks(command: &Command) -> Option<Said> {
    Some(match command {
        Command::Send(send) => said(&send.text),
        Command::Edit(edit) => said(&edit.text),
        Command::Delete(delete) => of_message(delete.message),
        Command::React(react) => reaction(react.message, &react.emoji, react.op),
        Command::Pin(one) => pin(one.message, one.op),
        _ => return None,
    })
}

/// A command that was given to a client, and what the client said became of it. The same command may be given twice.
#[derive(Debug, Clone)]
pub struct Call {
    pub person: usize,
    pub command: Command,
    pub called: Duration,
    pub ended: Duration,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is under way, or its client ended first.
    Unknown,
    Done {
        seq: u64,
        conversation: Option<ConversationId>,
        duplicate: bool,
    },
    Refused(ErrorCode),
    /// The client would not send it.
    NotSent(String),
}

/// What a device hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Message,
    Edited,
    Deleted,
    Reaction,
    Pin,
    Member,
    Room,
    Marker,
    Block,
    Profile,
    Preferences,
}

/// A durable event as somebody heard it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    pub seq: u64,
    pub kind: Kind,
    pub id: Option<ClientId>,
    pub said: Said,
}

/// Something that a device noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    Heard(Heard),
    /// It was told that everything up to here has come.
    Complete(u64),
    /// What comes between is not told: it is to be read from history.
    Reset(u64),
    /// The same, for the log is another one: what was told before is not of this one.
    OtherLog(u64),
}

/// Which device heard it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// One that only watches.
    Eye,
    /// One that also does things, and gets their answers in place of the events.
    Hand,
    /// One that came at the end with an old position.
    Latecomer,
    /// No socket, but `/history/changes`.
    Changes,
}

/// A device and what it noted, in order.
#[derive(Debug, Clone)]
pub struct Reading {
    pub person: usize,
    pub device: Device,
    pub notes: Vec<Note>,
    pub ended: Duration,
}

/// A page of history.
#[derive(Debug, Clone)]
pub struct PageRead {
    pub person: usize,
    pub conversation: ConversationId,
    /// What had to be in it.
    pub at_least: u64,
    pub position: Position,
    pub asked: Duration,
    pub came: Duration,
    /// The newest of the conversation first.
    pub items: Vec<Item>,
    /// There is nothing before these.
    pub is_all: bool,
}

/// A message on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    pub seq: u64,
    pub id: ClientId,
    pub deleted: bool,
    pub said: Said,
}

/// What history was asked for, and what of it is the same for all of its resources.
#[derive(Debug, Clone)]
pub enum Asked {
    /// The list of conversations: as of what it had to be, and as of what it was.
    List { at_least: u64, position: u64, asked: Duration },
    /// It was not given.
    Refused { code: ErrorCode, retry_after: Option<Duration> },
}

/// A place in the log that somebody was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub seq: u64,
    pub tag: Tag,
}

/// What is recorded while people are at it.
pub struct Recorder {
    began: Instant,
    calls: Mutex<Vec<Call>>,
    readings: Mutex<Vec<Reading>>,
    pages: Mutex<Vec<PageRead>>,
    asked: Mutex<Vec<(usize, Asked)>>,
}

impl Default for Recorder {
    fn default() -> Self {
        let (calls, readings, pages, asked) = Default::default();
        Self { began: Instant::now(), calls, readings, pages, asked }
    }
}

impl Recorder {
    /// Since the beginning.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// A command is given to a client. Returns by what its outcome is to be told.
    pub fn called(&self, person: usize, command: Command) -> usize {
        let (called, mut calls) = (self.now(), self.calls.lock());
        calls.push(Call { person, command, called, ended: called, outcome: Outcome::Unknown });
        calls.len() - 1
    }

    pub fn ended(&self, call: usize, outcome: Outcome) {
        let ended = self.now();
        if let Some(call) = self.calls.lock().get_mut(call) {
            (call.ended, call.outcome) = (ended, outcome);
        }
    }

    /// The outcome of a command came to another client than the one that it was given to.
    pub fn settled(&self, person: usize, id: ClientId, outcome: &Outcome) {
        let ended = self.now();
        for call in self.calls.lock().iter_mut() {
            if call.person == person && call.command.id() == id && call.outcome == Outcome::Unknown {
                (call.ended, call.outcome) = (ended, outcome.clone());
            }
        }
    }

    /// The ids of a person's commands whose outcome is unknown.
    pub fn unknown(&self, person: usize) -> Vec<ClientId> {
        let calls = self.calls.lock();
        let open = calls.iter().filter(|call| call.person == person && call.outcome == Outcome::Unknown);
        open.map(|call| call.command.id()).collect()
    }

    /// How many commands were done, and how many pages came, of those that were asked for since some time.
    pub fn done_since(&self, time: Duration) -> (usize, usize) {
        let done = |call: &&Call| call.called >= time && matches!(call.outcome, Outcome::Done { .. });
        let pages = self.pages.lock().iter().filter(|page| page.asked >= time).count();
        (self.calls.lock().iter().filter(done).count(), pages)
    }

    pub fn reading(&self, reading: Reading) {
        self.readings.lock().push(reading);
    }

    pub fn page(&self, page: PageRead) {
        self.pages.lock().push(page);
    }

    pub fn asked(&self, person: usize, asked: Asked) {
        self.asked.lock().push((person, asked));
    }

    pub fn finish(self) -> Recording {
        Recording {
            calls: self.calls.into_inner(),
            undone: Vec::new(),
            readings: self.readings.into_inner(),
            pages: self.pages.into_inner(),
            asked: self.asked.into_inner(),
        }
    }
}

/// What was recorded.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    pub calls: Vec<Call>,
    /// Of before the log was rolled back: they may be there or not.
    pub undone: Vec<Call>,
    pub readings: Vec<Reading>,
    pub pages: Vec<PageRead>,
    /// By whom, and what.
    pub asked: Vec<(usize, Asked)>,
}

impl Recording {
    /// The log was rolled back and whole again at this time: what was told before is nothing to go by.
    pub fn forget_before(&mut self, time: Duration) {
        let (kept, undone) = std::mem::take(&mut self.calls).into_iter().partition(|call| call.ended > time);
        (self.calls, self.undone) = (kept, undone);
        // Whoever repeats what was undone does it anew.
        let ids: HashSet<_> = self.undone.iter().map(|call| (call.person, call.command.id())).collect();
        let (again, kept): (Vec<_>, Vec<_>) =
            self.calls.drain(..).partition(|call| ids.contains(&(call.person, call.command.id())));
        self.calls = kept;
        self.undone.extend(again);
        self.pages.retain(|page| page.asked > time);
        self.asked.retain(|(_, one)| !matches!(one, Asked::List { asked, .. } if *asked <= time));
        self.readings.retain(|reading| reading.ended > time);
        for reading in &mut self.readings {
            if let Some(place) = reading.notes.iter().rposition(|note| matches!(note, Note::OtherLog(_))) {
                reading.notes.drain(..place);
            }
        }
    }
}
