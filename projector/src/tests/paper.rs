//! A log on paper: events at any time, applied to a real database without a broker.

use std::collections::HashMap;

use bytes::Bytes;
use natter_events::{
    Account, BlockChanged, ClientId, ContentKey, ConversationId, Event, Field, Fingerprint, Intent, KeyId, Membership,
    MembershipChange, MembershipChanged, MessageDeleted, MessageEdited, MessagePinned, MessageSent, MessageUnpinned,
    PreferencesChanged, ProfileChanged, ReactionAdded, ReactionRemoved, ReadMarkerMoved, Record, Revocation, Role,
    Room, RoomChange, RoomChanged, SessionsRevoked, Subject, Uid, UserRegistered, Visibility,
};
use natter_log::{Stored, Stream};
use natter_testkit::Database;
use sqlx::{Connection, PgConnection};

use crate::config::Config;
use crate::error::SessionError;
use crate::fact::{Decoded, Incoming};
use crate::position::Position;
use crate::status::Status;
use crate::writer::Writer;

pub const JANUARY_MS: i64 = 1_767_614_400_000; // 2026-01-05 12:00 UTC
pub const DAY_MS: i64 = 24 * 3600 * 1000;
pub const EPOCH: u64 = 0xfedc_ba98_7654_3210;

/// Where something is said: among people, the one who says it always one of them, or in a room.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    People(&'a [Uid]),
    Room(ConversationId),
}

impl<'a, const N: usize> From<&'a [Uid; N]> for Place<'a> {
    fn from(people: &'a [Uid; N]) -> Self {
        Self::People(people)
    }
}

impl<'a> From<&'a Vec<Uid>> for Place<'a> {
    fn from(people: &'a Vec<Uid>) -> Self {
        Self::People(people)
    }
}

impl<'a> From<&'a [Uid]> for Place<'a> {
    fn from(people: &'a [Uid]) -> Self {
        Self::People(people)
    }
}

impl From<ConversationId> for Place<'_> {
    fn from(room: ConversationId) -> Self {
        Self::Room(room)
    }
}

/// A room as it stands open.
#[derive(Clone)]
pub struct Draft {
    pub name: &'static str,
    pub topic: Option<&'static str>,
    pub visibility: Visibility,
    pub archived: bool,
    pub owners: Vec<Uid>,
    pub bans: Vec<Uid>,
}

impl Draft {
    pub fn new(name: &'static str, visibility: Visibility, owner: &Person) -> Self {
        Self { name, topic: None, visibility, archived: false, owners: vec![owner.uid], bans: vec![] }
    }
}

#[derive(Clone)]
pub struct Person {
    pub uid: Uid,
    pub key_id: KeyId,
    pub key: ContentKey,
}

impl Person {
    pub fn new() -> Self {
        Self { uid: Uid::random(), key_id: KeyId::random(), key: ContentKey::random() }
    }

    pub fn account(&self, handle: &str, at_ms: i64, revocations: Vec<Revocation>) -> Account {
        Account {
            handle: self.key.seal(self.uid, Field::Handle, handle.as_bytes()),
            display_name: Some(self.key.seal(self.uid, Field::DisplayName, handle.to_uppercase().as_bytes())),
            registered_at_ms: at_ms,
            suspended: false,
            revocations,
            blocks: vec![],
        }
    }

    pub fn registered(&self, handle: &str, at_ms: i64) -> Record {
        Record::new(self.uid, UserRegistered { account: self.account(handle, at_ms, vec![]) }).sealed_with(self.key_id)
    }

    pub fn revoked(&self, handle: &str, at_ms: i64, revocations: Vec<Revocation>) -> Record {
        let revocation = revocations.last().expect("a revocation").clone();
        let account = self.account(handle, at_ms, revocations);
        Record::new(self.uid, SessionsRevoked { revocation, account }).sealed_with(self.key_id)
    }

    /// Wants to be shown by this name.
    pub fn is_called(&self, handle: &str, name: Option<&str>) -> Record {
        let display_name = name.map(|name| self.key.seal(self.uid, Field::DisplayName, name.as_bytes()));
        let account = Account { display_name, ..self.account(handle, JANUARY_MS, vec![]) };
        let id = ClientId::at(rand::random_range(1..1 << 40));
        let asks = name.unwrap_or_default().as_bytes();
        let fingerprint = self.key.fingerprint(None, id, Intent::Other { what: "profile", asks });
        Record::new(self.uid, ProfileChanged { account, fingerprint }).answering(id).sealed_with(self.key_id)
    }

    /// Wants a conversation to be treated like this.
    pub fn prefers(&self, conversation: ConversationId, json: &str) -> Record {
        let id = ClientId::at(rand::random_range(1..1 << 40));
        let intent = Intent::Other { what: "prefer", asks: json.as_bytes() };
        let fingerprint = self.key.fingerprint(conversation, id, intent);
        let preferences = self.key.seal(self.uid, Field::Preferences, json.as_bytes());
        Record::new(self.uid, PreferencesChanged { preferences, fingerprint })
            .to(&[self.uid])
            .in_conversation(conversation)
            .answering(id)
            .sealed_with(self.key_id)
    }

    /// Blocks someone, or no longer does; from then on these are blocked.
    pub fn blocks(&self, handle: &str, blocks: &[Uid], user: Uid, blocked: bool) -> Record {
        let account = Account { blocks: blocks.to_vec(), ..self.account(handle, JANUARY_MS, vec![]) };
        let intent = if blocked { Intent::Block { user } } else { Intent::Unblock { user } };
        let id = ClientId::at(rand::random_range(1..1 << 40));
        let fingerprint = self.key.fingerprint(None, id, intent);
        Record::new(self.uid, BlockChanged { user, blocked, account, fingerprint })
            .answering(id)
            .sealed_with(self.key_id)
    }

    pub fn says<'a>(&self, place: impl Into<Place<'a>>, text: &str) -> Record {
        self.says_as(ClientId::at(rand::random_range(1..1 << 40)), place, text)
    }

    pub fn says_as<'a>(&self, id: ClientId, place: impl Into<Place<'a>>, text: &str) -> Record {
        let (conversation, people) = self.in_place(place.into());
        let intent = Intent::Send { text, reply_to: None, thread: None, metadata: None };
        let sent = MessageSent {
            text: self.key.seal(self.uid, Field::Text, text.as_bytes()),
            reply_to: None,
            thread: None,
            mentions: vec![],
            mentions_room: false,
            metadata: None,
            fingerprint: self.key.fingerprint(conversation, id, intent),
        };
        Record::new(self.uid, sent).to(&people).in_conversation(conversation).answering(id).sealed_with(self.key_id)
    }

    pub fn edits<'a>(&self, place: impl Into<Place<'a>>, message: u64, text: &str) -> Record {
        let sealed = self.key.seal(self.uid, Field::Text, text.as_bytes());
        self.changes(place, Intent::Edit { message, text }, |fingerprint| {
            MessageEdited { message, text: sealed, fingerprint }.into()
        })
    }

    pub fn pins<'a>(&self, place: impl Into<Place<'a>>, message: u64) -> Record {
        self.changes(place, Intent::Pin { message }, |fingerprint| MessagePinned { message, fingerprint }.into())
    }

    pub fn unpins<'a>(&self, place: impl Into<Place<'a>>, message: u64) -> Record {
        self.changes(place, Intent::Unpin { message }, |fingerprint| MessageUnpinned { message, fingerprint }.into())
    }

    pub fn deletes<'a>(&self, place: impl Into<Place<'a>>, message: u64) -> Record {
        self.changes(place, Intent::Delete { message }, |fingerprint| MessageDeleted { message, fingerprint }.into())
    }

    pub fn reacts<'a>(&self, place: impl Into<Place<'a>>, message: u64, emoji: &str) -> Record {
        let sealed = self.key.seal(self.uid, Field::Emoji, emoji.as_bytes());
        self.changes(place, Intent::AddReaction { message, emoji }, |fingerprint| {
            ReactionAdded { message, emoji: sealed, fingerprint }.into()
        })
    }

    pub fn unreacts<'a>(&self, place: impl Into<Place<'a>>, message: u64, emoji: &str) -> Record {
        let sealed = self.key.seal(self.uid, Field::Emoji, emoji.as_bytes());
        self.changes(place, Intent::RemoveReaction { message, emoji }, |fingerprint| {
            ReactionRemoved { message, emoji: sealed, fingerprint }.into()
        })
    }

    fn changes<'a>(
        &self,
        place: impl Into<Place<'a>>,
        intent: Intent<'_>,
        event: impl FnOnce(Fingerprint) -> Event,
    ) -> Record {
        let ((conversation, people), id) = (self.in_place(place.into()), ClientId::at(rand::random_range(1..1 << 40)));
        let event = event(self.key.fingerprint(conversation, id, intent));
        Record::new(self.uid, event).to(&people).in_conversation(conversation).answering(id).sealed_with(self.key_id)
    }

    pub fn reads<'a>(&self, place: impl Into<Place<'a>>, read: u64) -> Record {
        self.reads_in(place, None, read)
    }

    /// Has read a thread, or outside of threads.
    pub fn reads_in<'a>(&self, place: impl Into<Place<'a>>, thread: Option<u64>, read: u64) -> Record {
        let place = place.into();
        let (conversation, people) = self.in_place(place);
        let people = if let Place::Room(_) = place { vec![self.uid] } else { people };
        Record::new(self.uid, ReadMarkerMoved { read, thread })
            .to(&people)
            .in_conversation(conversation)
            .answering(ClientId::at(rand::random_range(1..1 << 40)))
    }

    /// The conversation, and whom what is said there is addressed to.
    fn in_place(&self, place: Place<'_>) -> (ConversationId, Vec<Uid>) {
        match place {
            Place::People(people) => {
                let people: Vec<Uid> = people.iter().copied().chain([self.uid]).collect();
                (ConversationId::direct(&people), people)
            }
            Place::Room(room) => (room, Vec::new()),
        }
    }
}

/// Where a record belongs.
pub fn subject(record: &Record) -> Subject {
    let actor = record.envelope.actor;
    match record.event {
        Event::MessageSent(_)
        | Event::MessageEdited(_)
        | Event::MessageDeleted(_)
        | Event::ReactionAdded(_)
        | Event::ReactionRemoved(_)
        | Event::MessagePinned(_)
        | Event::MessageUnpinned(_)
        | Event::ReadMarkerMoved(_)
        | Event::PreferencesChanged(_) => Subject::Messages(actor),
        Event::RoomChanged(_) => Subject::Room(record.envelope.conversation.expect("a room")),
        // Only whoever is the actor: another's place has to be said.
        Event::MembershipChanged(_) => Subject::Rooms(actor),
        Event::UserRegistered(_) | Event::SessionsRevoked(_) | Event::BlockChanged(_) | Event::ProfileChanged(_) => {
            Subject::Account(actor)
        }
        Event::PresenceChanged(_) | Event::ReceivedUpTo(_) => Subject::Presence(actor),
    }
}

/// Events as a log would hold them.
#[derive(Clone, Default)]
pub struct Paper {
    pub events: Vec<Stored>,
    pub now_ms: i64,
    pub keys: HashMap<(Uid, KeyId), ContentKey>,
    /// The rooms that each is in.
    pub rooms: HashMap<Uid, Vec<Membership>>,
}

impl Paper {
    pub fn new(people: &[&Person]) -> Self {
        let keys = people.iter().map(|person| ((person.uid, person.key_id), person.key.clone())).collect();
        Self { events: Vec::new(), now_ms: JANUARY_MS, keys, rooms: HashMap::new() }
    }

    /// A room with a key and nothing else.
    pub fn new_room(&mut self) -> ConversationId {
        let room = ConversationId::from(uuid::Uuid::now_v7());
        self.keys.insert((room.as_owner(), room.key_id()), ContentKey::random());
        room
    }

    /// A room with its owner in it, as one command makes it.
    pub fn create(&mut self, owner: &Person, draft: &Draft) -> ConversationId {
        let room = self.new_room();
        self.member(owner, owner, room, MembershipChange::Joined, Some(Role::Owner));
        self.room(owner, room, RoomChange::Created, draft);
        room
    }

    /// What `user` is in a room becomes this.
    pub fn member(
        &mut self,
        by: &Person,
        user: &Person,
        room: ConversationId,
        change: MembershipChange,
        role: Option<Role>,
    ) -> u64 {
        let record = self.membership(by, user, room, change, role);
        self.append_bytes(&Subject::Rooms(user.uid).to_string(), record.encode())
    }

    /// The event that says so, from which on it is so.
    pub fn membership(
        &mut self,
        by: &Person,
        user: &Person,
        room: ConversationId,
        change: MembershipChange,
        role: Option<Role>,
    ) -> Record {
        let rooms = self.rooms.entry(user.uid).or_default();
        let was_there = rooms.iter().any(|membership| membership.room == room);
        rooms.retain(|membership| membership.room != room);
        rooms.extend(role.map(|role| Membership { room, role, since: None }));
        let id = ClientId::at(rand::random_range(1..1 << 40));
        let fingerprint = Some(by.key.fingerprint(room, id, Intent::Other { what: "member", asks: b"" }));
        let changed = MembershipChanged { change, rooms: rooms.clone(), fingerprint };
        // Whoever neither was nor is there hears nothing of it.
        let people = [user.uid];
        let concerned = was_there || role.is_some();
        Record::new(by.uid, changed).to(if concerned { &people } else { &[] }).in_conversation(room).answering(id)
    }

    pub fn joins(&mut self, user: &Person, room: ConversationId) -> u64 {
        self.member(user, user, room, MembershipChange::Joined, Some(Role::Member))
    }

    pub fn leaves(&mut self, user: &Person, room: ConversationId) -> u64 {
        self.member(user, user, room, MembershipChange::Left, None)
    }

    /// The room becomes this.
    pub fn room(&mut self, by: &Person, room: ConversationId, change: RoomChange, draft: &Draft) -> u64 {
        let record = self.room_changed(by, room, change, draft);
        self.append(&record)
    }

    pub fn room_changed(&self, by: &Person, room: ConversationId, change: RoomChange, draft: &Draft) -> Record {
        let key = &self.keys[&(room.as_owner(), room.key_id())];
        let seal = |field, text: &str| key.seal(room.as_owner(), field, text.as_bytes());
        let id = ClientId::at(rand::random_range(1..1 << 40));
        let fingerprint = Some(by.key.fingerprint(room, id, Intent::Other { what: "room", asks: b"" }));
        let now = Room {
            name: seal(Field::RoomName, draft.name),
            topic: draft.topic.map(|topic| seal(Field::RoomTopic, topic)),
            visibility: draft.visibility,
            public_since: None,
            archived: draft.archived,
            owners: draft.owners.clone(),
            bans: draft.bans.clone(),
        };
        Record::new(by.uid, RoomChanged { change, room: now, fingerprint })
            .in_conversation(room)
            .answering(id)
            .sealed_with(room.key_id())
    }

    /// Deletes a person's key.
    pub fn erase(&mut self, person: &Person) {
        self.keys.remove(&(person.uid, person.key_id));
    }

    pub fn append(&mut self, record: &Record) -> u64 {
        self.append_bytes(&subject(record).to_string(), record.encode())
    }

    /// Appends any bytes on any subject, a second after the last.
    pub fn append_bytes(&mut self, subject: &str, payload: Bytes) -> u64 {
        let seq = self.events.len() as u64 + 1;
        self.now_ms += 1_000;
        let time_ms = self.now_ms;
        self.events.push(Stored { seq, subject: subject.into(), time_ms, payload, message_id: None });
        seq
    }

    /// What the projector makes of the events after `after`.
    pub fn read(&self, stream: Stream, after: u64) -> Vec<Incoming> {
        let events = self.events.iter().filter(|stored| stored.seq > after).cloned();
        let decoded = events.map(|stored| Decoded::read(stream, stored).expect("no later version"));
        decoded
            .map(|event| {
                let key = event.key().and_then(|name| self.keys.get(&name));
                event.open(key)
            })
            .collect()
    }
}

/// A migrated database of a test's own.
pub async fn database() -> Database {
    Database::fresh(|url: String| async move { natter_migrations::migrate(&url).await.map(drop) }).await
}

/// Writes to a database without being the active projector.
pub async fn writer(config: Config, stream: Stream) -> Writer {
    let mut connection = PgConnection::connect(&config.database_url).await.expect("a connection");
    let position = Position::load(&mut connection, stream, EPOCH).await.expect("a position");
    Writer::new(connection, config, Status::default(), stream, position).await.expect("a writer")
}

/// Applies what of the paper is not yet applied, in batches of `sizes`, over and over.
pub async fn project(paper: &Paper, config: Config, sizes: &[usize]) -> Result<(), SessionError> {
    let mut writer = writer(config, Stream::Chat).await;
    let mut events = paper.read(Stream::Chat, writer.position().seq);
    for size in sizes.iter().cycle() {
        if events.is_empty() {
            break;
        }
        let rest = events.split_off((*size).clamp(1, events.len()));
        writer.apply(std::mem::replace(&mut events, rest)).await?;
    }
    Ok(())
}

/// Applies all of the paper to a database of its own.
pub async fn projected(paper: &Paper, sizes: &[usize]) -> Database {
    let database = database().await;
    project(paper, Config::new(database.url()), sizes).await.expect("applied");
    database
}
