//! Reading the streams with an account that may do nothing else: analytics.
//!
//! In the broker such a user has an account of its own, to which the one of the services exports a few questions (see
//! `nats.conf`). Permissions inside the services' account would not do: whoever may ask anything there can have the
//! answer sent to any subject, that of a stream or a bucket too, and a consumer can be told to deliver there. So there is
//! no consumer here. The log is asked for what comes after a place, again and again, and each answer begins with the
//! event at the place itself: another one there is another log (D14).

use std::sync::Arc;

use bytes::Bytes;
use natter_events::Tag;
use natter_events::record::MAX_RECORD_BYTES;

use crate::connect::{ConnectError, Purpose, Standing, check_jetstream};
use crate::counters::Counters;
use crate::follow::FollowError;
use crate::health::Links;
use crate::holes::HoleBook;
use crate::read::{JETSTREAM_API, MAX_RANGE_EVENTS, ReadError, Reader, StreamState};
use crate::settings::Settings;
use crate::stored::Stored;
use crate::streams::{Bucket, Stream};

/// Under which subjects `nats.conf` lets analytics ask what JetStream answers.
const EXPORTED_API: &str = "natter.log";

/// The streams, for reading. Its connection comes back by itself.
#[derive(Clone)]
pub struct ReadOnlyLog {
    reader: Reader,
}

/// Somewhere in a stream: behind the event at `seq`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// 0 before the first event.
    pub seq: u64,
    /// Of the event at `seq`; without it, what stands there is taken on trust.
    pub tag: Option<Tag>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadOnlyError {
    /// For now; trying again later is right.
    #[error("the log can't be read")]
    Read(#[source] ReadError),
    /// What comes after this place can't be read ever.
    #[error(transparent)]
    Ended(#[from] FollowError),
}

impl ReadOnlyLog {
    /// Connects as who the settings say: with the account of analytics, or with one that may ask JetStream itself.
    pub async fn connect(settings: &Settings) -> Result<ReadOnlyLog, ConnectError> {
        // Twice as many as an answer has: none of one is dropped while another one that was given up still comes.
        let purpose = Purpose { name: "reading", link: None, subscription_capacity: MAX_RANGE_EVENTS * 2 };
        let (links, counters) = (Arc::new(Links::new()), Arc::new(Counters::default()));
        let standing = Standing::open(settings, purpose, links, counters).await?;
        let exported = is_exported(&standing, settings).await?;
        if !exported {
            check_jetstream(&standing, settings).await?;
        }
        let holes = HoleBook::new(!exported || may_read_holes(&standing, settings).await);
        let reader = Reader::new(standing, settings.request_timeout, Arc::new(holes));
        Ok(ReadOnlyLog { reader: reader.asking(if exported { EXPORTED_API } else { JETSTREAM_API }) })
    }

    pub async fn state(&self, stream: Stream) -> Result<StreamState, ReadOnlyError> {
        self.reader.readable_state(stream).await.map_err(read_error)
    }

    /// Behind the last event that the stream has now.
    pub async fn head(&self, stream: Stream) -> Result<Place, ReadOnlyError> {
        let seq = self.state(stream).await?.last_seq;
        // Where events expire, the last one may have.
        let last = self.reader.get(stream.name(), seq).await.map_err(read_error)?;
        Ok(Place { seq, tag: last.map(|raw| raw.stored.tag()) })
    }

    /// What comes after a place: in order, without holes, at most so many events and about so many bytes; nothing if
    /// there is nothing yet.
    pub async fn after(
        &self,
        stream: Stream,
        place: Place,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Stored>, ReadOnlyError> {
        let range = async |after, max_events, max_bytes| {
            self.reader.range(stream, after, max_events, max_bytes).await.map_err(read_error)
        };
        let is_lost =
            !stream.expires() && self.reader.holes.recent(&self.reader).await.map_err(read_error)?.contains(place.seq);
        // What stood in a hole can't be compared.
        let Some(tag) = place.tag.filter(|_| place.seq > 0 && !is_lost) else {
            return range(place.seq, max_events, max_bytes).await;
        };
        // There is always room for the one at the place and another one.
        let (max_events, max_bytes) = (max_events.saturating_add(1), max_bytes.saturating_add(2 * MAX_RECORD_BYTES));
        let mut events = range(place.seq - 1, max_events, max_bytes).await?;
        match events.first() {
            Some(first) if first.seq == place.seq && first.tag() == tag => {
                events.remove(0);
                // A hole right behind the place ends the answer, and is seen when the next one would begin in it.
                if events.is_empty() && !stream.expires() && self.state(stream).await?.last_seq > place.seq {
                    return range(place.seq, max_events, max_bytes).await;
                }
                Ok(events)
            }
            Some(first) if first.seq == place.seq => Err(FollowError::OtherLog { position: place.seq }.into()),
            // The event at the place has expired; that there is no other hole was checked.
            Some(_) => Ok(events),
            None => self.check_end(stream, place).await,
        }
    }

    /// Nothing is there, not even the event at the place. The answer may have come from a replica that lags; the leader
    /// knows.
    async fn check_end(&self, stream: Stream, place: Place) -> Result<Vec<Stored>, ReadOnlyError> {
        let last = self.state(stream).await?.last_seq;
        if last < place.seq {
            return Err(FollowError::LogEndsBefore { position: place.seq, last }.into());
        }
        Ok(Vec::new())
    }
}

fn read_error(error: ReadError) -> ReadOnlyError {
    match error {
        ReadError::Hole { expected, found } => FollowError::Hole { expected, found }.into(),
        other => ReadOnlyError::Read(other),
    }
}

/// Whether the broker lets analytics ask which holes were accepted. One whose `nats.conf` is older does not.
async fn may_read_holes(standing: &Standing, settings: &Settings) -> bool {
    let query = Bytes::from_static(b"{\"seq\":1}");
    let request = async_nats::Request::new().payload(query).timeout(Some(settings.request_timeout));
    let subject = format!("{EXPORTED_API}.STREAM.MSG.GET.{}", Bucket::Integrity.stream_name());
    standing.client.send_request(subject, request).await.is_ok()
}

/// Whether this account gets answers under the exported subjects.
async fn is_exported(standing: &Standing, settings: &Settings) -> Result<bool, ConnectError> {
    let request = async_nats::Request::new().payload(Bytes::from_static(b"{}")).timeout(Some(settings.request_timeout));
    let subject = format!("{EXPORTED_API}.STREAM.INFO.{}", Stream::Chat.name());
    match standing.client.send_request(subject, request).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == async_nats::RequestErrorKind::NoResponders => Ok(false),
        Err(_) => Err(ConnectError::NoJetStream {
            servers: settings.servers_without_secrets(),
            reason: format!("nothing answers on {EXPORTED_API}.>; may this user publish there?"),
        }),
    }
}
