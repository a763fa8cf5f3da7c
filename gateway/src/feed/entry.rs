//! One event of the log as the gateway keeps it: what routing needs is read once, what clients get is rendered at most
//! once per encoding and shared by every session.

use bytes::Bytes;
use natter_events::record::is_whole;
use natter_events::{ClientId, ConversationId, DecodeError, Envelope, Event, Record, Subject, Tag, Uid, event};
use natter_log::Stored;
use natter_protocol::{Encoding, Position, Timestamp};
use tokio::sync::OnceCell;

/// What a gateway does with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Message,
    Edit,
    Deletion,
    Reaction,
    Pin,
    Marker,
    Account,
    Preferences,
    Membership,
    Room,
    /// Not for clients: it does not read (it is in the projector's dead letters), or nothing here concerns them.
    Silent,
}

/// An event in the tail.
#[derive(Debug)]
pub struct Entry {
    pub seq: u64,
    pub tag: Tag,
    pub at: Timestamp,
    pub kind: Kind,
    pub actor: Uid,
    pub id: Option<ClientId>,
    pub conversation: Option<ConversationId>,
    /// The message that it edits or deletes.
    target: Option<u64>,
    /// Whose state it carries: an account's, a room's, or who is in which rooms.
    pub state: Option<Subject>,
    /// Of a membership, who is in its room after it, or is not.
    pub stay: Option<Stay>,
    /// Whose sessions it reaches, beside those of a room's members.
    pub to: Box<[Uid]>,
    pub record: Bytes,
    json: OnceCell<Bytes>,
    msgpack: OnceCell<Bytes>,
}

/// Someone is in a room from an event on, or no longer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    pub user: Uid,
    pub room: ConversationId,
    pub begins: bool,
}

impl Entry {
    /// Reads what routing needs. Only a later version is an error: what is malformed is kept as [`Kind::Silent`], so that
    /// sequences stay contiguous.
    pub fn new(stored: Stored) -> Result<Self, DecodeError> {
        let tag = stored.tag();
        let (kind, actor, id, conversation, to) =
            match is_whole(&stored.payload).and_then(|()| Envelope::peek(&stored.payload)) {
                Ok(envelope) => {
                    let kind = kind_of(&envelope)?;
                    let to = envelope.addressees().collect();
                    (kind, envelope.actor, envelope.id, envelope.conversation, to)
                }
                Err(error) => {
                    tracing::error!(seq = stored.seq, error = %error, "an event does not read; it reaches nobody");
                    metrics::counter!("natter_gateway_malformed_events_total").increment(1);
                    (Kind::Silent, Uid::from_bytes([0; 16]), None, None, Box::default())
                }
            };
        let state = match kind {
            Kind::Account | Kind::Membership | Kind::Room => Subject::parse(&stored.subject),
            _ => None,
        };
        Ok(Self {
            seq: stored.seq,
            tag,
            at: Timestamp(stored.time_ms),
            kind,
            actor,
            id,
            conversation,
            target: target(kind, &stored.payload),
            stay: stay(state, conversation, &stored.payload),
            state,
            to,
            record: stored.payload,
            json: OnceCell::new(),
            msgpack: OnceCell::new(),
        })
    }

    /// Where it stands, in the log of an epoch.
    pub fn position(&self, epoch: u64) -> Position {
        Position { epoch, seq: self.seq, tag: self.tag }
    }

    /// The cell that holds its rendered frame.
    pub fn frame(&self, encoding: Encoding) -> &OnceCell<Bytes> {
        match encoding {
            Encoding::Json => &self.json,
            Encoding::MessagePack => &self.msgpack,
        }
    }

    /// The room whose members it reaches.
    pub fn room(&self) -> Option<ConversationId> {
        self.conversation.filter(|conversation| conversation.is_room() && self.kind.is_for_members())
    }

    /// The message that it deletes.
    pub fn deletes(&self) -> Option<u64> {
        self.target.filter(|_| self.kind == Kind::Deletion)
    }

    /// The message whose text it carries: it is that itself, or an edit of it.
    pub fn text_of(&self) -> Option<u64> {
        match self.kind {
            Kind::Message => Some(self.seq),
            Kind::Edit => self.target,
            _ => None,
        }
    }

    /// What counts as waiting for a client to whom it was routed, in bytes (HRT2). The record of a place in a room carries
    /// all the rooms of its user, and what clients get of it does not.
    pub fn weight(&self) -> usize {
        const FRAME_BYTES: usize = 1024;
        match self.kind {
            Kind::Membership | Kind::Room | Kind::Account => self.record.len().min(FRAME_BYTES),
            _ => self.record.len(),
        }
    }

    /// What it costs to keep, in bytes: the record, its frames when they are rendered (about as large again), itself, and
    /// its places in the index.
    pub fn cost(&self) -> usize {
        const INDEX_BYTES: usize = 64;
        size_of::<Self>() + 2 * self.record.len() + self.to.len() * (size_of::<Uid>() + INDEX_BYTES) + 2 * INDEX_BYTES
    }
}

impl Kind {
    /// Whether it is for everybody in its room. How far somebody has read there is theirs alone.
    fn is_for_members(self) -> bool {
        match self {
            Self::Message
            | Self::Edit
            | Self::Deletion
            | Self::Reaction
            | Self::Pin
            | Self::Membership
            | Self::Room => true,
            Self::Marker | Self::Preferences | Self::Account | Self::Silent => false,
        }
    }
}

/// Of an event that says who is in a room: who and whether.
fn stay(state: Option<Subject>, room: Option<ConversationId>, record: &[u8]) -> Option<Stay> {
    let (Some(Subject::Rooms(user)), Some(room)) = (state, room) else { return None };
    match Record::decode(record).ok()?.event {
        Event::MembershipChanged(changed) => Some(Stay { user, room, begins: changed.role_in(room).is_some() }),
        _ => None,
    }
}

/// Read once, as every session that it reaches asks for it. Only these events are opened for that.
fn target(kind: Kind, record: &[u8]) -> Option<u64> {
    if !matches!(kind, Kind::Edit | Kind::Deletion) {
        return None;
    }
    match Record::decode(record).ok()?.event {
        Event::MessageEdited(edited) => Some(edited.message),
        Event::MessageDeleted(deleted) => Some(deleted.message),
        _ => None,
    }
}

pub fn kind_of(envelope: &Envelope<'_>) -> Result<Kind, DecodeError> {
    let (kind, newest) = match &*envelope.kind {
        event::MessageSent::KIND => (Kind::Message, event::MessageSent::VERSION),
        event::MessageEdited::KIND => (Kind::Edit, event::MessageEdited::VERSION),
        event::MessageDeleted::KIND => (Kind::Deletion, event::MessageDeleted::VERSION),
        event::ReactionAdded::KIND => (Kind::Reaction, event::ReactionAdded::VERSION),
        event::ReactionRemoved::KIND => (Kind::Reaction, event::ReactionRemoved::VERSION),
        event::MessagePinned::KIND => (Kind::Pin, event::MessagePinned::VERSION),
        event::MessageUnpinned::KIND => (Kind::Pin, event::MessageUnpinned::VERSION),
        event::ReadMarkerMoved::KIND => (Kind::Marker, event::ReadMarkerMoved::VERSION),
        event::UserRegistered::KIND => (Kind::Account, event::UserRegistered::VERSION),
        event::SessionsRevoked::KIND => (Kind::Account, event::SessionsRevoked::VERSION),
        event::BlockChanged::KIND => (Kind::Account, event::BlockChanged::VERSION),
        event::ProfileChanged::KIND => (Kind::Account, event::ProfileChanged::VERSION),
        event::PreferencesChanged::KIND => (Kind::Preferences, event::PreferencesChanged::VERSION),
        event::MembershipChanged::KIND => (Kind::Membership, event::MembershipChanged::VERSION),
        event::RoomChanged::KIND => (Kind::Room, event::RoomChanged::VERSION),
        _ => return Err(later(envelope)),
    };
    if envelope.version > newest { Err(later(envelope)) } else { Ok(kind) }
}

fn later(envelope: &Envelope<'_>) -> DecodeError {
    DecodeError::LaterVersion { kind: envelope.kind.clone().into_owned(), version: envelope.version }
}
