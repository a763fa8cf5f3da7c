//! The log is looked over: by whoever asks, and in the background.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use natter_events::record::is_whole;
use natter_events::{ConversationId, ReadMarkerMoved, Record, Uid};
use natter_log::{Acceptance, Append, Bucket, Log, Lost, ScrubSettings, Scrubbed, scrub};
use natter_testkit::{Broker, eventually};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::*;

const EVENTS: u64 = 40;

/// A log of whole records.
async fn log_of_records(broker: &Broker) -> Log {
    let log = log_on(broker).await;
    let uid = Uid::random();
    for n in 0..EVENTS {
        let record = Record::new(uid, ReadMarkerMoved { read: n, thread: None });
        let payload = record.to(&[uid]).in_conversation(ConversationId::direct(&[uid])).encode();
        log.append(Append { payload, ..message(&format!("a{n}")) }).await.expect("stored");
    }
    log
}

async fn accept(log: &Log, first: u64, last: u64) {
    let (by, reason) = ("ann".to_owned(), "a disk failed".to_owned());
    log.accept_hole(Acceptance { first, last, by, reason, at_ms: 0 }).await.expect("accepted");
}

/// As fast as it goes, again and again, and soon taken over from one that is gone.
fn hurried() -> ScrubSettings {
    ScrubSettings {
        bytes_per_second: 1 << 30,
        every: Duration::from_millis(20),
        abandoned_after: Duration::from_millis(400),
    }
}

/// One that looks through the log until it is dropped.
struct Scrubbing {
    task: JoinHandle<()>,
    seen: watch::Receiver<Scrubbed>,
}

impl Scrubbing {
    fn start(log: &Log, settings: ScrubSettings) -> Self {
        let (shown, seen) = watch::channel(Scrubbed::default());
        let clock = Arc::new(AtomicU64::new(1_790_000_000_000));
        // A clock that goes a second at each look.
        let now_ms = move || clock.fetch_add(1_000, Ordering::Relaxed);
        Self { task: tokio::spawn(scrub(log.clone(), settings, now_ms, shown)), seen }
    }

    async fn sees(&self, what: &str, wanted: impl Fn(&Scrubbed) -> bool) -> Scrubbed {
        eventually(what, SOON, async || {
            let seen = self.seen.borrow().clone();
            if wanted(&seen) { Ok(seen) } else { Err(seen) }
        })
        .await
    }
}

impl Drop for Scrubbing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn an_audit_names_what_is_lost_accepted_or_not_and_goes_on_behind_it() {
    let broker = Broker::start().await;
    drop(log_of_records(&broker).await);
    broker.stop().await;
    let blocks = broker.blocks("CHAT");
    for seq in [7, 8, 20, 39, 40] {
        blocks.flip_payload(seq);
    }
    broker.restart().await;
    let log = log_on(&broker).await;
    accept(&log, 8, 8).await;
    let mut audit = log.audit(0, EVENTS);
    let (mut read, mut lost) = (Vec::new(), Vec::new());
    while let Some(looked) = audit.next().await.expect("read") {
        read.extend(looked.events.iter().map(|event| event.seq));
        lost.extend(looked.lost);
    }
    assert_eq!(read, (1..39).filter(|seq| ![7, 8, 20].contains(seq)).collect::<Vec<_>>());
    let lost_at = |first, last, accepted| Lost { first, last, accepted };
    assert_eq!(lost, [lost_at(7, 7, false), lost_at(8, 8, true), lost_at(20, 20, false), lost_at(39, EVENTS, false)]);
}

#[tokio::test]
async fn what_nobody_reads_is_found_in_the_background_and_shown_until_it_is_accepted() {
    let broker = Broker::start().await;
    let log = log_of_records(&broker).await;
    // As it is when the broker's own checks fail: the bytes are another record's, or none.
    let other =
        log.append(Append { payload: Bytes::from_static(b"no record"), ..message("bad") }).await.expect("stored");
    drop(log);
    broker.stop().await;
    broker.blocks("CHAT").flip_payload(11);
    broker.restart().await;
    let log = log_on(&broker).await;
    let scrubbing = Scrubbing::start(&log, hurried());
    let found = scrubbing.sees("the log is looked through", |seen| seen.finished_ms.is_some()).await;
    assert_eq!((found.lost.as_slice(), found.damaged.as_slice()), (&[(11, 11)][..], &[other.seq][..]));
    assert_eq!((found.up_to, found.lost_events()), (EVENTS + 1, 1));
    accept(&log, 11, 11).await;
    let found = scrubbing.sees("it was accepted", |seen| seen.lost.is_empty() && seen.finished_ms.is_some()).await;
    assert_eq!(found.damaged, [other.seq], "and nothing else was");
    // Again, and again found.
    scrubbing.sees("it is looked through again", |seen| seen.pass > found.pass && seen.finished_ms.is_some()).await;
    let (first, last, by, reason) = (other.seq, other.seq, "ann".to_owned(), "bad memory".to_owned());
    let acceptance = Acceptance { first, last, by, reason, at_ms: 0 };
    log.accept_damaged(acceptance, |stored| is_whole(&stored.payload).is_err()).await.expect("accepted");
    scrubbing.sees("it is accepted too", |seen| seen.damaged.is_empty() && seen.finished_ms.is_some()).await;
}

#[tokio::test]
async fn one_process_at_a_time_reads_and_the_next_goes_on_where_it_was() {
    let broker = Broker::start().await;
    let log = log_of_records(&broker).await;
    let mark = async || {
        let entry = log.bucket(Bucket::Integrity).get("scrub").await.expect("read")?;
        Some(serde_json::from_slice::<serde_json::Value>(&entry.value).expect("JSON"))
    };
    // So slow that it rests for hours behind the first stretch.
    let slow = ScrubSettings { bytes_per_second: 1, ..hurried() };
    let first = Scrubbing::start(&log, slow);
    first.sees("it has begun", |seen| seen.up_to == EVENTS).await;
    let holder = async || mark().await.expect("a mark")["holder"].clone();
    let held_by = holder().await;
    append_many(&log, "later", 3).await;
    let mut second = Scrubbing::start(&log, ScrubSettings { every: Duration::from_secs(3_600), ..hurried() });
    // It looks for longer than it waits for one that is gone; this one is not.
    for _ in 0..8 {
        tokio::time::timeout(SOON, second.seen.changed()).await.expect("in time").expect("it lives");
    }
    assert_eq!(holder().await, held_by);
    drop(first);
    let found = second.sees("the second reads on", |seen| seen.finished_ms.is_some()).await;
    assert_eq!((found.pass, found.of), (1, EVENTS), "the same reading, to the end that it had");
    assert_eq!(mark().await.expect("a mark")["holder"], serde_json::Value::Null);
}
