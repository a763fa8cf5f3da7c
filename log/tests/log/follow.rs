//! Following, when all is well or nearly.

use std::time::{Duration, Instant};

use futures::FutureExt;
use natter_log::{Append, FollowError, Log, Settings, Stream, Tag};
use natter_testkit::{Broker, eventually};

use crate::support::*;

#[tokio::test]
async fn evt1_every_event_after_a_position_in_order_stored_and_live() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 500).await;
    for after in [0, 1, 250, 499] {
        let mut follower = log.follow(Stream::Chat, after);
        assert_eq!(follower.position(), after);
        let events = take(&mut follower, usize::try_from(500 - after).expect("small")).await;
        assert_contiguous(&events, after + 1);
        assert_eq!(id(&events[0]), format!("a{after}"));
        assert_eq!(follower.position(), 500);
    }
    let mut follower = log.follow(Stream::Chat, 500);
    assert!(follower.next().now_or_never().is_none(), "nothing yet");
    let appended = append(&log, "live").await;
    let event = tokio::time::timeout(SOON, follower.next()).await.expect("in time").expect("an event");
    assert_eq!((event.seq, id(&event)), (appended.seq, "live"));
    assert_eq!(log.get(Stream::Chat, event.seq).await, Ok(Some(event.clone())), "as it is stored");
    assert_eq!(follower.tag(), Some(event.tag()));
}

#[tokio::test]
async fn waiting_for_an_event_can_be_cancelled_without_losing_one() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 300).await;
    let mut follower = log.follow(Stream::Chat, 0);
    let mut events = Vec::new();
    let begun = Instant::now();
    let mut cancelled = 0;
    while events.len() < 300 {
        assert!(begun.elapsed() < SOON, "{} events", events.len());
        match follower.next_batch(7).now_or_never() {
            Some(batch) => events.extend(batch.expect("following goes on")),
            None => {
                cancelled += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    assert_contiguous(&events, 1);
    assert!(cancelled > 0);
}

#[tokio::test]
async fn batches_are_as_large_as_asked_for_at_most() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 100).await;
    let mut follower = log.follow(Stream::Chat, 0);
    let mut seen = 0;
    while seen < 100 {
        let batch = follower.next_batch(9).await.expect("following goes on");
        assert!((1..=9).contains(&batch.len()), "{}", batch.len());
        seen += batch.len();
    }
}

/// The library's ordered consumer replays the whole stream when it is set up again before its first message.
#[tokio::test]
async fn a_restart_before_the_first_event_does_not_replay_the_stream() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 900).await;
    let mut follower = log.follow(Stream::Chat, 899);
    // Open the feed, with one event in it that is not taken.
    assert_eq!(follower.next().await.expect("an event").seq, 900);
    let mut fresh = log.follow(Stream::Chat, 900);
    assert!(tokio::time::timeout(Duration::from_millis(300), fresh.next()).await.is_err(), "nothing yet");
    broker.kill().await;
    broker.restart().await;
    let next = append_until_stored(&log, "new").await;
    for follower in [&mut follower, &mut fresh] {
        let event = tokio::time::timeout(SOON, follower.next()).await.expect("in time").expect("an event");
        assert_eq!(event.seq, 901);
        assert!(event.seq <= next);
    }
    assert_eq!(log.counts().follower_replays, 0);
}

#[tokio::test]
async fn a_slow_reader_gets_everything_and_is_held_back_by_the_broker() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    // More than a window of flow control: 32 MiB.
    let payload = bytes::Bytes::from(vec![7; 20_000]);
    let pending: Vec<_> =
        (0..2_500).map(|i| log.append(Append { payload: payload.clone(), ..message(&format!("a{i}")) })).collect();
    for pending in pending {
        pending.await.expect("stored");
    }
    let mut follower = log.follow(Stream::Chat, 0);
    let first = follower.next().await.expect("an event");
    assert_eq!(first.seq, 1);
    // It reads one event, and then nothing while others come and go.
    append_many(&log, "b", 2_000).await;
    let events = take(&mut follower, 4_499).await;
    assert_contiguous(&events, 2);
    let counts = log.counts();
    assert_eq!((counts.slow_consumers, counts.follower_jumps), (0, 0), "nothing was dropped: {counts:?}");
}

/// The library drops the newest messages when its buffer is full, and says so in an event that may get lost too.
#[tokio::test]
async fn what_the_library_drops_is_read_again() {
    let broker = Broker::start().await;
    let log = connect(Settings { max_follow_buffer_events: 64, ..settings(broker.url()) }).await;
    append_many(&log, "a", 5_000).await;
    let mut follower = log.follow(Stream::Chat, 0);
    let events = take(&mut follower, 5_000).await;
    assert_contiguous(&events, 1);
    let counts = log.counts();
    assert!(counts.slow_consumers > 0, "something was dropped: {counts:?}");
    assert!(counts.follower_drops > 0, "{counts:?}");
}

#[tokio::test]
async fn many_followers_each_at_their_own_position() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 1_000).await;
    let reading = (0..10u64).map(|i| {
        let mut follower = log.follow(Stream::Chat, i * 100);
        async move {
            assert_contiguous(&take(&mut follower, usize::try_from(1_000 - i * 100).expect("small")).await, i * 100 + 1)
        }
    });
    futures::future::join_all(reading).await;
}

#[tokio::test]
async fn a_follower_that_is_dropped_leaves_no_consumer_behind() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "a").await;
    let mut follower = log.follow(Stream::Chat, 0);
    follower.next().await.expect("an event");
    let context = raw(&broker).await;
    let consumers = async || context.get_stream("CHAT").await.expect("there").cached_info().state.consumer_count;
    assert_eq!(consumers().await, 1);
    drop(follower);
    eventually("the consumer is gone", SOON, async || match consumers().await {
        0 => Ok(()),
        n => Err(n),
    })
    .await;
}

#[tokio::test]
async fn the_number_of_followers_is_bounded_by_the_stream_and_one_too_many_waits_its_turn() {
    let broker = Broker::start().await;
    let log = connect(Settings { max_consumers: 2, ..settings(broker.url()) }).await;
    append(&log, "a").await;
    let mut followers = [log.follow(Stream::Chat, 0), log.follow(Stream::Chat, 0), log.follow(Stream::Chat, 0)];
    let [one, two, three] = &mut followers;
    one.next().await.expect("an event");
    two.next().await.expect("an event");
    assert!(tokio::time::timeout(Duration::from_millis(500), three.next()).await.is_err(), "there is no place");
    let [one, two, mut three] = followers;
    drop(one);
    let event = tokio::time::timeout(SOON, three.next()).await.expect("in time").expect("an event");
    assert_eq!(event.seq, 1);
    drop(two);
}

#[tokio::test]
async fn presence_begins_where_events_have_not_expired() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    presence(&log, 0..10).await;
    let stream = raw(&broker).await.get_stream("PRESENCE").await.expect("there");
    stream.purge().sequence(6).await.expect("purged");
    for after in [0, 3, 5] {
        let mut follower = log.follow(Stream::Presence, after);
        let events = take(&mut follower, 5).await;
        assert_contiguous(&events, 6);
    }
    // All of it expired: the next one is still the next.
    stream.purge().sequence(11).await.expect("purged");
    let mut follower = log.follow(Stream::Presence, 2);
    assert!(tokio::time::timeout(Duration::from_millis(300), follower.next()).await.is_err(), "nothing is left");
    presence(&log, 10..11).await;
    let event = tokio::time::timeout(SOON, follower.next()).await.expect("in time").expect("an event");
    assert_eq!(event.seq, 11);
}

pub async fn presence(log: &Log, numbers: std::ops::Range<usize>) {
    for i in numbers {
        let subject = format!("presence.user.u{i}");
        log.append(Append { stream: Stream::Presence, subject, ..message(&format!("p{i}")) }).await.expect("stored");
    }
}

#[tokio::test]
async fn a_position_behind_the_end_of_the_log_is_an_error_that_stays() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 5).await;
    let mut follower = log.follow(Stream::Chat, 6);
    for _ in 0..3 {
        assert_eq!(follower.next().await, Err(FollowError::LogEndsBefore { position: 6, last: 5 }));
    }
    assert_eq!(log.follow(Stream::Chat, 5).next().now_or_never(), None, "the end itself is none");
}

#[tokio::test]
async fn d14_a_starting_position_is_compared_with_its_tag() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 5).await;
    let tag = log.get(Stream::Chat, 3).await.expect("read").expect("there").tag();
    let mut same = log.follow(Stream::Chat, 3).expecting(tag);
    assert_contiguous(&take(&mut same, 2).await, 4);
    let mut other = log.follow(Stream::Chat, 3).expecting(Tag(tag.0 ^ 1));
    assert_eq!(other.next().await, Err(FollowError::OtherLog { position: 3 }));
}

#[tokio::test]
async fn following_a_stream_that_is_not_there_says_so() {
    let broker = Broker::start().await;
    let log = Log::connect(settings(broker.url())).await.expect("a connection");
    assert_eq!(log.follow(Stream::Chat, 0).next().await, Err(FollowError::Gone));
}
