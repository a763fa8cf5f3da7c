//! What the handles of a client ask its driver for, and what they share with it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use natter_events::{ClientId, ConversationId};
use natter_protocol::frame::{Refusal, SetPresence};
use natter_protocol::{Handle, Position, limits};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{Refused, SendError};
use crate::event::Sent;
use crate::outbox::Command;

/// How a command ended, for who waits for it.
pub(crate) type Answer = oneshot::Sender<Result<Sent, SendError>>;

#[derive(Debug)]
pub(crate) enum Request {
    /// A durable command. The permit is its place in the outbox.
    Durable {
        command: Command,
        answer: Answer,
        place: OwnedSemaphorePermit,
    },
    Typing(ConversationId),
    Presence(SetPresence, oneshot::Sender<Result<(), SendError>>),
    Watch(Vec<Handle>),
    /// Reconnect now.
    Wake,
    /// There is a new token.
    Token,
    Close,
}

/// What handles read without asking.
#[derive(Debug)]
pub(crate) struct Shared {
    /// How far the server's clock is ahead of this machine's.
    clock_ahead_ms: AtomicI64,
    /// The largest frame that the server takes (FRM3).
    pub(crate) frame_bytes: AtomicUsize,
    /// What history has to include: the last reset, or what was written since.
    at_least: Mutex<Option<Position>>,
    /// Who the server says we are.
    pub(crate) user: Mutex<Option<Handle>>,
}

impl Shared {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            clock_ahead_ms: AtomicI64::new(0),
            frame_bytes: AtomicUsize::new(limits::MAX_FRAME_BYTES),
            at_least: Mutex::new(None),
            user: Mutex::new(None),
        })
    }

    /// The time on the server's clock, as well as it is known.
    pub(crate) fn server_now_ms(&self) -> u64 {
        local_now_ms().saturating_add_signed(self.clock_ahead_ms.load(Ordering::Relaxed))
    }

    pub(crate) fn set_server_now(&self, now_ms: i64) {
        let local_ms = i64::try_from(local_now_ms()).unwrap_or(i64::MAX);
        self.clock_ahead_ms.store(now_ms.saturating_sub(local_ms), Ordering::Relaxed);
    }

    pub(crate) fn at_least(&self) -> Option<Position> {
        *self.at_least.lock()
    }

    pub(crate) fn reset(&self, position: Position) {
        *self.at_least.lock() = Some(position);
    }

    /// Something was written at `position`.
    pub(crate) fn wrote(&self, position: Position) {
        let mut at_least = self.at_least.lock();
        if at_least.is_none_or(|known| known.epoch != position.epoch || known.seq < position.seq) {
            *at_least = Some(position);
        }
    }
}

fn local_now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Who waits for which command.
#[derive(Debug, Default)]
pub(crate) struct Waiters(HashMap<ClientId, Waiter>);

#[derive(Debug)]
struct Waiter {
    /// Nobody, for a command from the outbox's file.
    answer: Option<Answer>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Waiters {
    pub(crate) fn add(&mut self, id: ClientId, answer: Option<Answer>, place: Option<OwnedSemaphorePermit>) {
        self.0.insert(id, Waiter { answer, _place: place });
    }

    /// Tells who waits for `id`. Gives the outcome back if nobody does, so that it can be told as an event.
    pub(crate) fn settle(&mut self, id: ClientId, outcome: Result<Sent, SendError>) -> Option<Result<Sent, SendError>> {
        match self.0.remove(&id).and_then(|waiter| waiter.answer) {
            Some(answer) => {
                // A caller who gave up waiting did not want to know.
                let _ = answer.send(outcome);
                None
            }
            None => Some(outcome),
        }
    }

    /// Tells all who wait that their answer can't be read now. The commands keep their places.
    pub(crate) fn let_go(&mut self) {
        for answer in self.0.values_mut().filter_map(|waiter| waiter.answer.take()) {
            let _ = answer.send(Err(SendError::EventsNotRead));
        }
    }

    /// Tells all who wait that the client has stopped.
    pub(crate) fn stop(&mut self) {
        for (_, waiter) in self.0.drain() {
            if let Some(answer) = waiter.answer {
                let _ = answer.send(Err(SendError::Stopped));
            }
        }
    }

    pub(crate) fn anyone_waits(&self) -> bool {
        self.0.values().any(|waiter| waiter.answer.is_some())
    }
}

/// A refusal on the wire as an error.
pub(crate) fn refused(refusal: &Refusal) -> Refused {
    Refused {
        code: refusal.code,
        message: refusal.message.clone(),
        retry_after: refusal.retry_after_ms.map(std::time::Duration::from_millis),
    }
}
