//! Live messages, and word of their loss.

use std::time::Duration;

use bytes::Bytes;
use natter_log::{Live, LiveError, LiveMessage, LiveSubscription, Settings};
use natter_testkit::{Broker, Proxy, eventually};

use crate::support::*;

async fn next(subscription: &mut LiveSubscription) -> Live {
    tokio::time::timeout(SOON, subscription.next()).await.expect("in time").expect("the log is open")
}

fn said(subject: &str, text: &'static str) -> Live {
    Live::Message(LiveMessage { subject: subject.into(), payload: Bytes::from_static(text.as_bytes()) })
}

/// The library's flush does not wait for the server: 158 of 3,000 first messages were missed with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_is_at_the_server_when_it_is_returned() {
    let broker = Broker::start().await;
    let (listener, speaker) = (log_on(&broker).await, log_on(&broker).await);
    speaker.publish_live("live.warm", Bytes::new()).await.expect("published");
    for i in 0..1_500 {
        let subject = format!("live.s{i}");
        let mut subscription = listener.subscribe_live(&subject).await.expect("subscribed");
        speaker.publish_live(&subject, Bytes::from_static(b"hello")).await.expect("published");
        let heard = tokio::time::timeout(Duration::from_secs(5), subscription.next()).await;
        assert_eq!(
            heard.unwrap_or_else(|_| panic!("the first of {subject} was missed")),
            Some(said(&subject, "hello"))
        );
    }
}

#[tokio::test]
async fn patterns_hear_what_they_match_and_we_hear_ourselves() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let mut all = log.subscribe_live("live.>").await.expect("subscribed");
    let mut typing = log.subscribe_live("live.typing.*").await.expect("subscribed");
    log.publish_live("live.typing.c1", Bytes::from_static(b"1")).await.expect("published");
    log.publish_live("live.presence", Bytes::from_static(b"2")).await.expect("published");
    log.publish_live("live.typing.c2", Bytes::from_static(b"3")).await.expect("published");
    for expected in [said("live.typing.c1", "1"), said("live.presence", "2"), said("live.typing.c2", "3")] {
        assert_eq!(next(&mut all).await, expected);
    }
    assert_eq!(next(&mut typing).await, said("live.typing.c1", "1"));
    assert_eq!(next(&mut typing).await, said("live.typing.c2", "3"));
}

#[tokio::test]
async fn subjects_outside_live_are_refused() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    for subject in ["", "live", "live.", "live.*", "live.>", "chat.user.u1.message", "live.a b", "live.a\r\nPING"] {
        let refused = log.publish_live(subject, Bytes::new()).await;
        assert!(matches!(refused, Err(LiveError::BadSubject(_))), "{subject:?}: {refused:?}");
    }
    for subject in ["", ">", "live", "chat.>", "live.>.x", "$JS.>", "live.a b"] {
        let refused = log.subscribe_live(subject).await.err();
        assert!(matches!(refused, Some(LiveError::BadSubject(_))), "{subject:?}: {refused:?}");
    }
    assert_eq!(log.publish_live("live.a", Bytes::from(vec![0; 2 << 20])).await, Err(LiveError::TooLarge));
}

#[tokio::test]
async fn a_lost_connection_is_a_gap_and_the_subscription_lives_on() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let listener = connect(settings(&broker.url_through(&proxy.address()))).await;
    let speaker = log_on(&broker).await;
    let mut subscription = listener.subscribe_live("live.x").await.expect("subscribed");
    speaker.publish_live("live.x", Bytes::from_static(b"before")).await.expect("published");
    assert_eq!(next(&mut subscription).await, said("live.x", "before"));
    proxy.cut();
    assert_eq!(next(&mut subscription).await, Live::Gap);
    let heard = eventually("it is heard again", SOON, async || {
        speaker.publish_live("live.x", Bytes::from_static(b"after")).await.expect("published");
        tokio::time::timeout(Duration::from_millis(100), subscription.next()).await
    })
    .await;
    assert_eq!(heard, Some(said("live.x", "after")));
}

/// The library drops the newest messages when a subscription is not read.
#[tokio::test]
async fn reading_too_slowly_is_a_gap() {
    let broker = Broker::start().await;
    let listener = connect(Settings { max_live_buffer_messages: 16, ..settings(broker.url()) }).await;
    let speaker = log_on(&broker).await;
    let mut subscription = listener.subscribe_live("live.x").await.expect("subscribed");
    for _ in 0..1_000 {
        speaker.publish_live("live.x", Bytes::from_static(b"x")).await.expect("published");
    }
    eventually("messages were dropped", SOON, async || listener.counts().slow_consumers > 0).await;
    let mut gap = false;
    let mut heard = 0;
    while !gap {
        match next(&mut subscription).await {
            Live::Gap => gap = true,
            Live::Message(_) => heard += 1,
        }
    }
    assert!(heard < 1_000, "{heard}");
    let after = eventually("it is heard again", SOON, async || {
        speaker.publish_live("live.x", Bytes::from_static(b"after")).await.expect("published");
        match tokio::time::timeout(Duration::from_millis(100), subscription.next()).await {
            Ok(Some(Live::Message(message))) if message.payload == "after" => Ok(()),
            other => Err(other),
        }
    });
    after.await;
}

#[tokio::test]
async fn nothing_is_kept_for_a_broker_that_is_away() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let mut subscription = log.subscribe_live("live.x").await.expect("subscribed");
    broker.kill().await;
    assert_eq!(next(&mut subscription).await, Live::Gap);
    let refused =
        eventually("it is refused", SOON, async || log.publish_live("live.x", Bytes::from_static(b"old")).await.err());
    assert_eq!(refused.await, LiveError::Unavailable);
    for _ in 0..20 {
        assert_eq!(log.publish_live("live.x", Bytes::from_static(b"old")).await, Err(LiveError::Unavailable));
    }
    broker.restart().await;
    let heard = eventually("it is heard again", SOON, async || {
        log.publish_live("live.x", Bytes::from_static(b"new")).await.map_err(|error| error.to_string())?;
        tokio::time::timeout(Duration::from_millis(100), subscription.next()).await.map_err(|late| late.to_string())
    })
    .await;
    assert_eq!(heard, Some(said("live.x", "new")));
}
