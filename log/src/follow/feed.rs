//! One push consumer and the connection it comes over, from being opened to whatever ends it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, push};
use async_nats::message::OutboundMessage;
use async_nats::{Message, Subject, Subscriber};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, Sink, Stream as _};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::{FollowError, Shared};
use crate::connect::{Purpose, Standing, reconnect_delay};
use crate::health::Links;
use crate::holes::Holes;
use crate::read::{ReadError, Reader, StreamState};
use natter_events::Tag;

use crate::stored::Stored;

pub(super) struct Feed {
    /// Where it begins: after this position.
    pub(super) origin: Origin,
    /// Whether its first event must be the one at the position, to compare.
    pub(super) checks_position: bool,
    shared: Arc<Shared>,
    standing: Standing,
    consumer: String,
    messages: Subscriber,
    lost: BoxFuture<'static, ()>,
    dropped: BoxFuture<'static, ()>,
    /// A word of flow control that must be sent before reading on.
    owed: Option<Subject>,
    /// What was accepted as lost.
    pub(super) holes: Holes,
    heard_at: Instant,
    silence: Pin<Box<Sleep>>,
    idle_heartbeats: u32,
    /// Asks how far the log goes, while nothing comes.
    checking: Option<BoxFuture<'static, Result<StreamState, ReadError>>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) position: u64,
    pub(super) tag: Option<Tag>,
    /// An event that did not come, while a later one did.
    pub(super) missing: Option<Missing>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Missing {
    pub(super) expected: u64,
}

#[derive(Debug)]
pub(super) enum Heard {
    Event(Stored),
    /// The connection is not the one the consumer was made on, or the broker ended it.
    Lost,
    Silence,
    /// The library had no room, and dropped what was sent.
    Dropped,
    /// The broker says it has sent everything up to here.
    SentUpTo(u64),
    /// The log goes this far, and for a while nothing came.
    LogEndsAt(u64),
}

/// Opens a feed, for as long as it takes. Fails only with what no trying again can heal.
pub(super) async fn open(shared: Arc<Shared>, origin: Origin, previous: Option<Feed>) -> Result<Feed, FollowError> {
    let mut standing = None;
    if let Some(feed) = previous {
        standing = Some(feed.close().await);
    }
    if origin.missing.is_some() {
        sleep(PAUSE_AFTER_A_JUMP).await;
    }
    let mut attempt = 0;
    loop {
        let error = match try_open(&shared, origin, &mut standing).await {
            Ok(feed) => return Ok(feed),
            Err(OpenError::Final(error)) => return Err(error),
            Err(OpenError::Transient(error)) => error,
        };
        attempt += 1;
        let stream = shared.stream.name();
        if attempt % QUIET_ATTEMPTS == 1 {
            tracing::warn!(stream, attempt, %error, "can't open a feed, trying again");
        }
        sleep(reconnect_delay(attempt, shared.settings.max_reconnect_delay, rand::random())).await;
    }
}

const PAUSE_AFTER_A_JUMP: Duration = Duration::from_millis(10);
const QUIET_ATTEMPTS: usize = 40;

enum OpenError {
    Final(FollowError),
    Transient(Box<dyn std::error::Error + Send + Sync>),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for OpenError {
    fn from(error: E) -> Self {
        OpenError::Transient(Box::new(error))
    }
}

fn read_error(error: ReadError) -> OpenError {
    match error {
        ReadError::Gone { .. } => OpenError::Final(FollowError::Gone),
        other => OpenError::Transient(Box::new(other)),
    }
}

async fn try_open(
    shared: &Arc<Shared>,
    mut origin: Origin,
    connection: &mut Option<Standing>,
) -> Result<Feed, OpenError> {
    let standing = match connection {
        Some(standing) => standing.clone(),
        None => connection.insert(connect(shared).await?).clone(),
    };
    let socket = standing.connected().await;
    let reader = Reader::new(standing.clone(), shared.settings.request_timeout, shared.holes.clone());
    let holes = match shared.stream.expires() {
        true => Holes::default(),
        false => shared.holes.read(&reader).await.map_err(read_error)?,
    };
    let state = reader.state(shared.stream).await.map_err(read_error)?;
    check(shared, &reader, &mut origin, state, &holes).await?;

    let checks_position = origin.tag.is_some() && origin.position > 0;
    let first = if checks_position { origin.position } else { origin.position + 1 };
    let mut gaps = standing.gaps.subscribe();
    let inbox = standing.client.new_inbox();
    let messages = standing.client.subscribe(inbox.clone()).await?;
    let consumer = format!("follower-{:016x}", rand::random::<u64>());
    let config = push::Config {
        name: Some(consumer.clone()),
        deliver_subject: inbox,
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: first },
        ack_policy: AckPolicy::None,
        replay_policy: ReplayPolicy::Instant,
        flow_control: true,
        idle_heartbeat: shared.settings.follow_heartbeat,
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: ABANDONED_AFTER,
        ..push::Config::default()
    };
    let mut context = async_nats::jetstream::new(standing.client.clone());
    context.set_timeout(shared.settings.request_timeout);
    tokio::select! {
        created = context.create_consumer_on_stream(config, shared.stream.name()) => drop(created?),
        () = standing.lost(socket) => return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()),
    }
    let lost = standing.clone();
    Ok(Feed {
        origin,
        checks_position,
        shared: shared.clone(),
        consumer,
        messages,
        lost: async move { lost.lost(socket).await }.boxed(),
        dropped: async move { drop(gaps.changed().await) }.boxed(),
        standing,
        owed: None,
        holes,
        heard_at: Instant::now(),
        silence: Box::pin(sleep(shared.settings.follow_heartbeat * SILENT_HEARTBEATS)),
        idle_heartbeats: 0,
        checking: None,
    })
}

/// How long the broker keeps a consumer that nobody listens to.
const ABANDONED_AFTER: Duration = Duration::from_secs(5);
const SILENT_HEARTBEATS: u32 = 3;
/// After so many heartbeats without an event, the log itself is asked whether there is one.
const IDLE_HEARTBEATS: u32 = 5;

async fn connect(shared: &Arc<Shared>) -> Result<Standing, OpenError> {
    let purpose = Purpose {
        name: shared.stream.name(),
        link: None,
        subscription_capacity: shared.settings.max_follow_buffer_events,
    };
    let links = Arc::new(Links::new());
    Ok(Standing::open(&shared.settings, purpose, links, shared.counters.clone()).await?)
}

/// Whether the log still has what comes after the position.
async fn check(
    shared: &Arc<Shared>,
    reader: &Reader,
    origin: &mut Origin,
    state: StreamState,
    holes: &Holes,
) -> Result<(), OpenError> {
    let last = state.last_seq;
    if origin.position > last {
        return Err(OpenError::Final(FollowError::LogEndsBefore { position: origin.position, last }));
    }
    if shared.stream.expires() {
        return check_expiring(shared, reader, origin, state).await;
    }
    if holes.contains(origin.position) {
        // What stood there is lost, and can't be compared.
        origin.tag = None;
    }
    // A beginning that is gone is seen before anything is sent.
    let missing = match state.first_seq > origin.position + 1 {
        true => Some(Missing { expected: origin.position + 1 }),
        false => origin.missing,
    };
    let Some(Missing { expected }) = missing else { return Ok(()) };
    let stream = shared.stream;
    // The leader says what comes next. If that is what should, it was only lost on the way to us.
    let next = reader.next(stream.name(), stream.all_subjects(), expected - 1).await.map_err(read_error)?;
    let found = next.map_or(last + 1, |next| next.stored.seq);
    // One that became leader in between may not have all of it yet.
    let still = reader.state(stream).await.map_err(read_error)?;
    if found <= expected || still.last_seq < last {
        return Ok(());
    }
    let lost = holes.past(expected);
    if lost < found {
        return Err(OpenError::Final(FollowError::Hole { expected: lost, found }));
    }
    // At the end of the log, what is next has not been written yet.
    if found <= last {
        tracing::warn!(stream = stream.name(), first = expected, last = found - 1, "passing over an accepted hole");
        *origin = Origin { position: found - 1, tag: None, missing: None };
    }
    Ok(())
}

/// PRESENCE may lose its beginning by design, and its last moments: nothing that it lost is worth stopping for.
async fn check_expiring(
    shared: &Shared,
    reader: &Reader,
    origin: &mut Origin,
    state: StreamState,
) -> Result<(), OpenError> {
    let stream = shared.stream.name();
    let next = origin.position + 1;
    let first = state.first_seq.max(1);
    if first > next {
        tracing::info!(stream, position = origin.position, first, "passing over expired events");
        *origin = Origin { position: first - 1, tag: None, missing: None };
        return Ok(());
    }
    if first == next {
        // The event at the position may be the last that expired, and can't be compared.
        origin.tag = None;
    }
    let Some(Missing { expected }) = origin.missing else { return Ok(()) };
    let there = reader.next(stream, shared.stream.all_subjects(), expected - 1).await.map_err(read_error)?;
    let found = there.map_or(state.last_seq + 1, |there| there.stored.seq);
    if found > expected {
        tracing::warn!(stream, first = expected, last = found - 1, "passing over events that the broker has lost");
        *origin = Origin { position: (found - 1).min(state.last_seq), tag: None, missing: None };
    }
    Ok(())
}

impl Feed {
    /// Ends the consumer, without waiting for it, and gives the connection back.
    async fn close(self) -> Standing {
        let subject = format!("$JS.API.CONSUMER.DELETE.{}.{}", self.shared.stream.name(), self.consumer);
        // If it doesn't arrive, the broker drops the consumer by itself.
        if self.standing.is_connected() {
            let _ = self.standing.client.publish(subject, Bytes::new()).await;
        }
        self.standing
    }

    pub(super) fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        loop {
            if self.owed.is_some() && self.poll_pay(cx).is_pending() {
                return Poll::Pending;
            }
            match Pin::new(&mut self.messages).poll_next(cx) {
                Poll::Ready(Some(message)) => {
                    self.heard_at = Instant::now();
                    if let Some(heard) = self.read(message) {
                        return Poll::Ready(heard);
                    }
                }
                Poll::Ready(None) => return Poll::Ready(Heard::Lost),
                // Everything that came before is read by now: what follows is about what did not come.
                Poll::Pending => return self.poll_quiet(cx),
            }
        }
    }

    /// Flow control: says that everything before has been read. The broker sends no more than a window beyond it.
    fn poll_pay(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut client = Pin::new(&mut self.standing.client);
        match client.as_mut().poll_ready(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => self.owed = None,
            Poll::Ready(Ok(())) => {
                if let Some(subject) = self.owed.take() {
                    let message = OutboundMessage { subject, reply: None, payload: Bytes::new(), headers: None };
                    // If it is lost the broker repeats it in its heartbeats.
                    let _ = client.start_send(message);
                }
            }
        }
        Poll::Ready(())
    }

    fn read(&mut self, message: Message) -> Option<Heard> {
        let Some(status) = message.status else {
            self.idle_heartbeats = 0;
            self.checking = None;
            return Some(match Stored::from_delivered(message) {
                Some(event) => Heard::Event(event),
                None => Heard::Lost,
            });
        };
        if status.as_u16() != CONTROL {
            // The consumer was deleted, or something else that only a new one heals.
            return Some(Heard::Lost);
        }
        let header = |name: &str| message.headers.as_ref()?.get(name).map(|value| value.as_str().to_owned());
        if let Some(reply) = message.reply {
            self.owed = Some(reply);
            return None;
        }
        if let Some(stalled) = header("Nats-Consumer-Stalled") {
            self.owed = Some(Subject::from(stalled));
        }
        self.idle_heartbeats += 1;
        if self.idle_heartbeats.is_multiple_of(IDLE_HEARTBEATS) && self.checking.is_none() {
            let reader =
                Reader::new(self.standing.clone(), self.shared.settings.request_timeout, self.shared.holes.clone());
            let stream = self.shared.stream;
            self.checking = Some(async move { reader.state(stream).await }.boxed());
        }
        header("Nats-Last-Stream")?.parse().ok().map(Heard::SentUpTo)
    }

    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        if self.lost.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Heard::Lost);
        }
        if self.dropped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Heard::Dropped);
        }
        if let Some(checking) = &mut self.checking
            && let Poll::Ready(checked) = checking.as_mut().poll(cx)
        {
            self.checking = None;
            if let Ok(state) = checked {
                return Poll::Ready(Heard::LogEndsAt(state.last_seq));
            }
        }
        while self.silence.as_mut().poll(cx).is_ready() {
            let deadline = self.heard_at + self.shared.settings.follow_heartbeat * SILENT_HEARTBEATS;
            if deadline <= Instant::now() {
                return Poll::Ready(Heard::Silence);
            }
            self.silence = Box::pin(sleep_until(deadline));
        }
        Poll::Pending
    }
}

/// The status of heartbeats and of flow control.
const CONTROL: u16 = 100;
