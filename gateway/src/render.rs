//! From an event of the log to the frame that clients get. Stored events are never sent as they are (D11): sealed text is
//! opened, and opaque ids become handles.

use bytes::Bytes;
use natter_events::{Event, Field, MessageSent, Record, Uid};
use natter_log::BucketError;
use natter_protocol::frame::{Marker, Message};
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

/// The frame of an event, if it is for clients.
pub async fn render(gateway: &Gateway, entry: &Entry) -> Result<Option<ServerFrame>, RenderError> {
    if !matches!(entry.kind, Kind::Message | Kind::Marker) {
        return Ok(None);
    }
    let (Ok(record), Some(conversation)) = (Record::decode(&entry.record), entry.conversation) else {
        tracing::error!(seq = entry.seq, "an event does not decode; it is shown to nobody");
        return Ok(None);
    };
    let position = entry.position(gateway.feed.epoch());
    match &record.event {
        Event::MessageSent(message) => {
            let Some(id) = entry.id else { return Ok(None) };
            let opened = open(gateway, entry, &record, message).await?;
            let mut participants = Vec::with_capacity(entry.to.len());
            for uid in &entry.to {
                participants.push(handle(gateway, *uid).await?);
            }
            participants.sort_unstable();
            Ok(Some(ServerFrame::Message(Message {
                seq: entry.seq,
                position,
                conversation,
                participants: Some(participants),
                sender: handle(gateway, entry.actor).await?,
                id,
                text: opened.text,
                reply_to: message.reply_to,
                mentions: Vec::new(),
                metadata: opened.metadata,
                at: entry.at,
            })))
        }
        Event::ReadMarkerMoved(marker) => Ok(Some(ServerFrame::Marker(Marker {
            seq: entry.seq,
            position,
            conversation,
            user: handle(gateway, entry.actor).await?,
            read: marker.read,
            at: entry.at,
        }))),
        _ => Ok(None),
    }
}

/// Where a session is complete up to, as its clients are told.
pub fn position(gateway: &Gateway, place: crate::feed::Place) -> Position {
    Position { epoch: gateway.feed.epoch(), seq: place.seq, tag: place.tag }
}

#[derive(Default)]
struct Opened {
    text: String,
    metadata: Option<serde_json::Value>,
}

/// Opens what the author wrote. With the author's key gone, it was forgotten: nothing of it is shown (D13).
async fn open(gateway: &Gateway, entry: &Entry, record: &Record, message: &MessageSent) -> Result<Opened, RenderError> {
    let Some(key_id) = record.envelope.key else { return Ok(Opened::default()) };
    let Some(key) = gateway.keys.get(entry.actor, key_id).await? else { return Ok(Opened::default()) };
    let Ok(text) = key.open_text(entry.actor, Field::Text, &message.text) else {
        tracing::error!(seq = entry.seq, "sealed text does not open; is the master key the right one?");
        return Ok(Opened::default());
    };
    let metadata = message.metadata.as_ref().and_then(|sealed| {
        let bytes = key.open(entry.actor, Field::Metadata, sealed).ok()?;
        serde_json::from_slice(&bytes).ok()
    });
    Ok(Opened { text, metadata })
}

async fn handle(gateway: &Gateway, uid: Uid) -> Result<Handle, RenderError> {
    Ok(gateway.accounts.directory.handle(uid).await?.unwrap_or_else(Handle::erased))
}
