//! One by one: what is stored, in which order, and what is refused.

use std::time::{Duration, Instant};

use bytes::Bytes;
use natter_log::{Append, AppendError, Appended, Settings, Stream};
use natter_testkit::{Broker, eventually};

use crate::support::*;

#[tokio::test]
async fn cmd1_what_is_acknowledged_is_in_the_log_as_it_was_given() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    assert_eq!(append(&log, "u1:a").await, Appended { seq: 1, duplicate: false });
    let event = log.get(Stream::Chat, 1).await.expect("read").expect("there");
    assert_eq!(event.seq, 1);
    assert_eq!(event.subject, "chat.user.u1.message");
    assert_eq!(event.payload, "payload of u1:a");
    assert_eq!(event.message_id.as_deref(), Some("u1:a"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    assert!(event.time_ms.unsigned_abs().abs_diff(now as u64) < 60_000, "{}", event.time_ms);
    assert_eq!(log.last(Stream::Chat, "chat.user.u1.message").await, Ok(Some(event)));
}

#[tokio::test]
async fn both_streams_take_appends_on_their_own_sequences() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let presence = Append { stream: Stream::Presence, subject: "presence.user.u1".into(), ..message("p") };
    assert_eq!(log.append(presence.clone()).await, Ok(Appended { seq: 1, duplicate: false }));
    assert_eq!(append(&log, "c").await.seq, 1);
    assert_eq!(log.append(presence).await, Ok(Appended { seq: 1, duplicate: true }));
}

#[tokio::test]
async fn cmd2_the_same_id_within_the_window_is_one_event_with_its_first_seq() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "u1:a").await;
    append(&log, "u1:b").await;
    assert_eq!(append(&log, "u1:a").await, Appended { seq: 1, duplicate: true });
    // The broker reads its window from the log when it starts.
    broker.kill().await;
    broker.restart().await;
    let again = eventually("the duplicate is answered", SOON, async || log.append(message("u1:a")).await).await;
    assert_eq!(again, Appended { seq: 1, duplicate: true });
    assert_eq!(log.state(Stream::Chat).await.expect("the state").last_seq, 2);
}

#[tokio::test]
async fn an_expectation_guards_the_subject() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let account = |id: &str, expected| Append {
        subject: "chat.user.u1.account".into(),
        expected_last: Some(expected),
        ..message(id)
    };
    assert_eq!(append(&log, "other").await.seq, 1);
    assert_eq!(log.append(account("a", 0)).await, Ok(Appended { seq: 2, duplicate: false }));
    assert_eq!(log.append(account("b", 0)).await, Err(AppendError::WrongLast { expected: 0, last: 2 }));
    assert_eq!(log.append(account("b", 2)).await, Ok(Appended { seq: 3, duplicate: false }));
    let elsewhere = Append { subject: "chat.user.u2.account".into(), ..account("c", 9) };
    assert_eq!(log.append(elsewhere).await, Err(AppendError::WrongLast { expected: 9, last: 0 }));
}

/// The broker checks the expectation before it looks for the id, and by itself would answer a retry with "wrong last".
#[tokio::test]
async fn cmd3_a_retry_of_a_guarded_append_that_was_stored_is_a_duplicate() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let first = Append { expected_last: Some(0), ..message("u1:a") };
    assert_eq!(log.append(first.clone()).await, Ok(Appended { seq: 1, duplicate: false }));
    assert_eq!(log.append(first).await, Ok(Appended { seq: 1, duplicate: true }));
}

#[tokio::test]
async fn what_can_not_be_appended_is_refused_before_the_broker_sees_it() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    for subject in
        ["", "chat", "chat.", "chat.a b", "chat.*", "chat.>", "presence.user.u1", "chat.a\r\nPUB chat.x 0\r\n"]
    {
        let refused = log.append(Append { subject: subject.into(), ..message("a") }).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{subject:?}: {refused:?}");
    }
    for id in ["", "a b", "a\r\nNats-Rollup: all", "é", &"x".repeat(256)] {
        let refused = log.append(message(id)).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{id:?}: {refused:?}");
    }
    let large = Append { payload: Bytes::from(vec![0; 256 << 10]), ..message("a") };
    assert_eq!(log.append(large).await, Err(AppendError::TooLarge));
    assert_eq!(log.state(Stream::Chat).await.expect("the state").last_seq, 0);
    // The largest that is let through is stored.
    let largest = Append { payload: Bytes::from(vec![0; (256 << 10) - 1024]), ..message(&"i".repeat(255)) };
    assert_eq!(log.append(largest).await, Ok(Appended { seq: 1, duplicate: false }));
}

#[tokio::test]
async fn a_full_log_says_so_and_keeps_its_beginning() {
    let broker = Broker::start().await;
    let log = connect(Settings { max_chat_bytes: 20_000, ..settings(broker.url()) }).await;
    let large = |id: String| Append { payload: Bytes::from(vec![0; 4_000]), ..message(&id) };
    let mut stored = 0;
    let full = loop {
        match log.append(large(format!("a{stored}"))).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full, AppendError::Full);
    assert!((1..6).contains(&stored), "{stored}");
    // Many at once, too: batches that don't fit are halved down to single answers.
    let pending: Vec<_> = (0..30).map(|i| log.append(large(format!("b{i}")))).collect();
    for pending in pending {
        assert_eq!(pending.await, Err(AppendError::Full));
    }
    assert_eq!(log.state(Stream::Chat).await.expect("the state").first_seq, 1);
}

#[tokio::test]
async fn the_queue_is_bounded_and_the_bound_is_told_at_once() {
    let broker = Broker::start().await;
    let log = connect(Settings { max_queue_items: 100, ..settings(broker.url()) }).await;
    append(&log, "first").await;
    stand_still(&broker).await;
    let pending: Vec<_> = (0..101).map(|i| log.append(message(&format!("a{i}")))).collect();
    let begun = Instant::now();
    assert_eq!(log.append(message("over")).await, Err(AppendError::QueueFull));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    broker.resume().await;
    let mut refused = 0;
    for pending in pending {
        match pending.await {
            Ok(_) => {}
            Err(AppendError::QueueFull) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(refused, 1);
    append(&log, "again").await;
}

#[tokio::test]
async fn a_dropped_pending_takes_nothing_back() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    drop(log.append(message("a")));
    assert_eq!(append(&log, "b").await.seq, 2);
}

#[tokio::test]
async fn with_the_broker_down_an_append_is_refused_at_once_and_certainly_not_stored() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "first").await;
    broker.kill().await;
    eventually("the line is known to be lost", SOON, async || !log.status().borrow().is_connected()).await;
    for i in 0..50 {
        let begun = Instant::now();
        assert_eq!(log.append(message(&format!("refused{i}"))).await, Err(AppendError::Unavailable));
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    }
    broker.restart().await;
    append_until_stored(&log, "after").await;
    let events = read_all(&log).await;
    assert!(events.iter().all(|event| !id(event).starts_with("refused")), "{events:?}");
    eventually("all is well", SOON, async || log.status().borrow().is_connected()).await;
}

#[tokio::test]
async fn the_first_append_with_the_broker_down_is_unavailable() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    broker.kill().await;
    assert_eq!(log.append(message("a")).await, Err(AppendError::Unavailable));
    broker.restart().await;
    assert_eq!(append_until_stored(&log, "after").await, 1);
}

/// A publish that the account may not make is not answered by the broker at all, only complained about.
#[tokio::test]
async fn an_append_without_permission_is_refused_and_not_unknown() {
    let broker = crate::connect::with_users().await;
    let admin = connect(settings(&broker.url("admin"))).await;
    append(&admin, "a").await;
    let reader = natter_log::Log::connect(settings(&broker.url("reader"))).await.expect("it may connect");
    let begun = Instant::now();
    let refused = reader.append(message("b")).await;
    assert!(matches!(refused, Err(AppendError::Refused { .. })), "{refused:?}");
    let pending: Vec<_> = (0..30).map(|i| reader.append(message(&format!("c{i}")))).collect();
    for pending in pending {
        let refused = pending.await;
        assert!(matches!(refused, Err(AppendError::Refused { .. })), "{refused:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "before any timeout: {:?}", begun.elapsed());
    assert_eq!(admin.state(Stream::Chat).await.expect("the state").last_seq, 1);
}
