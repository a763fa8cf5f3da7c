//! Reading all of CHAT in the background, again and again, slowly: what nobody reads would otherwise be found damaged only
//! when it is needed. How far it is lies in a bucket, so that whoever goes on goes on there.
//!
//! One process at a time does it. It says so in every mark that it leaves; a mark that has not changed for a while is of
//! one that is gone, and the next one takes over by compare-and-set. For how long it has not changed, each tells by a clock of its own.

use std::time::Duration;

use bytes::Bytes;
use natter_events::record::is_whole;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::bucket::{BucketError, KeyValue};
use crate::epoch::EpochError;
use crate::read::ReadError;
use crate::{Bucket, Log, Lost, Stream};

const KEY: &str = "scrub";
/// What is kept of what was found, in stretches and in events.
const MAX_FOUND: usize = 1_000;
/// How often a mark is left.
const MARK_EVERY: Duration = Duration::from_secs(5);

/// How it is done.
#[derive(Clone, Copy, Debug)]
pub struct ScrubSettings {
    pub bytes_per_second: u64,
    /// From the end of one reading to the beginning of the next.
    pub every: Duration,
    /// After so long without another mark, whoever left the last one is gone.
    pub abandoned_after: Duration,
}

impl Default for ScrubSettings {
    fn default() -> Self {
        Self {
            bytes_per_second: 4 << 20,
            every: Duration::from_secs(24 * 3600),
            abandoned_after: Duration::from_secs(30),
        }
    }
}

/// How far the log was looked through, and what was found. This is the mark, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scrubbed {
    /// Of which log it is.
    pub epoch: u64,
    /// Who reads; nobody between two readings.
    pub holder: Option<u64>,
    /// Which reading it is, from 1.
    pub pass: u64,
    /// Everything up to here was looked at.
    pub up_to: u64,
    pub of: u64,
    /// Events that are lost and that nobody has accepted as lost, as first and last.
    pub lost: Vec<(u64, u64)>,
    /// Events that are there and are not what was written.
    pub damaged: Vec<u64>,
    /// When it came to the end, Unix milliseconds.
    pub finished_ms: Option<u64>,
}

impl Scrubbed {
    /// How many events are lost.
    pub fn lost_events(&self) -> u64 {
        self.lost.iter().map(|(first, last)| last - first + 1).sum()
    }

    fn found(&mut self, lost: &Lost) {
        let lost = (lost.first, lost.last);
        if self.lost.len() < MAX_FOUND {
            self.lost.push(lost);
            let (first, last) = lost;
            tracing::error!(
                first,
                last,
                "events of the log are lost: restore it from a replica or a backup, or let them be passed over with \
                 `natter repair hole`"
            );
        }
    }

    fn found_damaged(&mut self, seq: u64) {
        if self.damaged.len() < MAX_FOUND {
            self.damaged.push(seq);
            tracing::error!(seq, "an event of the log is not what was written; it reaches nobody");
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ScrubError {
    #[error("the log can't be read")]
    Read(#[from] ReadError),
    #[error("the mark can't be read or written")]
    Mark(#[from] BucketError),
    #[error("the epoch can't be read")]
    Epoch(#[from] EpochError),
}

/// Looks the log through whenever it is due, and shows how far that is. Ends when it is dropped; what was not marked is
/// looked at again.
pub async fn scrub(log: Log, settings: ScrubSettings, now_ms: impl Fn() -> u64, shown: watch::Sender<Scrubbed>) {
    let mut scrubber =
        Scrubber { bucket: log.bucket(Bucket::Integrity), log, settings, shown, me: rand::random(), seen: None };
    loop {
        match scrubber.turn(&now_ms).await {
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, "the log can't be looked through now"),
        }
        tokio::time::sleep(MARK_EVERY.min(settings.abandoned_after / 4).min(settings.every)).await;
    }
}

struct Scrubber {
    log: Log,
    bucket: KeyValue,
    settings: ScrubSettings,
    shown: watch::Sender<Scrubbed>,
    me: u64,
    /// The revision of the mark that was there last, and since when.
    seen: Option<(u64, Instant)>,
}

impl Scrubber {
    /// Does what there is to do now.
    async fn turn(&mut self, now_ms: &impl Fn() -> u64) -> Result<(), ScrubError> {
        let (mut mark, revision) = self.read().await?;
        self.show(&mark).await?;
        let epoch = self.log.epoch().await?.0;
        let is_new = mark.epoch != epoch;
        let is_due = match mark.finished_ms {
            Some(at) => now_ms().saturating_sub(at) >= self.settings.every.as_millis() as u64,
            None => true,
        };
        if !(is_new || is_due && self.is_free(&mark, revision)) {
            return Ok(());
        }
        if is_new || mark.finished_ms.is_some() || mark.pass == 0 {
            let of = self.log.whole_state(Stream::Chat).await?.last_seq;
            let found = if is_new { Scrubbed::default() } else { mark.clone() };
            mark = Scrubbed { epoch, pass: mark.pass + 1, up_to: 0, of, finished_ms: None, ..found };
        }
        mark.holder = Some(self.me);
        let Some(revision) = self.leave(&mark, revision).await? else { return Ok(()) };
        self.pass(mark, revision, now_ms).await
    }

    /// Whether nobody reads, as far as can be seen.
    fn is_free(&mut self, mark: &Scrubbed, revision: u64) -> bool {
        let since = match self.seen {
            Some((seen, since)) if seen == revision => since,
            _ => self.seen.insert((revision, Instant::now())).1,
        };
        mark.holder.is_none_or(|holder| holder == self.me) || since.elapsed() >= self.settings.abandoned_after
    }

    /// Reads on to the end, or until somebody else does.
    async fn pass(
        &mut self,
        mut mark: Scrubbed,
        mut revision: u64,
        now_ms: &impl Fn() -> u64,
    ) -> Result<(), ScrubError> {
        let mut audit = self.log.audit(mark.up_to, mark.of);
        let mut marked = Instant::now();
        while let Some(looked) = audit.next().await? {
            // What an earlier reading found there is found again, or it is no more.
            let read = mark.up_to + 1..=looked.up_to;
            mark.lost.retain(|(first, _)| !read.contains(first));
            mark.damaged.retain(|seq| !read.contains(seq));
            for event in &looked.events {
                if is_whole(&event.payload).is_err() {
                    mark.found_damaged(event.seq);
                }
            }
            looked.lost.iter().filter(|lost| !lost.accepted).for_each(|lost| mark.found(lost));
            mark.up_to = looked.up_to;
            self.shown.send_replace(mark.clone());
            let bytes: usize = looked.events.iter().map(|event| event.payload.len()).sum();
            let pace = Duration::from_secs_f64(bytes as f64 / self.settings.bytes_per_second.max(1) as f64);
            let go_on = Instant::now() + pace;
            // However slow it is, it says that it is there.
            while marked + self.mark_every() <= go_on.max(Instant::now()) {
                tokio::time::sleep_until(marked + self.mark_every()).await;
                let Some(next) = self.leave(&mark, revision).await? else { return Ok(()) };
                (revision, marked) = (next, Instant::now());
            }
            tokio::time::sleep_until(go_on).await;
        }
        mark.holder = None;
        mark.finished_ms = Some(now_ms());
        let (events, lost, damaged) = (mark.of, mark.lost_events(), mark.damaged.len());
        tracing::info!(events, lost, damaged, "the log is looked through");
        self.leave(&mark, revision).await?;
        self.show(&mark).await
    }

    fn mark_every(&self) -> Duration {
        MARK_EVERY.min(self.settings.abandoned_after / 4)
    }

    /// Shows a mark without what was accepted since.
    async fn show(&self, mark: &Scrubbed) -> Result<(), ScrubError> {
        let holes = self.log.holes().await?;
        let mut shown = mark.clone();
        shown.lost.retain(|(first, last)| holes.past(*first) <= *last);
        shown.damaged.retain(|seq| !holes.contains(*seq));
        self.shown.send_replace(shown);
        Ok(())
    }

    async fn read(&self) -> Result<(Scrubbed, u64), BucketError> {
        let entry = self.bucket.get(KEY).await?;
        // One that does not read is as good as none, but for its revision.
        Ok(entry.map_or_else(Default::default, |entry| {
            (serde_json::from_slice(&entry.value).unwrap_or_default(), entry.revision)
        }))
    }

    /// Leaves a mark. None if somebody else has.
    async fn leave(&self, mark: &Scrubbed, revision: u64) -> Result<Option<u64>, BucketError> {
        let value = Bytes::from(serde_json::to_vec(mark).unwrap_or_default());
        let left = match revision {
            0 => self.bucket.create(KEY, value).await,
            _ => self.bucket.update(KEY, value, revision).await,
        };
        match left {
            Ok(revision) => Ok(Some(revision)),
            Err(BucketError::AlreadyExists | BucketError::WrongRevision | BucketError::Unknown) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
