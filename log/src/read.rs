//! Reading what is stored: one event, the last of a subject, a stretch, or how far the log goes.
//!
//! Single reads go to the stream's leader (`STREAM.MSG.GET`), so their answer contains everything that anyone was
//! ever shown; stretches use the batched direct get, which a replica may answer from a little behind.
//! Reads are idempotent: over a short outage they wait for the connection and ask again, within one deadline.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

use crate::connect::Standing;
use crate::holes::HoleBook;
use crate::stored::{Stored, Subject, parse_time_ms};
use crate::streams::Stream;

/// The most that one call of `range` returns, whatever is asked for.
pub const MAX_RANGE_EVENTS: usize = 10_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamState {
    pub first_seq: u64,
    pub last_seq: u64,
    pub messages: u64,
    pub bytes: u64,
    /// Events between the first and the last that the broker itself knows to be gone. There may be others.
    pub gone: u64,
}

pub(crate) struct Info {
    pub(crate) state: StreamState,
    pub(crate) consumers: u64,
    /// When it was so, by the broker's clock, in Unix milliseconds.
    pub(crate) at_ms: i64,
}

/// A stream's state as the broker tells it.
#[derive(Deserialize)]
pub(crate) struct State {
    messages: u64,
    bytes: u64,
    first_seq: u64,
    last_seq: u64,
    #[serde(default)]
    num_deleted: u64,
    #[serde(default)]
    consumer_count: u64,
}

impl From<State> for StreamState {
    fn from(State { messages, bytes, first_seq, last_seq, num_deleted: gone, .. }: State) -> StreamState {
        StreamState { first_seq, last_seq, messages, bytes, gone }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("the broker did not answer in time")]
    Unavailable,
    #[error("there is no stream {stream}")]
    Gone { stream: String },
    #[error("{0:?} is not a subject of this stream")]
    BadSubject(String),
    #[error("the broker refused: {description} ({code})")]
    Refused { code: u64, description: String },
    #[error("an answer of the broker can't be read")]
    Malformed,
    #[error("the log has no event {expected}; the next is {found}. {WAY_OUT}")]
    Hole { expected: u64, found: u64 },
    /// The broker has an event there, and can't read it. Anything older would pass for the state.
    #[error("the last event of {subject} is damaged. {WAY_OUT}")]
    Damaged { subject: String },
}

/// What whoever runs Natter can do about a hole.
pub(crate) const WAY_OUT: &str = "The log is damaged: restore it from a replica or a backup, or let it be passed over with \
                                  `natter repair hole` (`natter verify --event-log` lists what is lost)";

#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) standing: Standing,
    pub(crate) request_timeout: Duration,
    pub(crate) holes: Arc<HoleBook>,
    /// What the subjects of requests begin with.
    pub(crate) api: &'static str,
}

/// Where JetStream answers.
pub(crate) const JETSTREAM_API: &str = "$JS.API";

/// A stored message with what buckets need besides.
pub(crate) struct Raw {
    pub(crate) stored: Stored,
    pub(crate) headers: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(standing: Standing, request_timeout: Duration, holes: Arc<HoleBook>) -> Reader {
        Reader { standing, request_timeout, holes, api: JETSTREAM_API }
    }

    /// Asks elsewhere: the same questions, under other subjects.
    pub(crate) fn asking(self, api: &'static str) -> Reader {
        Reader { api, ..self }
    }

    pub(crate) async fn last(&self, stream: &str, subject: &str) -> Result<Option<Raw>, ReadError> {
        self.message(stream, serde_json::json!({ "last_by_subj": subject })).await
    }

    pub(crate) async fn next(&self, stream: &str, subject: &str, after: u64) -> Result<Option<Raw>, ReadError> {
        self.message(stream, serde_json::json!({ "seq": after.saturating_add(1), "next_by_subj": subject })).await
    }

    pub(crate) async fn get(&self, stream: &str, seq: u64) -> Result<Option<Raw>, ReadError> {
        if seq == 0 {
            return Ok(None);
        }
        self.message(stream, serde_json::json!({ "seq": seq })).await
    }

    async fn message(&self, stream: &str, query: serde_json::Value) -> Result<Option<Raw>, ReadError> {
        let answer: GetAnswer = match self.ask(format!("{}.STREAM.MSG.GET.{stream}", self.api), query).await {
            Err(ReadError::Refused { code: NO_MESSAGE_FOUND, .. }) => return Ok(None),
            other => other?,
        };
        Ok(Some(answer.message.into_raw().ok_or(ReadError::Malformed)?))
    }

    pub(crate) async fn state(&self, stream: Stream) -> Result<StreamState, ReadError> {
        self.info(stream.name()).await.map(|info| info.state)
    }

    /// How much a stream holds, and how many read it.
    pub(crate) async fn info(&self, stream: &str) -> Result<Info, ReadError> {
        #[derive(Deserialize)]
        struct Answer {
            state: State,
            ts: String,
        }
        let Answer { state, ts } =
            self.ask(format!("{}.STREAM.INFO.{stream}", self.api), serde_json::json!({})).await?;
        let at_ms = parse_time_ms(&ts).ok_or(ReadError::Malformed)?;
        Ok(Info { consumers: state.consumer_count, state: state.into(), at_ms })
    }

    /// Asks the JetStream API, again over a lost connection or an absent leader, until the deadline.
    pub(crate) async fn ask<A: for<'a> Deserialize<'a>>(
        &self,
        subject: String,
        query: serde_json::Value,
    ) -> Result<A, ReadError> {
        let stream = subject.rsplit('.').next().unwrap_or_default().to_owned();
        let query = Bytes::from(query.to_string());
        let deadline = Instant::now() + self.request_timeout;
        loop {
            let socket = within(deadline, self.standing.connected()).await?;
            let request = async_nats::Request::new()
                .payload(query.clone())
                .timeout(Some(deadline.saturating_duration_since(Instant::now())));
            let answer = tokio::select! {
                answer = self.standing.client.send_request(subject.clone(), request) => answer,
                () = self.standing.lost(socket) => continue,
            };
            match answer {
                Ok(message) => match read_answer(&message.payload, &stream) {
                    Answer::Value(value) => return Ok(value),
                    Answer::Refused(error) => return Err(error),
                    Answer::NotNow => {}
                },
                Err(error) => match error.kind() {
                    async_nats::RequestErrorKind::NoResponders => {}
                    async_nats::RequestErrorKind::InvalidSubject => return Err(ReadError::BadSubject(subject)),
                    _ => return Err(ReadError::Unavailable),
                },
            }
            within(deadline, tokio::time::sleep(Duration::from_millis(50))).await?;
        }
    }

    /// Contiguous events after a position, ascending: at most so many and about so many bytes (at least one).
    pub(crate) async fn range(
        &self,
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        let after = match stream.expires() {
            true => after,
            false => self.holes.recent(self).await?.past(after.saturating_add(1)) - 1,
        };
        let events = self.scan(stream, after, max_events, max_bytes).await?;
        self.contiguous(stream, after, events).await
    }

    /// The same, as the broker has it: it says nothing of events that it can't read.
    pub(crate) async fn scan(
        &self,
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        let max_events = max_events.min(MAX_RANGE_EVENTS);
        if max_events == 0 {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + self.request_timeout;
        loop {
            let socket = within(deadline, self.standing.connected()).await?;
            let got = tokio::select! {
                got = timeout_at(deadline, self.direct_get(stream, after, max_events, max_bytes)) => got,
                () = self.standing.lost(socket) => continue,
            };
            match got.map_err(|_elapsed| ReadError::Unavailable)? {
                Ok(events) => return Ok(events),
                Err(ReadError::Unavailable) => {
                    within(deadline, tokio::time::sleep(Duration::from_millis(50))).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn direct_get(
        &self,
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        let client = &self.standing.client;
        let inbox = client.new_inbox();
        let mut answers = client.subscribe(inbox.clone()).await.map_err(|_| ReadError::Unavailable)?;
        let query = serde_json::json!({
            "seq": after.saturating_add(1),
            "next_by_subj": stream.all_subjects(),
            "batch": max_events,
            "max_bytes": max_bytes.max(1),
        });
        let subject = format!("{}.DIRECT.GET.{}", self.api, stream.name());
        client
            .publish_with_reply(subject, inbox, Bytes::from(query.to_string()))
            .await
            .map_err(|_| ReadError::Unavailable)?;
        let mut events = Vec::new();
        while let Some(message) = answers.next().await {
            match message.status.map(|status| status.as_u16()) {
                None => events.push(Stored::from_direct_get(&message).ok_or(ReadError::Malformed)?),
                // End of the batch, or nothing there at all.
                Some(204 | 404) => return Ok(events),
                // Nobody answers for the stream: it has no leader now, or does not exist.
                Some(503) => {
                    self.state(stream).await?;
                    return Err(ReadError::Unavailable);
                }
                Some(code) => {
                    return Err(ReadError::Refused {
                        code: code.into(),
                        description: message.description.unwrap_or_default(),
                    });
                }
            }
        }
        Err(ReadError::Unavailable)
    }

    /// What is promised of a stretch, checked: it begins after the position and has no holes but accepted ones.
    async fn contiguous(&self, stream: Stream, after: u64, mut events: Vec<Stored>) -> Result<Vec<Stored>, ReadError> {
        if stream.expires() {
            return self.contiguous_but_for_the_beginning(stream, after, events).await;
        }
        let mut holes = self.holes.recent(self).await?;
        events.retain(|event| !holes.contains(event.seq));
        let Some(first) = events.first().map(|event| event.seq) else {
            return Ok(events);
        };
        if holes.past(after + 1) != first {
            holes = self.holes.read(self).await?;
            let expected = holes.past(after + 1);
            if expected < first {
                return Err(ReadError::Hole { expected, found: first });
            }
            events.retain(|event| !holes.contains(event.seq));
        }
        // A message that the library dropped looks like a hole, so what follows one is left for the next call,
        // which will begin at it and see whether it is real.
        let mut expected = first;
        let whole = events.iter().take_while(|event| {
            let is_next = event.seq == expected;
            expected = holes.past(event.seq + 1);
            is_next
        });
        let whole = whole.count();
        events.truncate(whole);
        Ok(events)
    }

    async fn contiguous_but_for_the_beginning(
        &self,
        stream: Stream,
        after: u64,
        mut events: Vec<Stored>,
    ) -> Result<Vec<Stored>, ReadError> {
        let Some(first) = events.first().map(|event| event.seq) else {
            return Ok(events);
        };
        let expected = after + 1;
        if first != expected && self.state(stream).await?.first_seq <= expected {
            tracing::warn!(stream = stream.name(), expected, first, "passing over events that the broker has lost");
        }
        let whole = events.iter().zip(first..).take_while(|(event, seq)| event.seq == *seq).count();
        events.truncate(whole);
        Ok(events)
    }
}

async fn within<T>(deadline: Instant, future: impl Future<Output = T>) -> Result<T, ReadError> {
    timeout_at(deadline, future).await.map_err(|_elapsed| ReadError::Unavailable)
}

const NO_MESSAGE_FOUND: u64 = 10037;
const STREAM_NOT_FOUND: u64 = 10059;

pub(crate) enum Answer<A> {
    Value(A),
    Refused(ReadError),
    NotNow,
}

pub(crate) fn read_answer<A: for<'a> Deserialize<'a>>(payload: &[u8], stream: &str) -> Answer<A> {
    #[derive(Deserialize)]
    struct Failure {
        error: ApiError,
    }
    #[derive(Deserialize)]
    struct ApiError {
        code: u64,
        #[serde(default)]
        err_code: u64,
        #[serde(default)]
        description: String,
    }
    if let Ok(Failure { error }) = serde_json::from_slice(payload) {
        return match (error.code, error.err_code) {
            (_, STREAM_NOT_FOUND) => Answer::Refused(ReadError::Gone { stream: stream.into() }),
            (503, _) => Answer::NotNow,
            (_, code) => Answer::Refused(ReadError::Refused { code, description: error.description }),
        };
    }
    match serde_json::from_slice(payload) {
        Ok(value) => Answer::Value(value),
        Err(_) => Answer::Refused(ReadError::Malformed),
    }
}

#[derive(Deserialize)]
struct GetAnswer {
    message: GetMessage,
}

#[derive(Deserialize)]
struct GetMessage {
    subject: String,
    seq: u64,
    #[serde(default)]
    hdrs: String,
    #[serde(default)]
    data: String,
    time: String,
}

impl GetMessage {
    fn into_raw(self) -> Option<Raw> {
        let headers = STANDARD.decode(self.hdrs).ok()?;
        let stored = Stored {
            seq: self.seq,
            subject: Subject::from(self.subject),
            time_ms: parse_time_ms(&self.time)?,
            payload: Bytes::from(STANDARD.decode(self.data).ok()?),
            message_id: header(&headers, "Nats-Msg-Id").map(Into::into),
        };
        Some(Raw { stored, headers })
    }
}

/// A header's value in a block as it is stored.
pub(crate) fn header<'a>(block: &'a [u8], name: &str) -> Option<&'a str> {
    let block = std::str::from_utf8(block).ok()?;
    block.split("\r\n").skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_a_stored_block() {
        let block = b"NATS/1.0\r\nNats-Msg-Id: u1:id\r\nNats-Batch-Id:b\r\n\r\n";
        assert_eq!(header(block, "nats-msg-id"), Some("u1:id"));
        assert_eq!(header(block, "Nats-Batch-Id"), Some("b"));
        assert_eq!(header(block, "KV-Operation"), None);
        assert_eq!(header(b"", "x"), None);
        assert_eq!(header(b"\xff\xfe", "x"), None);
    }

    #[test]
    fn broken_answers_are_errors() {
        for payload in [&b""[..], b"{", b"[]", b"{\"message\":{}}", b"\xff"] {
            assert!(
                matches!(read_answer::<GetAnswer>(payload, "CHAT"), Answer::Refused(ReadError::Malformed)),
                "{payload:?}"
            );
        }
        let refused = br#"{"error":{"code":400,"err_code":10003,"description":"bad request"}}"#;
        assert!(matches!(
            read_answer::<GetAnswer>(refused, "CHAT"),
            Answer::Refused(ReadError::Refused { code: 10003, .. })
        ));
        let gone = br#"{"error":{"code":404,"err_code":10059,"description":"stream not found"}}"#;
        assert!(matches!(read_answer::<GetAnswer>(gone, "CHAT"), Answer::Refused(ReadError::Gone { .. })));
        let later = br#"{"error":{"code":503,"err_code":10008,"description":"not available"}}"#;
        assert!(matches!(read_answer::<GetAnswer>(later, "CHAT"), Answer::NotNow));
    }
}
