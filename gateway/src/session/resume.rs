//! Where a session begins: exactly one of a replay from the client's position, or a reset (CON3). Decided whole before
//! anything is sent, so that a replay never turns into a reset.

use std::sync::Arc;

use natter_events::{Envelope, Tag, Uid};
use natter_log::{ReadError, Stream};
use natter_planted::Bug;
use natter_protocol::frame::ResetReason;
use natter_protocol::limits::MAX_RESUME_EVENTS;
use natter_protocol::{CloseCode, Position};

use crate::Gateway;
use crate::copies::CopyError;
use crate::feed::walk::after;
use crate::feed::{Entry, Place, RoomSet};
use crate::rooms::rooms_at;

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
        /// The rooms that the user was in at `from`.
        rooms: RoomSet,
    },
    Reset {
        reason: ResetReason,
        from: Place,
        rooms: RoomSet,
    },
    /// Neither can be had here now.
    Close(CloseCode),
}

/// Why a session can't begin here now.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("the log can't be read")]
    Read(#[from] ReadError),
    #[error("which rooms the user is in can't be read")]
    Rooms(#[from] CopyError),
}

/// Decides how the session of `user` begins.
pub async fn start(gateway: &Gateway, user: Uid, resume: Option<Position>) -> Start {
    match begin(gateway, user, resume).await {
        Ok(start) => start,
        // Far behind the tail, a hole may be met by whoever comes back from there, first.
        Err(
            error @ (StartError::Read(ReadError::Hole { .. })
            | StartError::Rooms(CopyError::Read(ReadError::Hole { .. }))),
        ) => {
            tracing::error!(
                error = &*natter_platform::error::chain(&error),
                "a session can't begin: events of the log are lost"
            );
            metrics::counter!("natter_gateway_holes_met_total").increment(1);
            Start::Close(CloseCode::FeedBehind)
        }
        Err(error) => {
            tracing::warn!(error = &*natter_platform::error::chain(&error), "a session can't begin");
            Start::Close(CloseCode::FeedBehind)
        }
    }
}

async fn begin(gateway: &Gateway, user: Uid, resume: Option<Position>) -> Result<Start, StartError> {
    let feed = &gateway.feed;
    let Some(mut resume) = resume else { return reset(gateway, user, ResetReason::Fresh).await };
    if resume.epoch != feed.epoch() {
        return reset(gateway, user, ResetReason::OtherLog).await;
    }
    let is_ahead = resume.seq > feed.head().seq && !feed.reaches(resume.seq, gateway.config.ahead_timeout).await;
    if is_ahead || !is_ours(gateway, resume).await? {
        match before_hole(gateway, resume).await? {
            Some(before) if before.seq <= feed.head().seq => resume = before,
            Some(_) => return Ok(Start::Close(CloseCode::FeedBehind)),
            // The log has it, and this gateway will.
            None if is_ahead && gateway.log.whole_state(Stream::Chat).await?.last_seq >= resume.seq => {
                return Ok(Start::Close(CloseCode::FeedBehind));
            }
            None => return reset(gateway, user, ResetReason::OtherLog).await,
        }
    }
    let from = Place { seq: resume.seq, tag: resume.tag };
    if feed.tail.floor() > resume.seq && feed.head().seq.saturating_sub(resume.seq) > gateway.config.max_replay_events {
        return reset(gateway, user, ResetReason::TooOld).await;
    }
    let rooms = rooms_at(gateway, user, resume.seq).await?;
    match feed.tail.count_after(user, &rooms, resume.seq, MAX_RESUME_EVENTS + 1) {
        Ok(count) if count > MAX_RESUME_EVENTS => reset(gateway, user, ResetReason::TooMuch).await,
        Ok(_) => Ok(Start::Replay { older: Vec::new(), from, rooms }),
        Err(_) => match scan(gateway, user, from, rooms).await? {
            Some(replay) => Ok(replay),
            None => reset(gateway, user, ResetReason::TooMuch).await,
        },
    }
}

async fn reset(gateway: &Gateway, user: Uid, reason: ResetReason) -> Result<Start, StartError> {
    let from = gateway.feed.head();
    Ok(Start::Reset { reason, from, rooms: rooms_at(gateway, user, from.seq).await? })
}

/// Whether the event at a position is the one that the position was given out for (D14).
async fn is_ours(gateway: &Gateway, position: Position) -> Result<bool, ReadError> {
    if Bug::AcceptOtherLog.is_planted() {
        return Ok(true);
    }
    if position.seq == 0 {
        return Ok(position.tag == Tag(0));
    }
    if let Some(tag) = gateway.feed.tail.tag_at(position.seq) {
        return Ok(tag == position.tag);
    }
    let stored = gateway.log.get(Stream::Chat, position.seq).await?;
    Ok(stored.is_some_and(|stored| stored.tag() == position.tag))
}

/// For a position in a hole that was accepted: the one before it. Between them there is nothing.
async fn before_hole(gateway: &Gateway, position: Position) -> Result<Option<Position>, ReadError> {
    let holes = gateway.log.holes().await?;
    if !holes.contains(position.seq) {
        return Ok(None);
    }
    let seq = holes.before(position.seq);
    let tag = match gateway.feed.tail.tag_at(seq) {
        Some(tag) => Some(tag),
        None => gateway.log.get(Stream::Chat, seq).await?.map(|stored| stored.tag()),
    };
    Ok(Some(Position { seq, tag: tag.unwrap_or_default(), ..position }))
}

/// Reads what reaches `user` from the broker, until the tail takes over. Nothing if that is too much.
async fn scan(gateway: &Gateway, user: Uid, from: Place, mut rooms: RoomSet) -> Result<Option<Start>, StartError> {
    // The permit is only refused when the semaphore is closed, which nobody does.
    let _turn = gateway.replays.acquire().await;
    let (mut older, mut bytes, mut place) = (Vec::new(), 0, from);
    loop {
        match gateway.feed.tail.count_after(user, &rooms, place.seq, MAX_RESUME_EVENTS + 1) {
            Ok(rest) if older.len() + rest > MAX_RESUME_EVENTS => return Ok(None),
            Ok(_) => return Ok(Some(Start::Replay { older, from: place, rooms })),
            Err(_) => {}
        }
        let stretch = gateway.log.range(Stream::Chat, place.seq, SCAN_EVENTS, SCAN_BYTES).await?;
        if stretch.is_empty() {
            // The log ends before the tail begins: it is another one by now, and the feed will say so.
            return Err(ReadError::Unavailable.into());
        }
        for stored in stretch {
            place = Place { seq: stored.seq, tag: stored.tag() };
            let may_reach = Envelope::peek(&stored.payload).is_ok_and(|envelope| {
                envelope.addressees().any(|uid| uid == user)
                    || envelope.conversation.is_some_and(|room| rooms.binary_search(&room).is_ok())
            });
            if may_reach && let Ok(entry) = Entry::new(stored) {
                let reaches =
                    entry.to.contains(&user) || entry.room().is_some_and(|room| rooms.binary_search(&room).is_ok());
                if let Some(stay) = entry.stay.filter(|stay| stay.user == user) {
                    rooms = after(&rooms, &stay);
                }
                if reaches {
                    bytes += entry.cost();
                    older.push(Arc::new(entry));
                }
            }
            if older.len() > MAX_RESUME_EVENTS || bytes > MAX_REPLAY_BYTES {
                return Ok(None);
            }
        }
    }
}
