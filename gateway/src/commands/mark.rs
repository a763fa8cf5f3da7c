//! `mark`: how far the caller has read. At most one event per conversation in five seconds: what comes sooner waits, and
//! one event covers all of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use natter_events::{ClientId, ConversationId, Event, ReadMarkerMoved, Record, Subject, Uid};
use natter_log::{Append, AppendError, Appended, Line, Pending, Stream};
use natter_platform::Policy;
use natter_protocol::ErrorCode;
use natter_protocol::frame::Mark;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::repeat::{Body, Known};
use super::{Audience, Caller, Done, Durable, Refused, check_root, message_id, message_seen, refused_append};
use crate::Gateway;

/// Conversations whose last marker is remembered; past it a marker is appended at once.
const MAX_SLOTS: usize = 100_000;
/// Commands that one event may cover; past it the command is refused for now.
const MAX_WAITING: usize = 1_000;

/// Own events that are looked through for how far the caller has read already.
const MAX_LOOKED_THROUGH: usize = 512;

/// What became of a `mark`.
pub enum Marked {
    /// An event that is there already covers it, or it was stored before.
    Known(Done),
    /// Its event is in the log's queue.
    Queued { pending: Box<Pending> },
    /// Its event will be appended when it is time, and cover others too.
    Waiting { appended: oneshot::Receiver<Result<Appended, AppendError>> },
    /// Another command's event will cover it when it is time.
    WaitingWith { covered: oneshot::Receiver<Result<u64, Refused>> },
}

/// When users who are here last moved their markers, and what waits to be.
#[derive(Default)]
pub struct Markers(Mutex<HashMap<Key, Slot>>);

/// Whose marker, in which conversation, or in which thread of it.
type Key = (Uid, ConversationId, Option<u64>);

struct Slot {
    last_append: Instant,
    waiting: Option<Waiting>,
}

struct Waiting {
    read: u64,
    /// The command whose event it will be.
    command: Mark,
    answer: oneshot::Sender<Result<Appended, AppendError>>,
    /// The commands that the event covers too.
    others: Vec<oneshot::Sender<Result<u64, Refused>>>,
}

impl Markers {
    /// Forgets what no longer holds anything back.
    pub fn sweep(&self, interval: Duration) {
        self.0.lock().retain(|_, slot| slot.waiting.is_some() || slot.last_append.elapsed() < interval);
    }
}

impl Durable for Mark {
    type Decided = Marked;

    fn id(&self) -> ClientId {
        self.id
    }

    async fn decide(
        &self,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        line: Option<Line>,
        known: Option<Known>,
    ) -> Result<Marked, Refused> {
        if let Some(known) = known {
            let Mark { conversation, read, thread, .. } = *self;
            return known.answer(Body::Marker { conversation, read, thread }).map(Marked::Known);
        }
        gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
        let audience = Audience::of(gateway, caller.uid, self.conversation).await?;
        if let Some(thread) = self.thread {
            let root = message_seen(gateway, caller.uid, &audience, self.conversation, thread).await?;
            check_root(&root)?;
        }
        let people: Arc<[Uid]> = match audience {
            Audience::Direct(people) => people,
            // In a room how far somebody has read is theirs to know.
            Audience::Room { .. } => [caller.uid].into(),
        };
        // What the caller has read from another gateway this one may not have yet.
        if !gateway.feed.reaches(self.read, gateway.config.ahead_timeout).await
            && gateway.log.get(Stream::Chat, self.read).await?.is_none()
        {
            return Err(Refused::new(ErrorCode::Invalid, "`read` is ahead of the log"));
        }
        if let Some((read, seq)) = read_so_far(gateway, caller.uid, self)
            && read >= self.read
        {
            return Ok(Marked::Known(Done { seq, conversation: None, at: None, duplicate: false, refused: None }));
        }
        let key = (caller.uid, self.conversation, self.thread);
        let interval = gateway.config.marker_interval;
        let mut slots = gateway.markers.0.lock();
        let now = Instant::now();
        if let Some(slot) = slots.get_mut(&key) {
            let due = slot.last_append + interval;
            match &mut slot.waiting {
                Some(waiting) if waiting.others.len() >= MAX_WAITING => {
                    return Err(Refused::rate_limited(due.saturating_duration_since(now)));
                }
                Some(waiting) => {
                    let (answer, covered) = oneshot::channel();
                    waiting.read = waiting.read.max(self.read);
                    waiting.others.push(answer);
                    return Ok(Marked::WaitingWith { covered });
                }
                None if due > now => {
                    let (answer, appended) = oneshot::channel();
                    slot.waiting = Some(Waiting { read: self.read, command: self.clone(), answer, others: Vec::new() });
                    let gateway = gateway.clone();
                    gateway.clone().tasks.spawn("read marker", Policy::Expected, async move {
                        flush(&gateway, key, &people, due).await;
                        Ok::<_, std::convert::Infallible>(())
                    });
                    return Ok(Marked::Waiting { appended });
                }
                None => slot.last_append = now,
            }
        } else if slots.len() < MAX_SLOTS {
            slots.insert(key, Slot { last_append: now, waiting: None });
        }
        drop(slots);
        Ok(Marked::Queued { pending: Box::new(append(gateway, caller.uid, self, self.read, &people, line)) })
    }
}

/// How far a user has read for sure, and the event that says so: a marker, or a message of their own.
fn read_so_far(gateway: &Gateway, user: Uid, command: &Mark) -> Option<(u64, u64)> {
    let own = gateway.feed.tail.between(user, 0, u64::MAX, MAX_LOOKED_THROUGH);
    let own = own.iter().filter(|entry| entry.actor == user && entry.conversation == Some(command.conversation));
    own.filter_map(|entry| match Record::decode(&entry.record).ok()?.event {
        Event::ReadMarkerMoved(marker) if marker.thread == command.thread => Some((marker.read, entry.seq)),
        Event::MessageSent(sent) if sent.thread == command.thread => Some((entry.seq, entry.seq)),
        _ => None,
    })
    .max()
}

/// Appends one event for all that waited, when it is time.
async fn flush(gateway: &Gateway, key: Key, people: &[Uid], due: Instant) {
    // A stop does not wait for the interval: what was asked for is stored first.
    tokio::select! { () = tokio::time::sleep_until(due) => {}, () = gateway.shutdown.requested() => {} }
    let waiting = {
        let mut slots = gateway.markers.0.lock();
        let Some(slot) = slots.get_mut(&key) else { return };
        slot.last_append = Instant::now();
        slot.waiting.take()
    };
    let Some(Waiting { read, command, answer, others }) = waiting else { return };
    let outcome = append(gateway, key.0, &command, read, people, None).await;
    let covered = outcome.as_ref().map(|appended| appended.seq).map_err(refused_append);
    // Whoever has left does not hear it.
    let _ = answer.send(outcome);
    for other in others {
        let _ = other.send(covered.clone());
    }
}

fn append(gateway: &Gateway, uid: Uid, command: &Mark, read: u64, people: &[Uid], line: Option<Line>) -> Pending {
    let record = Record::new(uid, ReadMarkerMoved { read, thread: command.thread })
        .to(people)
        .in_conversation(command.conversation)
        .answering(command.id);
    let append = Append {
        stream: Stream::Chat,
        subject: Subject::Messages(uid).to_string(),
        message_id: message_id(uid, command.id),
        payload: record.encode(),
        expected_last: None,
    };
    super::append(gateway, append, line)
}
