//! How far CHAT once went, on record outside of it (D14).
//!
//! A broker that finds the end of its log damaged goes back to before it, and gives the same sequences to other events.
//! Whoever was there notices by the tag of what it read last. If everybody was started anew, nobody was there: this is.

use bytes::Bytes;
use natter_events::Tag;
use serde::{Deserialize, Serialize};

use crate::bucket::{BucketError, KeyValue};
use crate::epoch::Epoch;
use crate::follow::FollowError;
use crate::read::{ReadError, Reader};
use crate::streams::Stream;

const KEY: &str = "head";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    epoch: u64,
    seq: u64,
    tag: u64,
}

/// Puts on record that the log of this epoch has come this far, unless it is known to have come further.
pub(crate) async fn note(bucket: &KeyValue, epoch: Epoch, seq: u64, tag: Tag) -> Result<(), BucketError> {
    let mark = Mark { epoch: epoch.0, seq, tag: tag.0 };
    let value = Bytes::from(serde_json::to_vec(&mark).unwrap_or_default());
    let written = match read(bucket).await? {
        Some((noted, _)) if noted.epoch == mark.epoch && noted.seq >= seq => return Ok(()),
        Some((_, revision)) => bucket.update(KEY, value, revision).await,
        None => bucket.create(KEY, value).await,
    };
    match written {
        // Another gateway noted something at the same time; there is a next time.
        Ok(_) | Err(BucketError::WrongRevision | BucketError::AlreadyExists | BucketError::Unknown) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the log of this epoch still has what it is known to have had. What is lost in the middle is a hole, and no
/// business of this.
pub(crate) async fn check(
    reader: &Reader,
    bucket: &KeyValue,
    epoch: Epoch,
) -> Result<Result<(), FollowError>, ReadError> {
    let noted = match read(bucket).await {
        Err(BucketError::Read(ReadError::Gone { .. })) => None,
        Err(BucketError::Read(error)) => return Err(error),
        Err(_) => return Err(ReadError::Unavailable),
        Ok(noted) => noted.map(|(mark, _)| mark).filter(|mark| mark.epoch == epoch.0),
    };
    let Some(Mark { seq: position, tag, .. }) = noted else { return Ok(Ok(())) };
    let last = reader.state(Stream::Chat).await?.last_seq;
    if last < position {
        return Ok(Err(FollowError::LogEndsBefore { position, last }));
    }
    let there = reader.get(Stream::Chat.name(), position).await?;
    Ok(match there {
        Some(there) if there.stored.tag() != Tag(tag) => Err(FollowError::OtherLog { position }),
        _ => Ok(()),
    })
}

async fn read(bucket: &KeyValue) -> Result<Option<(Mark, u64)>, BucketError> {
    let entry = bucket.get(KEY).await?;
    // One that does not read is as good as none.
    Ok(entry.and_then(|entry| Some((serde_json::from_slice(&entry.value).ok()?, entry.revision))))
}
