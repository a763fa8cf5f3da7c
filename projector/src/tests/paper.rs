//! A log on paper: events at any time, applied to a real database without a broker.

use std::collections::HashMap;

use bytes::Bytes;
use natter_events::{
    Account, BlockChanged, ClientId, ContentKey, ConversationId, Event, Field, Fingerprint, Intent, KeyId,
    MessageDeleted, MessageEdited, MessageSent, ReactionAdded, ReactionRemoved, ReadMarkerMoved, Record, Revocation,
    SessionsRevoked, Subject, Uid, UserRegistered,
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

    pub fn says(&self, people: &[Uid], text: &str) -> Record {
        self.says_as(ClientId::at(rand::random_range(1..1 << 40)), people, text)
    }

    pub fn says_as(&self, id: ClientId, people: &[Uid], text: &str) -> Record {
        let people = self.with(people);
        let conversation = ConversationId::direct(&people);
        let sent = MessageSent {
            text: self.key.seal(self.uid, Field::Text, text.as_bytes()),
            reply_to: None,
            metadata: None,
            fingerprint: self.key.fingerprint(conversation, id, Intent::Send { text, reply_to: None, metadata: None }),
        };
        Record::new(self.uid, sent).to(&people).in_conversation(conversation).answering(id).sealed_with(self.key_id)
    }

    pub fn edits(&self, people: &[Uid], message: u64, text: &str) -> Record {
        let sealed = self.key.seal(self.uid, Field::Text, text.as_bytes());
        self.changes(people, Intent::Edit { message, text }, |fingerprint| {
            MessageEdited { message, text: sealed, fingerprint }.into()
        })
    }

    pub fn deletes(&self, people: &[Uid], message: u64) -> Record {
        self.changes(people, Intent::Delete { message }, |fingerprint| MessageDeleted { message, fingerprint }.into())
    }

    pub fn reacts(&self, people: &[Uid], message: u64, emoji: &str) -> Record {
        let sealed = self.key.seal(self.uid, Field::Emoji, emoji.as_bytes());
        self.changes(people, Intent::AddReaction { message, emoji }, |fingerprint| {
            ReactionAdded { message, emoji: sealed, fingerprint }.into()
        })
    }

    pub fn unreacts(&self, people: &[Uid], message: u64, emoji: &str) -> Record {
        let sealed = self.key.seal(self.uid, Field::Emoji, emoji.as_bytes());
        self.changes(people, Intent::RemoveReaction { message, emoji }, |fingerprint| {
            ReactionRemoved { message, emoji: sealed, fingerprint }.into()
        })
    }

    fn changes(&self, people: &[Uid], intent: Intent<'_>, event: impl FnOnce(Fingerprint) -> Event) -> Record {
        let people = self.with(people);
        let (conversation, id) = (ConversationId::direct(&people), ClientId::at(rand::random_range(1..1 << 40)));
        let event = event(self.key.fingerprint(conversation, id, intent));
        Record::new(self.uid, event).to(&people).in_conversation(conversation).answering(id).sealed_with(self.key_id)
    }

    pub fn reads(&self, people: &[Uid], read: u64) -> Record {
        let people = self.with(people);
        Record::new(self.uid, ReadMarkerMoved { read })
            .to(&people)
            .in_conversation(ConversationId::direct(&people))
            .answering(ClientId::at(rand::random_range(1..1 << 40)))
    }

    fn with(&self, people: &[Uid]) -> Vec<Uid> {
        people.iter().copied().chain([self.uid]).collect()
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
        | Event::ReadMarkerMoved(_) => Subject::Messages(actor),
        Event::UserRegistered(_) | Event::SessionsRevoked(_) | Event::BlockChanged(_) => Subject::Account(actor),
        Event::PresenceChanged(_) | Event::ReceivedUpTo(_) => Subject::Presence(actor),
    }
}

/// Events as a log would hold them.
#[derive(Clone, Default)]
pub struct Paper {
    pub events: Vec<Stored>,
    pub now_ms: i64,
    pub keys: HashMap<(Uid, KeyId), ContentKey>,
}

impl Paper {
    pub fn new(people: &[&Person]) -> Self {
        let keys = people.iter().map(|person| ((person.uid, person.key_id), person.key.clone())).collect();
        Self { events: Vec::new(), now_ms: JANUARY_MS, keys }
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
