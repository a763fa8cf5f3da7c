//! One event of the log as the gateway keeps it: what routing needs is read once, what clients get is rendered at most
//! once per encoding and shared by every session.

use bytes::Bytes;
use natter_events::{ClientId, ConversationId, DecodeError, Envelope, Event, Record, Tag, Uid, event};
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
    Marker,
    Account,
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
    /// Whose sessions it reaches.
    pub to: Box<[Uid]>,
    pub record: Bytes,
    json: OnceCell<Bytes>,
    msgpack: OnceCell<Bytes>,
}

impl Entry {
    /// Reads what routing needs. Only a later version is an error: what is malformed is kept as [`Kind::Silent`], so that
    /// sequences stay contiguous.
    pub fn new(stored: Stored) -> Result<Self, DecodeError> {
        let tag = stored.tag();
        let (kind, actor, id, conversation, to) = match Envelope::peek(&stored.payload) {
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
        Ok(Self {
            seq: stored.seq,
            tag,
            at: Timestamp(stored.time_ms),
            kind,
            actor,
            id,
            conversation,
            target: target(kind, &stored.payload),
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

    /// The message that it deletes.
    pub fn deletes(&self) -> Option<u64> {
        self.target.filter(|_| self.kind == Kind::Deletion)
    }

    /// The message whose text it carries: it is that itself, or an edit of it.
    pub fn text_of(&self) -> Option<u64> {
        match self.kind {
            Kind::Message => Some(self.seq),
            Kind::Edit => self.target,
            Kind::Deletion | Kind::Reaction | Kind::Marker | Kind::Account | Kind::Silent => None,
        }
    }

    /// What it costs to keep, in bytes: the record, its frames when they are rendered (about as large again), itself, and
    /// its places in the index.
    pub fn cost(&self) -> usize {
        const INDEX_BYTES: usize = 48;
        size_of::<Self>() + 2 * self.record.len() + self.to.len() * (size_of::<Uid>() + INDEX_BYTES) + 2 * INDEX_BYTES
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

fn kind_of(envelope: &Envelope<'_>) -> Result<Kind, DecodeError> {
    let (kind, newest) = match &*envelope.kind {
        event::MessageSent::KIND => (Kind::Message, event::MessageSent::VERSION),
        event::MessageEdited::KIND => (Kind::Edit, event::MessageEdited::VERSION),
        event::MessageDeleted::KIND => (Kind::Deletion, event::MessageDeleted::VERSION),
        event::ReactionAdded::KIND => (Kind::Reaction, event::ReactionAdded::VERSION),
        event::ReactionRemoved::KIND => (Kind::Reaction, event::ReactionRemoved::VERSION),
        event::ReadMarkerMoved::KIND => (Kind::Marker, event::ReadMarkerMoved::VERSION),
        event::UserRegistered::KIND => (Kind::Account, event::UserRegistered::VERSION),
        event::SessionsRevoked::KIND => (Kind::Account, event::SessionsRevoked::VERSION),
        event::BlockChanged::KIND => (Kind::Account, event::BlockChanged::VERSION),
        _ => return Err(later(envelope)),
    };
    if envelope.version > newest { Err(later(envelope)) } else { Ok(kind) }
}

fn later(envelope: &Envelope<'_>) -> DecodeError {
    DecodeError::LaterVersion { kind: envelope.kind.clone().into_owned(), version: envelope.version }
}
