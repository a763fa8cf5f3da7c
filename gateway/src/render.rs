//! From an event of the log to the frame that clients get. Stored events are never sent as they are (D11): sealed text is
//! opened, and opaque ids become handles.

use bytes::Bytes;
use natter_events::{
    ContentKey, Event, Field, MembershipChanged, MessageDeleted, MessageEdited, MessagePinned, MessageUnpinned,
    PreferencesChanged, ReactionAdded, ReactionRemoved, ReadMarkerMoved, Record, RoomChange, RoomChanged, Sealed,
    Subject, Uid,
};
use natter_log::BucketError;
use natter_protocol::frame::{
    Blocked, Deleted, Edited, Marker, Member, MemberChange, Message, Pinned, Preferred, Profile, Reaction, Room, Toggle,
};
use natter_protocol::{Encoding, Handle, Position, ServerFrame};
use serde::de::DeserializeOwned;

use crate::Gateway;
use crate::feed::{Entry, Kind};

/// A frame could not be made now; nothing may be skipped, so the session has to wait or end.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("a key or a name could not be read")]
    Bucket(#[from] BucketError),
    #[error("a content key could not be read")]
    Key(#[from] natter_log::KeyError),
}

/// The bytes that clients get of an event: made once per encoding. Empty for what is not for clients.
pub async fn frame(gateway: &Gateway, entry: &Entry, encoding: Encoding) -> Result<Bytes, RenderError> {
    let made = entry.frame(encoding).get_or_try_init(async || {
        let frame = render(gateway, entry).await?;
        Ok::<_, RenderError>(frame.map_or_else(Bytes::new, |frame| encoding.encode(&frame)))
    });
    made.await.cloned()
}

/// The bytes of an event whose text was deleted since: what it said is told to nobody any more.
pub async fn unsaid(gateway: &Gateway, entry: &Entry, encoding: Encoding) -> Result<Bytes, RenderError> {
    let frame = match render(gateway, entry).await? {
        Some(ServerFrame::Message(message)) => {
            ServerFrame::Message(Message { text: String::new(), metadata: None, ..message })
        }
        Some(ServerFrame::Edited(edited)) => ServerFrame::Edited(Edited { text: String::new(), ..edited }),
        Some(other) => other,
        None => return Ok(Bytes::new()),
    };
    Ok(encoding.encode(&frame))
}

/// The frame of an event, if it is for clients.
pub async fn render(gateway: &Gateway, entry: &Entry) -> Result<Option<ServerFrame>, RenderError> {
    match entry.kind {
        Kind::Silent => return Ok(None),
        Kind::Account => return account(gateway, entry).await,
        Kind::Membership | Kind::Room => return room(gateway, entry).await,
        Kind::Message | Kind::Edit | Kind::Deletion | Kind::Reaction | Kind::Pin | Kind::Marker | Kind::Preferences => {
        }
    }
    let (Ok(record), Some(conversation)) = (Record::decode(&entry.record), entry.conversation) else {
        tracing::error!(seq = entry.seq, "an event does not decode; it is shown to nobody");
        return Ok(None);
    };
    let (seq, position, at) = (entry.seq, entry.position(gateway.feed.epoch()), entry.at);
    if let Event::ReadMarkerMoved(ReadMarkerMoved { read, thread }) = record.event {
        let user = handle(gateway, entry.actor).await?;
        return Ok(Some(ServerFrame::Marker(Marker { seq, position, conversation, user, read, thread, at })));
    }
    let Some(id) = entry.id else { return Ok(None) };
    let author = Author::of(gateway, entry, &record).await?;
    let frame = match &record.event {
        Event::MessageSent(message) => {
            let mut participants = handles(gateway, &entry.to).await?;
            participants.sort_unstable();
            ServerFrame::Message(Message {
                seq,
                position,
                conversation,
                participants: conversation.is_direct().then_some(participants),
                text: author.text(Field::Text, &message.text),
                metadata: message.metadata.as_ref().and_then(|sealed| author.json(Field::Metadata, sealed)),
                sender: author.handle,
                id,
                reply_to: message.reply_to,
                thread: message.thread,
                mentions: handles(gateway, &message.mentions).await?,
                mentions_room: message.mentions_room,
                at,
            })
        }
        Event::PreferencesChanged(PreferencesChanged { preferences, .. }) => {
            let Some(preferences) = author.json(Field::Preferences, preferences) else { return Ok(None) };
            ServerFrame::Preferences(Preferred { seq, position, conversation, id, preferences, at })
        }
        Event::MessageEdited(MessageEdited { message, text, .. }) => {
            let (message, text, by) = (*message, author.text(Field::Text, text), author.handle);
            ServerFrame::Edited(Edited { seq, position, conversation, message, by, id, text, at })
        }
        Event::MessageDeleted(MessageDeleted { message, .. }) => {
            let (message, by) = (*message, author.handle);
            ServerFrame::Deleted(Deleted { seq, position, conversation, message, by, id, at })
        }
        Event::MessagePinned(MessagePinned { message, .. })
        | Event::MessageUnpinned(MessageUnpinned { message, .. }) => {
            let op = if let Event::MessagePinned(_) = record.event { Toggle::Add } else { Toggle::Remove };
            let (message, by) = (*message, author.handle);
            ServerFrame::Pin(Pinned { seq, position, conversation, message, by, id, op, at })
        }
        Event::ReactionAdded(ReactionAdded { message, emoji, .. })
        | Event::ReactionRemoved(ReactionRemoved { message, emoji, .. }) => {
            let op = match record.event {
                Event::ReactionAdded(_) => Toggle::Add,
                _ => Toggle::Remove,
            };
            let (message, emoji, user) = (*message, author.text(Field::Emoji, emoji), author.handle);
            if emoji.is_empty() {
                return Ok(None);
            }
            ServerFrame::Reaction(Reaction { seq, position, conversation, message, user, id, emoji, op, at })
        }
        _ => return Ok(None),
    };
    Ok(Some(frame))
}

/// What the owner of an account gets of a change of it: whom they block, and how they want to be shown. The rest is not for
/// clients.
async fn account(gateway: &Gateway, entry: &Entry) -> Result<Option<ServerFrame>, RenderError> {
    let (Some(id), Ok(record)) = (entry.id, Record::decode(&entry.record)) else { return Ok(None) };
    let (seq, position, at) = (entry.seq, entry.position(gateway.feed.epoch()), entry.at);
    match &record.event {
        Event::BlockChanged(change) => {
            let (user, blocked) = (handle(gateway, change.user).await?, change.blocked);
            Ok(Some(ServerFrame::Block(Blocked { seq, position, user, blocked, id, at })))
        }
        Event::ProfileChanged(_) => {
            let frame = profile(gateway, entry, &record).await?;
            Ok(frame.map(|profile| {
                ServerFrame::Profile(Profile { seq: Some(seq), position: Some(position), id: Some(id), ..profile })
            }))
        }
        _ => Ok(None),
    }
}

/// What those who watch somebody get of a change of their profile.
pub async fn profile(gateway: &Gateway, entry: &Entry, record: &Record) -> Result<Option<Profile>, RenderError> {
    let Event::ProfileChanged(change) = &record.event else { return Ok(None) };
    let author = Author::of(gateway, entry, record).await?;
    let name = change.account.display_name.as_ref().map(|name| author.text(Field::DisplayName, name));
    let display_name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| author.handle.to_string());
    Ok(Some(Profile { seq: None, position: None, user: author.handle, display_name, id: None, at: entry.at }))
}

/// What the members of a room get of a change of it, or of who is in it.
async fn room(gateway: &Gateway, entry: &Entry) -> Result<Option<ServerFrame>, RenderError> {
    let (Ok(record), Some(conversation)) = (Record::decode(&entry.record), entry.conversation) else {
        tracing::error!(seq = entry.seq, "an event of a room does not decode; it is shown to nobody");
        return Ok(None);
    };
    let (seq, position, at) = (entry.seq, entry.position(gateway.feed.epoch()), entry.at);
    let (by, id) = (handle(gateway, entry.actor).await?, entry.id);
    let member = async |user, change, role| {
        let user = handle(gateway, user).await?;
        Ok(Some(ServerFrame::Member(Member {
            seq,
            position,
            conversation,
            user,
            change,
            role,
            by: by.clone(),
            id,
            at,
        })))
    };
    match (&record.event, entry.state) {
        (Event::MembershipChanged(changed), Some(Subject::Rooms(user))) => {
            let MembershipChanged { change, .. } = changed;
            member(user, (*change).into(), changed.role_in(conversation)).await
        }
        (Event::RoomChanged(RoomChanged { change: RoomChange::Unbanned(user), .. }), _) => {
            member(*user, MemberChange::Unbanned, None).await
        }
        // The banned one's own event tells it.
        (Event::RoomChanged(RoomChanged { change: RoomChange::Banned(_), .. }), _) => Ok(None),
        (Event::RoomChanged(RoomChanged { room, .. }), _) => {
            let key = gateway.keys.get(conversation.as_owner(), conversation.key_id()).await?;
            let open = |field, sealed: &Sealed| key.as_ref()?.open_text(conversation.as_owner(), field, sealed).ok();
            Ok(Some(ServerFrame::Room(Room {
                seq,
                position,
                conversation,
                name: open(Field::RoomName, &room.name).unwrap_or_default(),
                topic: room.topic.as_ref().and_then(|topic| open(Field::RoomTopic, topic)),
                visibility: room.visibility,
                archived: room.archived,
                owners: handles(gateway, &room.owners).await?,
                by: by.clone(),
                id,
                at,
            })))
        }
        _ => Ok(None),
    }
}

/// Where a session is complete up to, as its clients are told.
pub fn position(gateway: &Gateway, place: crate::feed::Place) -> Position {
    Position { epoch: gateway.feed.epoch(), seq: place.seq, tag: place.tag }
}

/// Whoever did it, and what opens what they wrote. With their key gone it was forgotten, and nothing of it is shown (D13).
struct Author {
    uid: Uid,
    handle: Handle,
    key: Option<ContentKey>,
    seq: u64,
}

impl Author {
    async fn of(gateway: &Gateway, entry: &Entry, record: &Record) -> Result<Self, RenderError> {
        let key = match record.envelope.key {
            Some(key) => gateway.keys.get(entry.actor, key).await?,
            None => None,
        };
        Ok(Self { uid: entry.actor, handle: handle(gateway, entry.actor).await?, key, seq: entry.seq })
    }

    fn text(&self, field: Field, sealed: &Sealed) -> String {
        let Some(key) = &self.key else { return String::new() };
        key.open_text(self.uid, field, sealed).unwrap_or_else(|_| {
            tracing::error!(seq = self.seq, "sealed text does not open; is the master key the right one?");
            String::new()
        })
    }

    fn json<T: DeserializeOwned>(&self, field: Field, sealed: &Sealed) -> Option<T> {
        let bytes = self.key.as_ref()?.open(self.uid, field, sealed).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

async fn handles(gateway: &Gateway, people: &[Uid]) -> Result<Vec<Handle>, RenderError> {
    let mut handles = Vec::with_capacity(people.len());
    for uid in people {
        handles.push(handle(gateway, *uid).await?);
    }
    Ok(handles)
}

async fn handle(gateway: &Gateway, uid: Uid) -> Result<Handle, RenderError> {
    Ok(gateway.accounts.directory.handle(uid).await?.unwrap_or_else(Handle::erased))
}
