//! Whether the log is the one that the read models were made from (D14). Asked at every start and after every interruption;
//! in between, the follower compares the event at its position each time it opens its feed again.

use natter_log::{FollowError, Log, Stream, Tag};
use sqlx::PgConnection;

use crate::error::{Error, SessionError};
use crate::position::Position;

/// Where the read models stand in this log.
pub(crate) async fn position(
    connection: &mut PgConnection,
    log: &Log,
    stream: Stream,
) -> Result<Position, SessionError> {
    let epoch = log.epoch().await.map_err(SessionError::log)?.0;
    let position = Position::load(connection, stream, epoch).await?;
    // PRESENCE forgets, so that the event at the position may be gone by right; the follower compares it if it is not.
    if stream == Stream::Chat {
        check(&position, log).await?;
    }
    if position.epoch == epoch {
        return Ok(position);
    }
    // The log was cut or restored, but not before our position: what we have is true of it too.
    tracing::warn!(stream = stream.name(), seq = position.seq, "the log has a new epoch and the same past");
    let renewed = Position { epoch, ..position };
    position.advance(&renewed, connection, stream).await?;
    Ok(renewed)
}

/// Whether the event at the position is accepted as lost, and can't be compared. One that is lost and not accepted is a
/// hole; one behind the end of the log is neither.
async fn is_lost(log: &Log, seq: u64) -> Result<bool, SessionError> {
    if log.holes().await.map_err(SessionError::log)?.contains(seq) {
        return Ok(true);
    }
    if log.whole_state(Stream::Chat).await.map_err(SessionError::log)?.last_seq < seq {
        return Ok(false);
    }
    Err(SessionError::Hole(FollowError::Hole { expected: seq, found: seq + 1 }))
}

/// Whether a position in CHAT is one of this log.
pub(crate) async fn check(position: &Position, log: &Log) -> Result<(), SessionError> {
    if position.seq > 0 {
        match log.get(Stream::Chat, position.seq).await.map_err(SessionError::log)? {
            None if is_lost(log, position.seq).await? => {}
            there => compare(position, there.map(|stored| stored.tag()))?,
        }
    }
    Ok(())
}

fn compare(position: &Position, there: Option<Tag>) -> Result<(), Error> {
    let seq = position.seq;
    match there {
        Some(tag) if tag == position.tag => Ok(()),
        Some(_) => Err(Error::OtherLog { why: format!("event {seq} is another one than it was") }),
        None => Err(Error::OtherLog { why: format!("it ends before event {seq}, which they already hold") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d14_only_the_same_event_at_the_position_is_the_same_log() {
        let position = Position { seq: 7, tag: Tag(1), ..Position::start(5) };
        assert!(compare(&position, Some(Tag(1))).is_ok());
        let other = compare(&position, Some(Tag(2))).expect_err("another event").to_string();
        assert!(other.contains("event 7 is another one") && other.contains("natter migrate"), "{other}");
        let shorter = compare(&position, None).expect_err("no event").to_string();
        assert!(shorter.contains("it ends before event 7"), "{shorter}");
    }
}
