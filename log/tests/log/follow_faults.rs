//! Following, when something is broken.

use std::time::Duration;

use async_nats::jetstream::stream::Config;
use futures::TryStreamExt;
use natter_log::{FollowError, Log, Stream};
use natter_testkit::{Broker, Direction, Proxy, eventually};

use crate::support::*;

/// CHAT as Natter would never declare it: events can be deleted.
pub async fn chat_that_can_be_damaged(broker: &Broker) {
    let config = Config {
        name: "CHAT".into(),
        subjects: vec!["chat.>".into()],
        allow_atomic_publish: true,
        allow_direct: true,
        ..Config::default()
    };
    raw(broker).await.create_stream(config).await.expect("created");
}

#[tokio::test]
async fn evt1_a_hole_in_the_log_is_an_error_after_everything_before_it() {
    let broker = Broker::start().await;
    chat_that_can_be_damaged(&broker).await;
    let log = Log::connect(settings(broker.url())).await.expect("a connection");
    append_many(&log, "a", 10).await;
    raw(&broker).await.get_stream("CHAT").await.expect("there").delete_message(5).await.expect("deleted");
    let mut follower = log.follow(Stream::Chat, 0);
    assert_contiguous(&take(&mut follower, 4).await, 1);
    assert_eq!(follower.next().await, Err(FollowError::Hole { expected: 5, found: 6 }));
    assert_eq!(follower.position(), 4);
    // Whoever decides to go on may follow from behind it.
    assert_contiguous(&take(&mut log.follow(Stream::Chat, 5), 5).await, 6);
}

#[tokio::test]
async fn evt1_a_missing_beginning_is_a_hole_too() {
    let broker = Broker::start().await;
    chat_that_can_be_damaged(&broker).await;
    let log = Log::connect(settings(broker.url())).await.expect("a connection");
    append_many(&log, "a", 10).await;
    raw(&broker).await.get_stream("CHAT").await.expect("there").purge().sequence(4).await.expect("purged");
    assert_eq!(log.follow(Stream::Chat, 0).next().await, Err(FollowError::Hole { expected: 1, found: 4 }));
}

/// It may lose its last moments by design. Stopping for them would end in reading it from its beginning for ever.
#[tokio::test]
async fn d7_what_presence_has_lost_is_passed_over() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    crate::follow::presence(&log, 0..10).await;
    raw(&broker).await.get_stream("PRESENCE").await.expect("there").delete_message(5).await.expect("deleted");
    let events = take(&mut log.follow(Stream::Presence, 0), 9).await;
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 6, 7, 8, 9, 10]);
    assert_contiguous(&log.range(Stream::Presence, 4, 20, 1 << 20).await.expect("read"), 6);
}

#[tokio::test]
async fn presence_that_expires_under_a_reader_is_passed_over() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let proxy = Proxy::to(broker.address()).await;
    let far = Log::connect(settings(&broker.url_through(&proxy.address()))).await.expect("a connection");
    crate::follow::presence(&log, 0..4).await;
    let mut follower = far.follow(Stream::Presence, 0);
    assert_contiguous(&take(&mut follower, 4).await, 1);
    proxy.refuse();
    proxy.cut();
    crate::follow::presence(&log, 4..10).await;
    raw(&broker).await.get_stream("PRESENCE").await.expect("there").purge().sequence(8).await.expect("purged");
    proxy.heal();
    assert_contiguous(&take(&mut follower, 3).await, 8);
}

#[tokio::test]
async fn cuts_and_silences_are_healed_without_a_word() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let log = log_on(&broker).await;
    let far = Log::connect(settings(&broker.url_through(&proxy.address()))).await.expect("a connection");
    let mut follower = far.follow(Stream::Chat, 0);
    let mut next = 1;
    for (round, fault) in ["cut", "down", "up", "both", "refuse", "cut"].into_iter().enumerate() {
        append_many(&log, &format!("a{round}-"), 100).await;
        assert_contiguous(&take(&mut follower, 100).await, next);
        match fault {
            "cut" => proxy.cut(),
            "refuse" => {
                proxy.refuse();
                proxy.cut();
            }
            "down" => proxy.blackhole(Direction::Down),
            "up" => proxy.blackhole(Direction::Up),
            _ => {
                proxy.blackhole(Direction::Up);
                proxy.blackhole(Direction::Down);
            }
        }
        append_many(&log, &format!("b{round}-"), 100).await;
        if fault == "down" || fault == "both" {
            let reading = tokio::time::timeout(Duration::from_millis(900), follower.next()).await;
            assert!(reading.is_err(), "{fault}: {reading:?}");
        }
        proxy.heal();
        assert_contiguous(&take(&mut follower, 100).await, next + 100);
        next += 200;
    }
    assert!(far.counts().follower_reopened >= 4, "{:?}", far.counts());
}

#[tokio::test]
async fn a_consumer_that_is_deleted_is_made_again() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "a").await;
    let mut follower = log.follow(Stream::Chat, 0);
    take(&mut follower, 1).await;
    let stream = raw(&broker).await.get_stream("CHAT").await.expect("there");
    let names: Vec<String> = stream.consumer_names().try_collect().await.expect("listed");
    assert_eq!(names.len(), 1);
    stream.delete_consumer(&names[0]).await.expect("deleted");
    append(&log, "b").await;
    assert_contiguous(&take(&mut follower, 1).await, 2);
}

#[tokio::test]
async fn a_broker_that_stands_still_is_waited_for() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "a").await;
    let mut follower = log.follow(Stream::Chat, 0);
    take(&mut follower, 1).await;
    stand_still(&broker).await;
    let waiting = tokio::time::timeout(Duration::from_secs(2), follower.next()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    assert!(log.counts().follower_silences > 0, "{:?}", log.counts());
    broker.resume().await;
    append_until_stored(&log, "b").await;
    assert_contiguous(&take(&mut follower, 1).await, 2);
}

/// D14: a log that was restored in our absence has other events at the same positions.
#[tokio::test]
async fn d14_another_log_behind_the_same_address_is_noticed_at_the_reconnection() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let log = log_on(&broker).await;
    let far = Log::connect(settings(&broker.url_through(&proxy.address()))).await.expect("a connection");
    append_many(&log, "a", 10).await;
    let mut followers = [far.follow(Stream::Chat, 0), far.follow(Stream::Chat, 0)];
    take(&mut followers[0], 10).await;
    take(&mut followers[1], 3).await;
    proxy.refuse();
    proxy.cut();
    let context = raw(&broker).await;
    context.delete_stream("CHAT").await.expect("deleted");
    assert_eq!(log.declare().await.expect("declared again"), []);
    append_many(&log, "b", 5).await;
    proxy.heal();
    let [ahead, within] = &mut followers;
    assert_eq!(
        tokio::time::timeout(SOON, ahead.next()).await.expect("in time"),
        Err(FollowError::LogEndsBefore { position: 10, last: 5 })
    );
    // What had arrived of the old one may be read first.
    let error = tokio::time::timeout(SOON, async {
        loop {
            if let Err(error) = within.next().await {
                return error;
            }
        }
    });
    let error = error.await.expect("in time");
    assert!(
        matches!(error, FollowError::OtherLog { .. } | FollowError::LogEndsBefore { position: 10, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_stream_that_is_deleted_ends_following() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "a").await;
    let mut follower = log.follow(Stream::Chat, 0);
    take(&mut follower, 1).await;
    raw(&broker).await.delete_stream("CHAT").await.expect("deleted");
    assert_eq!(tokio::time::timeout(SOON, follower.next()).await.expect("in time"), Err(FollowError::Gone));
}

/// A follower may be started before the broker is up again.
#[tokio::test]
async fn a_feed_is_opened_whenever_the_broker_comes() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 3).await;
    broker.kill().await;
    let mut follower = log.follow(Stream::Chat, 0);
    let waiting = tokio::time::timeout(Duration::from_millis(500), follower.next()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    broker.restart().await;
    assert_contiguous(&take(&mut follower, 3).await, 1);
    eventually("all is well", SOON, async || log.status().borrow().is_connected()).await;
}
