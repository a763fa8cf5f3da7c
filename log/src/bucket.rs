//! Buckets: small state with compare-and-set, in the layout of NATS key-value.
//!
//! Written over the raw API, since two things of the library's `kv` don't fit: it reads from any replica, and its
//! `create` takes an entry that its own lost request made for somebody else's. Here a lost answer is `Unknown`, and the
//! caller reads before going on.

use async_nats::HeaderMap;
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::Instant;

use crate::read::{Raw, ReadError, Reader, header};
use crate::streams::Bucket;
use crate::subjects::is_key;

/// A bucket's entries. Cheap to clone.
#[derive(Clone)]
pub struct KeyValue {
    reader: Reader,
    bucket: Bucket,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub value: Bytes,
    pub revision: u64,
    /// When this revision was written; the broker's time, Unix milliseconds.
    pub time_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    #[error("{0:?} can't be a key")]
    InvalidKey(String),
    #[error("the key exists")]
    AlreadyExists,
    #[error("the entry has changed")]
    WrongRevision,
    #[error("the value is larger than the bucket takes")]
    TooLarge,
    #[error("the bucket is full")]
    Full,
    #[error("the broker refused: {description} ({code})")]
    Refused { code: u64, description: String },
    /// Certainly not written.
    #[error("the broker can't be reached")]
    Unavailable,
    /// Perhaps written, now or a moment later: read before deciding anything.
    #[error("whether it was written is unknown")]
    Unknown,
    #[error(transparent)]
    Read(ReadError),
}

impl KeyValue {
    pub(crate) fn new(reader: Reader, bucket: Bucket) -> KeyValue {
        KeyValue { reader, bucket }
    }

    /// The entry as the leader has it now.
    pub async fn get(&self, key: &str) -> Result<Option<Entry>, BucketError> {
        let raw = self.raw(key).await?;
        Ok(raw.filter(|raw| !is_tombstone(raw)).map(|raw| Entry {
            value: raw.stored.payload,
            revision: raw.stored.seq,
            time_ms: raw.stored.time_ms,
        }))
    }

    /// Writes the entry if there is none, and returns its revision.
    pub async fn create(&self, key: &str, value: Bytes) -> Result<u64, BucketError> {
        let mut expected = 0;
        for _ in 0..MAX_TOMBSTONE_RACES {
            match self.write(key, value.clone(), Some(expected), None).await {
                Err(BucketError::WrongRevision) => {}
                other => return other,
            }
            // What is in the way may be the trace of an entry that was deleted, or that expired.
            expected = match self.raw(key).await? {
                Some(raw) if is_tombstone(&raw) => raw.stored.seq,
                Some(_) => return Err(BucketError::AlreadyExists),
                None => 0,
            };
        }
        Err(BucketError::AlreadyExists)
    }

    /// Writes the entry if it still has that revision.
    pub async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, BucketError> {
        self.write(key, value, Some(revision), None).await
    }

    /// Writes the entry, whatever was there.
    pub async fn put(&self, key: &str, value: Bytes) -> Result<u64, BucketError> {
        self.write(key, value, None, None).await
    }

    /// Deletes the entry, if there is one.
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.write(key, Bytes::new(), None, Some("DEL")).await.map(drop)
    }

    /// Deletes the entry if it still has that revision.
    pub async fn delete_revision(&self, key: &str, revision: u64) -> Result<(), BucketError> {
        self.write(key, Bytes::new(), Some(revision), Some("DEL")).await.map(drop)
    }

    async fn raw(&self, key: &str) -> Result<Option<Raw>, BucketError> {
        let subject = self.subject(key)?;
        self.reader.last(&self.bucket.stream_name(), &subject).await.map_err(|error| match error {
            ReadError::Unavailable => BucketError::Unavailable,
            other => BucketError::Read(other),
        })
    }

    async fn write(
        &self,
        key: &str,
        value: Bytes,
        expected: Option<u64>,
        operation: Option<&str>,
    ) -> Result<u64, BucketError> {
        let subject = self.subject(key)?;
        let mut headers = HeaderMap::new();
        if let Some(revision) = expected {
            headers.insert(async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, revision.to_string());
        }
        if let Some(operation) = operation {
            headers.insert("KV-Operation", operation);
        }
        let standing = &self.reader.standing;
        let deadline = Instant::now() + self.reader.request_timeout;
        let socket = tokio::time::timeout_at(deadline, standing.connected())
            .await
            .map_err(|_elapsed| BucketError::Unavailable)?;
        let request = async_nats::Request::new()
            .headers(headers)
            .payload(value)
            .timeout(Some(deadline.saturating_duration_since(Instant::now())));
        let answer = tokio::select! {
            answer = standing.client.send_request(subject, request) => answer,
            () = standing.lost(socket) => return Err(BucketError::Unknown),
        };
        match answer {
            Ok(message) => read_acknowledgement(&message.payload),
            Err(error) => Err(match error.kind() {
                async_nats::RequestErrorKind::NoResponders => BucketError::Unavailable,
                async_nats::RequestErrorKind::MaxPayloadExceeded => BucketError::TooLarge,
                _ => BucketError::Unknown,
            }),
        }
    }

    fn subject(&self, key: &str) -> Result<String, BucketError> {
        if !is_key(key) {
            return Err(BucketError::InvalidKey(key.chars().take(100).collect()));
        }
        Ok(self.bucket.subject(key))
    }
}

/// How often a create may lose to somebody who creates and deletes the same key at the same time.
const MAX_TOMBSTONE_RACES: usize = 4;

pub(crate) fn is_tombstone(raw: &Raw) -> bool {
    header(&raw.headers, "Nats-Marker-Reason").is_some()
        || matches!(header(&raw.headers, "KV-Operation"), Some("DEL" | "PURGE"))
}

fn read_acknowledgement(payload: &[u8]) -> Result<u64, BucketError> {
    #[derive(Deserialize)]
    struct Acknowledgement {
        #[serde(default)]
        seq: u64,
        error: Option<Refusal>,
    }
    #[derive(Deserialize)]
    struct Refusal {
        err_code: u64,
        #[serde(default)]
        description: String,
    }
    match serde_json::from_slice(payload) {
        Ok(Acknowledgement { error: Some(refusal), .. }) => Err(match refusal.err_code {
            10071 | 10164 => BucketError::WrongRevision,
            10054 => BucketError::TooLarge,
            10077 | 10047 => BucketError::Full,
            code => BucketError::Refused { code, description: refusal.description },
        }),
        Ok(Acknowledgement { seq, error: None }) if seq > 0 => Ok(seq),
        _ => Err(BucketError::Unknown),
    }
}
