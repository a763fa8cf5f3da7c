//! When the log itself is damaged.
//!
//! Where events are lost, the gateway stands still: every socket closes with 4003, nothing is decided, and `/ready` says
//! which events and what can be done. It goes on by itself when they are there again, or accepted as lost. So it does where a
//! state is there and is not what was written: what is decided by the one before it may be undone. A damaged message only
//! reaches nobody. Whether the log lost its end while everybody was away, it learns from how far it is on record to have come.

use std::sync::Arc;
use std::time::Duration;

use natter_events::Subject;
use natter_events::record::is_whole;
use natter_log::{BucketError, Epoch, FollowError, Log, ReadError, Stored, Stream};
use natter_platform::Shutdown;
use natter_platform::error::chain;

use super::{FeedError, Place};
use crate::Gateway;

/// How often a gateway that stands before a hole looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the broker is asked whether it knows of one.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How often it is put on record how far the log goes: what a broker loses beyond that, only its clients know.
const NOTE_EVERY: Duration = Duration::from_secs(2);

/// Whether anything before the head is lost, as far as the broker knows, and nobody has accepted it.
pub(super) async fn check(log: &Log) -> Result<(), FeedError> {
    match log.known_hole().await? {
        Some((expected, last)) => Err(FeedError::Hole(FollowError::Hole { expected, found: last + 1 })),
        None => Ok(()),
    }
}

/// Waits until the broker knows of a hole: it may come back with one at any time. What it can't be asked is no news.
pub(super) async fn watch(log: &Log) -> FeedError {
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        if let Err(hole @ FeedError::Hole(_)) = check(log).await {
            return hole;
        }
    }
}

/// Waits until the log has another epoch: who was away while it was rolled back, and had not come further than it goes now, sees
/// nothing of that in what it reads.
pub(super) async fn renewed(log: &Log, epoch: Epoch) -> Epoch {
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        if let Ok(now) = log.epoch().await
            && now != epoch
        {
            return now;
        }
    }
}

/// Whether an event is a state, of an account, a room or who is in which rooms, and is not what was written.
pub(super) fn is_damaged_state(stored: &Stored) -> bool {
    is_whole(&stored.payload).is_err()
        && matches!(Subject::parse(&stored.subject), Some(Subject::Account(_) | Subject::Rooms(_) | Subject::Room(_)))
}

/// Waits until what is missing or damaged is there, or may be missing.
pub(super) async fn wait(log: &Log, seq: u64) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if may_go_on(log, seq).await.unwrap_or(false) {
            return;
        }
    }
}

async fn may_go_on(log: &Log, seq: u64) -> Result<bool, ReadError> {
    Ok(log.holes().await?.contains(seq)
        || log.get(Stream::Chat, seq).await?.is_some_and(|stored| !is_damaged_state(&stored))
        // Another log, which is not this one's hole.
        || log.whole_state(Stream::Chat).await?.last_seq < seq)
}

/// Puts on record how far the log goes, until the stop.
pub(crate) async fn note(gateway: &Arc<Gateway>, shutdown: &Shutdown) {
    let mut noted = Place { seq: 0, tag: natter_events::Tag(0) };
    loop {
        tokio::select! {
            () = tokio::time::sleep(NOTE_EVERY) => {}
            () = shutdown.forced() => return,
        }
        let (head, epoch) = (gateway.feed.head(), gateway.feed.epoch());
        if !gateway.feed.is_ready() || head == noted || head.seq == 0 {
            continue;
        }
        // A broker that does not answer keeps no gateway from ending.
        let done = tokio::select! {
            done = note_head(&gateway.log, Epoch(epoch), head) => done,
            () = shutdown.forced() => return,
        };
        match done {
            Ok(()) => noted = head,
            Err(error) => tracing::debug!(error = &*chain(&error), "how far the log goes can't be put on record now"),
        }
    }
}

async fn note_head(log: &Log, epoch: Epoch, head: Place) -> Result<(), BucketError> {
    // Whoever has not noticed yet that the log is another one has nothing to say about it.
    match log.epoch().await {
        Ok(now) if now == epoch => log.note_head(epoch, head.seq, head.tag).await,
        _ => Ok(()),
    }
}
