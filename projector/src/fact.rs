//! What an event says to the read models: decoded, checked, and opened with its author's key.
//!
//! Nothing here does IO. An event is either a fact that can be applied, or malformed, which is said with a reason and
//! never stops the others; only one that a later program wrote stops the projector.

use natter_events::{
    Account, BlockChanged, ClientId, ContentKey, ConversationId, DecodeError, Envelope, Event, Field, Fingerprint,
    KeyId, MembershipChange, MembershipChanged, MessageDeleted, MessageEdited, MessagePinned, MessageUnpinned,
    PreferencesChanged, PresenceStatus, ProfileChanged, ReactionAdded, ReactionRemoved, Record, Revocation, Role,
    RoomChange, RoomChanged, Sealed, Subject, Uid, Visibility,
};
use natter_log::{Stored, Stream};
use time::OffsetDateTime;

/// One event of the log that was decoded, and not yet opened.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub stored: Stored,
    pub record: Result<Record, Malformed>,
}

/// One event of the log, ready to be applied.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub stored: Stored,
    pub at: OffsetDateTime,
    pub fact: Result<Fact, Malformed>,
}

/// An event that can't be applied: why, and to what it belongs as far as that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub reason: String,
    pub conversation: Option<ConversationId>,
}

/// A later program wrote this event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Later {
    pub seq: u64,
    pub kind: String,
    pub version: u16,
}

/// What the read models are told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Message(Message),
    Change(Change),
    Marker(Marker),
    Account(AccountState),
    Membership(Membership),
    Room(Room),
    Preferences(Preferences),
    Presence { uid: Uid, status: &'static str },
    Received { uid: Uid, seq: u64 },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub conversation: ConversationId,
    pub people: Vec<Uid>,
    pub sender: Uid,
    pub id: ClientId,
    /// None: the sender was erased.
    pub text: Option<String>,
    pub metadata: Option<String>,
    pub reply_to: Option<u64>,
    /// The message whose thread it is said in.
    pub thread: Option<u64>,
    pub mentions: Vec<Uid>,
    pub mentions_room: bool,
    pub fingerprint: [u8; 16],
}

/// What was done to a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub conversation: ConversationId,
    pub people: Vec<Uid>,
    pub actor: Uid,
    pub id: ClientId,
    pub message: u64,
    pub what: What,
    pub fingerprint: [u8; 16],
}

/// What it was. None in place of a text or an emoji: the actor was erased.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    Edited(Option<String>),
    Deleted,
    ReactionAdded(Option<String>),
    ReactionRemoved(Option<String>),
    Pinned,
    Unpinned,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub conversation: ConversationId,
    pub people: Vec<Uid>,
    pub reader: Uid,
    pub id: Option<ClientId>,
    pub read: u64,
    /// The thread that was read, rather than the conversation.
    pub thread: Option<u64>,
}

/// What someone is in a room from now on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub room: ConversationId,
    pub user: Uid,
    pub by: Uid,
    pub change: MembershipChange,
    /// None: they are not in it.
    pub role: Option<Role>,
    /// The command that it answers.
    pub command: Option<Command>,
}

/// What a room is from now on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub room: ConversationId,
    pub by: Uid,
    pub change: RoomChange,
    /// None: its key is gone.
    pub name: Option<String>,
    pub topic: Option<String>,
    pub visibility: Visibility,
    pub archived: bool,
    pub owners: Vec<Uid>,
    pub bans: Vec<Uid>,
    /// The command that it answers.
    pub command: Option<Command>,
}

/// How someone wants a conversation to be treated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub conversation: ConversationId,
    pub owner: Uid,
    /// As JSON. None: they were erased.
    pub json: Option<String>,
    pub command: Command,
}

/// A command that an event of a batch answers for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Command {
    pub id: ClientId,
    pub fingerprint: [u8; 16],
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AccountState {
    pub uid: Uid,
    /// The command that it answers, and who gave it.
    pub command: Option<(Uid, ClientId)>,
    /// None: the person was erased.
    pub names: Option<Names>,
    pub registered_at: OffsetDateTime,
    pub suspended: bool,
    pub revocations: Vec<(OffsetDateTime, Revocation)>,
    pub blocks: Vec<Uid>,
    /// What the owner did, where it was they who changed it.
    pub did: Option<Did>,
}

/// What an account's owner did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Did {
    Block(Block),
    /// Chose how to be shown.
    Profile {
        fingerprint: [u8; 16],
    },
}

impl Did {
    pub fn fingerprint(&self) -> &[u8; 16] {
        match self {
            Self::Block(block) => &block.fingerprint,
            Self::Profile { fingerprint } => fingerprint,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub user: Uid,
    pub blocked: bool,
    pub fingerprint: [u8; 16],
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub handle: String,
    pub display_name: Option<String>,
}

impl Fact {
    /// The conversation that it belongs to.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Fact::Message(message) => Some(message.conversation),
            Fact::Change(change) => Some(change.conversation),
            Fact::Marker(marker) => Some(marker.conversation),
            Fact::Membership(membership) => Some(membership.room),
            Fact::Room(room) => Some(room.room),
            Fact::Preferences(preferences) => Some(preferences.conversation),
            Fact::Account(_) | Fact::Presence { .. } | Fact::Received { .. } => None,
        }
    }

    /// The thread that something is said in.
    pub fn thread(&self) -> Option<(ConversationId, u64)> {
        match self {
            Fact::Message(message) => Some((message.conversation, message.thread?)),
            _ => None,
        }
    }
}

impl Incoming {
    /// The conversation that it belongs to, malformed or not.
    pub fn conversation(&self) -> Option<ConversationId> {
        match &self.fact {
            Ok(fact) => fact.conversation(),
            Err(malformed) => malformed.conversation,
        }
    }
}

/// Why the projector would not apply an event, as far as that can be said without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It never will: the event is damaged, or stands where it may not.
    Malformed(String),
    /// A later program may.
    LaterVersion { kind: String, version: u16 },
}

/// Looks an event over, without applying it.
pub fn unfit(stream: Stream, stored: Stored) -> Option<Unfit> {
    match Decoded::read(stream, stored) {
        Ok(Decoded { record: Ok(_), .. }) => None,
        Ok(Decoded { record: Err(Malformed { reason, .. }), .. }) => Some(Unfit::Malformed(reason)),
        Err(Later { kind, version, .. }) => Some(Unfit::LaterVersion { kind, version }),
    }
}

impl Decoded {
    /// Reads an event of `stream`.
    pub fn read(stream: Stream, stored: Stored) -> Result<Self, Later> {
        let record = match Record::decode(&stored.payload) {
            Ok(record) => checked(stream, &stored, record),
            Err(DecodeError::LaterVersion { kind, version }) => return Err(Later { seq: stored.seq, kind, version }),
            Err(error) => Err(Malformed { reason: reason(&error), conversation: conversation_of(&stored) }),
        };
        Ok(Self { stored, record })
    }

    /// Whose key opens it, and which.
    pub fn key(&self) -> Option<(Uid, KeyId)> {
        let record = self.record.as_ref().ok()?;
        let sealed = !matches!(
            record.event,
            Event::MessageDeleted(_)
                | Event::MessagePinned(_)
                | Event::MessageUnpinned(_)
                | Event::ReadMarkerMoved(_)
                | Event::MembershipChanged(_)
                | Event::PresenceChanged(_)
                | Event::ReceivedUpTo(_)
        );
        Some((owner(&self.stored)?, record.envelope.key.filter(|_| sealed)?))
    }

    /// What it says, given the key; without one, its author was erased.
    pub fn open(self, key: Option<&ContentKey>) -> Incoming {
        let conversation = self.record.as_ref().map_or_else(|m| m.conversation, |record| record.envelope.conversation);
        let fact = self.record.and_then(|record| {
            let opener = Opener { owner: owner(&self.stored).unwrap_or(record.envelope.actor), key };
            opener.fact(record).map_err(|reason| Malformed { reason: reason.to_owned(), conversation })
        });
        match timestamp(self.stored.time_ms) {
            Ok(at) => Incoming { at, fact, stored: self.stored },
            Err(reason) => {
                let fact = Err(Malformed { reason: reason.to_owned(), conversation });
                Incoming { at: OffsetDateTime::UNIX_EPOCH, fact, stored: self.stored }
            }
        }
    }
}

/// The user or the room whose subject it is: whose fields are sealed in it.
fn owner(stored: &Stored) -> Option<Uid> {
    Subject::parse(&stored.subject).map(|subject| subject.owner())
}

/// A record's conversation, damaged or not, if its subject or its envelope still reads: better to hold back one too many
/// than to apply the rest of it without this.
fn conversation_of(stored: &Stored) -> Option<ConversationId> {
    if let Some(Subject::Room(room)) = Subject::parse(&stored.subject) {
        return Some(room);
    }
    Envelope::peek(&stored.payload).ok()?.conversation
}

/// The record, if it is one that may stand there. Nothing of it is sealed.
fn checked(stream: Stream, stored: &Stored, record: Record) -> Result<Record, Malformed> {
    match misplaced(stream, stored, &record) {
        None => Ok(record),
        Some(reason) => Err(Malformed { reason: reason.to_owned(), conversation: conversation_of(stored) }),
    }
}

fn misplaced(stream: Stream, stored: &Stored, record: &Record) -> Option<&'static str> {
    let Some(subject) = Subject::parse(&stored.subject) else { return Some("the subject is none of Natter's") };
    let envelope = &record.envelope;
    match (stream, subject, &record.event) {
        (
            Stream::Chat,
            Subject::Messages(uid),
            Event::MessageSent(_)
            | Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::ReactionAdded(_)
            | Event::ReactionRemoved(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::ReadMarkerMoved(_)
            | Event::PreferencesChanged(_),
        ) => {
            if uid != envelope.actor {
                return Some("the actor is not the one whose subject it is");
            }
            let Some(conversation) = envelope.conversation else { return Some("it names no conversation") };
            let people: Vec<Uid> = envelope.addressees().collect();
            if let Event::PreferencesChanged(_) = record.event {
                return (people != [uid]).then_some("preferences are addressed to whose they are");
            }
            if conversation.is_room() {
                return misaddressed_in_room(&record.event, uid, &people);
            }
            if !people.contains(&uid) {
                return Some("the actor is not one of the addressees");
            }
            (ConversationId::direct(&people) != conversation)
                .then_some("the conversation is not the one of the addressees")
        }
        (
            Stream::Chat,
            Subject::Account(_),
            Event::UserRegistered(_) | Event::SessionsRevoked(_) | Event::BlockChanged(_) | Event::ProfileChanged(_),
        ) => None,
        (Stream::Chat, Subject::Rooms(user), Event::MembershipChanged(_)) => {
            let Some(conversation) = envelope.conversation else { return Some("it names no conversation") };
            if !conversation.is_room() {
                return Some("the conversation is not a room");
            }
            // Whoever neither was nor is in the room hears nothing of it.
            envelope.addressees().any(|uid| uid != user).then_some("a place in a room is addressed to whose it is")
        }
        (Stream::Chat, Subject::Room(room), Event::RoomChanged(_)) => {
            if !room.is_room() || envelope.conversation != Some(room) {
                return Some("the conversation is not the room whose subject it is");
            }
            (envelope.addressees().len() > 0).then_some("what happens in a room is addressed to nobody")
        }
        (Stream::Presence, Subject::Presence(uid), Event::PresenceChanged(_) | Event::ReceivedUpTo(_)) => {
            (uid != envelope.actor).then_some("the actor is not the one whose subject it is")
        }
        _ => Some("this type of event does not belong on this subject"),
    }
}

/// Whoever is in a room hears what is said there; how far somebody has read is for them alone.
fn misaddressed_in_room(event: &Event, actor: Uid, people: &[Uid]) -> Option<&'static str> {
    match event {
        Event::ReadMarkerMoved(_) => (people != [actor]).then_some("a marker in a room is addressed to its reader"),
        _ => (!people.is_empty()).then_some("what happens in a room is addressed to nobody"),
    }
}

struct Opener<'a> {
    owner: Uid,
    key: Option<&'a ContentKey>,
}

impl Opener<'_> {
    fn fact(&self, record: Record) -> Result<Fact, &'static str> {
        let envelope = record.envelope;
        let people: Vec<Uid> = envelope.addressees().collect();
        let conversation = envelope.conversation.ok_or("it names no conversation");
        let change = |people, message, fingerprint: Fingerprint, what| {
            Ok(Fact::Change(Change {
                conversation: conversation?,
                people,
                actor: envelope.actor,
                id: envelope.id.ok_or("it names no command")?,
                message: position(message)?,
                what,
                fingerprint: *fingerprint.as_bytes(),
            }))
        };
        match record.event {
            Event::MessageSent(sent) => {
                envelope.key.ok_or("it names no key")?;
                let metadata = match &sent.metadata {
                    None => None,
                    Some(sealed) => self.open(Field::Metadata, sealed)?,
                };
                if let Some(json) = &metadata {
                    serde_json::from_str::<serde::de::IgnoredAny>(json).map_err(|_| "the metadata is not JSON")?;
                }
                Ok(Fact::Message(Message {
                    conversation: conversation?,
                    people,
                    sender: envelope.actor,
                    id: envelope.id.ok_or("it names no command")?,
                    text: self.open(Field::Text, &sent.text)?,
                    metadata,
                    reply_to: sent.reply_to.map(position).transpose()?,
                    thread: sent.thread.map(root).transpose()?,
                    mentions: once(sent.mentions),
                    mentions_room: sent.mentions_room,
                    fingerprint: *sent.fingerprint.as_bytes(),
                }))
            }
            Event::MessageEdited(MessageEdited { message, text, fingerprint }) => {
                envelope.key.ok_or("it names no key")?;
                change(people, message, fingerprint, What::Edited(self.open(Field::Text, &text)?))
            }
            Event::MessageDeleted(MessageDeleted { message, fingerprint }) => {
                change(people, message, fingerprint, What::Deleted)
            }
            Event::ReactionAdded(ReactionAdded { message, emoji, fingerprint }) => {
                envelope.key.ok_or("it names no key")?;
                change(people, message, fingerprint, What::ReactionAdded(self.open(Field::Emoji, &emoji)?))
            }
            Event::ReactionRemoved(ReactionRemoved { message, emoji, fingerprint }) => {
                envelope.key.ok_or("it names no key")?;
                change(people, message, fingerprint, What::ReactionRemoved(self.open(Field::Emoji, &emoji)?))
            }
            Event::MessagePinned(MessagePinned { message, fingerprint }) => {
                change(people, message, fingerprint, What::Pinned)
            }
            Event::MessageUnpinned(MessageUnpinned { message, fingerprint }) => {
                change(people, message, fingerprint, What::Unpinned)
            }
            Event::ReadMarkerMoved(moved) => Ok(Fact::Marker(Marker {
                conversation: conversation?,
                people: if conversation?.is_room() { Vec::new() } else { people },
                reader: envelope.actor,
                id: envelope.id,
                read: position(moved.read)?,
                thread: moved.thread.map(root).transpose()?,
            })),
            Event::MembershipChanged(changed) => self.membership(&changed, &envelope, conversation?),
            Event::RoomChanged(changed) => self.room(changed, &envelope, conversation?),
            Event::UserRegistered(event) => self.account(event.account, &envelope, None),
            Event::SessionsRevoked(event) => self.account(event.account, &envelope, None),
            Event::BlockChanged(BlockChanged { user, blocked, account, fingerprint }) => {
                envelope.id.ok_or("it names no command")?;
                let block = Block { user, blocked, fingerprint: *fingerprint.as_bytes() };
                self.account(account, &envelope, Some(Did::Block(block)))
            }
            Event::ProfileChanged(ProfileChanged { account, fingerprint }) => {
                envelope.id.ok_or("it names no command")?;
                self.account(account, &envelope, Some(Did::Profile { fingerprint: *fingerprint.as_bytes() }))
            }
            Event::PreferencesChanged(PreferencesChanged { preferences, fingerprint }) => {
                envelope.key.ok_or("it names no key")?;
                let json = self.open(Field::Preferences, &preferences)?;
                if let Some(json) = &json {
                    serde_json::from_str::<serde::de::IgnoredAny>(json).map_err(|_| "the preferences are not JSON")?;
                }
                Ok(Fact::Preferences(Preferences {
                    conversation: conversation?,
                    owner: envelope.actor,
                    json,
                    command: command(&envelope, Some(fingerprint))?.ok_or("it names no command")?,
                }))
            }
            Event::PresenceChanged(changed) => {
                Ok(Fact::Presence { uid: envelope.actor, status: status_name(changed.status) })
            }
            Event::ReceivedUpTo(received) => Ok(Fact::Received { uid: envelope.actor, seq: position(received.seq)? }),
        }
    }

    fn account(&self, account: Account, envelope: &Envelope<'_>, did: Option<Did>) -> Result<Fact, &'static str> {
        envelope.key.ok_or("it names no key")?;
        let names = match self.open(Field::Handle, &account.handle)? {
            None => None,
            Some(handle) if !is_handle(&handle) => return Err("the handle is none"),
            Some(handle) => {
                let display_name = match &account.display_name {
                    None => None,
                    Some(sealed) => self.open(Field::DisplayName, sealed)?,
                };
                Some(Names { handle, display_name })
            }
        };
        let revocations = account.revocations.into_iter().map(|one| Ok((timestamp(one.at_ms)?, one)));
        Ok(Fact::Account(AccountState {
            uid: self.owner,
            command: envelope.id.map(|id| (envelope.actor, id)),
            names,
            registered_at: timestamp(account.registered_at_ms)?,
            suspended: account.suspended,
            revocations: revocations.collect::<Result<_, &str>>()?,
            blocks: account.blocks,
            did,
        }))
    }

    fn membership(
        &self,
        changed: &MembershipChanged,
        envelope: &Envelope<'_>,
        room: ConversationId,
    ) -> Result<Fact, &'static str> {
        Ok(Fact::Membership(Membership {
            room,
            user: self.owner,
            by: envelope.actor,
            change: changed.change,
            role: changed.role_in(room),
            command: command(envelope, changed.fingerprint)?,
        }))
    }

    fn room(&self, changed: RoomChanged, envelope: &Envelope<'_>, id: ConversationId) -> Result<Fact, &'static str> {
        envelope.key.ok_or("it names no key")?;
        let RoomChanged { change, room, fingerprint } = changed;
        let topic = match &room.topic {
            None => None,
            Some(sealed) => self.open(Field::RoomTopic, sealed)?,
        };
        Ok(Fact::Room(Room {
            room: id,
            by: envelope.actor,
            change,
            name: self.open(Field::RoomName, &room.name)?,
            topic,
            visibility: room.visibility,
            archived: room.archived,
            owners: once(room.owners),
            bans: once(room.bans),
            command: command(envelope, fingerprint)?,
        }))
    }

    /// A field's text; none when its author was erased.
    fn open(&self, field: Field, sealed: &Sealed) -> Result<Option<String>, &'static str> {
        let Some(key) = self.key else { return Ok(None) };
        let text = key.open_text(self.owner, field, sealed).map_err(|_| "a sealed field does not open with its key")?;
        // The one character that PostgreSQL can't store.
        if text.contains('\0') { Err("a text holds a zero character") } else { Ok(Some(text)) }
    }
}

/// The command that an event of a batch answers, if it is the one of them that does.
fn command(envelope: &Envelope<'_>, fingerprint: Option<Fingerprint>) -> Result<Option<Command>, &'static str> {
    let Some(fingerprint) = fingerprint else { return Ok(None) };
    let id = envelope.id.ok_or("it names no command")?;
    Ok(Some(Command { id, fingerprint: *fingerprint.as_bytes() }))
}

/// People in their order, each once.
fn once(mut people: Vec<Uid>) -> Vec<Uid> {
    let mut seen = std::collections::HashSet::new();
    people.retain(|uid| seen.insert(*uid));
    people
}

fn status_name(status: PresenceStatus) -> &'static str {
    match status {
        PresenceStatus::Online => "online",
        PresenceStatus::Away => "away",
        PresenceStatus::Busy => "busy",
        PresenceStatus::Offline => "offline",
    }
}

fn is_handle(text: &str) -> bool {
    let may_begin = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (2..=32).contains(&text.len())
        && may_begin(text.as_bytes()[0])
        && text.bytes().all(|byte| may_begin(byte) || byte == b'_' || byte == b'-')
}

/// A position of the log, which is below 2^53.
fn position(seq: u64) -> Result<u64, &'static str> {
    if seq < 1 << 53 { Ok(seq) } else { Err("a position is beyond any log") }
}

/// A message that has a thread.
fn root(seq: u64) -> Result<u64, &'static str> {
    if seq == 0 { Err("a thread is of no message") } else { position(seq) }
}

/// A time that PostgreSQL can hold.
fn timestamp(unix_ms: i64) -> Result<OffsetDateTime, &'static str> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .ok()
        .filter(|at| (1..=9999).contains(&at.year()))
        .ok_or("a time is beyond any calendar")
}

/// An error with its causes, in one line.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
