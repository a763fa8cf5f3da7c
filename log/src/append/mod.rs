//! Appending: strictly in the order of the calls, each answered with what is certain.
//!
//! One task per stream takes what is queued and hands it to the broker over a connection of its own ([`line`]).
//!
//! **Group commit.** A broker on one machine that syncs every write does so one by one, about 5,000 times a second.
//! An atomic batch is synced once whatever its size, but costs as much as ten single writes and holds up the stream
//! meanwhile. So: while few wait, plain publishes, pipelined; when more wait than a batch costs, all of them in one batch,
//! and nothing after it until it is answered ([`batch`]).
//!
//! **Unknown.** When an answer is missing, what was sent may or may not be stored. The line is given up, everything
//! sent is reported `Unknown`, everything behind it `Unavailable`, and nothing is accepted until it is settled that the
//! old line can no longer deliver anything ([`task`]). So what was never stored stays that way: no append
//! surfaces behind a later one.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use crate::counters::Counters;
use crate::health::{Link, Links};
use crate::read::Reader;
use crate::settings::Settings;
use crate::streams::Stream;
use crate::subjects::{is_literal_under, is_message_id};

mod batch;
mod line;
mod queue;
mod task;
mod wire;

/// An event to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub stream: Stream,
    pub subject: String,
    /// The broker stores one event per id within its window, and answers repeats with the first one's place.
    pub message_id: String,
    pub payload: Bytes,
    /// The seq that the subject's last event must have; 0 if there must be none. Never in a batch with what others append.
    pub expected_last: Option<u64>,
}

/// Which of a stream's append connections is in use: every one that takes the place of a lost one has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line(u64);

/// Most events that are appended together: what the broker takes in one atomic batch.
pub const MAX_TOGETHER: usize = 1_000;

/// Where an event stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub seq: u64,
    /// It was there before, under the same message id.
    pub duplicate: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The subject's last event is another. `last` is 0 if there is none.
    #[error("the subject's last event is {last}, not {expected}")]
    WrongLast { expected: u64, last: u64 },
    /// It was stored before, under the same message id, and where is not known: of events that are appended together the
    /// broker says no more.
    #[error("it was stored before")]
    Repeated,
    #[error("too many appends are waiting")]
    QueueFull,
    #[error("the event is larger than the log takes")]
    TooLarge,
    #[error("the log is full")]
    Full,
    #[error("{what} can't be appended")]
    Invalid { what: &'static str },
    #[error("the broker refused: {description} ({code})")]
    Refused { code: u64, description: String },
    /// Certainly not stored.
    #[error("the log can't be reached")]
    Unavailable,
    /// May or may not be stored. Appending again with the same message id settles it.
    #[error("whether the event was stored is unknown")]
    Unknown,
}

pub(crate) type Outcome = Result<Appended, AppendError>;

/// The outcome to come. Dropping it does not take the append back.
///
/// Outcomes of a lost line are all there before anything later is accepted. So a caller that asks which line is in use,
/// then finds that it waits for no outcome, and appends over that line only until it waits for none again, never overtakes
/// a lost append.
#[must_use = "an append's outcome says whether it is stored"]
pub struct Pending {
    state: PendingState,
    recheck: Option<Recheck>,
}

enum PendingState {
    Waiting(oneshot::Receiver<Outcome>),
    Rechecking(BoxFuture<'static, Outcome>),
    Ready(Option<Outcome>),
}

/// The broker looks at `expected_last` before it looks for the message id, so a retry of an append that was stored is
/// answered "wrong last": its own first copy is in the way. Then the subject's last event is read.
struct Recheck {
    reader: Reader,
    stream: Stream,
    subject: String,
    message_id: String,
    expected: u64,
}

impl Pending {
    fn ready(outcome: Outcome) -> Pending {
        Pending { state: PendingState::Ready(Some(outcome)), recheck: None }
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        loop {
            let outcome = match &mut self.state {
                PendingState::Ready(outcome) => {
                    return Poll::Ready(outcome.take().unwrap_or(Err(AppendError::Unknown)));
                }
                PendingState::Rechecking(recheck) => return recheck.as_mut().poll(cx),
                PendingState::Waiting(outcome) => match Pin::new(outcome).poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    // The task ended with the runtime: nothing is known.
                    Poll::Ready(outcome) => outcome.unwrap_or(Err(AppendError::Unknown)),
                },
            };
            self.state = match (outcome, self.recheck.take()) {
                (Err(error @ (AppendError::WrongLast { .. } | AppendError::Repeated)), Some(recheck)) => {
                    PendingState::Rechecking(Box::pin(recheck.run(error)))
                }
                (outcome, _) => PendingState::Ready(Some(outcome)),
            };
        }
    }
}

impl Recheck {
    async fn run(self, refused: AppendError) -> Outcome {
        match self.reader.last(self.stream.name(), &self.subject).await {
            Ok(Some(last)) if last.stored.message_id.as_deref() == Some(&self.message_id) => {
                Ok(Appended { seq: last.stored.seq, duplicate: true })
            }
            Ok(_) if refused == AppendError::Repeated => Err(refused),
            Ok(last) => {
                Err(AppendError::WrongLast { expected: self.expected, last: last.map_or(0, |last| last.stored.seq) })
            }
            // It was refused this time, but whether an earlier copy is stored can't be read.
            Err(_) => Err(AppendError::Unknown),
        }
    }
}

/// The appending end of one stream.
pub(crate) struct Appender {
    stream: Stream,
    queue: queue::Queue,
    reader: Reader,
    lines: Arc<AtomicU64>,
    max_message_bytes: usize,
}

impl Appender {
    /// Starts the task; it ends when the appender is dropped and everything accepted is answered. It connects at the
    /// first append: a process that only reads needs no right to write.
    pub(crate) fn start(
        stream: Stream,
        settings: Arc<Settings>,
        reader: Reader,
        links: Arc<Links>,
        counters: Arc<Counters>,
    ) -> Appender {
        let (queue, intake) = queue::bounded(settings.max_queue_items, settings.max_queue_bytes);
        let link = match stream {
            Stream::Chat => Link::ChatAppends,
            Stream::Presence => Link::PresenceAppends,
        };
        let max_message_bytes = usize::try_from(settings.max_message_bytes).unwrap_or(0);
        let lines = Arc::<AtomicU64>::default();
        tokio::spawn(task::run(
            task::Context { stream, settings, links, link, counters, lines: lines.clone() },
            intake,
        ));
        Appender { stream, queue, reader, lines, max_message_bytes }
    }

    pub(crate) fn line(&self) -> Line {
        Line(self.lines.load(Ordering::SeqCst))
    }

    /// Events that are stored all at once, in this order, or none of them; the answer is the last one's.
    pub(crate) fn append_together(&self, mut events: Vec<Append>, over: Option<Line>) -> Pending {
        let Some(last) = events.pop() else {
            return Pending::ready(Err(AppendError::Invalid { what: "nothing" }));
        };
        if events.len() >= MAX_TOGETHER || events.iter().any(|append| append.stream != self.stream) {
            return Pending::ready(Err(AppendError::Invalid { what: "so many events together" }));
        }
        self.queue(events, last, over)
    }

    pub(crate) fn append(&self, append: Append, over: Option<Line>) -> Pending {
        self.queue(Vec::new(), append, over)
    }

    fn queue(&self, before: Vec<Append>, append: Append, over: Option<Line>) -> Pending {
        if let Err(refusal) = before.iter().chain([&append]).try_for_each(|append| self.check(append)) {
            return Pending::ready(Err(refusal));
        }
        let recheck = append.expected_last.map(|expected| Recheck {
            reader: self.reader.clone(),
            stream: append.stream,
            subject: append.subject.clone(),
            message_id: append.message_id.clone(),
            expected,
        });
        match self.queue.push(before, append, over) {
            Ok(outcome) => Pending { state: PendingState::Waiting(outcome), recheck },
            Err(refusal) => Pending::ready(Err(refusal)),
        }
    }

    fn check(&self, append: &Append) -> Result<(), AppendError> {
        if !is_literal_under(&append.subject, self.stream.prefix()) {
            return Err(AppendError::Invalid { what: "a subject outside the stream" });
        }
        if !is_message_id(&append.message_id) {
            return Err(AppendError::Invalid { what: "a message id that no header can hold" });
        }
        if append.payload.len() + wire::MAX_HEADER_BYTES > self.max_message_bytes {
            return Err(AppendError::TooLarge);
        }
        Ok(())
    }
}
