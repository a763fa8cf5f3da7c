//! The content keys of authors (D13): wrapped by the deployment's master key in a bucket, unwrapped in memory here.
//!
//! An entry is called `<uid>.<key id>`. A key never changes, so a copy in memory is good for as long as it is kept; the
//! absence of one is believed for a few seconds only. Loads of the same key at the same time are one read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use moka::Expiry;
use natter_events::{ContentKey, KeyId, Sealed, Uid};
use parking_lot::Mutex;

use crate::bucket::{BucketError, KeyValue};

/// For how long a key that is not there is not asked for again.
const ABSENT_FOR: Duration = Duration::from_secs(2);

/// An entry that the master key has to open: written with the first one, so that another one is noticed at once.
const CANARY: &str = "master";
const CANARY_OWNER: Uid = Uid::from_bytes([0; 16]);
const CANARY_ID: KeyId = KeyId::from_bytes([0; 16]);

/// A key could not be had. Whoever asked does not know whether there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the bucket of content keys can't be used now")]
    Bucket(#[source] BucketError),
    #[error(
        "the entry {entry:?} in the bucket of content keys does not open with this master key: the configuration has \
         another one than the log was written with, or the entry is damaged"
    )]
    WrongMasterKey { entry: String },
}

/// The content keys of authors. Cheap to clone; clones share one cache.
#[derive(Clone)]
pub struct KeyRing(Arc<Inner>);

struct Inner {
    bucket: KeyValue,
    master: ContentKey,
    cache: moka::sync::Cache<Name, Option<ContentKey>>,
    loading: Mutex<HashMap<Name, WeakShared<Load>>>,
}

type Name = (Uid, KeyId);
type Found = Result<Option<ContentKey>, KeyError>;
type Load = BoxFuture<'static, Found>;

impl KeyRing {
    /// A ring over [`Bucket::Keys`](crate::Bucket::Keys) that keeps at most `capacity` keys in memory.
    pub fn new(bucket: KeyValue, master: ContentKey, capacity: u64) -> Self {
        let cache = moka::sync::Cache::builder().max_capacity(capacity).expire_after(AbsentExpires).build();
        Self(Arc::new(Inner { bucket, master, cache, loading: Mutex::default() }))
    }

    /// Whether the master key is the one that this log's keys are wrapped with. The first one that asks decides that.
    pub async fn check_master_key(&self) -> Result<(), KeyError> {
        let canary = self.0.master.wrap(CANARY_OWNER, CANARY_ID, &ContentKey::random());
        let stored = self.0.create_entry(CANARY, &canary).await?;
        self.0.unwrap(CANARY, CANARY_OWNER, CANARY_ID, stored).map(drop)
    }

    /// What proves the master key, to be kept beside a copy of the keys: it is wrapped, and opens nothing else. None before
    /// the first check.
    pub async fn proof(bucket: &KeyValue) -> Result<Option<Bytes>, BucketError> {
        Ok(bucket.get(CANARY).await?.map(|entry| entry.value))
    }

    /// Whether this is the master key of the log that the proof was taken from.
    pub fn is_proven(master: &ContentKey, proof: Bytes) -> bool {
        master.unwrap(CANARY_OWNER, CANARY_ID, &Sealed::from_bytes(proof.into())).is_ok()
    }

    /// An author's key; none if it was erased, and with it what it sealed.
    pub async fn get(&self, owner: Uid, id: KeyId) -> Result<Option<ContentKey>, KeyError> {
        if let Some(known) = self.0.cache.get(&(owner, id)) {
            return Ok(known);
        }
        self.load((owner, id)).await
    }

    /// An author's key if it is in memory: for where nothing may be waited for.
    pub fn cached(&self, owner: Uid, id: KeyId) -> Option<ContentKey> {
        self.0.cache.get(&(owner, id)).flatten()
    }

    /// Stores an author's key unless there is one already, and returns the one that is stored.
    pub async fn create(&self, owner: Uid, id: KeyId, key: &ContentKey) -> Result<ContentKey, KeyError> {
        let entry = entry_name((owner, id));
        let stored = self.0.create_entry(&entry, &self.0.master.wrap(owner, id, key)).await?;
        let key = self.0.unwrap(&entry, owner, id, stored)?;
        self.0.cache.insert((owner, id), Some(key.clone()));
        Ok(key)
    }

    /// The one load of this key that is under way, or a new one. It is polled by whoever waits for it: when all of them
    /// leave, it ends.
    fn load(&self, name: Name) -> Shared<Load> {
        let mut loading = self.0.loading.lock();
        if let Some(under_way) = loading.get(&name).and_then(WeakShared::upgrade) {
            return under_way;
        }
        let listed = Listed { ring: self.0.clone(), name };
        let load = async move { listed.ring.read(name).await }.boxed().shared();
        if let Some(weak) = load.downgrade() {
            loading.insert(name, weak);
        }
        load
    }
}

/// The load's place in the list, which ends with it, finished or not.
struct Listed {
    ring: Arc<Inner>,
    name: Name,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.ring.loading.lock().remove(&self.name);
    }
}

impl Inner {
    async fn read(&self, name: Name) -> Found {
        let entry = entry_name(name);
        let key = match self.bucket.get(&entry).await.map_err(KeyError::Bucket)? {
            Some(stored) => Some(self.unwrap(&entry, name.0, name.1, stored.value)?),
            None => None,
        };
        self.cache.insert(name, key.clone());
        Ok(key)
    }

    async fn create_entry(&self, entry: &str, wrapped: &Sealed) -> Result<Bytes, KeyError> {
        let value = Bytes::copy_from_slice(wrapped.as_bytes());
        match self.bucket.create(entry, value.clone()).await {
            Ok(_) => Ok(value),
            // What is there now is what counts, whether ours or somebody else's.
            Err(failed @ (BucketError::AlreadyExists | BucketError::Unknown)) => {
                let stored = self.bucket.get(entry).await.map_err(KeyError::Bucket)?;
                stored.map(|stored| stored.value).ok_or(KeyError::Bucket(failed))
            }
            Err(error) => Err(KeyError::Bucket(error)),
        }
    }

    fn unwrap(&self, entry: &str, owner: Uid, id: KeyId, stored: Bytes) -> Result<ContentKey, KeyError> {
        let wrapped = Sealed::from_bytes(stored.into());
        self.master.unwrap(owner, id, &wrapped).map_err(|_| KeyError::WrongMasterKey { entry: entry.to_owned() })
    }
}

fn entry_name((owner, id): Name) -> String {
    format!("{owner}.{id}")
}

struct AbsentExpires;

impl Expiry<Name, Option<ContentKey>> for AbsentExpires {
    fn expire_after_create(&self, _: &Name, key: &Option<ContentKey>, _: Instant) -> Option<Duration> {
        if key.is_some() { None } else { Some(ABSENT_FOR) }
    }

    fn expire_after_update(
        &self,
        name: &Name,
        key: &Option<ContentKey>,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(name, key, now)
    }
}

#[cfg(test)]
mod tests {
    use natter_testkit::Broker;

    use super::*;
    use crate::{Bucket, Log, Settings};

    async fn bucket(broker: &Broker) -> KeyValue {
        let settings = Settings {
            servers: vec![format!("nats://{}", broker.address())],
            user: Some(broker.user().to_owned()),
            password: Some(broker.password().to_owned()),
            ..Settings::default()
        };
        let log = Log::connect(settings).await.expect("the log");
        log.declare().await.expect("the buckets");
        log.bucket(Bucket::Keys)
    }

    fn ring(bucket: &KeyValue, master: &ContentKey) -> KeyRing {
        KeyRing::new(bucket.clone(), master.clone(), 1_000)
    }

    #[tokio::test]
    async fn d13_a_key_is_stored_wrapped_and_read_back_by_any_ring_with_the_master_key() {
        let broker = Broker::start().await;
        let (bucket, master) = (bucket(&broker).await, ContentKey::random());
        let (owner, id, key) = (Uid::random(), KeyId::random(), ContentKey::random());
        ring(&bucket, &master).create(owner, id, &key).await.expect("created");

        let other = ring(&bucket, &master);
        assert!(other.cached(owner, id).is_none(), "nothing is in memory before it was read");
        let read = other.get(owner, id).await.expect("read").expect("there");
        assert_eq!(read.expose(), key.expose());
        assert!(other.cached(owner, id).is_some());
        let stored = bucket.get(&format!("{owner}.{id}")).await.expect("read").expect("there").value;
        assert!(!stored.windows(32).any(|bytes| bytes == key.expose()), "the key lies open in the bucket");
    }

    #[tokio::test]
    async fn d13_creating_a_key_again_gives_the_first_one() {
        let broker = Broker::start().await;
        let (bucket, master) = (bucket(&broker).await, ContentKey::random());
        let (owner, id) = (Uid::random(), KeyId::random());
        let rings = [ring(&bucket, &master), ring(&bucket, &master)];
        let (one, two) = (ContentKey::random(), ContentKey::random());
        let (first, second) = tokio::join!(rings[0].create(owner, id, &one), rings[1].create(owner, id, &two));
        let (first, second) = (first.expect("created"), second.expect("created"));
        assert_eq!(first.expose(), second.expose());
        assert!([one.expose(), two.expose()].contains(&first.expose()));
    }

    #[tokio::test]
    async fn d13_an_erased_key_is_none_and_its_absence_is_not_believed_for_long() {
        let broker = Broker::start().await;
        let (bucket, master) = (bucket(&broker).await, ContentKey::random());
        let (owner, id, key) = (Uid::random(), KeyId::random(), ContentKey::random());
        let reader = ring(&bucket, &master);
        assert!(reader.get(owner, id).await.expect("read").is_none());
        assert!(reader.cached(owner, id).is_none());
        ring(&bucket, &master).create(owner, id, &key).await.expect("created");
        natter_testkit::eventually("the key is found", ABSENT_FOR * 3, async || {
            reader.get(owner, id).await.expect("read")
        })
        .await;

        bucket.delete(&format!("{owner}.{id}")).await.expect("deleted");
        assert!(ring(&bucket, &master).get(owner, id).await.expect("read").is_none());
    }

    #[tokio::test]
    async fn d13_another_master_key_is_a_clear_error_at_the_start_and_at_each_key() {
        let broker = Broker::start().await;
        let bucket = bucket(&broker).await;
        let (right, wrong) = (ring(&bucket, &ContentKey::random()), ring(&bucket, &ContentKey::random()));
        right.check_master_key().await.expect("the first one decides");
        right.check_master_key().await.expect("and is right from then on");
        let (owner, id) = (Uid::random(), KeyId::random());
        right.create(owner, id, &ContentKey::random()).await.expect("created");

        for error in [
            wrong.check_master_key().await.expect_err("another master key"),
            wrong.get(owner, id).await.expect_err("another master key"),
            wrong.create(owner, id, &ContentKey::random()).await.expect_err("another master key"),
        ] {
            assert!(error.to_string().contains("does not open with this master key"), "{error}");
        }
        assert!(wrong.cached(owner, id).is_none());
    }

    #[tokio::test]
    async fn d13_loads_of_one_key_at_the_same_time_are_one_read() {
        let broker = Broker::start().await;
        let (bucket, master) = (bucket(&broker).await, ContentKey::random());
        let (owner, id, key) = (Uid::random(), KeyId::random(), ContentKey::random());
        ring(&bucket, &master).create(owner, id, &key).await.expect("created");

        let reader = ring(&bucket, &master);
        let loads: Vec<_> = (0..100).map(|_| reader.load((owner, id))).collect();
        assert!(loads.iter().all(|load| load.ptr_eq(&loads[0])), "one load for all");
        for found in futures::future::join_all(loads).await {
            assert_eq!(found.expect("read").expect("there").expose(), key.expose());
        }
        assert_eq!(reader.0.loading.lock().len(), 0, "nothing is left of a load");
    }

    #[tokio::test]
    async fn d13_a_load_that_nobody_waits_for_any_more_leaves_nothing_behind() {
        let broker = Broker::start().await;
        let bucket = bucket(&broker).await;
        let reader = ring(&bucket, &ContentKey::random());
        let name = (Uid::random(), KeyId::random());
        let mut load = reader.load(name);
        assert!(futures::poll!(&mut load).is_pending());
        assert_eq!(reader.0.loading.lock().len(), 1);
        drop(load);
        assert_eq!(reader.0.loading.lock().len(), 0);
        assert!(reader.get(name.0, name.1).await.expect("read").is_none());
    }
}
