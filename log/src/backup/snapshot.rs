//! Taking a copy: the broker sends it in pieces, and the next ones when those before were taken.

use std::time::Duration;

use async_nats::{Client, Message, Subject, Subscriber};
use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::backup::Part;
use crate::read::{JETSTREAM_API, ReadError, Reader, State, StreamState};

/// What the broker sends at once, and how much of it before the first is taken.
const CHUNK_BYTES: usize = 128 << 10;
const WINDOW_BYTES: usize = 4 << 20;
/// The broker gives up a receiver that takes nothing for five seconds.
const SILENCE_LIMIT: Duration = Duration::from_secs(20);

/// Why there is no copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("{part} can't be copied")]
    NotBegun {
        part: String,
        #[source]
        source: ReadError,
    },
    #[error("the broker gave up copying {part}: {reason} ({status})")]
    GivenUp { part: String, status: u16, reason: String },
    #[error("the copy of {part} was interrupted: the connection to the broker was lost, or the broker fell silent")]
    Interrupted { part: String },
    #[error("a piece of the copy of {part} is missing")]
    Hole { part: String },
}

/// A copy that is being taken. Dropped before its end, the broker stops sending.
pub struct Snapshot {
    part: String,
    state: StreamState,
    client: Client,
    pieces: Subscriber,
    /// The number of the piece that comes next, from 1.
    next: u64,
    /// Where to say that the piece before was taken.
    taken: Option<Subject>,
    /// Whether the piece came that is shorter than the others, behind which there is only the end.
    short: bool,
    gaps: watch::Receiver<u64>,
}

impl Snapshot {
    pub(super) async fn begin(reader: &Reader, part: Part) -> Result<Snapshot, SnapshotError> {
        #[derive(Deserialize)]
        struct Begun {
            state: State,
        }
        let part = part.name();
        let not_begun = |source| SnapshotError::NotBegun { part: part.clone(), source };
        let client = reader.standing.client.clone();
        let mut gaps = reader.standing.gaps.subscribe();
        gaps.mark_unchanged();
        let inbox = client.new_inbox();
        let pieces = client.subscribe(inbox.clone()).await.map_err(|_| not_begun(ReadError::Unavailable))?;
        let wish = serde_json::json!({
            "deliver_subject": inbox,
            "no_consumers": true,
            "chunk_size": CHUNK_BYTES,
            "window_size": WINDOW_BYTES,
        });
        let begun = reader.ask::<Begun>(format!("{JETSTREAM_API}.STREAM.SNAPSHOT.{part}"), wish).await;
        let state = begun.map_err(not_begun)?.state.into();
        Ok(Snapshot { part, state, client, pieces, next: 1, taken: None, short: false, gaps })
    }

    /// What is in it.
    pub fn state(&self) -> StreamState {
        self.state
    }

    /// The next piece, or nothing when it is whole. Asking for it says that the one before is in safety.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SnapshotError> {
        if let Some(subject) = self.taken.take() {
            self.client.publish(subject, Bytes::new()).await.map_err(|_| self.interrupted())?;
        }
        let message = tokio::select! {
            message = timeout(SILENCE_LIMIT, self.pieces.next()) => message,
            // Perhaps some was lost with the connection.
            _changed = self.gaps.changed() => return Err(self.interrupted()),
        };
        match message {
            Ok(Some(message)) if message.payload.is_empty() => self.end(&message),
            Ok(Some(message)) => self.piece(message).map(Some),
            Ok(None) | Err(_) => Err(self.interrupted()),
        }
    }

    fn piece(&mut self, message: Message) -> Result<Bytes, SnapshotError> {
        let number = message.reply.as_deref().map(|reply| reply.rsplit('.').next().and_then(|n| n.parse().ok()));
        let expected = match number {
            _ if self.short => false,
            Some(number) => number == Some(self.next),
            None => true,
        };
        if !expected {
            return Err(SnapshotError::Hole { part: self.part.clone() });
        }
        self.next += 1;
        self.short = message.reply.is_none();
        self.taken = message.reply;
        Ok(message.payload)
    }

    fn end(&self, message: &Message) -> Result<Option<Bytes>, SnapshotError> {
        match message.status.map(|status| status.as_u16()) {
            None | Some(204) => Ok(None),
            Some(status) => {
                let reason = message.description.clone().unwrap_or_default();
                Err(SnapshotError::GivenUp { part: self.part.clone(), status, reason })
            }
        }
    }

    fn interrupted(&self) -> SnapshotError {
        SnapshotError::Interrupted { part: self.part.clone() }
    }
}
