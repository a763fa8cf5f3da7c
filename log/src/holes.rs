//! Holes in CHAT that an operator has accepted: events that are lost for good, on record.
//!
//! A damaged file costs events, and the broker says nothing: reading passes over them. Here nothing passes over a hole
//! until somebody has said that it is to be, who and why. From then on every reader passes over exactly these sequences,
//! even over one that can be read again later: readers that disagree would be worse than an event that is lost. An event
//! that is there and is not what was written is as lost as one that is not, and is accepted in the same way; the log knows
//! nothing of what its events say, so which these are is for the caller to judge.
//!
//! The record lies in a bucket of its own, so that analytics may read it and nothing else. A hole counts while the event
//! beside it is the one that was there: in a log that was restored or replaced, the same sequences are other events.
//!
//! A hole at the end of the log is open: a broker that is killed goes back to before it, and gives its sequences to new
//! events. Such a hole ends where something was stored after it was accepted, by the broker's own clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use natter_events::Tag;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::bucket::{BucketError, KeyValue};
use crate::read::{Info, ReadError, Reader};
use crate::stored::Stored;
use crate::streams::{Bucket, Stream};

/// The most holes that are kept on record.
pub const MAX_HOLES: usize = 1_000;
/// The longest reason, in bytes.
pub const MAX_REASON_BYTES: usize = 1_000;

const KEY: &str = "holes";
/// How long what was read of the record is good for. Whoever meets a hole reads it again.
const GOOD_FOR: Duration = Duration::from_secs(5);
const MAX_RACES: usize = 8;

/// Events that are lost, from `first` to `last`, and who has accepted that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    pub first: u64,
    pub last: u64,
    pub by: String,
    pub reason: String,
    /// Unix milliseconds.
    pub at_ms: u64,
    /// An event beside it: of which log the hole is.
    beside: Option<Beside>,
    /// When it was accepted by the broker's clock, in Unix milliseconds, if the log ended in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open_since_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Beside {
    seq: u64,
    tag: u64,
}

/// What an operator accepts.
#[derive(Clone, Debug)]
pub struct Acceptance {
    pub first: u64,
    pub last: u64,
    pub by: String,
    pub reason: String,
    pub at_ms: u64,
}

/// Why a hole is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error("{first}-{last} is no stretch of the log, which goes from 1 to {end}")]
    OutOfBounds { first: u64, last: u64, end: u64 },
    #[error("event {seq} can be read and is what was written: only what is lost or damaged can be accepted as lost")]
    Readable { seq: u64 },
    #[error("{first}-{last} was accepted before, by {by}")]
    AcceptedBefore { first: u64, last: u64, by: String },
    #[error("a reason has 1 to {MAX_REASON_BYTES} bytes of printable text, and so has a name")]
    Reason,
    #[error("{MAX_HOLES} holes are on record, which is as many as there may be: restore the log from a backup")]
    TooMany,
    #[error("the log can't be read")]
    Read(#[from] ReadError),
    #[error("the record of holes can't be written")]
    Write(#[from] BucketError),
}

/// The accepted holes of a log, in order; no two share a sequence. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holes(Arc<[Hole]>);

impl Holes {
    pub fn new(mut holes: Vec<Hole>) -> Self {
        holes.sort_by_key(|hole| hole.first);
        Self(holes.into())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Hole> {
        self.0.iter()
    }

    /// The hole that a sequence is in.
    pub fn at(&self, seq: u64) -> Option<&Hole> {
        let after = self.0.partition_point(|hole| hole.first <= seq);
        self.0[..after].last().filter(|hole| hole.last >= seq)
    }

    pub fn contains(&self, seq: u64) -> bool {
        self.at(seq).is_some()
    }

    /// The first sequence from `first` on that no hole covers.
    pub fn past(&self, first: u64) -> u64 {
        let mut seq = first;
        while let Some(hole) = self.at(seq) {
            seq = hole.last + 1;
        }
        seq
    }

    /// How many sequences up to `last` they cover.
    pub fn lost_up_to(&self, last: u64) -> u64 {
        self.iter().filter(|hole| hole.first <= last).map(|hole| hole.last.min(last) - hole.first + 1).sum()
    }

    /// The last sequence up to `last` that no hole covers.
    pub fn before(&self, last: u64) -> u64 {
        let mut seq = last;
        while let Some(hole) = self.at(seq) {
            seq = hole.first - 1;
        }
        seq
    }
}

/// What this process knows of the record.
pub(crate) struct HoleBook {
    /// Whether this account may read it.
    readable: bool,
    known: Mutex<Option<Known>>,
    /// Subjects whose last event is lost.
    stand_ins: Mutex<HashMap<String, StandIn>>,
}

/// The event that is the last of its subject now, and what the broker goes by: 0 where it can't read the one that was.
#[derive(Clone, Copy)]
struct StandIn {
    seq: u64,
    by_broker: u64,
}

/// The most subjects that stand-ins are kept of.
const MAX_STAND_INS: usize = 10_000;

struct Known {
    revision: u64,
    holes: Holes,
    asked: Instant,
    /// Whether what is stored next may end one of them.
    open: bool,
}

impl Known {
    fn is_recent(&self) -> bool {
        !self.open && self.asked.elapsed() < GOOD_FOR
    }
}

impl HoleBook {
    pub(crate) fn new(readable: bool) -> Self {
        Self { readable, known: Mutex::new(None), stand_ins: Mutex::default() }
    }

    /// The accepted holes, as of a few seconds ago at most.
    pub(crate) async fn recent(&self, reader: &Reader) -> Result<Holes, ReadError> {
        if !self.readable {
            return Ok(Holes::default());
        }
        let recent = self.known.lock().as_ref().filter(|known| known.is_recent()).map(|known| known.holes.clone());
        match recent {
            Some(holes) => Ok(holes),
            None => self.read(reader).await,
        }
    }

    /// The accepted holes as they are on record now.
    pub(crate) async fn read(&self, reader: &Reader) -> Result<Holes, ReadError> {
        if !self.readable {
            return Ok(Holes::default());
        }
        let asked = Instant::now();
        let (revision, listed) = listed(reader).await?;
        if let Some(known) = self.known.lock().as_mut().filter(|known| known.revision == revision && !known.open) {
            known.asked = asked;
            return Ok(known.holes.clone());
        }
        let (mut holes, mut open) = (Vec::new(), false);
        for hole in listed {
            if !is_of_this_log(reader, &hole).await? {
                tracing::warn!(
                    first = hole.first,
                    last = hole.last,
                    "a hole was accepted in another log than this one, and is not passed over"
                );
                continue;
            }
            let Extent { last, is_final } = extent(reader, &hole).await?;
            open |= !is_final;
            if last >= hole.first {
                holes.push(Hole { last, ..hole });
            }
        }
        let holes = Holes::new(holes);
        *self.known.lock() = Some(Known { revision, holes: holes.clone(), asked, open });
        Ok(holes)
    }

    /// The log is another one from now on.
    pub(crate) fn forget(&self) {
        *self.known.lock() = None;
        self.stand_ins.lock().clear();
    }

    /// The last event of a subject is lost, and `seq` is the last that is not; the broker goes by another one, or by none.
    pub(crate) fn stands_in(&self, subject: &str, seq: u64, by_broker: u64) {
        let mut stand_ins = self.stand_ins.lock();
        if stand_ins.len() < MAX_STAND_INS {
            stand_ins.insert(subject.to_owned(), StandIn { seq, by_broker });
        }
    }

    /// What the broker has to be told to expect so that an event is appended behind `expected`: it knows of no hole.
    pub(crate) fn expected_by_broker(&self, subject: &str, expected: Option<u64>) -> Option<u64> {
        expected.map(|seq| match self.stand_ins.lock().get(subject) {
            Some(stand_in) if stand_in.seq == seq => stand_in.by_broker,
            _ => seq,
        })
    }
}

/// The record as it is stored, with its revision: 0 if there is none.
async fn listed(reader: &Reader) -> Result<(u64, Vec<Hole>), ReadError> {
    let bucket = Bucket::Integrity;
    let entry = match reader.last(&bucket.stream_name(), &bucket.subject(KEY)).await {
        // A broker that no later Natter has declared its buckets on.
        Err(ReadError::Gone { .. }) => None,
        other => other?,
    };
    let Some(entry) = entry else { return Ok((0, Vec::new())) };
    let holes = serde_json::from_slice(&entry.stored.payload).map_err(|_| ReadError::Malformed)?;
    Ok((entry.stored.seq, holes))
}

async fn is_of_this_log(reader: &Reader, hole: &Hole) -> Result<bool, ReadError> {
    let Some(Beside { seq, tag }) = hole.beside else { return Ok(true) };
    let there = reader.get(Stream::Chat.name(), seq).await?;
    Ok(there.is_some_and(|there| there.stored.tag() == Tag(tag)))
}

/// How far a hole goes that may have been at the end of the log, and whether that is so for good.
struct Extent {
    last: u64,
    is_final: bool,
}

async fn extent(reader: &Reader, hole: &Hole) -> Result<Extent, ReadError> {
    let Hole { first, last, open_since_ms, .. } = *hole;
    let Some(accepted_ms) = open_since_ms else { return Ok(Extent { last, is_final: true }) };
    let mut at = first - 1;
    loop {
        match reader.next(Stream::Chat.name(), Stream::Chat.all_subjects(), at).await? {
            Some(next) if next.stored.seq > last => return Ok(Extent { last, is_final: true }),
            Some(next) if next.stored.time_ms > accepted_ms => {
                return Ok(Extent { last: next.stored.seq - 1, is_final: true });
            }
            // It can be read again, and stays lost.
            Some(next) => at = next.stored.seq,
            None => {
                let end = reader.state(Stream::Chat).await?.last_seq;
                return Ok(Extent { last: last.min(end), is_final: false });
            }
        }
    }
}

/// Puts a hole on record, having seen that nothing in it can be read that is not damaged.
pub(crate) async fn accept(
    reader: &Reader,
    book: &HoleBook,
    bucket: &KeyValue,
    acceptance: Acceptance,
    is_damaged: impl Fn(&Stored) -> bool,
) -> Result<Hole, AcceptError> {
    let Acceptance { first, last, by, reason, at_ms } = acceptance;
    let is_text = |text: &str| {
        (1..=MAX_REASON_BYTES).contains(&text.len()) && !text.trim().is_empty() && !text.contains(char::is_control)
    };
    if !is_text(&reason) || !is_text(&by) {
        return Err(AcceptError::Reason);
    }
    let Info { state, at_ms: now_ms, .. } = reader.info(Stream::Chat.name()).await?;
    let end = state.last_seq;
    if first == 0 || first > last || last > end {
        return Err(AcceptError::OutOfBounds { first, last, end });
    }
    let mut at = first - 1;
    while let Some(next) = reader.next(Stream::Chat.name(), Stream::Chat.all_subjects(), at).await?
        && next.stored.seq <= last
    {
        at = next.stored.seq;
        if !is_damaged(&next.stored) {
            return Err(AcceptError::Readable { seq: at });
        }
    }
    let known = book.read(reader).await?;
    if let Some(hole) = known.iter().find(|hole| hole.first <= last && first <= hole.last) {
        let Hole { first, last, by, .. } = hole.clone();
        return Err(AcceptError::AcceptedBefore { first, last, by });
    }
    let before = match known.before(first - 1) {
        0 => None,
        seq => reader.get(Stream::Chat.name(), seq).await?,
    };
    let beside = match before {
        Some(before) => Some(before),
        None => reader.next(Stream::Chat.name(), Stream::Chat.all_subjects(), last).await?,
    };
    let beside = beside.map(|raw| Beside { seq: raw.stored.seq, tag: raw.stored.tag().0 });
    let open_since_ms = (last == end).then_some(now_ms);
    let hole = Hole { first, last, by, reason, at_ms, beside, open_since_ms };
    for _ in 0..MAX_RACES {
        let (revision, mut holes) = listed(reader).await?;
        if holes.contains(&hole) {
            book.forget();
            return Ok(hole);
        }
        if holes.len() >= MAX_HOLES {
            return Err(AcceptError::TooMany);
        }
        holes.push(hole.clone());
        // Plain structures of text and numbers always encode.
        let value = Bytes::from(serde_json::to_vec(&holes).unwrap_or_default());
        let written =
            if revision == 0 { bucket.create(KEY, value).await } else { bucket.update(KEY, value, revision).await };
        match written {
            // What was written is found at the next look.
            Ok(_) | Err(BucketError::AlreadyExists | BucketError::WrongRevision | BucketError::Unknown) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(AcceptError::Write(BucketError::Unknown))
}

/// The record as it was in a log that is being restored, as far as that goes: what comes behind its end is new.
pub(crate) async fn put_back(bucket: &KeyValue, holes: &Holes, end: u64, now_ms: i64) -> Result<(), BucketError> {
    let holes = up_to(holes, end, now_ms);
    if holes.is_empty() {
        return Ok(());
    }
    bucket.put(KEY, serde_json::to_vec(&holes).unwrap_or_default().into()).await.map(drop)
}

/// The holes of a log that ends at `end`. In which it ends is open, though it was not where more came behind it.
fn up_to(holes: &Holes, end: u64, now_ms: i64) -> Vec<Hole> {
    let within = holes.iter().filter(|hole| hole.first <= end).cloned();
    let cut = |hole: Hole| match hole.last < end {
        true => hole,
        false => Hole { last: end, open_since_ms: hole.open_since_ms.or(Some(now_ms)), ..hole },
    };
    within.map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holes(spans: &[(u64, u64)]) -> Holes {
        let hole = |&(first, last): &(u64, u64)| Hole {
            first,
            last,
            by: "ann".into(),
            reason: "a disk".into(),
            at_ms: 0,
            beside: None,
            open_since_ms: None,
        };
        Holes::new(spans.iter().map(hole).collect())
    }

    #[test]
    fn exactly_the_accepted_sequences_are_passed_over() {
        let holes = holes(&[(20, 20), (5, 9), (10, 12)]);
        let inside: Vec<u64> = (0..30).filter(|seq| holes.contains(*seq)).collect();
        assert_eq!(inside, [5, 6, 7, 8, 9, 10, 11, 12, 20]);
        assert_eq!((holes.past(4), holes.past(5), holes.past(12), holes.past(13), holes.past(20)), (4, 13, 13, 13, 21));
        assert_eq!((holes.before(4), holes.before(12), holes.before(20)), (4, 4, 19));
        assert_eq!(Holes::default().past(7), 7);
        let lost: Vec<_> = [4, 5, 11, 19, 30].iter().map(|last| holes.lost_up_to(*last)).collect();
        assert_eq!(lost, [0, 1, 7, 8, 9]);
    }

    #[test]
    fn the_hole_that_a_restored_log_ends_in_is_open() {
        let kept = up_to(&holes(&[(5, 9), (20, 30), (40, 41)]), 25, 7);
        let kept: Vec<_> = kept.iter().map(|hole| (hole.first, hole.last, hole.open_since_ms)).collect();
        assert_eq!(kept, [(5, 9, None), (20, 25, Some(7))]);
    }

    #[test]
    fn a_hole_at_the_very_beginning_has_nothing_before_it() {
        assert_eq!(holes(&[(1, 4)]).before(3), 0);
    }
}
