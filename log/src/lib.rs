//! The event log, on NATS JetStream. The only crate that names the client library.
//!
//! Events are bytes to it. It promises four things, and its modules are about keeping them:
//!
//! - [`append`]: an event is stored before `append` says so, in the order of the calls, once per message id; and
//!   one whose outcome is unknown does not surface later.
//! - [`follow`]: every event after a position, in order, none twice, none missing, or an error that says why not.
//! - [`read`] and [`bucket`]: what the leader holds, compare-and-set.
//! - [`holes`]: what was lost of CHAT and accepted as lost, which all of these pass over, and nothing else.
//! - [`backup`]: copies of all of it, and the way back into an empty broker.
//! - [`read_only`]: the streams and nothing else, for an account that may do no more.
//! - [`live`]: what is not kept, and word of it whenever some may have been missed.
//!
//! Streams and buckets are declared as data in [`streams`]; nothing here changes one that exists.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OnceCell, watch};

mod address;
pub mod append;
pub mod audit;
pub mod backup;
pub mod bucket;
pub mod connect;
pub mod counters;
mod damage;
pub mod declare;
pub mod epoch;
pub mod follow;
pub mod health;
pub mod holes;
pub mod keyring;
pub mod live;
mod mark;
pub mod read;
pub mod read_only;
pub mod scrub;
pub mod settings;
pub mod stored;
pub mod streams;
mod subjects;

pub use append::{Append, AppendError, Appended, Line, Pending};
pub use audit::{Audit, Looked, Lost};
pub use backup::{Change, Filling, Part, RestoreError, Snapshot, SnapshotError};
pub use bucket::{BucketError, Entry, KeyValue};
pub use connect::ConnectError;
pub use counters::Counts;
pub use declare::{DeclareError, Difference};
pub use epoch::{Epoch, EpochError};
pub use follow::{FollowError, Follower};
pub use health::Health;
pub use holes::{AcceptError, Acceptance, Hole, Holes};
pub use keyring::{KeyError, KeyRing};
pub use live::{Live, LiveError, LiveMessage, LiveSubscription};
pub use natter_events::Tag;
pub use read::{MAX_RANGE_EVENTS, ReadError, StreamState};
pub use read_only::{Place, ReadOnlyError, ReadOnlyLog};
pub use scrub::{ScrubSettings, Scrubbed, scrub};
pub use settings::{GroupCommit, Settings};
pub use stored::{Stored, Subject};
pub use streams::{Bucket, Stream};

use append::Appender;
use connect::{Purpose, Standing};
use counters::Counters;
use health::{Link, Links};
use holes::HoleBook;
use read::Reader;

/// The log. Cheap to clone; what it has started ends when the last clone is dropped.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Arc<Settings>,
    counters: Arc<Counters>,
    links: Arc<Links>,
    reader: Reader,
    chat: Appender,
    presence: Appender,
    live: OnceCell<Standing>,
}

impl Log {
    /// Connects, and makes sure that there is JetStream for us. Afterwards connections come back by themselves.
    pub async fn connect(settings: Settings) -> Result<Log, ConnectError> {
        let settings = Arc::new(settings);
        let counters = Arc::new(Counters::default());
        let links = Arc::new(Links::new());
        let purpose =
            Purpose { name: "requests", link: Some(Link::Requests), subscription_capacity: MAX_RANGE_EVENTS * 2 };
        let standing = Standing::open(&settings, purpose, links.clone(), counters.clone()).await?;
        links.set(Link::Requests, true);
        connect::check_jetstream(&standing, &settings).await?;
        let reader = Reader::new(standing, settings.request_timeout, Arc::new(HoleBook::new(true)));
        let appender =
            |stream| Appender::start(stream, settings.clone(), reader.clone(), links.clone(), counters.clone());
        let (chat, presence) = (appender(Stream::Chat), appender(Stream::Presence));
        let inner = Inner { settings, counters, links, reader, chat, presence, live: OnceCell::new() };
        Ok(Log { inner: Arc::new(inner) })
    }

    /// Creates the streams and buckets that are missing. Reports every field in which one that exists differs from
    /// what is declared, and changes none. Refused while a restore is under way or was left unfinished.
    pub async fn declare(&self) -> Result<Vec<Difference>, DeclareError> {
        if self.is_being_restored().await.map_err(DeclareError::Mark)? {
            return Err(DeclareError::Restoring);
        }
        declare::declare(&self.context(), &self.inner.settings).await
    }

    fn context(&self) -> async_nats::jetstream::Context {
        let mut context = async_nats::jetstream::new(self.inner.reader.standing.client.clone());
        context.set_timeout(self.inner.settings.request_timeout);
        context
    }

    /// Queues an event now, behind every one before it. Never blocks. The outcome comes even to nobody: dropping
    /// the `Pending` takes nothing back.
    pub fn append(&self, append: Append) -> Pending {
        self.appender(append.stream).append(self.as_the_broker_expects(append), None)
    }

    /// The same, but only over this line: refused as [`AppendError::Unavailable`] when another has taken its place.
    pub fn append_over(&self, line: Line, append: Append) -> Pending {
        self.appender(append.stream).append(self.as_the_broker_expects(append), Some(line))
    }

    /// Queues events that are stored all at once, next to each other and in this order, or none of them. The answer is the
    /// last one's. For changes of several states at once: each has the last event of its subject that it was decided on.
    pub fn append_together(&self, events: Vec<Append>, over: Option<Line>) -> Pending {
        let stream = events.last().map_or(Stream::Chat, |last| last.stream);
        let events = events.into_iter().map(|append| self.as_the_broker_expects(append)).collect();
        self.appender(stream).append_together(events, over)
    }

    /// The line that a stream's appends go over now. See [`Pending`] for what it is good for.
    pub fn line(&self, stream: Stream) -> Line {
        self.appender(stream).line()
    }

    fn as_the_broker_expects(&self, append: Append) -> Append {
        let expected_last = self.inner.reader.holes.expected_by_broker(&append.subject, append.expected_last);
        Append { expected_last, ..append }
    }

    fn appender(&self, stream: Stream) -> &Appender {
        match stream {
            Stream::Chat => &self.inner.chat,
            Stream::Presence => &self.inner.presence,
        }
    }

    /// Every event with a seq above `after`. It opens a connection of its own, when it is first asked for an event.
    pub fn follow(&self, stream: Stream, after: u64) -> Follower {
        let (settings, counters) = (self.inner.settings.clone(), self.inner.counters.clone());
        let holes = self.inner.reader.holes.clone();
        Follower::start(follow::Shared { stream, settings, counters, holes }, after)
    }

    /// The last event of a subject, from the stream's leader: complete up to anything that was delivered or
    /// acknowledged to anyone before.
    pub async fn last(&self, stream: Stream, subject: &str) -> Result<Option<Stored>, ReadError> {
        if !subjects::is_literal_under(subject, stream.prefix()) {
            return Err(ReadError::BadSubject(subject.chars().take(100).collect()));
        }
        Ok(self.inner.reader.last_state(stream, subject).await?.map(|raw| raw.stored))
    }

    /// The first event of a subject with a seq above `after`, from the stream's leader.
    pub async fn next(&self, stream: Stream, subject: &str, after: u64) -> Result<Option<Stored>, ReadError> {
        if !subjects::is_literal_under(subject, stream.prefix()) {
            return Err(ReadError::BadSubject(subject.chars().take(100).collect()));
        }
        Ok(self.inner.reader.next(stream.name(), subject, after).await?.map(|raw| raw.stored))
    }

    /// The event at a seq, from the stream's leader.
    pub async fn get(&self, stream: Stream, seq: u64) -> Result<Option<Stored>, ReadError> {
        Ok(self.inner.reader.get(stream.name(), seq).await?.map(|raw| raw.stored))
    }

    /// Events with a seq above `after`: contiguous, ascending, at most so many ([`MAX_RANGE_EVENTS`]) and about so
    /// many bytes, but one at least if there is one. Fewer than asked for does not mean that there are no more.
    pub async fn range(
        &self,
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        self.inner.reader.range(stream, after, max_events, max_bytes).await
    }

    /// The same stretch as the broker has it, with whatever holes there are: for whoever looks for them.
    pub async fn scan(
        &self,
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        self.inner.reader.scan(stream, after, max_events, max_bytes).await
    }

    /// Looks CHAT over, from after a position up to another one.
    pub fn audit(&self, after: u64, until: u64) -> Audit {
        Audit::new(self.inner.reader.clone(), after, until)
    }

    /// How far the log goes. A hole at its end that was accepted is not there.
    pub async fn state(&self, stream: Stream) -> Result<StreamState, ReadError> {
        self.inner.reader.readable_state(stream).await
    }

    /// The same, as the broker counts: with what is lost at the end.
    pub async fn whole_state(&self, stream: Stream) -> Result<StreamState, ReadError> {
        self.inner.reader.state(stream).await
    }

    /// The holes of CHAT that were accepted, as they are on record now.
    pub async fn holes(&self) -> Result<Holes, ReadError> {
        self.inner.reader.holes.read(&self.inner.reader).await
    }

    /// Puts on record that events of CHAT are lost, so that every reader passes over them. Only what can't be read is taken.
    pub async fn accept_hole(&self, acceptance: Acceptance) -> Result<Hole, AcceptError> {
        self.accept_damaged(acceptance, |_| false).await
    }

    /// The same, for events that are there and damaged as well, which the caller judges.
    pub async fn accept_damaged(
        &self,
        acceptance: Acceptance,
        is_damaged: impl Fn(&Stored) -> bool,
    ) -> Result<Hole, AcceptError> {
        let reader = &self.inner.reader;
        holes::accept(reader, &reader.holes, &self.bucket(Bucket::Integrity), acceptance, is_damaged).await
    }

    pub fn bucket(&self, bucket: Bucket) -> KeyValue {
        KeyValue::new(self.inner.reader.clone(), bucket)
    }

    /// Which log this is; made now if it has no epoch yet.
    pub async fn epoch(&self) -> Result<Epoch, EpochError> {
        epoch::epoch(&self.bucket(Bucket::Meta)).await
    }

    /// A new epoch in place of the one seen. Of all who ask with the same `seen`, one makes it and all learn it.
    pub async fn renew_epoch(&self, seen: Epoch) -> Result<Epoch, EpochError> {
        // Holes of the log that was may be none of this one.
        self.inner.reader.holes.forget();
        epoch::renew(&self.bucket(Bucket::Meta), seen).await
    }

    /// Puts on record that the log of this epoch goes as far as this event.
    pub async fn note_head(&self, epoch: Epoch, seq: u64, tag: Tag) -> Result<(), BucketError> {
        mark::note(&self.bucket(Bucket::Integrity), epoch, seq, tag).await
    }

    /// Whether the log of this epoch still goes as far as is on record, to the same event.
    pub async fn check_head(&self, epoch: Epoch) -> Result<Result<(), FollowError>, ReadError> {
        mark::check(&self.inner.reader, &self.bucket(Bucket::Integrity), epoch).await
    }

    /// The first hole in CHAT that the broker itself knows of and nobody has accepted. It does not know of all.
    pub async fn known_hole(&self) -> Result<Option<(u64, u64)>, ReadError> {
        self.inner.reader.known_hole().await
    }

    /// Says something that is not kept, under `live.`.
    pub async fn publish_live(&self, subject: &str, payload: Bytes) -> Result<(), LiveError> {
        live::publish(self.live().await?, subject, payload).await
    }

    /// Listens under `live.`; wildcards are allowed. The server has the subscription when this returns.
    pub async fn subscribe_live(&self, subject: &str) -> Result<LiveSubscription, LiveError> {
        let Settings { max_live_buffer_messages, request_timeout, .. } = *self.inner.settings;
        live::subscribe(self.live().await?, subject, max_live_buffer_messages, request_timeout).await
    }

    /// Live messages have a connection of their own, so that a burst of them delays no read.
    async fn live(&self) -> Result<&Standing, LiveError> {
        let Inner { settings, links, counters, .. } = &*self.inner;
        let purpose = Purpose { name: "live", link: None, subscription_capacity: settings.max_live_buffer_messages };
        let open = || Standing::open(settings, purpose, links.clone(), counters.clone());
        self.inner.live.get_or_try_init(open).await.map_err(|error| {
            tracing::warn!(%error, "no connection for live messages");
            LiveError::Unavailable
        })
    }

    /// Whether the connections stand, to look at or to wait for.
    pub fn status(&self) -> watch::Receiver<Health> {
        self.inner.links.watch()
    }

    /// Asks the broker something, and returns how long the answer took. A connection can stand and be dead.
    pub async fn round_trip(&self) -> Result<Duration, ReadError> {
        let begun = Instant::now();
        let timeout = self.inner.settings.request_timeout;
        self.inner.reader.standing.round_trip(timeout).await.map_err(|_| ReadError::Unavailable)?;
        Ok(begun.elapsed())
    }

    /// What was healed and how often, for metrics.
    pub fn counts(&self) -> Counts {
        self.inner.counters.read()
    }
}
