//! Giving a copy back: into a broker that has nothing yet, piece by piece, each answered before the next.

use std::time::Duration;

use async_nats::{Client, Request};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::backup::Part;
use crate::bucket::BucketError;
use crate::declare::{self, DeclareError};
use crate::read::{Answer, Info, JETSTREAM_API, ReadError, Reader, State, StreamState, read_answer};
use crate::settings::Settings;
use crate::streams::{Bucket, Stream};
use crate::{Epoch, EpochError, Holes, Log, epoch, holes};

/// How long the broker may take for one piece, and for the end, when it opens what it has written.
const PIECE_LIMIT: Duration = Duration::from_secs(60);
const END_LIMIT: Duration = Duration::from_secs(600);
/// The broker gives up when one piece keeps it busy for five seconds, and with `sync_interval: always` it may sync once
/// for each event in it.
const PIECE_BYTES: usize = 32 << 10;
/// In the bucket `meta`: a restore has begun and not ended.
const MARK: &str = "restoring";
/// What a service leaves in the bucket of keys before anybody has written anything: proof of the master key.
const KEYS_OF_NOBODY: u64 = 1;

/// Why nothing was restored, or not all.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the broker holds {messages} messages in {stream} already, and a restore needs an empty one")]
    NotEmpty { stream: String, messages: u64 },
    #[error("{consumers} readers follow {stream}: stop all services of this broker first")]
    InUse { stream: String, consumers: u64 },
    #[error("{stream} can't be looked at")]
    Read {
        stream: String,
        #[source]
        source: ReadError,
    },
    #[error("the broker does not take the copy of {stream}: {description} ({code})")]
    Refused { stream: String, code: u64, description: String },
    #[error("restoring {stream} was interrupted: the broker does not answer")]
    Interrupted { stream: String },
    #[error("the mark of a restore can't be read or written")]
    Mark(#[from] BucketError),
    #[error("what is missing can't be made")]
    Declare(#[from] DeclareError),
    #[error("the log can't be given its epoch")]
    Epoch(#[from] EpochError),
}

/// Whether a restore was begun here and not ended.
pub(crate) async fn is_under_way(log: &Log) -> Result<bool, BucketError> {
    match log.bucket(Bucket::Meta).get(MARK).await {
        Ok(mark) => Ok(mark.is_some()),
        Err(BucketError::Read(ReadError::Gone { .. })) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) async fn begin(log: &Log) -> Result<(), RestoreError> {
    let again = is_under_way(log).await?;
    refuse_in_use(log).await?;
    if again {
        return Ok(());
    }
    refuse_content(log).await?;
    declare::find_or_create(&log.context(), &Bucket::Meta.config(&log.inner.settings)).await?;
    let meta = log.bucket(Bucket::Meta);
    meta.put(MARK, Bytes::from_static(b"begun")).await?;
    // From here on no service starts. One that did a moment ago has perhaps stored something since we looked.
    if let Err(error) = refuse_content(log).await {
        meta.delete(MARK).await?;
        return Err(error);
    }
    Ok(())
}

pub(super) async fn end(log: &Log, copied: Epoch, holes: &Holes) -> Result<Epoch, RestoreError> {
    declare::declare(&log.context(), &log.inner.settings).await?;
    let chat = info(&log.inner.reader, Stream::Chat.name()).await?;
    if let Some(Info { state, at_ms, .. }) = chat {
        holes::put_back(&log.bucket(Bucket::Integrity), holes, state.last_seq, at_ms).await?;
    }
    log.inner.reader.holes.forget();
    let meta = log.bucket(Bucket::Meta);
    let epoch = epoch::put_other_than(&meta, copied).await?;
    // Last: it is whole from here on.
    meta.delete(MARK).await?;
    Ok(epoch)
}

async fn refuse_in_use(log: &Log) -> Result<(), RestoreError> {
    for stream in Stream::ALL.map(Stream::name) {
        match info(&log.inner.reader, stream).await? {
            Some(Info { consumers, .. }) if consumers > 0 => {
                return Err(RestoreError::InUse { stream: stream.to_owned(), consumers });
            }
            _ => {}
        }
    }
    Ok(())
}

async fn refuse_content(log: &Log) -> Result<(), RestoreError> {
    for part in Part::ALL {
        let stream = part.name();
        let allowed = if part == Part::Bucket(Bucket::Keys) { KEYS_OF_NOBODY } else { 0 };
        match info(&log.inner.reader, &stream).await? {
            Some(Info { state, .. }) if state.messages > allowed => {
                return Err(RestoreError::NotEmpty { stream, messages: state.messages });
            }
            _ => {}
        }
    }
    Ok(())
}

async fn info(reader: &Reader, stream: &str) -> Result<Option<Info>, RestoreError> {
    match reader.info(stream).await {
        Ok(info) => Ok(Some(info)),
        Err(ReadError::Gone { .. }) => Ok(None),
        Err(source) => Err(RestoreError::Read { stream: stream.to_owned(), source }),
    }
}

/// A stream or bucket that is being restored. Dropped before its end, the broker keeps what it got: the mark stays, and the
/// next restore takes it away.
pub struct Filling {
    stream: String,
    client: Client,
    /// Where the pieces go.
    subject: String,
}

impl Filling {
    pub(super) async fn begin(
        reader: &Reader,
        settings: &Settings,
        part: Part,
        copied: StreamState,
    ) -> Result<Filling, RestoreError> {
        #[derive(Deserialize)]
        struct Begun {
            deliver_subject: String,
        }
        let stream = part.name();
        let failed = |source| RestoreError::Read { stream: stream.clone(), source };
        if info(reader, &stream).await?.is_some() {
            let gone: Result<serde_json::Value, _> =
                reader.ask(format!("{JETSTREAM_API}.STREAM.DELETE.{stream}"), json!({})).await;
            gone.map_err(failed)?;
        }
        let StreamState { first_seq, last_seq, messages, bytes, .. } = copied;
        let state = json!({ "messages": messages, "bytes": bytes, "first_seq": first_seq, "last_seq": last_seq });
        // It is stored as this Natter declares it, whatever it was before.
        let wish = json!({ "config": part.config(settings), "state": state });
        let begun: Result<Begun, _> = reader.ask(format!("{JETSTREAM_API}.STREAM.RESTORE.{stream}"), wish).await;
        let subject = begun.map_err(|error| refused(&stream, error))?.deliver_subject;
        Ok(Filling { stream, client: reader.standing.client.clone(), subject })
    }

    /// Gives the broker what comes next. It has taken all of it when this returns.
    pub async fn write(&self, bytes: Bytes) -> Result<(), RestoreError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE_BYTES));
            let answer = self.ask(piece, PIECE_LIMIT).await?;
            if !answer.is_empty() {
                self.read::<serde_json::Value>(&answer)?;
            }
        }
        Ok(())
    }

    /// Says that this was all, and returns what the broker has then.
    pub async fn end(self) -> Result<StreamState, RestoreError> {
        #[derive(Deserialize)]
        struct Restored {
            state: State,
        }
        let answer = self.ask(Bytes::new(), END_LIMIT).await?;
        Ok(self.read::<Restored>(&answer)?.state.into())
    }

    async fn ask(&self, payload: Bytes, limit: Duration) -> Result<Bytes, RestoreError> {
        let request = Request::new().payload(payload).timeout(Some(limit));
        match self.client.send_request(self.subject.clone(), request).await {
            Ok(answer) => Ok(answer.payload),
            Err(_) => Err(RestoreError::Interrupted { stream: self.stream.clone() }),
        }
    }

    fn read<A: for<'a> Deserialize<'a>>(&self, answer: &[u8]) -> Result<A, RestoreError> {
        match read_answer(answer, &self.stream) {
            Answer::Value(value) => Ok(value),
            Answer::Refused(error) => Err(refused(&self.stream, error)),
            Answer::NotNow => Err(RestoreError::Interrupted { stream: self.stream.clone() }),
        }
    }
}

fn refused(stream: &str, error: ReadError) -> RestoreError {
    let stream = stream.to_owned();
    match error {
        ReadError::Refused { code, description } => RestoreError::Refused { stream, code, description },
        source => RestoreError::Read { stream, source },
    }
}
