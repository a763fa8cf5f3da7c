//! Which log this is (D14). A log that was restored or rolled back has the old positions with other events at them; it
//! gets a new epoch, and every position of the old one is known to be of another log.

use bytes::Bytes;

use crate::bucket::{BucketError, KeyValue};

/// A log's name: random, made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    #[error("the epoch can't be read or written")]
    Bucket(#[from] BucketError),
    #[error("what is stored as the epoch is none")]
    Malformed,
}

const KEY: &str = "epoch";

/// The epoch, made now if this log has none yet. All who ask learn the same.
pub(crate) async fn epoch(meta: &KeyValue) -> Result<Epoch, EpochError> {
    loop {
        if let Some((epoch, _)) = read(meta).await? {
            return Ok(epoch);
        }
        match meta.create(KEY, write(random())).await {
            // Whoever made it: what is stored is it.
            Ok(_) | Err(BucketError::AlreadyExists | BucketError::Unknown) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives the log a new epoch in place of the one that was seen. Of all who try, one wins, and all learn its epoch.
pub(crate) async fn renew(meta: &KeyValue, seen: Epoch) -> Result<Epoch, EpochError> {
    loop {
        let Some((epoch, revision)) = read(meta).await? else {
            return self::epoch(meta).await;
        };
        if epoch != seen {
            return Ok(epoch);
        }
        match meta.update(KEY, write(other_than(seen)), revision).await {
            Ok(_) | Err(BucketError::WrongRevision | BucketError::Unknown) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives a log that was restored an epoch that is not the one it had, whatever is there.
pub(crate) async fn put_other_than(meta: &KeyValue, had: Epoch) -> Result<Epoch, EpochError> {
    let epoch = other_than(had);
    meta.put(KEY, write(epoch)).await?;
    Ok(epoch)
}

async fn read(meta: &KeyValue) -> Result<Option<(Epoch, u64)>, EpochError> {
    let Some(entry) = meta.get(KEY).await? else { return Ok(None) };
    let text = std::str::from_utf8(&entry.value).map_err(|_| EpochError::Malformed)?;
    let number = text.parse().map_err(|_| EpochError::Malformed)?;
    Ok(Some((Epoch(number), entry.revision)))
}

fn write(epoch: Epoch) -> Bytes {
    Bytes::from(epoch.0.to_string())
}

fn random() -> Epoch {
    Epoch(rand::random())
}

fn other_than(seen: Epoch) -> Epoch {
    std::iter::repeat_with(random).find(|epoch| *epoch != seen).unwrap_or(seen)
}
