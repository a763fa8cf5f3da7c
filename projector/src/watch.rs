//! Looks once a second how far the log goes, and whether it is still the same one.

use std::time::Duration;

use natter_log::{Log, ReadError, Stream};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::error::SessionError;
use crate::fact::Incoming;
use crate::status::Status;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs beside a session until that ends. Ends it when the log gets a new epoch.
pub(crate) async fn run(
    log: Log,
    stream: Stream,
    epoch: u64,
    status: Status,
    session: mpsc::Sender<Result<Vec<Incoming>, SessionError>>,
) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        // A broker that can't be asked is no news: the follower waits for it.
        let _ = look(&log, stream, &status).await;
        if log.epoch().await.is_ok_and(|now| now.0 != epoch) {
            let _ = session.send(Err(SessionError::NewEpoch)).await;
            return std::future::pending().await;
        }
    }
}

async fn look(log: &Log, stream: Stream, status: &Status) -> Result<(), ReadError> {
    let applied = status.of(stream).seq;
    let state = log.state(stream).await?;
    let next_at = if state.last_seq > applied {
        let next = log.get(stream, (applied + 1).max(state.first_seq)).await?;
        next.and_then(|event| OffsetDateTime::from_unix_timestamp_nanos(i128::from(event.time_ms) * 1_000_000).ok())
    } else {
        None
    };
    status.lags(stream, state.last_seq, next_at);
    Ok(())
}
