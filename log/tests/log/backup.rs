//! D14: copies of the log and its buckets, and the way back.

use bytes::Bytes;
use natter_log::{
    Bucket, DeclareError, Holes, Log, Part, ReadError, RestoreError, Snapshot, SnapshotError, Stored, Stream,
    StreamState,
};
use natter_testkit::Broker;

use crate::support::*;

const KEYS: Part = Part::Bucket(Bucket::Keys);
const CHAT: Part = Part::Stream(Stream::Chat);

/// What one part of a backup is.
struct Copy {
    part: Part,
    state: StreamState,
    bytes: Bytes,
}

async fn rest_of(mut snapshot: Snapshot) -> Bytes {
    let mut bytes = Vec::new();
    while let Some(piece) = snapshot.next().await.expect("a piece") {
        bytes.extend_from_slice(&piece);
    }
    bytes.into()
}

/// 100 KB that can't be compressed: of these, some tens are more than the broker sends ahead.
fn noise() -> Bytes {
    std::iter::repeat_with(rand::random::<u8>).take(100_000).collect()
}

async fn copy(log: &Log, part: Part) -> Copy {
    let snapshot = log.snapshot(part).await.expect("a copy begins");
    Copy { part, state: snapshot.state(), bytes: rest_of(snapshot).await }
}

async fn copy_all(log: &Log) -> Vec<Copy> {
    let mut copies = Vec::new();
    for part in Part::ALL {
        copies.push(copy(log, part).await);
    }
    copies
}

async fn give_back(log: &Log, copy: &Copy) -> Result<StreamState, RestoreError> {
    let filling = log.fill(copy.part, copy.state).await?;
    filling.write(copy.bytes.clone()).await?;
    filling.end().await
}

/// A connection to a broker on which nothing was declared.
async fn stranger(broker: &Broker) -> Log {
    Log::connect(settings(broker.url())).await.expect("a connection")
}

async fn all_of(log: &Log) -> Vec<Stored> {
    let last = log.state(Stream::Chat).await.expect("a state").last_seq;
    take(&mut log.follow(Stream::Chat, 0), usize::try_from(last).expect("a number")).await
}

#[tokio::test]
async fn d14_every_event_comes_back_at_its_seq_its_time_and_its_tag_under_a_new_epoch() {
    let (old, new) = (Broker::start().await, Broker::start().await);
    let log = log_on(&old).await;
    append_many(&log, "before", 500).await;
    let keys = log.bucket(Bucket::Keys);
    let revision = keys.create("ada.key", Bytes::from_static(b"wrapped")).await.expect("created");
    keys.create("eve.key", Bytes::from_static(b"wrapped")).await.expect("created");
    keys.delete("eve.key").await.expect("erased");
    let session = log.bucket(Bucket::Sessions);
    session.create("s1", Bytes::from_static(b"a login")).await.expect("created");
    let epoch = log.epoch().await.expect("an epoch");

    let copies = copy_all(&log).await;
    let before = all_of(&log).await;
    append_many(&log, "after", 10).await;

    let there = stranger(&new).await;
    there.begin_restore().await.expect("an empty broker");
    for copy in &copies {
        let state = give_back(&there, copy).await.expect("restored");
        assert_eq!((state.messages, state.last_seq), (copy.state.messages, copy.state.last_seq), "{:?}", copy.part);
    }
    let renewed = there.end_restore(epoch, &Holes::default()).await.expect("ended");
    assert_ne!(renewed, epoch);

    let restored = connect(settings(new.url())).await;
    assert_eq!(restored.epoch().await, Ok(renewed));
    let after = all_of(&restored).await;
    assert_eq!(after, before);
    let tags = |events: &[Stored]| events.iter().map(Stored::tag).collect::<Vec<_>>();
    assert_eq!(tags(&after), tags(&before));
    let entry = restored.bucket(Bucket::Keys).get("ada.key").await.expect("read").expect("there");
    assert_eq!((entry.revision, &entry.value[..]), (revision, &b"wrapped"[..]));
    assert_eq!(restored.bucket(Bucket::Keys).get("eve.key").await, Ok(None), "what was erased stays erased");
    assert_eq!(restored.bucket(Bucket::Sessions).get("s1").await, Ok(None), "logins are not in a backup");

    // It goes on behind the last one, and knows the ids it has.
    assert_eq!(append(&restored, "next").await.seq, before.len() as u64 + 1);
    new.restart().await;
    let again = connect(settings(new.url())).await;
    assert_eq!(all_of(&again).await[..before.len()], before[..], "it is on disk");
}

/// The broker sends a part of the copy ahead, and waits. An entry that is written anew by then is neither in what it
/// sent nor in what it sends.
#[tokio::test]
async fn d14_an_entry_that_is_written_anew_while_it_is_copied_is_among_the_changes() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let credentials = log.bucket(Bucket::Credentials);
    for n in 0..120u8 {
        credentials.create(&format!("user{n}"), noise()).await.expect("created");
    }
    let snapshot = log.snapshot(Part::Bucket(Bucket::Credentials)).await.expect("begun");
    let state = snapshot.state();
    credentials.put("user119", Bytes::from_static(b"another password")).await.expect("changed");
    credentials.delete("user118").await.expect("deleted");
    credentials.create("late", Bytes::from_static(b"registered late")).await.expect("created");
    let bytes = rest_of(snapshot).await;

    let new = Broker::start().await;
    let there = stranger(&new).await;
    there.begin_restore().await.expect("empty");
    give_back(&there, &Copy { part: Part::Bucket(Bucket::Credentials), state, bytes }).await.expect("restored");
    let restored = there.bucket(Bucket::Credentials);
    assert_eq!(restored.get("user119").await, Ok(None), "the copy alone is not enough: this is why there are changes");
    assert!(restored.get("user0").await.expect("read").is_some());

    let mut changes = Vec::new();
    let mut after = state.last_seq;
    while let Some(change) = log.change_after(Bucket::Credentials, after).await.expect("read") {
        after = change.revision;
        changes.push((change.key, change.value));
    }
    let some = |text: &'static [u8]| Some(Bytes::from_static(text));
    assert_eq!(
        changes,
        [
            ("user119".to_owned(), some(b"another password")),
            ("user118".to_owned(), None),
            ("late".to_owned(), some(b"registered late")),
        ]
    );
}

#[tokio::test]
async fn a_restore_that_was_not_ended_lets_no_service_start_and_can_be_done_again() {
    let (old, new) = (Broker::start().await, Broker::start().await);
    let log = log_on(&old).await;
    append_many(&log, "m", 2_000).await;
    let chat = copy(&log, CHAT).await;

    let there = stranger(&new).await;
    there.begin_restore().await.expect("empty");
    let filling = there.fill(CHAT, chat.state).await.expect("begun");
    filling.write(chat.bytes.slice(..chat.bytes.len() / 2)).await.expect("half of it");
    drop(filling);

    let refused = there.declare().await.expect_err("half of a log");
    assert!(matches!(refused, DeclareError::Restoring), "{refused}");
    there.begin_restore().await.expect("again");
    assert_eq!(give_back(&there, &chat).await.expect("all of it"), chat.state);
    assert!(there.declare().await.is_err(), "still not ended");
    there.end_restore(log.epoch().await.expect("an epoch"), &Holes::default()).await.expect("ended");
    assert_eq!(all_of(&there).await, all_of(&log).await);
    there.declare().await.expect("ended");
}

#[tokio::test]
async fn a_copy_that_was_cut_short_or_altered_is_not_taken() {
    let (old, new) = (Broker::start().await, Broker::start().await);
    let log = log_on(&old).await;
    append_many(&log, "m", 300).await;
    let chat = copy(&log, CHAT).await;
    let there = stranger(&new).await;
    there.begin_restore().await.expect("empty");

    let cut = Copy { bytes: chat.bytes.slice(..chat.bytes.len() - 40), ..chat };
    let refused = give_back(&there, &cut).await.expect_err("cut short");
    assert!(matches!(refused, RestoreError::Refused { .. }), "{refused}");
    let mut altered = chat.bytes.to_vec();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    let refused = give_back(&there, &Copy { bytes: altered.into(), ..chat }).await.expect_err("altered");
    assert!(matches!(refused, RestoreError::Refused { .. }), "{refused}");
    assert_eq!(give_back(&there, &chat).await.expect("as it was"), chat.state);
}

#[tokio::test]
async fn a_broker_that_holds_something_or_serves_someone_is_not_restored_over() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    log.bucket(Bucket::Keys).create("master", Bytes::from_static(b"proof")).await.expect("created");
    let mut follower = log.follow(Stream::Chat, 0);
    append(&log, "m").await;
    take(&mut follower, 1).await;
    let refused = stranger(&broker).await.begin_restore().await.expect_err("someone reads it");
    assert!(matches!(&refused, RestoreError::InUse { consumers: 1, .. }), "{refused}");
    drop(follower);
    natter_testkit::eventually("the reader is gone", SOON, async || {
        match stranger(&broker).await.begin_restore().await {
            Err(RestoreError::NotEmpty { stream, messages: 1 }) if stream == "CHAT" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    log.declare().await.expect("no mark was left");

    let fresh = Broker::start().await;
    let log = log_on(&fresh).await;
    log.epoch().await.expect("an epoch");
    log.bucket(Bucket::Keys).create("master", Bytes::from_static(b"proof")).await.expect("created");
    log.begin_restore().await.expect("a service that has only started left nothing of value");
    log.bucket(Bucket::Meta).delete("restoring").await.expect("deleted");
    log.bucket(Bucket::Directory).create("handle.ada", Bytes::from_static(b"u1")).await.expect("created");
    let refused = log.begin_restore().await.expect_err("someone has registered");
    assert!(matches!(&refused, RestoreError::NotEmpty { stream, .. } if stream == "KV_directory"), "{refused}");
}

#[tokio::test]
async fn a_copy_ends_with_an_error_when_the_broker_does() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    for n in 0..120 {
        log.bucket(Bucket::Keys).create(&format!("k{n}"), noise()).await.expect("created");
    }
    let mut snapshot = log.snapshot(KEYS).await.expect("begun");
    snapshot.next().await.expect("a piece").expect("not the end");
    broker.kill().await;
    let ended = async {
        loop {
            match snapshot.next().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    };
    let ended = tokio::time::timeout(SOON * 2, ended).await.expect("it ends");
    assert!(matches!(ended, Err(SnapshotError::Interrupted { .. })), "{ended:?}");
}

/// The broker leaves a damaged event out of a copy, as if it had never been, and says nothing. So the log is read, too.
#[tokio::test]
async fn a_log_with_a_damaged_event_is_not_whole() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "m", 200).await;
    assert_eq!(log.check_whole(200, |_| ()).await, Ok(()));
    broker.stop().await;
    let block = broker.store_dir().join("jetstream/NATTER/streams/CHAT/msgs/1.blk");
    let mut bytes = std::fs::read(&block).expect("the log's file");
    let damaged = b"payload of m100";
    let at = bytes.windows(damaged.len()).position(|window| window == damaged).expect("it is in there");
    bytes[at + 3] ^= 1;
    std::fs::write(&block, bytes).expect("written");
    broker.restart().await;
    let log = log_on(&broker).await;
    let found = log.check_whole(200, |_| ()).await;
    assert!(matches!(found, Err(ReadError::Hole { expected: 101, .. })), "{found:?}");
}
