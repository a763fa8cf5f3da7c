//! From the log to batches that are ready to be applied: followed, decoded, and opened with keys fetched ahead. Runs beside
//! the transaction of the batch before.

use std::collections::HashMap;

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use natter_events::{ContentKey, KeyId, Uid};
use natter_log::{FollowError, Follower, KeyError, KeyRing, Log, Stored, Stream};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::error::{Error, SessionError};
use crate::fact::{Decoded, Incoming, Later};
use crate::position::Position;

/// Keys that are fetched at the same time.
const KEYS_AT_ONCE: usize = 64;
/// Events that are taken from the follower in one go, between looks at how many bytes they are.
const TAKE_EVENTS: usize = 256;

/// Follows `stream` from the position until that ends, and sends batches; the last that is sent is why it ended.
pub(crate) async fn run(
    config: Config,
    log: Log,
    keys: KeyRing,
    stream: Stream,
    from: Position,
    batches: mpsc::Sender<Result<Vec<Incoming>, SessionError>>,
) {
    let follower = log.follow(stream, from.seq);
    let mut follower = if from.seq == 0 { follower } else { follower.expecting(from.tag) };
    loop {
        let (batch, end) = match next(&config, &mut follower).await {
            Ok(stored) => match prepare(&keys, stream, stored).await {
                Ok(Prepared { events, later }) => (events, later.map(|later| Error::later(stream, later).into())),
                Err(error) => (Vec::new(), Some(key_error(error))),
            },
            Err(error) => (Vec::new(), Some(follow_error(stream, error))),
        };
        if !batch.is_empty() && batches.send(Ok(batch)).await.is_err() {
            return;
        }
        if let Some(error) = end {
            let _ = batches.send(Err(error)).await;
            return;
        }
    }
}

/// Waits for an event, and takes what else is there.
async fn next(config: &Config, follower: &mut Follower) -> Result<Vec<Stored>, FollowError> {
    let mut batch = follower.next_batch(TAKE_EVENTS.min(config.max_batch_events)).await?;
    loop {
        let bytes: usize = batch.iter().map(|stored| stored.payload.len()).sum();
        let room = config.max_batch_events.saturating_sub(batch.len()).min(TAKE_EVENTS);
        if room == 0 || bytes >= config.max_batch_bytes {
            return Ok(batch);
        }
        match follower.next_batch(room).now_or_never() {
            Some(Ok(more)) => batch.extend(more),
            // An error comes again with the next call.
            Some(Err(_)) | None => return Ok(batch),
        }
    }
}

pub(crate) struct Prepared {
    pub events: Vec<Incoming>,
    /// The event after these is of a later program's.
    pub later: Option<Later>,
}

/// Decoded, and opened with the keys of their authors.
pub(crate) async fn prepare(keys: &KeyRing, stream: Stream, stored: Vec<Stored>) -> Result<Prepared, KeyError> {
    let mut later = None;
    let mut decoded = Vec::with_capacity(stored.len());
    for stored in stored {
        match Decoded::read(stream, stored) {
            Ok(event) => decoded.push(event),
            Err(event) => {
                later = Some(event);
                break;
            }
        }
    }
    let keys = fetch(keys, &decoded).await?;
    let open = |event: Decoded| {
        let key = event.key().and_then(|name| keys.get(&name)).and_then(Option::as_ref);
        event.open(key)
    };
    Ok(Prepared { events: decoded.into_iter().map(open).collect(), later })
}

/// The keys of a batch, all at once.
async fn fetch(keys: &KeyRing, events: &[Decoded]) -> Result<HashMap<(Uid, KeyId), Option<ContentKey>>, KeyError> {
    let mut wanted: Vec<(Uid, KeyId)> = events.iter().filter_map(Decoded::key).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let fetching = wanted.into_iter().map(|name| async move { Ok((name, keys.get(name.0, name.1).await?)) });
    stream::iter(fetching).buffer_unordered(KEYS_AT_ONCE).try_collect().await
}

pub(crate) fn key_error(error: KeyError) -> SessionError {
    match error {
        KeyError::WrongMasterKey { .. } => Error::Keys(error).into(),
        KeyError::Bucket(_) => SessionError::log(error),
    }
}

fn follow_error(stream: Stream, error: FollowError) -> SessionError {
    match (stream, &error) {
        // Nobody has made the stream yet, or it is being made again; with a position, what is there then is compared.
        (_, FollowError::Gone) => SessionError::log(error),
        (Stream::Chat, FollowError::Hole { .. }) => SessionError::Hole(error),
        (Stream::Chat, FollowError::LogEndsBefore { .. } | FollowError::OtherLog { .. }) => {
            Error::OtherLog { why: error.to_string() }.into()
        }
        (Stream::Presence, _) => SessionError::PresenceLost(error),
    }
}
