//! Handle ↔ uid, from the bucket `directory`: `handle.<handle>` holds a uid, `uid.<uid>` a handle.
//!
//! Only what was found is kept in memory. A handle that is unknown now may be registered a moment later.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use moka::sync::Cache;
use natter_events::Uid;
use natter_log::{BucketError, KeyValue};
use natter_protocol::Handle;

/// Reads that one `resolve` has under way.
const READS_AT_ONCE: usize = 16;

/// Who is called what.
pub struct Directory {
    bucket: KeyValue,
    uids: Cache<Handle, Uid>,
    handles: Cache<Uid, Handle>,
}

impl Directory {
    pub fn new(bucket: KeyValue, max_cached: u64) -> Self {
        Self { bucket, uids: Cache::new(max_cached), handles: Cache::new(max_cached) }
    }

    /// Whose handles these are, in their order; nothing for one that is nobody's.
    pub async fn resolve(&self, handles: &[Handle]) -> Result<Vec<Option<Uid>>, BucketError> {
        // Taken out of the loop's borrow: a stream over borrowed handles would tie its callers to their lifetime.
        let reads: Vec<_> = handles.iter().map(|handle| self.uid(handle)).collect();
        stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await
    }

    /// Whose handle this is.
    pub async fn uid(&self, handle: &Handle) -> Result<Option<Uid>, BucketError> {
        if let Some(uid) = self.cached_uid(handle) {
            return Ok(Some(uid));
        }
        let found: Option<Uid> = self.read(&handle_entry(handle)).await?;
        if let Some(uid) = found {
            self.uids.insert(handle.clone(), uid);
        }
        Ok(found)
    }

    /// What someone is called; nothing for whom there is no such account any more.
    pub async fn handle(&self, uid: Uid) -> Result<Option<Handle>, BucketError> {
        if let Some(handle) = self.cached_handle(uid) {
            return Ok(Some(handle));
        }
        let found: Option<Handle> = self.read(&uid_entry(uid)).await?;
        if let Some(handle) = &found {
            self.handles.insert(uid, handle.clone());
        }
        Ok(found)
    }

    /// Whose handle this is, if that is in memory: for where nothing may be waited for.
    pub fn cached_uid(&self, handle: &Handle) -> Option<Uid> {
        self.uids.get(handle)
    }

    /// What someone is called, if that is in memory: for where nothing may be waited for.
    pub fn cached_handle(&self, uid: Uid) -> Option<Handle> {
        self.handles.get(&uid)
    }

    /// Forgets what is in memory: the buckets are others from now on.
    pub fn forget(&self) {
        self.uids.invalidate_all();
        self.handles.invalidate_all();
    }

    /// Enters someone who has claimed this handle; again, if need be.
    pub(super) async fn enter(&self, handle: &Handle, uid: Uid) -> Result<(), BucketError> {
        self.bucket.put(&uid_entry(uid), Bytes::from(handle.to_string())).await?;
        self.bucket.put(&handle_entry(handle), Bytes::from(uid.to_string())).await?;
        self.uids.insert(handle.clone(), uid);
        self.handles.insert(uid, handle.clone());
        Ok(())
    }

    async fn read<T: std::str::FromStr>(&self, entry: &str) -> Result<Option<T>, BucketError> {
        let Some(found) = self.bucket.get(entry).await? else { return Ok(None) };
        let parsed = std::str::from_utf8(&found.value).ok().and_then(|text| text.parse().ok());
        if parsed.is_none() {
            tracing::error!(revision = found.revision, "an entry of the directory does not read");
        }
        Ok(parsed)
    }
}

fn handle_entry(handle: &Handle) -> String {
    format!("handle.{handle}")
}

fn uid_entry(uid: Uid) -> String {
    format!("uid.{uid}")
}
