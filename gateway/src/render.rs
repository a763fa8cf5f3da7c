//! From an event of the log to the frame that clients get. Stored events are never sent as they are (D11): sealed text is
//! opened, and opaque ids become handles.

use bytes::Bytes;
use natter_events::{
    ContentKey, Event, Field, MessageDeleted, MessageEdited, ReactionAdded, ReactionRemoved, ReadMarkerMoved, Record,
    Sealed, Uid,
};
use natter_log::BucketError;
use natter_protocol::frame::{Blocked, Deleted, Edited, Marker, Message, Reaction, ReactionOp};
use natter_protocol::{Encoding, Handle, Position, ServerFrame};

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
        Kind::Message | Kind::Edit | Kind::Deletion | Kind::Reaction | Kind::Marker => {}
    }
    let (Ok(record), Some(conversation)) = (Record::decode(&entry.record), entry.conversation) else {
        tracing::error!(seq = entry.seq, "an event does not decode; it is shown to nobody");
        return Ok(None);
    };
    let (seq, position, at) = (entry.seq, entry.position(gateway.feed.epoch()), entry.at);
    if let Event::ReadMarkerMoved(ReadMarkerMoved { read }) = record.event {
        let user = handle(gateway, entry.actor).await?;
        return Ok(Some(ServerFrame::Marker(Marker { seq, position, conversation, user, read, at })));
    }
    let Some(id) = entry.id else { return Ok(None) };
    let author = Author::of(gateway, entry, &record).await?;
    let frame = match &record.event {
        Event::MessageSent(message) => {
            let mut participants = Vec::with_capacity(entry.to.len());
            for uid in &entry.to {
                participants.push(handle(gateway, *uid).await?);
            }
            participants.sort_unstable();
            ServerFrame::Message(Message {
                seq,
                position,
                conversation,
                participants: Some(participants),
                text: author.text(Field::Text, &message.text),
                metadata: message.metadata.as_ref().and_then(|sealed| author.json(sealed)),
                sender: author.handle,
                id,
                reply_to: message.reply_to,
                mentions: Vec::new(),
                at,
            })
        }
        Event::MessageEdited(MessageEdited { message, text, .. }) => {
            let (message, text, by) = (*message, author.text(Field::Text, text), author.handle);
            ServerFrame::Edited(Edited { seq, position, conversation, message, by, id, text, at })
        }
        Event::MessageDeleted(MessageDeleted { message, .. }) => {
            let (message, by) = (*message, author.handle);
            ServerFrame::Deleted(Deleted { seq, position, conversation, message, by, id, at })
        }
        Event::ReactionAdded(ReactionAdded { message, emoji, .. })
        | Event::ReactionRemoved(ReactionRemoved { message, emoji, .. }) => {
            let op = match record.event {
                Event::ReactionAdded(_) => ReactionOp::Add,
                _ => ReactionOp::Remove,
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

/// What the owner of an account gets of a change of it: whom they block. The rest is not for clients.
async fn account(gateway: &Gateway, entry: &Entry) -> Result<Option<ServerFrame>, RenderError> {
    let Some(id) = entry.id else { return Ok(None) };
    let Ok(Record { event: Event::BlockChanged(change), .. }) = Record::decode(&entry.record) else { return Ok(None) };
    Ok(Some(ServerFrame::Block(Blocked {
        seq: entry.seq,
        position: entry.position(gateway.feed.epoch()),
        user: handle(gateway, change.user).await?,
        blocked: change.blocked,
        id,
        at: entry.at,
    })))
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

    fn json(&self, sealed: &Sealed) -> Option<serde_json::Value> {
        let bytes = self.key.as_ref()?.open(self.uid, Field::Metadata, sealed).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

async fn handle(gateway: &Gateway, uid: Uid) -> Result<Handle, RenderError> {
    Ok(gateway.accounts.directory.handle(uid).await?.unwrap_or_else(Handle::erased))
}
