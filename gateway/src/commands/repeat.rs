//! One id, one answer (CMD2, CMD3): what a repeated command is told, and how one is told from another command under a used
//! id.

use std::sync::Arc;

use natter_events::{ClientId, ConversationId, Event, Fingerprint, Record};
use natter_log::{Appended, Stream};
use natter_planted::Bug;
use natter_protocol::ErrorCode;

use super::{Caller, Done, Refused};
use crate::Gateway;
use crate::feed::{Entry, Place};
use crate::idempotency::{EARLIEST_MS, Freshness, HISTORY_LAG_MS, freshness};

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

/// A command that was stored before, as the event that it made.
pub struct Known(Arc<Entry>);

impl Known {
    /// Where it is.
    pub fn seq(&self) -> u64 {
        self.0.seq
    }

    /// The answer to a command under the same id.
    pub fn answer(self, body: Body) -> Result<Done, Refused> {
        if body.made(&self.0) || Bug::IgnoreConflict.is_planted() { Ok(done(&self.0)) } else { Err(conflict()) }
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
    let lag_ago = gateway.feed.tail.place_ago(HISTORY_LAG_MS, i64::try_from(now_ms).unwrap_or(i64::MAX));
    match (look_up(gateway, caller, id, lag_ago).await?, freshness) {
        (None, Freshness::Ahead { fresh_in_ms }) => Err(Refused {
            retry_after_ms: Some(fresh_in_ms),
            ..Refused::not_now("this id is of a time that is still to come on the server's clock")
        }),
        (known, _) => Ok(known),
    }
}

/// What is looked at before a command is refused for good that was not known: its first try may have come by the feed since
/// it was asked for, and be the very reason; or the tail does not reach back to when it was (CMD3). Gives back the refusal if
/// it was never stored.
pub async fn before_refusing(
    gateway: &Gateway,
    caller: &Caller,
    id: ClientId,
    refused: Refused,
) -> Result<Known, Refused> {
    if refused.code.temporary() || refused.code == ErrorCode::Conflict {
        return Err(refused);
    }
    stored_before(gateway, caller, id).await?.ok_or(refused)
}

/// The event that a fresh id made before, in all that this gateway has read.
pub async fn stored_before(gateway: &Gateway, caller: &Caller, id: ClientId) -> Result<Option<Known>, Refused> {
    if let Some(known) = known_by_now(gateway, caller, id) {
        return Ok(Some(known));
    }
    let age_ms = gateway.clock.now_ms().saturating_sub(id.made_at_ms().unwrap_or_default());
    let first_tried_ms = i64::try_from(age_ms).unwrap_or(i64::MAX).saturating_add(EARLIEST_MS);
    if gateway.feed.tail.reaches_back(first_tried_ms) {
        return Ok(None);
    }
    look_up(gateway, caller, id, gateway.feed.head()).await
}

fn known_by_now(gateway: &Gateway, caller: &Caller, id: ClientId) -> Option<Known> {
    if Bug::StoreTwice.is_planted() {
        return None;
    }
    gateway.feed.tail.by_command(caller.uid, id).map(Known)
}

/// Asks history, as of `at_least` or later, whether an id was used.
async fn look_up(gateway: &Gateway, caller: &Caller, id: ClientId, at_least: Place) -> Result<Option<Known>, Refused> {
    let at_least = crate::render::position(gateway, at_least);
    let stored = gateway.lookup.command(&caller.token, id, at_least).await.map_err(|error| {
        tracing::warn!(error = &*natter_platform::error::chain(&error), "an id can't be looked up");
        Refused::not_now("history can't be asked now whether this id was used, and it is not known otherwise")
    })?;
    let Some(stored) = stored else { return Ok(None) };
    // History knows where it is; what it was the log tells, as of any other.
    let entry = entry_at(gateway, stored.seq).await?;
    if (entry.actor, entry.id) != (caller.uid, Some(id)) {
        tracing::error!(seq = stored.seq, "history and the log disagree about who made an event with which command");
        return Err(Refused::not_now("what history says of this id is not what the log says"));
    }
    Ok(Some(Known(entry)))
}

/// What a command is answered whose event is there already: a repeat that the broker recognised, for one. The stored event
/// says whether it was the same command.
pub async fn settle(gateway: &Gateway, appended: Appended, body: Body) -> Result<Done, Refused> {
    gateway.feed.reaches(appended.seq, gateway.config.feed_timeout).await;
    let entry = entry_at(gateway, appended.seq).await?;
    if !body.made(&entry) {
        return Err(conflict());
    }
    Ok(Done { duplicate: appended.duplicate, ..done(&entry) })
}

/// A stored event, from the tail or from the log.
pub async fn entry_at(gateway: &Gateway, seq: u64) -> Result<Arc<Entry>, Refused> {
    if let Some(entry) = gateway.feed.tail.get(seq) {
        return Ok(entry);
    }
    let stored = gateway.log.get(Stream::Chat, seq).await?;
    let entry = stored.and_then(|stored| Entry::new(stored).ok());
    Ok(Arc::new(entry.ok_or_else(|| Refused::unavailable("what is stored can't be read now"))?))
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
