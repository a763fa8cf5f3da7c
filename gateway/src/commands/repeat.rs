//! One id, one answer (CMD2, CMD3): what a repeated command is told, and how one is told from another command under a used
//! id.

use std::sync::Arc;

use natter_events::{ClientId, ConversationId, Event, Fingerprint, Record};
use natter_log::{Appended, Stream};
use natter_planted::Bug;
use natter_protocol::ErrorCode;

use super::{Caller, Done, Refused};
use crate::Gateway;
use crate::feed::Entry;
use crate::idempotency::{Freshness, WINDOW_MS, freshness};

/// What a command asks for, as far as a stored event tells it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A command that is told by its fingerprint: all but markers.
    Printed(Fingerprint),
    Marker {
        conversation: ConversationId,
        read: u64,
        thread: Option<u64>,
    },
}

impl Body {
    /// Whether a command that asks for this made the event. A marker's event may cover more than was asked for.
    pub fn made(self, entry: &Entry) -> bool {
        let Ok(record) = Record::decode(&entry.record) else { return false };
        match (self, record.event) {
            (Self::Printed(print), Event::MessageSent(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::MessageEdited(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::MessageDeleted(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::ReactionAdded(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::ReactionRemoved(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::MessagePinned(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::MessageUnpinned(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::BlockChanged(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::ProfileChanged(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::PreferencesChanged(stored)) => stored.fingerprint == print,
            (Self::Printed(print), Event::MembershipChanged(stored)) => stored.fingerprint == Some(print),
            (Self::Printed(print), Event::RoomChanged(stored)) => stored.fingerprint == Some(print),
            (Self::Marker { conversation, read, thread }, Event::ReadMarkerMoved(stored)) => {
                entry.conversation == Some(conversation) && stored.thread == thread && stored.read >= read
            }
            _ => false,
        }
    }
}

/// A command that was stored before.
pub struct Known {
    done: Done,
    stored: StoredAs,
}

enum StoredAs {
    Event(Arc<Entry>),
    /// As history tells it: by its fingerprint; a marker, which has none, only by where it belongs.
    History(Option<Fingerprint>),
}

impl Known {
    /// The answer to a command under the same id.
    pub fn answer(self, body: Body) -> Result<Done, Refused> {
        let same = match (&self.stored, body) {
            (StoredAs::Event(entry), body) => body.made(entry),
            (StoredAs::History(stored), Body::Printed(fingerprint)) => *stored == Some(fingerprint),
            (StoredAs::History(stored), Body::Marker { conversation, .. }) => {
                stored.is_none() && self.done.conversation == Some(conversation)
            }
        };
        if same || Bug::IgnoreConflict.is_planted() { Ok(self.done) } else { Err(conflict()) }
    }
}

/// The event that the caller's id made before, if there is one.
pub async fn known(gateway: &Gateway, caller: &Caller, id: ClientId) -> Result<Option<Known>, Refused> {
    let now_ms = gateway.clock.now_ms();
    let freshness = freshness(id, now_ms);
    if freshness == Freshness::Timeless {
        return Err(Refused::new(ErrorCode::Invalid, "`id` is not a UUIDv7"));
    }
    if let Some(known) = known_by_now(gateway, caller, id) {
        return Ok(Some(known));
    }
    if freshness == Freshness::Fresh || Bug::ForgetOldIds.is_planted() {
        return Ok(None);
    }
    let window_ago = i64::try_from(now_ms).unwrap_or(i64::MAX) - WINDOW_MS;
    let at_least = crate::render::position(gateway, gateway.feed.tail.place_at(window_ago));
    let stored = gateway.lookup.command(&caller.token, id, at_least).await.map_err(|error| {
        tracing::warn!(error = &*natter_platform::error::chain(&error), "an old id can't be looked up");
        Refused::not_now("this id is not fresh, and history can't be asked now whether it was used")
    })?;
    Ok(stored.map(|stored| Known {
        done: Done {
            seq: stored.seq,
            conversation: stored.conversation,
            at: Some(stored.at),
            duplicate: true,
            refused: None,
        },
        stored: StoredAs::History(stored.fingerprint.as_deref().and_then(parse_fingerprint)),
    }))
}

/// The same for a command that has been refused meanwhile: its first try may have come by the feed since it was asked for,
/// and be the very reason (CMD3).
pub fn known_by_now(gateway: &Gateway, caller: &Caller, id: ClientId) -> Option<Known> {
    if Bug::StoreTwice.is_planted() {
        return None;
    }
    let entry = gateway.feed.tail.by_command(caller.uid, id)?;
    Some(Known { done: done(&entry), stored: StoredAs::Event(entry) })
}

/// What a command is answered whose event is there already: a repeat that the broker recognised, for one. The stored event
/// says whether it was the same command.
pub async fn settle(gateway: &Gateway, appended: Appended, body: Body) -> Result<Done, Refused> {
    gateway.feed.reaches(appended.seq, gateway.config.feed_timeout).await;
    let entry = match gateway.feed.tail.get(appended.seq) {
        Some(entry) => entry,
        None => {
            let stored = gateway.log.get(Stream::Chat, appended.seq).await?;
            let entry = stored.and_then(|stored| Entry::new(stored).ok());
            Arc::new(entry.ok_or_else(|| Refused::unavailable("the stored command can't be read now"))?)
        }
    };
    if !body.made(&entry) {
        return Err(conflict());
    }
    Ok(Done { duplicate: appended.duplicate, ..done(&entry) })
}

/// Another command under a used id.
pub fn conflict() -> Refused {
    Refused::new(ErrorCode::Conflict, "this id was used for another command")
}

/// How a stored event answers its own command again.
fn done(entry: &Entry) -> Done {
    let Entry { seq, conversation, at, .. } = *entry;
    Done { seq, conversation, at: Some(at), duplicate: true, refused: None }
}

fn parse_fingerprint(hex: &str) -> Option<Fingerprint> {
    if hex.len() != 32 {
        return None;
    }
    Some(Fingerprint::from_bytes(u128::from_str_radix(hex, 16).ok()?.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmd2_a_fingerprint_survives_the_history_api() {
        let print = Fingerprint::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(parse_fingerprint("000102030405060708090a0b0c0d0eff"), Some(print));
        assert_eq!(parse_fingerprint("ff"), None);
        assert_eq!(parse_fingerprint(&"g".repeat(32)), None);
    }
}
