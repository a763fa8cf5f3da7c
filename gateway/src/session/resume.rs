//! Where a session begins: exactly one of a replay from the client's position, or a reset (CON3). Decided whole before
//! anything is sent, so that a replay never turns into a reset.

use std::sync::Arc;

use natter_events::{Envelope, Tag, Uid};
use natter_log::{ReadError, Stream};
use natter_protocol::frame::ResetReason;
use natter_protocol::limits::MAX_RESUME_EVENTS;
use natter_protocol::{CloseCode, Position};

use crate::Gateway;
use crate::feed::{Entry, Place};

/// Events read from the broker at once.
const SCAN_EVENTS: usize = 4_096;
/// Bytes read from the broker at once.
const SCAN_BYTES: usize = 8 << 20;
/// What one replay from the broker may hold in memory, in bytes; past it the client reads again.
const MAX_REPLAY_BYTES: usize = 16 << 20;

/// How a session begins.
pub enum Start {
    /// Every event after the client's position: first those older than the tail, then from the tail after `from`.
    Replay {
        older: Vec<Arc<Entry>>,
        from: Place,
    },
    Reset {
        reason: ResetReason,
        from: Place,
    },
    /// Neither can be had here now.
    Close(CloseCode),
}

/// Decides how the session of `user` begins.
pub async fn start(gateway: &Gateway, user: Uid, resume: Option<Position>) -> Start {
    let feed = &gateway.feed;
    let reset = |reason| Start::Reset { reason, from: feed.head() };
    let Some(resume) = resume else { return reset(ResetReason::Fresh) };
    if resume.epoch != feed.epoch() {
        return reset(ResetReason::OtherLog);
    }
    if resume.seq > feed.head().seq && !feed.reaches(resume.seq, gateway.config.ahead_timeout).await {
        return Start::Close(CloseCode::FeedBehind);
    }
    match is_ours(gateway, resume).await {
        Ok(true) => {}
        Ok(false) => return reset(ResetReason::OtherLog),
        Err(error) => {
            tracing::warn!(error = &*natter_platform::error::chain(&error), "a position can't be checked");
            return Start::Close(CloseCode::FeedBehind);
        }
    }
    let from = Place { seq: resume.seq, tag: resume.tag };
    match feed.tail.count_after(user, resume.seq) {
        Ok(count) if count > MAX_RESUME_EVENTS => reset(ResetReason::TooMuch),
        Ok(_) => Start::Replay { older: Vec::new(), from },
        Err(_) if feed.head().seq.saturating_sub(resume.seq) > gateway.config.max_replay_events => {
            reset(ResetReason::TooOld)
        }
        Err(_) => match scan(gateway, user, from).await {
            Ok(Some((older, from))) => Start::Replay { older, from },
            Ok(None) => reset(ResetReason::TooMuch),
            Err(error) => {
                tracing::warn!(error = &*natter_platform::error::chain(&error), "a replay can't be read");
                Start::Close(CloseCode::FeedBehind)
            }
        },
    }
}

/// Whether the event at a position is the one that the position was given out for (D14).
async fn is_ours(gateway: &Gateway, position: Position) -> Result<bool, ReadError> {
    if position.seq == 0 {
        return Ok(position.tag == Tag(0));
    }
    if let Some(tag) = gateway.feed.tail.tag_at(position.seq) {
        return Ok(tag == position.tag);
    }
    let stored = gateway.log.get(Stream::Chat, position.seq).await?;
    Ok(stored.is_some_and(|stored| stored.tag() == position.tag))
}

/// Reads what reaches `user` from the broker, until the tail takes over. Nothing if that is too much.
async fn scan(gateway: &Gateway, user: Uid, from: Place) -> Result<Option<(Vec<Arc<Entry>>, Place)>, ReadError> {
    // The permit is only refused when the semaphore is closed, which nobody does.
    let _turn = gateway.replays.acquire().await;
    let (mut older, mut bytes, mut place) = (Vec::new(), 0, from);
    loop {
        match gateway.feed.tail.count_after(user, place.seq) {
            Ok(rest) if older.len() + rest > MAX_RESUME_EVENTS => return Ok(None),
            Ok(_) => return Ok(Some((older, place))),
            Err(_) => {}
        }
        let stretch = gateway.log.range(Stream::Chat, place.seq, SCAN_EVENTS, SCAN_BYTES).await?;
        if stretch.is_empty() {
            // The log ends before the tail begins: it is another one by now, and the feed will say so.
            return Err(ReadError::Unavailable);
        }
        for stored in stretch {
            place = Place { seq: stored.seq, tag: stored.tag() };
            let reaches =
                Envelope::peek(&stored.payload).is_ok_and(|envelope| envelope.addressees().any(|uid| uid == user));
            if reaches && let Ok(entry) = Entry::new(stored) {
                bytes += entry.cost();
                older.push(Arc::new(entry));
            }
            if older.len() > MAX_RESUME_EVENTS || bytes > MAX_REPLAY_BYTES {
                return Ok(None);
            }
        }
    }
}
