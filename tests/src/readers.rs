//! The readers that are no sockets: the raw stream, SQL, pages from beginning to end, and `/history/changes`.

use std::collections::HashMap;
use std::time::Duration;

use futures::TryStreamExt;
use natter_client::{ClientId, ConversationId, Handle, MessageItem, Page, Position};
use natter_events::{Event, Record, Tag, Uid};
use natter_log::{Log, Stream};
use natter_protocol::ServerFrame;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::people::Person;
use crate::record::{Device, Heard, Item, Kind, Note, Reading, Said, of_message, pin, reaction, said};
use crate::wait::until;

const RANGE_EVENTS: usize = 1_000;
const RANGE_BYTES: usize = 8 << 20;
/// Longest that the projector may need for what is left when everything works.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(120);

/// An event as it is stored.
#[derive(Debug, Clone)]
pub struct Raw {
    pub seq: u64,
    pub at_ms: i64,
    pub tag: Tag,
    /// On whose subject it stands: of a membership, who it is about.
    pub subject: Option<natter_events::Subject>,
    pub actor: Uid,
    pub id: Option<ClientId>,
    pub conversation: Option<ConversationId>,
    pub to: Vec<Uid>,
    pub event: Event,
}

/// The raw stream, all of it.
pub async fn raw(log: &Log) -> Vec<Raw> {
    let mut events: Vec<Raw> = Vec::new();
    loop {
        let after = events.last().map_or(0, |last| last.seq);
        let range = log.range(Stream::Chat, after, RANGE_EVENTS, RANGE_BYTES).await;
        let range = range.unwrap_or_else(|error| panic!("the stream can't be read: {error}"));
        if range.is_empty() {
            return events;
        }
        for stored in range {
            let tag = stored.tag();
            let record = Record::decode(&stored.payload);
            let Record { envelope, event } = record.unwrap_or_else(|error| panic!("event {}: {error}", stored.seq));
            events.push(Raw {
                seq: stored.seq,
                at_ms: stored.time_ms,
                tag,
                subject: natter_events::Subject::parse(&stored.subject),
                actor: envelope.actor,
                id: envelope.id,
                conversation: envelope.conversation,
                to: envelope.addressees().collect(),
                event,
            });
        }
    }
}

/// A message in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub seq: u64,
    pub conversation: ConversationId,
    pub sender: Uid,
    pub id: ClientId,
    pub deleted: bool,
    pub said: Said,
}

/// What PostgreSQL holds, when it is complete up to `head`.
pub struct Tables {
    pub messages: Vec<Row>,
    pub people: HashMap<Handle, Uid>,
    /// Events that the projector could not read, or that wait behind one.
    pub dead_letters: i64,
}

pub async fn sql(url: &str, head: u64) -> Tables {
    let position = || async {
        let mut connection = PgConnection::connect(url).await.map_err(|error| error.to_string())?;
        let seq: Result<i64, _> =
            sqlx::query_scalar("select seq from projector where name = 'chat'").fetch_one(&mut connection).await;
        match seq.map(i64::cast_unsigned) {
            Ok(seq) if seq >= head => Ok::<_, String>(seq),
            other => Err(format!("{other:?} of {head}")),
        }
    };
    until("the projector has reached the end of the log", CATCH_UP_LIMIT, position).await;
    let read = async || -> Result<Tables, sqlx::Error> {
        let mut connection = PgConnection::connect(url).await?;
        let rows: Vec<(i64, Uuid, Uuid, Uuid, bool, Option<String>)> = sqlx::query_as(
            "select seq, conversation, sender, id, deleted_seq is not null, text from messages order by seq",
        )
        .fetch_all(&mut connection)
        .await?;
        let messages = rows.into_iter().map(|(seq, conversation, sender, id, deleted, text)| Row {
            seq: seq.cast_unsigned(),
            conversation: ConversationId::from_bytes(conversation.into_bytes()),
            sender: Uid::from_bytes(sender.into_bytes()),
            id: ClientId::from_bytes(id.into_bytes()),
            deleted,
            said: said(&text.unwrap_or_default()),
        });
        let people: Vec<(String, Uuid)> =
            sqlx::query_as("select handle, uid from users where handle is not null").fetch_all(&mut connection).await?;
        let people = people
            .into_iter()
            .filter_map(|(handle, uid)| Some((handle.parse().ok()?, Uid::from_bytes(uid.into_bytes()))));
        let dead_letters = sqlx::query_scalar("select count(*) from dead_letters").fetch_one(&mut connection).await?;
        Ok(Tables { messages: messages.collect(), people: people.collect(), dead_letters })
    };
    read().await.unwrap_or_else(|error| panic!("the tables can't be read: {error}"))
}

/// Everything that somebody may read of a conversation, page by page; outside of threads. None where they may not.
pub async fn pages(person: &Person, conversation: ConversationId, at_least: Position) -> Option<Vec<Item>> {
    let history = natter_client::History::of(&person.session);
    let history = history.unwrap_or_else(|error| panic!("no history: {error}")).at_least(at_least);
    let mut pages = history.messages(conversation);
    let mut items = Vec::new();
    loop {
        match pages.next_page().await {
            Ok(Some(page)) => items.extend(newest_first(&page)),
            Ok(None) => return Some(items),
            Err(error) if !error.is_temporary() => return None,
            Err(error) => panic!("{} can't read {conversation}: {error}", person.handle),
        }
    }
}

/// The items of a page, which come in the order in which they were said.
pub fn newest_first(page: &Page<MessageItem>) -> impl Iterator<Item = Item> + '_ {
    let item = |item: &MessageItem| Item { seq: item.seq, id: item.id, deleted: item.deleted, said: said(&item.text) };
    page.items.iter().rev().map(item)
}

/// What `/history/changes` tells somebody of what came after `since`.
pub async fn changes(person: &Person, since: Position, head: Position) -> Reading {
    let history = natter_client::History::of(&person.session);
    let history = history.unwrap_or_else(|error| panic!("no history: {error}")).at_least(head);
    let frames: Result<Vec<ServerFrame>, _> = history.changes(since).items().try_collect().await;
    let frames = frames.unwrap_or_else(|error| panic!("{} can't read changes: {error}", person.handle));
    let mut notes = vec![Note::Reset(since.seq)];
    notes.extend(frames.iter().filter_map(heard).map(Note::Heard));
    notes.push(Note::Complete(head.seq));
    Reading { person: person.number, device: Device::Changes, notes, ended: Duration::MAX }
}

fn heard(frame: &ServerFrame) -> Option<Heard> {
    let heard = |seq, kind, id, said| Some(Heard { seq, kind, id, said });
    match frame {
        ServerFrame::Message(event) => heard(event.seq, Kind::Message, Some(event.id), said(&event.text)),
        ServerFrame::Edited(event) => heard(event.seq, Kind::Edited, Some(event.id), said(&event.text)),
        ServerFrame::Deleted(event) => heard(event.seq, Kind::Deleted, Some(event.id), of_message(event.message)),
        ServerFrame::Reaction(event) => {
            heard(event.seq, Kind::Reaction, Some(event.id), reaction(event.message, &event.emoji, event.op))
        }
        ServerFrame::Pin(event) => heard(event.seq, Kind::Pin, Some(event.id), pin(event.message, event.op)),
        ServerFrame::Member(event) => heard(event.seq, Kind::Member, event.id, None),
        ServerFrame::Room(event) => heard(event.seq, Kind::Room, event.id, None),
        ServerFrame::Block(event) => heard(event.seq, Kind::Block, Some(event.id), None),
        ServerFrame::Profile(event) => heard(event.seq?, Kind::Profile, event.id, None),
        ServerFrame::Preferences(event) => heard(event.seq, Kind::Preferences, Some(event.id), None),
        ServerFrame::Marker(event) => heard(event.seq, Kind::Marker, None, None),
        _ => None,
    }
}
