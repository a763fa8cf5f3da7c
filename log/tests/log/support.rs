//! What the tests share.

use std::time::Duration;

use bytes::Bytes;
use natter_log::{Append, AppendError, Appended, Follower, Log, Settings, Stored, Stream};
use natter_testkit::Broker;

pub const SOON: Duration = Duration::from_secs(20);

pub fn settings(url: &str) -> Settings {
    Settings {
        servers: vec![url.to_owned()],
        name: "test".into(),
        max_chat_bytes: 1 << 30,
        request_timeout: Duration::from_secs(5),
        ack_timeout: Duration::from_secs(5),
        follow_heartbeat: Duration::from_millis(200),
        ..Settings::default()
    }
}

pub async fn connect(settings: Settings) -> Log {
    let log = Log::connect(settings).await.expect("a connection");
    assert_eq!(log.declare().await.expect("declared"), [], "as declared");
    log
}

pub async fn log_on(broker: &Broker) -> Log {
    connect(settings(broker.url())).await
}

pub fn message(id: &str) -> Append {
    Append {
        stream: Stream::Chat,
        subject: "chat.user.u1.message".into(),
        message_id: id.into(),
        payload: Bytes::from(format!("payload of {id}")),
        expected_last: None,
    }
}

pub async fn append(log: &Log, id: &str) -> Appended {
    log.append(message(id)).await.unwrap_or_else(|error| panic!("{id}: {error:?}"))
}

/// Appends so many at once and waits for all of them. Ids are `<prefix><number>`.
pub async fn append_many(log: &Log, prefix: &str, count: usize) -> Vec<Appended> {
    let pending: Vec<_> = (0..count).map(|i| log.append(message(&format!("{prefix}{i}")))).collect();
    let mut appended = Vec::new();
    for (i, pending) in pending.into_iter().enumerate() {
        appended.push(pending.await.unwrap_or_else(|error| panic!("{prefix}{i}: {error:?}")));
    }
    appended
}

/// The next so many events.
pub async fn take(follower: &mut Follower, count: usize) -> Vec<Stored> {
    let mut events = Vec::with_capacity(count);
    while events.len() < count {
        let batch = tokio::time::timeout(SOON, follower.next_batch(count - events.len())).await;
        let batch = batch.unwrap_or_else(|_| panic!("{} of {count} events came", events.len()));
        events.extend(batch.expect("following goes on"));
    }
    events
}

pub fn id(event: &Stored) -> &str {
    event.message_id.as_deref().expect("every event has an id")
}

pub fn assert_contiguous(events: &[Stored], first: u64) {
    for (event, seq) in events.iter().zip(first..) {
        assert_eq!(event.seq, seq, "seqs are contiguous from {first}");
    }
}

/// Everything in the log, read by a follower of its own.
pub async fn read_all(log: &Log) -> Vec<Stored> {
    let last = log.state(Stream::Chat).await.expect("the state").last_seq;
    let events = take(&mut log.follow(Stream::Chat, 0), usize::try_from(last).expect("a small log")).await;
    assert_contiguous(&events, 1);
    events
}

/// Appends under ids of its own until one is stored, and returns its seq.
pub async fn append_until_stored(log: &Log, prefix: &str) -> u64 {
    let mut attempts = 0;
    natter_testkit::eventually("an append is stored", SOON, async || {
        attempts += 1;
        match log.append(message(&format!("{prefix}{attempts}"))).await {
            Ok(appended) => Ok(appended.seq),
            // A connection that was cut a moment ago may be noticed only by this one.
            Err(error @ (AppendError::Unavailable | AppendError::Unknown)) => Err(error),
            Err(error) => panic!("{error:?}"),
        }
    })
    .await
}

/// Pauses the broker, and waits until each of its threads has stopped: the signal takes its time.
pub async fn stand_still(broker: &Broker) {
    broker.pause().await;
    let tasks = format!("/proc/{}/task", broker.pid().await);
    natter_testkit::eventually("the broker stands still", SOON, async || {
        std::fs::read_dir(&tasks).expect("it lives").flatten().all(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
        })
    })
    .await;
}

/// A plain client, for what the log itself would never do.
pub async fn raw(broker: &Broker) -> async_nats::jetstream::Context {
    let options = async_nats::ConnectOptions::with_user_and_password(broker.user().into(), broker.password().into());
    async_nats::jetstream::new(options.connect(broker.address()).await.expect("a plain client"))
}
