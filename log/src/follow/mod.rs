//! Following: every event after a position, in order, each once, whatever happens in between.
//!
//! Under it is a push consumer of the broker's, ephemeral and in memory, with flow control. Its order is not taken on
//! trust: the next event must be the one after the last ([`order`]). Anything else, an event too far or one that was
//! there before, silence, an error, a lost connection, ends the feed, and a new one is opened after the last event that
//! was handed out ([`feed`]). The library's own ordered consumer is not used: when it is set up again before its first
//! message it starts over at the beginning of the stream.
//!
//! A new feed begins *at* the last event handed out, and compares it: a log that was restored has another there (D14).

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;

use crate::counters::{Counters, count};
use crate::holes::HoleBook;
use crate::settings::Settings;
use natter_events::Tag;
use natter_planted::Bug;

use crate::stored::Stored;
use crate::streams::Stream;

mod feed;
mod order;

use feed::{Feed, Heard, Missing, Origin};
use order::Verdict;

/// Why following can't go on. What can be healed never gets here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The log lacks an event: the broker was asked for it, and has later ones.
    #[error("the log has no event {expected}; the next is {found}. {}", crate::read::WAY_OUT)]
    Hole { expected: u64, found: u64 },
    /// The log ends before the position: it was rolled back, or is another one.
    #[error("the log ends at {last}, before position {position}")]
    LogEndsBefore { position: u64, last: u64 },
    /// The event at the position is not the one that was there.
    #[error("the event at {position} is not the one that was read before: this is another log")]
    OtherLog { position: u64 },
    #[error("the stream is gone")]
    Gone,
}

/// A reading position in a stream, moved by [`next`](Follower::next).
pub struct Follower {
    shared: Arc<Shared>,
    position: u64,
    /// Of the event at the position, once it is known.
    tag: Option<Tag>,
    state: State,
}

pub(crate) struct Shared {
    pub(crate) stream: Stream,
    pub(crate) settings: Arc<Settings>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) holes: Arc<HoleBook>,
}

enum State {
    Opening(BoxFuture<'static, Result<Feed, FollowError>>),
    Reading(Box<Feed>),
    Failed(FollowError),
}

impl Follower {
    pub(crate) fn start(shared: Shared, after: u64) -> Follower {
        let shared = Arc::new(shared);
        let state = opening(&shared, Origin { position: after, tag: None, missing: None }, None);
        Follower { shared, position: after, tag: None, state }
    }

    /// Says which event stands at the starting position: if the log has another there, following fails with
    /// `OtherLog`. To be called before the first `next`.
    #[must_use]
    pub fn expecting(mut self, tag: Tag) -> Follower {
        self.tag = Some(tag);
        self.state = opening(&self.shared, self.origin(None), None);
        self
    }

    /// The seq of the last event handed out.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The tag of the event at the position, if it is known.
    pub fn tag(&self) -> Option<Tag> {
        self.tag
    }

    /// The next event, waiting for it as long as it takes. Cancel-safe.
    pub async fn next(&mut self) -> Result<Stored, FollowError> {
        std::future::poll_fn(|cx| {
            let mut one = None;
            ready!(self.poll_events(cx, 1, &mut |event| one = Some(event)))?;
            match one {
                Some(event) => Poll::Ready(Ok(event)),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Waits for one event, and takes what else is there, up to so many. Cancel-safe.
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Stored>, FollowError> {
        let mut batch = Vec::new();
        std::future::poll_fn(|cx| self.poll_events(cx, max.max(1), &mut |event| batch.push(event))).await?;
        Ok(batch)
    }

    /// Ready when at least one event was taken, or when following has failed.
    fn poll_events(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        take: &mut dyn FnMut(Stored),
    ) -> Poll<Result<(), FollowError>> {
        let mut taken = 0;
        while taken < max {
            let heard = match &mut self.state {
                State::Opening(opening) => match opening.as_mut().poll(cx) {
                    Poll::Ready(opened) => {
                        self.opened(opened);
                        continue;
                    }
                    Poll::Pending => break,
                },
                State::Reading(feed) => match feed.poll_heard(cx) {
                    Poll::Ready(heard) => heard,
                    Poll::Pending => break,
                },
                // What was taken before it failed is handed out first.
                State::Failed(_) if taken > 0 => break,
                State::Failed(error) => return Poll::Ready(Err(error.clone())),
            };
            if let Some(event) = self.heard(heard) {
                self.position = event.seq;
                self.tag = Some(event.tag());
                if !self.is_given_up(event.seq) {
                    take(event);
                    taken += 1;
                }
            }
        }
        if taken > 0 { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn opened(&mut self, opened: Result<Feed, FollowError>) {
        self.state = match opened {
            Ok(feed) => {
                // Events that expired are passed over while opening.
                self.position = feed.origin.position;
                self.tag = feed.origin.tag;
                State::Reading(Box::new(feed))
            }
            Err(error) => self.failed(error),
        };
    }

    fn failed(&self, error: FollowError) -> State {
        tracing::error!(stream = self.shared.stream.name(), position = self.position, %error, "can't follow");
        State::Failed(error)
    }

    /// Takes in what the feed gave. Some if it is the next event.
    fn heard(&mut self, heard: Heard) -> Option<Stored> {
        let counters = self.shared.counters.clone();
        match heard {
            Heard::Event(_) if Bug::IgnoreHole.strikes(100) => {}
            Heard::Event(event) => return self.judge(event),
            Heard::Lost => self.reopen(&counters.follower_disconnected, None),
            Heard::Dropped => self.reopen(&counters.follower_drops, None),
            Heard::Silence => self.reopen(&counters.follower_silences, None),
            Heard::SentUpTo(last) if self.readable(last) > self.position => {
                self.reopen(&counters.follower_jumps, Some(self.missing_next()));
            }
            Heard::LogEndsAt(last) if self.readable(last) > self.position => {
                self.reopen(&counters.follower_stalls, Some(self.missing_next()));
            }
            Heard::SentUpTo(_) | Heard::LogEndsAt(_) => {}
        }
        None
    }

    fn judge(&mut self, event: Stored) -> Option<Stored> {
        let State::Reading(feed) = &mut self.state else { return None };
        let counters = self.shared.counters.clone();
        match order::judge(self.position, feed.checks_position, event.seq) {
            Verdict::Next => return Some(event),
            Verdict::AtPosition if self.tag == Some(event.tag()) => feed.checks_position = false,
            Verdict::AtPosition => self.state = self.failed(FollowError::OtherLog { position: self.position }),
            Verdict::Replay => self.reopen(&counters.follower_replays, None),
            Verdict::Jump { .. } if Bug::IgnoreHole.is_planted() => return Some(event),
            Verdict::Jump { expected } => {
                self.reopen(&counters.follower_jumps, Some(Missing { expected }));
            }
        }
        None
    }

    /// The last event up to `last` that was not accepted as lost.
    fn readable(&self, last: u64) -> u64 {
        match &self.state {
            State::Reading(feed) => feed.holes.before(last),
            State::Opening(_) | State::Failed(_) => last,
        }
    }

    /// Whether an event is there though it was accepted as lost. Other readers have passed over it.
    fn is_given_up(&self, seq: u64) -> bool {
        matches!(&self.state, State::Reading(feed) if feed.holes.contains(seq))
    }

    /// Nothing comes, though the log goes on: it may be lost on the way to us, or in the log itself.
    fn missing_next(&self) -> Missing {
        Missing { expected: self.position + 1 }
    }

    fn reopen(&mut self, why: &std::sync::atomic::AtomicU64, missing: Option<Missing>) {
        count(why);
        count(&self.shared.counters.follower_reopened);
        tracing::debug!(
            stream = self.shared.stream.name(),
            position = self.position,
            ?missing,
            "opening the feed again"
        );
        let next = State::Failed(FollowError::Gone);
        let previous = match std::mem::replace(&mut self.state, next) {
            State::Reading(feed) => Some(*feed),
            State::Opening(_) | State::Failed(_) => None,
        };
        self.state = opening(&self.shared, self.origin(missing), previous);
    }

    fn origin(&self, missing: Option<Missing>) -> Origin {
        Origin { position: self.position, tag: self.tag, missing }
    }
}

fn opening(shared: &Arc<Shared>, origin: Origin, previous: Option<Feed>) -> State {
    State::Opening(Box::pin(feed::open(shared.clone(), origin, previous)))
}
