//! What is said and not kept: typing, presence between gateways, delivered. Core NATS under `live.>`, at most once.
//!
//! Losing is allowed, losing silently is not: a subscription tells of a gap whenever messages may have been missed, and
//! whoever keeps state from deltas asks for a snapshot then.

use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use tokio::sync::watch;

use crate::connect::Standing;
use crate::stored::Subject;
use crate::subjects::{is_literal_under, is_pattern_under};

const PREFIX: &str = "live.";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveMessage {
    pub subject: Subject,
    pub payload: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    Message(LiveMessage),
    /// Messages may be missing: the connection was lost, or we read too slowly. Messages that were already on their
    /// way may still follow, so take the snapshot after it, not before.
    Gap,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    #[error("{0:?} is not a subject under live.")]
    BadSubject(String),
    #[error("the payload is larger than the broker takes")]
    TooLarge,
    #[error("the broker can't be reached")]
    Unavailable,
}

/// Messages of one subject or pattern.
pub struct LiveSubscription {
    messages: async_nats::Subscriber,
    gaps: watch::Receiver<u64>,
    /// Messages to hand out before the next gap is told.
    before_next_gap: usize,
    capacity: usize,
}

impl LiveSubscription {
    /// The next message, or word of a gap. None once the log is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Live> {
        if self.before_next_gap > 0
            && let Some(message) = self.messages.next().now_or_never()
        {
            self.before_next_gap -= 1;
            return message.map(live);
        }
        tokio::select! {
            biased;
            Ok(()) = self.gaps.changed() => {
                // A reader who is too slow hears what is buffered between two gaps, and not of gaps only.
                self.before_next_gap = self.capacity;
                Some(Live::Gap)
            }
            message = self.messages.next() => message.map(live),
        }
    }
}

fn live(message: async_nats::Message) -> Live {
    let payload = Bytes::copy_from_slice(&message.payload);
    Live::Message(LiveMessage { subject: Subject(message.subject), payload })
}

pub(crate) async fn publish(standing: &Standing, subject: &str, payload: Bytes) -> Result<(), LiveError> {
    if !is_literal_under(subject, PREFIX) {
        return Err(bad(subject));
    }
    // The library would keep it for the next connection. By then nobody is typing any more.
    if !standing.is_connected() {
        return Err(LiveError::Unavailable);
    }
    standing.client.publish(subject.to_owned(), payload).await.map_err(|error| match error.kind() {
        async_nats::client::PublishErrorKind::MaxPayloadExceeded => LiveError::TooLarge,
        async_nats::client::PublishErrorKind::InvalidSubject => bad(subject),
        async_nats::client::PublishErrorKind::Send => LiveError::Unavailable,
    })
}

/// Subscribed at the server when it returns: whatever is published there afterwards arrives.
pub(crate) async fn subscribe(
    standing: &Standing,
    subject: &str,
    capacity: usize,
    timeout: Duration,
) -> Result<LiveSubscription, LiveError> {
    if !is_pattern_under(subject, PREFIX) {
        return Err(bad(subject));
    }
    // Seen before subscribing, so that a loss in between is told.
    let gaps = standing.gaps.subscribe();
    let messages = standing.client.subscribe(subject.to_owned()).await.map_err(|_| LiveError::Unavailable)?;
    standing.round_trip(timeout).await.map_err(|_| LiveError::Unavailable)?;
    Ok(LiveSubscription { messages, gaps, before_next_gap: 0, capacity })
}

fn bad(subject: &str) -> LiveError {
    LiveError::BadSubject(subject.chars().take(100).collect())
}
