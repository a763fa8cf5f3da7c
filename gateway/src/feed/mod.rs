//! The gateway's own reading of the log: one follower, every event, in order (D3). It fills the tail, keeps the copies of
//! accounts true, and wakes the sessions that an event reaches.
//!
//! The feed knows of which log it is (D14). Whenever the broker was away, the follower compares the event at its position
//! with the one it saw there; if another one stands there, or the log ends before it, this is another log: a new epoch
//! begins, every socket closes with 4003, and clients are told `other_log` when they come back. Who had not come further than
//! the log goes now sees no difference there, so the epoch is looked at every few seconds, too. What it does where events are lost is
//! in [`damage`].

pub(crate) mod damage;
mod entry;
mod tail;
pub mod walk;

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use natter_events::{DecodeError, Event, Record, Subject, Tag};
use natter_log::{Epoch, EpochError, FollowError, Log, ReadError, Stored, Stream};
use natter_planted::Bug;
use natter_platform::error::chain;
use natter_platform::{Policy, Shutdown};
use natter_protocol::{CloseCode, ServerFrame};
use parking_lot::Mutex;
use tokio::sync::watch;

pub use entry::{Entry, Kind, Stay};
pub use tail::{Batch, Place, Tail, TooOld};
pub use walk::RoomSet;

use crate::Gateway;
use crate::accounts::account_of;
use crate::render;

/// Events taken from the log at once.
const BATCH: usize = 512;
/// How long is waited before the log is read again after it could not be.
const RETRY: Duration = Duration::from_millis(250);

/// The feed can't go on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Readers are upgraded first; going on would leave holes in what people see.
    #[error("event {seq} of the log was written by a later version of Natter; upgrade this gateway")]
    LaterVersion {
        seq: u64,
        #[source]
        source: DecodeError,
    },
    /// Until they are there again, or somebody has accepted that they are lost.
    #[error("events of the log are lost: nobody is served until that is settled")]
    Hole(#[source] FollowError),
    /// In the same way.
    #[error(
        "event {seq} of the log is not what was written: restore the log from a replica or a backup, or let it be passed over \
         with `natter repair hole`"
    )]
    Damaged { seq: u64 },
    #[error("the log could not be read")]
    Read(#[from] ReadError),
    #[error("the epoch of the log could not be read")]
    Epoch(#[from] EpochError),
}

/// How far the gateway has read, and the newest part of what it has.
pub struct Feed {
    pub tail: Tail,
    epoch: AtomicU64,
    head: watch::Sender<Place>,
    ready: AtomicBool,
    /// Why nothing is read on, if events are lost.
    hole: Mutex<Option<String>>,
}

impl Feed {
    /// A feed that has read nothing yet.
    pub fn new(tail_bytes: usize) -> Self {
        let start = Place { seq: 0, tag: Tag(0) };
        Self {
            tail: Tail::new(start, tail_bytes),
            epoch: AtomicU64::new(0),
            head: watch::Sender::new(start),
            ready: AtomicBool::new(false),
            hole: Mutex::new(None),
        }
    }

    /// Which log this is.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// How far the gateway has read.
    pub fn head(&self) -> Place {
        *self.head.borrow()
    }

    /// Whether the tail has been loaded and the feed is the log's own head.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Which events are lost, so that nothing is read on, and what can be done.
    pub fn hole(&self) -> Option<String> {
        self.hole.lock().clone()
    }

    /// Waits until the feed has read `seq`; false when that takes longer than `within`.
    pub async fn reaches(&self, seq: u64, within: Duration) -> bool {
        let mut head = self.head.subscribe();
        let reached = head.wait_for(|head| head.seq >= seq);
        matches!(tokio::time::timeout(within, reached).await, Ok(Ok(_)))
    }
}

/// Reads the log until the stop. Ends by itself only when going on would show people something untrue.
pub async fn run(gateway: Arc<Gateway>, shutdown: Shutdown) -> Result<(), FeedError> {
    loop {
        let follow = follow(&gateway);
        let stopped = shutdown.forced();
        match tokio::select! { result = follow => result, () = stopped => return Ok(()) } {
            Ok(()) => {}
            Err(error @ FeedError::LaterVersion { .. }) => {
                gateway.feed.ready.store(false, Ordering::Release);
                close_all(&gateway);
                return Err(error);
            }
            Err(FeedError::Hole(hole @ FollowError::Hole { expected, .. })) => {
                if !stands_still(&gateway, &hole, expected, &shutdown).await {
                    return Ok(());
                }
            }
            Err(damage @ FeedError::Damaged { seq }) => {
                if !stands_still(&gateway, &damage, seq, &shutdown).await {
                    return Ok(());
                }
            }
            Err(error) => {
                tracing::warn!(error = &*chain(&error), "the log can't be read; trying again");
                tokio::select! { () = tokio::time::sleep(RETRY) => {}, () = shutdown.forced() => return Ok(()) }
            }
        }
    }
}

/// Nothing is decided or shown beyond a hole, by nobody, until it is filled or accepted. False when the stop came before.
async fn stands_still(gateway: &Gateway, hole: &(dyn Error + Sync), seq: u64, shutdown: &Shutdown) -> bool {
    gateway.feed.ready.store(false, Ordering::Release);
    close_all(gateway);
    tracing::error!(%hole, "events of the log are lost: nobody is served until that is settled");
    metrics::gauge!("natter_gateway_stopped_at_hole").set(1.0);
    *gateway.feed.hole.lock() = Some(hole.to_string());
    tokio::select! {
        () = damage::wait(&gateway.log, seq) => {}
        () = shutdown.forced() => return false,
    }
    tracing::warn!(%hole, "the hole is filled or accepted: reading on");
    true
}

/// Loads the tail and follows the log until it turns out to be another one.
async fn follow(gateway: &Arc<Gateway>) -> Result<(), FeedError> {
    let feed = &gateway.feed;
    let epoch = gateway.log.epoch().await?;
    if let Err(error) = gateway.log.check_head(epoch).await? {
        begin_anew(gateway, epoch, &error).await;
        return Ok(());
    }
    damage::check(&gateway.log).await?;
    let (floor, target) = beginning(&gateway.log, feed.tail.max_bytes()).await?;
    feed.tail.reset(floor);
    gateway.accounts.accounts.forget();
    gateway.accounts.directory.forget();
    gateway.rooms.forget();
    gateway.conversations.forget();
    feed.head.send_replace(floor);
    feed.epoch.store(epoch.0, Ordering::Release);
    let mut follower = gateway.log.follow(Stream::Chat, floor.seq);
    if floor.seq > 0 {
        follower = follower.expecting(floor.tag);
    }
    feed.ready.store(false, Ordering::Release);
    if floor.seq >= target {
        is_whole(feed);
    }
    let mut damaged = pin!(damage::watch(&gateway.log));
    let mut renewed = pin!(damage::renewed(&gateway.log, epoch));
    loop {
        let batch = tokio::select! {
            batch = follower.next_batch(BATCH) => batch,
            hole = &mut damaged => return Err(hole),
            now = &mut renewed, if !Bug::AcceptOtherLog.is_planted() => {
                tracing::error!(epoch = now.0, "the log is another one, as others have noticed: clients read everything again");
                feed.ready.store(false, Ordering::Release);
                close_all(gateway);
                return Ok(());
            }
        };
        let batch = match batch {
            Ok(batch) => batch,
            Err(hole @ FollowError::Hole { .. }) => return Err(FeedError::Hole(hole)),
            Err(error) => {
                begin_anew(gateway, epoch, &error).await;
                return Ok(());
            }
        };
        absorb(gateway, batch)?;
        if !feed.is_ready() && feed.head().seq >= target {
            let (events, bytes) = feed.tail.size();
            tracing::info!(seq = feed.head().seq, events, bytes, "the tail of the log is loaded");
            is_whole(feed);
        }
    }
}

/// Everything up to the log's head is here, but for what was accepted as lost.
fn is_whole(feed: &Feed) {
    *feed.hole.lock() = None;
    metrics::gauge!("natter_gateway_stopped_at_hole").set(0.0);
    feed.ready.store(true, Ordering::Release);
}

/// Takes events into the tail, then acts on them, then wakes who they reach: in that order, so that whoever enters a copy
/// meanwhile finds the event either in the tail or in the copy (D5).
fn absorb(gateway: &Arc<Gateway>, batch: Vec<Stored>) -> Result<(), FeedError> {
    let feed = &gateway.feed;
    let mut entries = Vec::with_capacity(batch.len());
    for stored in batch {
        let seq = stored.seq;
        // What came just before it is read again then.
        if damage::is_damaged_state(&stored) {
            return Err(FeedError::Damaged { seq });
        }
        entries.push(Arc::new(Entry::new(stored).map_err(|source| FeedError::LaterVersion { seq, source })?));
    }
    let Some(last) = entries.last() else { return Ok(()) };
    let head = Place { seq: last.seq, tag: last.tag };
    feed.tail.push(&entries);
    for entry in &entries {
        match entry.kind {
            Kind::Account => account_changed(gateway, entry),
            Kind::Membership | Kind::Room => room_changed(gateway, entry),
            Kind::Message => gateway.rates.seen(entry),
            _ => {}
        }
    }
    feed.head.send_replace(head);
    route(gateway, &entries);
    metrics::counter!("natter_gateway_feed_events_total").increment(entries.len() as u64);
    metrics::gauge!("natter_gateway_feed_seq").set(head.seq as f64);
    Ok(())
}

/// Wakes who is reached, and moves who comes or goes between rooms just where that stands between the others.
fn route(gateway: &Gateway, mut entries: &[Arc<Entry>]) {
    while let Some(place) = entries.iter().position(|entry| entry.stay.is_some()) {
        let (before, after) = entries.split_at(place + 1);
        gateway.router.route(before);
        if let Some(entry) = before.last()
            && let Some(stay) = entry.stay.filter(|stay| gateway.router.has(stay.user))
            && let Some(state) = gateway.rooms.of_record(&entry.record, entry.seq)
        {
            gateway.router.moved(stay.user, &state);
        }
        entries = after;
    }
    gateway.router.route(entries);
}

fn room_changed(gateway: &Gateway, entry: &Entry) {
    if let Some(state) = entry.state
        && let Ok(record) = Record::decode(&entry.record)
    {
        gateway.rooms.apply(state, entry.seq, &record);
    }
}

/// Acts on a revocation or suspension at once (HRT4).
fn account_changed(gateway: &Arc<Gateway>, entry: &Arc<Entry>) {
    let (Some(Subject::Account(uid)), Ok(record)) = (entry.state, Record::decode(&entry.record)) else { return };
    gateway.accounts.accounts.apply(uid, entry.seq, &record);
    if matches!(record.event, Event::ProfileChanged(_)) && gateway.router.is_watched(uid) {
        let (gateway, entry) = (gateway.clone(), entry.clone());
        // It may take a key that is not here, and the feed waits for nothing.
        gateway.clone().tasks.spawn("profile to watchers", Policy::Expected, async move {
            if let Ok(record) = Record::decode(&entry.record)
                && let Ok(Some(profile)) = render::profile(&gateway, &entry, &record).await
            {
                gateway.router.signal_watchers(uid, || ServerFrame::Profile(profile));
            }
            Ok::<_, Infallible>(())
        });
    }
    let Some(account) = account_of(&record.event) else { return };
    for session in gateway.router.of(uid) {
        if account.refuses(session.login, session.issued_at_ms()) {
            session.close(CloseCode::SessionRevoked);
        }
    }
}

/// Where the tail begins, so that it holds about as much as it may, and how far it has to be read to be ready.
async fn beginning(log: &Log, tail_bytes: usize) -> Result<(Place, u64), ReadError> {
    let state = log.state(Stream::Chat).await?;
    let start = Place { seq: 0, tag: Tag(0) };
    if state.messages == 0 {
        return Ok((start, state.last_seq));
    }
    // In memory an event takes its record twice (it is rendered about as large) and what the index needs.
    const OVERHEAD_BYTES: u64 = 400;
    let each = 2 * state.bytes.div_ceil(state.messages) + OVERHEAD_BYTES;
    // No later than that: whether anything is missing there, the follower sees.
    let floor = state.last_seq.saturating_sub(tail_bytes as u64 / each);
    let tag = log.get(Stream::Chat, floor).await?.map(|stored| stored.tag());
    Ok((Place { seq: floor, tag: tag.unwrap_or_default() }, state.last_seq))
}

/// Begins a new epoch, unless another gateway has, and lets every client come back to it. It has to be done before the log
/// is read again, however long it takes: under the old epoch the new log's positions would pass for the old one's.
async fn begin_anew(gateway: &Gateway, seen: Epoch, error: &FollowError) {
    gateway.feed.ready.store(false, Ordering::Release);
    if Bug::AcceptOtherLog.is_planted() {
        return;
    }
    close_all(gateway);
    loop {
        match gateway.log.renew_epoch(seen).await {
            Ok(epoch) => {
                let epoch = epoch.0;
                tracing::error!(%error, epoch, "the log does not go on where it was: clients read everything again");
                return;
            }
            Err(unavailable) => {
                tracing::warn!(error = &*chain(&unavailable), "no new epoch can be begun; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

fn close_all(gateway: &Gateway) {
    for session in gateway.router.all() {
        session.close(CloseCode::FeedBehind);
    }
}
