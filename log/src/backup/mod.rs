//! Copies of the streams and buckets, to be kept elsewhere and put back into an empty broker.
//!
//! The broker makes them and takes them back itself, over the connection, while it serves: only so every event comes
//! back under its own seq and at its own time, which is what identity and tags are made of. [`Snapshot`] takes one,
//! [`Filling`] gives one back.
//!
//! A bucket changes while it is copied: an entry that is written anew loses its old revision before the copy comes to it,
//! and its new one stands behind the copy's end. So what was written meanwhile is read after it
//! ([`Log::change_after`]), and put back after it.

mod restore;
mod snapshot;

use bytes::Bytes;

use crate::bucket::{BucketError, is_tombstone};
use crate::holes::Holes;
use crate::read::{MAX_RANGE_EVENTS, Raw, ReadError, StreamState};
use crate::settings::Settings;
use crate::streams::{Bucket, Stream};
use crate::{Epoch, Log};

pub use restore::{Filling, RestoreError};
pub use snapshot::{Snapshot, SnapshotError};

/// What is read at once.
const READ_BYTES: usize = 8 << 20;

/// One stream or bucket of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Stream(Stream),
    Bucket(Bucket),
}

impl Part {
    /// In the order in which they are copied. The log comes first: what its events need (the keys that open them, who is
    /// in a conversation, who is called what) is written before them, so a later copy of the buckets has it.
    ///
    /// Three buckets stay behind. `meta` holds the epoch, and a restored log gets another one. `sessions` holds logins:
    /// one that was ended after the backup would be good again. `integrity` holds what was looked at of another broker's
    /// files, and the record of accepted holes, which is put back by itself ([`Log::end_restore`]).
    pub const ALL: [Part; 6] = [
        Part::Stream(Stream::Chat),
        Part::Stream(Stream::Presence),
        Part::Bucket(Bucket::Keys),
        Part::Bucket(Bucket::Conversations),
        Part::Bucket(Bucket::Directory),
        Part::Bucket(Bucket::Credentials),
    ];

    /// What the broker calls it.
    pub fn name(self) -> String {
        match self {
            Part::Stream(stream) => stream.name().to_owned(),
            Part::Bucket(bucket) => bucket.stream_name(),
        }
    }

    fn config(self, settings: &Settings) -> async_nats::jetstream::stream::Config {
        match self {
            Part::Stream(stream) => stream.config(settings),
            Part::Bucket(bucket) => bucket.config(settings),
        }
    }
}

/// One revision of an entry of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub revision: u64,
    pub key: String,
    /// None when it was deleted.
    pub value: Option<Bytes>,
}

impl Log {
    /// Begins to copy a stream or bucket as it is now. What is written meanwhile is not in it.
    pub async fn snapshot(&self, part: Part) -> Result<Snapshot, SnapshotError> {
        Snapshot::begin(&self.inner.reader, part).await
    }

    /// The first revision after this one that is still there. Asked for until there is none, all entries that were
    /// written since are among the answers, with their last revision.
    pub async fn change_after(&self, bucket: Bucket, revision: u64) -> Result<Option<Change>, ReadError> {
        let raw = self.inner.reader.next(&bucket.stream_name(), &bucket.subject(">"), revision).await?;
        raw.map(|raw| change(bucket, raw).ok_or(ReadError::Malformed)).transpose()
    }

    /// How much a stream or bucket holds.
    pub async fn part_state(&self, part: Part) -> Result<StreamState, ReadError> {
        Ok(self.inner.reader.info(&part.name()).await?.state)
    }

    /// Reads the log from its first event to this one, which is there. The broker leaves an event that is damaged on its disk out of a copy
    /// without a word; here it is a hole, unless it was accepted as one.
    pub async fn check_whole(&self, upto: u64, mut at: impl FnMut(u64)) -> Result<(), ReadError> {
        let mut after = 0;
        while after < upto {
            let events = self.range(Stream::Chat, after, MAX_RANGE_EVENTS, READ_BYTES).await?;
            let Some(last) = events.last() else {
                return Err(ReadError::Hole { expected: after + 1, found: upto + 1 });
            };
            after = last.seq;
            at(after);
        }
        Ok(())
    }

    /// Whether a restore was begun here and has not ended: what is here is half of a log.
    pub async fn is_being_restored(&self) -> Result<bool, BucketError> {
        restore::is_under_way(self).await
    }

    /// Makes sure that nothing is here that a restore would overwrite, and marks that one has begun: until
    /// [`Log::end_restore`] no service starts on this broker. One that was begun and not ended may be begun again.
    pub async fn begin_restore(&self) -> Result<(), RestoreError> {
        restore::begin(self).await
    }

    /// Takes away what there is of this stream or bucket, and opens the broker for a copy of it.
    pub async fn fill(&self, part: Part, copied: StreamState) -> Result<Filling, RestoreError> {
        Filling::begin(&self.inner.reader, &self.inner.settings, part, copied).await
    }

    /// Makes what is missing, puts the record of accepted holes back, gives the log an epoch that no position was ever
    /// given out with, and takes the mark away.
    pub async fn end_restore(&self, copied: Epoch, holes: &Holes) -> Result<Epoch, RestoreError> {
        restore::end(self, copied, holes).await
    }
}

fn change(bucket: Bucket, raw: Raw) -> Option<Change> {
    let key = raw.stored.subject.strip_prefix(bucket.subject("").as_str())?.to_owned();
    let deleted = is_tombstone(&raw);
    Some(Change { revision: raw.stored.seq, key, value: (!deleted).then_some(raw.stored.payload) })
}
