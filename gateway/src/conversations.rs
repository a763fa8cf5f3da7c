//! Who is in a direct conversation. Its id is a hash of its people, so they are written down once, in a bucket, when it
//! begins; every gateway keeps those it has met. They never change.

use std::sync::Arc;

use bytes::Bytes;
use moka::sync::Cache;
use natter_events::ids::MAX_PARTICIPANTS;
use natter_events::{ConversationId, Uid};
use natter_log::{Bucket, BucketError, KeyValue, Log};

/// Conversations whose people are kept in memory.
const MAX_CACHED: u64 = 200_000;

/// The people of direct conversations.
pub struct Conversations {
    bucket: KeyValue,
    known: Cache<ConversationId, Arc<[Uid]>>,
}

impl Conversations {
    pub fn new(log: &Log) -> Self {
        Self { bucket: log.bucket(Bucket::Conversations), known: Cache::new(MAX_CACHED) }
    }

    /// The log is another one, and the bucket with it: what began in the one before may never have begun in this.
    pub fn forget(&self) {
        self.known.invalidate_all();
    }

    /// The people of a direct conversation, or nothing if it never began.
    pub async fn people(&self, conversation: ConversationId) -> Result<Option<Arc<[Uid]>>, BucketError> {
        if let Some(people) = self.known.get(&conversation) {
            return Ok(Some(people));
        }
        let Some(entry) = self.bucket.get(&conversation.to_string()).await? else { return Ok(None) };
        let people = read(&entry.value);
        // The id is a hash of its people, so an entry that is damaged shows.
        if ConversationId::direct(&people) != conversation {
            tracing::error!(%conversation, "the people on record are not this conversation's");
            return Ok(None);
        }
        self.known.insert(conversation, people.clone());
        Ok(Some(people))
    }

    /// Writes down who is in a conversation, before its first event. Costs nothing once it is known here.
    pub async fn begin(&self, conversation: ConversationId, people: &[Uid]) -> Result<(), BucketError> {
        if self.known.contains_key(&conversation) || self.people(conversation).await?.is_some() {
            return Ok(());
        }
        let value: Vec<u8> = people.iter().flat_map(|uid| *uid.as_bytes()).collect();
        match self.bucket.create(&conversation.to_string(), Bytes::from(value)).await {
            Ok(_) | Err(BucketError::AlreadyExists) => {
                self.known.insert(conversation, people.into());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn read(value: &[u8]) -> Arc<[Uid]> {
    value.as_chunks::<16>().0.iter().take(MAX_PARTICIPANTS).map(|uid| Uid::from_bytes(*uid)).collect()
}
