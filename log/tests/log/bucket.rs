//! Buckets: entries, compare-and-set, expiry.

use std::time::Duration;

use bytes::Bytes;
use natter_log::{Bucket, BucketError, Settings};
use natter_testkit::{Broker, eventually};

use crate::support::*;

fn value(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test]
async fn an_entry_is_created_once_changed_by_who_saw_it_and_deleted() {
    let broker = Broker::start().await;
    let bucket = log_on(&broker).await.bucket(Bucket::Directory);
    assert_eq!(bucket.get("ann").await, Ok(None));
    let first = bucket.create("ann", value("1")).await.expect("created");
    assert_eq!(bucket.create("ann", value("2")).await, Err(BucketError::AlreadyExists));
    let entry = bucket.get("ann").await.expect("read").expect("there");
    assert_eq!((entry.value, entry.revision), (value("1"), first));
    assert!(entry.time_ms > 1_700_000_000_000, "{}", entry.time_ms);

    let second = bucket.update("ann", value("2"), first).await.expect("updated");
    assert_eq!(bucket.update("ann", value("3"), first).await, Err(BucketError::WrongRevision));
    assert_eq!(bucket.delete_revision("ann", first).await, Err(BucketError::WrongRevision));
    let third = bucket.put("ann", value("3")).await.expect("put");
    assert!(first < second && second < third);
    bucket.delete("ann").await.expect("deleted");
    assert_eq!(bucket.get("ann").await, Ok(None));
    assert_eq!(bucket.update("ann", value("4"), third).await, Err(BucketError::WrongRevision));
    // What a deletion leaves behind is no entry.
    bucket.create("ann", value("5")).await.expect("created again");
    assert_eq!(bucket.get("ann").await.expect("read").expect("there").value, value("5"));
}

#[tokio::test]
async fn of_many_who_create_at_the_same_time_one_wins() {
    let broker = Broker::start().await;
    let bucket = log_on(&broker).await.bucket(Bucket::Directory);
    for round in 0..10 {
        let key = format!("k{round}");
        if round % 2 == 0 {
            // Over a deleted entry, too.
            bucket.put(&key, value("old")).await.expect("put");
            bucket.delete(&key).await.expect("deleted");
        }
        let all = futures::future::join_all((0..20).map(|_| bucket.create(&key, value("x")))).await;
        assert_eq!(all.iter().filter(|created| created.is_ok()).count(), 1, "{all:?}");
        assert!(all.iter().all(|created| matches!(created, Ok(_) | Err(BucketError::AlreadyExists))), "{all:?}");
    }
}

#[tokio::test]
async fn sessions_expire_unless_written_again_and_leave_room_for_new_ones() {
    let broker = Broker::start().await;
    let short = Settings { session_ttl: Duration::from_secs(2), ..settings(broker.url()) };
    let bucket = connect(short).await.bucket(Bucket::Sessions);
    let first = bucket.create("s1", value("1")).await.expect("created");
    bucket.create("s2", value("1")).await.expect("created");
    eventually("one expires, the other is renewed", SOON, async || {
        bucket.put("s2", value("2")).await.expect("renewed");
        match bucket.get("s1").await.expect("read") {
            None => Ok(()),
            Some(entry) => Err(entry),
        }
    })
    .await;
    assert!(bucket.get("s2").await.expect("read").is_some());
    let again = bucket.create("s1", value("3")).await.expect("created over what the expired one left");
    assert!(again > first);
}

#[tokio::test]
async fn keys_and_values_are_checked() {
    let broker = Broker::start().await;
    let bucket = log_on(&broker).await.bucket(Bucket::Keys);
    for key in ["", ".", "a.", ".a", "a..b", "a b", "*", ">", "a\r\nPUB x 0", "ä", &"k".repeat(201)] {
        assert!(matches!(bucket.get(key).await, Err(BucketError::InvalidKey(_))), "{key:?}");
        assert!(matches!(bucket.put(key, value("x")).await, Err(BucketError::InvalidKey(_))), "{key:?}");
    }
    let large = Bytes::from(vec![0; 300 << 10]);
    assert_eq!(bucket.put("large", large).await, Err(BucketError::TooLarge));
    assert_eq!(bucket.put("huge", Bytes::from(vec![0; 2 << 20])).await, Err(BucketError::TooLarge));
    let longest = "k".repeat(200);
    bucket.put(&longest, value("x")).await.expect("the longest key fits");
}

#[tokio::test]
async fn buckets_are_apart() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    for bucket in Bucket::ALL {
        log.bucket(bucket).create("same", Bytes::from(bucket.name())).await.expect("created");
    }
    for bucket in Bucket::ALL {
        assert_eq!(log.bucket(bucket).get("same").await.expect("read").expect("there").value, bucket.name());
    }
}

#[tokio::test]
async fn a_bucket_outlives_the_broker_and_says_when_it_is_away() {
    let broker = Broker::start().await;
    // The buckets are made before, which may take longer.
    log_on(&broker).await;
    let log = connect(Settings { request_timeout: Duration::from_millis(700), ..settings(broker.url()) }).await;
    let bucket = log.bucket(Bucket::Meta);
    let revision = bucket.put("k", value("1")).await.expect("put");
    broker.kill().await;
    eventually("the loss is noticed", SOON, async || !log.status().borrow().is_connected()).await;
    assert_eq!(bucket.get("k").await, Err(BucketError::Unavailable));
    assert_eq!(bucket.put("k", value("2")).await, Err(BucketError::Unavailable));
    broker.restart().await;
    let entry = eventually("it answers again", SOON, async || bucket.get("k").await).await.expect("there");
    assert_eq!((entry.value, entry.revision), (value("1"), revision));
    stand_still(&broker).await;
    assert_eq!(bucket.update("k", value("3"), revision).await, Err(BucketError::Unknown));
    broker.resume().await;
    // Whether it was written shows when it is read: here it was, late.
    eventually("it is read", SOON, async || bucket.get("k").await).await;
}
