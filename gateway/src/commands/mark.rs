//! `mark`: how far the caller has read. At most one event per conversation in five seconds: what comes sooner waits, and
//! one event covers all of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use natter_events::{ConversationId, Event, ReadMarkerMoved, Record, Subject, Uid};
use natter_log::{Append, Pending, Stream};
use natter_platform::Policy;
use natter_protocol::ErrorCode;
use natter_protocol::frame::Mark;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Caller, Refused, message_id, people_of, refused_append};
use crate::Gateway;
use crate::feed::Entry;
use crate::idempotency::{Freshness, freshness};

/// Conversations whose last marker is remembered; past it a marker is appended at once.
const MAX_SLOTS: usize = 100_000;
/// Commands that one event may cover; past it the command is refused for now.
const MAX_WAITING: usize = 1_000;

/// What became of a `mark`.
pub enum Marked {
    /// An event that is there already covers it.
    Covered { seq: u64 },
    /// Its event is in the log's queue.
    Queued { pending: Box<Pending> },
    /// One event will cover it and others, soon.
    Waiting { covered: oneshot::Receiver<Result<u64, Refused>> },
}

/// The newest markers of users who are here.
#[derive(Default)]
pub struct Markers(Mutex<HashMap<(Uid, ConversationId), Slot>>);

struct Slot {
    /// The furthest that an event covers, and that event.
    covered: Option<(u64, u64)>,
    last_append: Instant,
    waiting: Option<Waiting>,
}

struct Waiting {
    read: u64,
    command: Mark,
    answers: Vec<oneshot::Sender<Result<u64, Refused>>>,
}

impl Markers {
    /// A marker came by the feed.
    pub fn seen(&self, entry: &Entry) {
        let Some(conversation) = entry.conversation else { return };
        let mut slots = self.0.lock();
        let Some(slot) = slots.get_mut(&(entry.actor, conversation)) else { return };
        let Ok(Record { event: Event::ReadMarkerMoved(marker), .. }) = Record::decode(&entry.record) else { return };
        if slot.covered.is_none_or(|(read, _)| marker.read > read) {
            slot.covered = Some((marker.read, entry.seq));
        }
    }

    /// Forgets what no longer holds anything back.
    pub fn sweep(&self, interval: Duration) {
        self.0.lock().retain(|_, slot| slot.waiting.is_some() || slot.last_append.elapsed() < interval);
    }
}

/// Decides a marker.
pub async fn mark(gateway: &Arc<Gateway>, caller: &Caller, command: &Mark) -> Result<Marked, Refused> {
    if freshness(command.id, gateway.clock.now_ms()) == Freshness::Timeless {
        return Err(Refused::new(ErrorCode::Invalid, "`id` is not a UUIDv7"));
    }
    let people = people_of(gateway, caller.uid, command.conversation).await?;
    if command.read > gateway.feed.head().seq {
        return Err(Refused::new(ErrorCode::Invalid, "`read` is ahead of the log"));
    }
    gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
    let key = (caller.uid, command.conversation);
    let interval = gateway.config.marker_interval;
    let mut slots = gateway.markers.0.lock();
    let now = Instant::now();
    if let Some(slot) = slots.get_mut(&key) {
        if let Some((read, seq)) = slot.covered
            && read >= command.read
        {
            return Ok(Marked::Covered { seq });
        }
        let due = slot.last_append + interval;
        if due > now || slot.waiting.is_some() {
            let (answer, covered) = oneshot::channel();
            match &mut slot.waiting {
                Some(waiting) if waiting.answers.len() >= MAX_WAITING => {
                    return Err(Refused::rate_limited(due.saturating_duration_since(now)));
                }
                Some(waiting) => {
                    waiting.read = waiting.read.max(command.read);
                    waiting.answers.push(answer);
                }
                None => {
                    slot.waiting =
                        Some(Waiting { read: command.read, command: command.clone(), answers: vec![answer] });
                    let (gateway, uid, people) = (gateway.clone(), caller.uid, people.clone());
                    gateway.clone().tasks.spawn("read marker", Policy::Expected, async move {
                        flush(&gateway, uid, key.1, &people, due).await;
                        Ok::<_, std::convert::Infallible>(())
                    });
                }
            }
            return Ok(Marked::Waiting { covered });
        }
        slot.last_append = now;
    } else if slots.len() < MAX_SLOTS {
        slots.insert(key, Slot { covered: None, last_append: now, waiting: None });
    }
    drop(slots);
    Ok(Marked::Queued { pending: Box::new(append(gateway, caller.uid, command, command.read, &people)) })
}

/// Appends one event for all that waited, when it is time.
async fn flush(gateway: &Gateway, uid: Uid, conversation: ConversationId, people: &[Uid], due: Instant) {
    // A stop does not wait for the interval: what was asked for is stored first.
    tokio::select! { () = tokio::time::sleep_until(due) => {}, () = gateway.shutdown.requested() => {} }
    let waiting = {
        let mut slots = gateway.markers.0.lock();
        let Some(slot) = slots.get_mut(&(uid, conversation)) else { return };
        slot.last_append = Instant::now();
        slot.waiting.take()
    };
    let Some(Waiting { read, command, answers }) = waiting else { return };
    let outcome = append(gateway, uid, &command, read, people).await;
    let outcome = outcome.map(|appended| appended.seq).map_err(|error| refused_append(&error));
    for answer in answers {
        let _ = answer.send(outcome.clone());
    }
}

fn append(gateway: &Gateway, uid: Uid, command: &Mark, read: u64, people: &[Uid]) -> Pending {
    let record = Record::new(uid, ReadMarkerMoved { read })
        .to(people)
        .in_conversation(command.conversation)
        .answering(command.id);
    gateway.log.append(Append {
        stream: Stream::Chat,
        subject: Subject::Messages(uid).to_string(),
        message_id: message_id(uid, command.id),
        payload: record.encode(),
        expected_last: None,
    })
}
