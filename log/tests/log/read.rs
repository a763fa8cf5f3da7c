//! Reading what is stored.

use std::time::Duration;

use bytes::Bytes;
use natter_log::{Append, Log, MAX_RANGE_EVENTS, ReadError, Settings, Stream, StreamState};
use natter_testkit::Broker;

use crate::support::*;

#[tokio::test]
async fn a_range_is_contiguous_ascending_and_bounded() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "a", 300).await;
    let all = log.range(Stream::Chat, 0, 1_000, 1 << 20).await.expect("read");
    assert_eq!(all.len(), 300);
    assert_contiguous(&all, 1);
    assert_eq!(id(&all[7]), "a7");
    assert_eq!(all[7].payload, "payload of a7");
    assert_eq!(log.get(Stream::Chat, 8).await, Ok(Some(all[7].clone())), "both ways of reading agree");

    let some = log.range(Stream::Chat, 100, 50, 1 << 20).await.expect("read");
    assert_eq!(some.len(), 50);
    assert_contiguous(&some, 101);
    let few = log.range(Stream::Chat, 100, 50, 500).await.expect("read");
    assert!((1..20).contains(&few.len()), "{} events in about 500 bytes", few.len());
    let one = log.range(Stream::Chat, 100, 50, 0).await.expect("read");
    assert_eq!(one.len(), 1, "one at least");
    assert_eq!(log.range(Stream::Chat, 0, 0, 1 << 20).await, Ok(vec![]));
    assert_eq!(log.range(Stream::Chat, 0, MAX_RANGE_EVENTS * 9, 1 << 30).await.expect("read").len(), 300);
}

/// Direct get answers 404 past the end, and the end of a batch with 204: neither is an error, and neither makes us wait.
#[tokio::test]
async fn past_the_end_there_is_nothing_at_once() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let begun = std::time::Instant::now();
    assert_eq!(log.range(Stream::Chat, 0, 10, 1 << 20).await, Ok(vec![]));
    append(&log, "a").await;
    assert_eq!(log.range(Stream::Chat, 1, 10, 1 << 20).await, Ok(vec![]));
    assert_eq!(log.range(Stream::Chat, 99, 10, 1 << 20).await, Ok(vec![]));
    assert_eq!(log.range(Stream::Chat, u64::MAX - 1, 10, 1 << 20).await, Ok(vec![]));
    for seq in [0, 2, u64::MAX] {
        assert_eq!(log.get(Stream::Chat, seq).await, Ok(None), "{seq}");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn last_is_the_last_of_the_subject_with_all_that_was_acknowledged() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    assert_eq!(log.last(Stream::Chat, "chat.user.u1.message").await, Ok(None));
    for i in 0..200 {
        let appended = append(&log, &format!("a{i}")).await;
        let other = Append { subject: "chat.user.u2.message".into(), ..message(&format!("b{i}")) };
        log.append(other).await.expect("stored");
        let last = log.last(Stream::Chat, "chat.user.u1.message").await.expect("read").expect("there");
        assert_eq!(last.seq, appended.seq);
    }
    for bad in ["", "chat.>", "chat.*.x", "presence.user.u1", "chat.a b"] {
        let refused = log.last(Stream::Chat, bad).await;
        assert!(matches!(refused, Err(ReadError::BadSubject(_))), "{bad:?}: {refused:?}");
    }
}

#[tokio::test]
async fn state_says_how_far_the_log_goes() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    assert_eq!(log.state(Stream::Chat).await, Ok(StreamState::default()));
    append_many(&log, "a", 20).await;
    let state = log.state(Stream::Chat).await.expect("the state");
    assert_eq!((state.first_seq, state.last_seq, state.messages), (1, 20, 20));
    assert!(state.bytes > 20 * 10, "{state:?}");
}

#[tokio::test]
async fn payloads_are_any_bytes() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let payload = Bytes::from((0..=255u8).cycle().take(100_000).collect::<Vec<u8>>());
    log.append(Append { payload: payload.clone(), ..message("a") }).await.expect("stored");
    log.append(Append { payload: Bytes::new(), ..message("empty") }).await.expect("stored");
    assert_eq!(log.get(Stream::Chat, 1).await.expect("read").expect("there").payload, payload);
    let both = log.range(Stream::Chat, 0, 2, 1 << 20).await.expect("read");
    assert_eq!((&both[0].payload, both[1].payload.len()), (&payload, 0));
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_gone_and_not_late() {
    let broker = Broker::start().await;
    let log = Log::connect(settings(broker.url())).await.expect("a connection");
    let gone = || ReadError::Gone { stream: "CHAT".into() };
    assert_eq!(log.state(Stream::Chat).await, Err(gone()));
    assert_eq!(log.get(Stream::Chat, 1).await, Err(gone()));
    assert_eq!(log.range(Stream::Chat, 0, 10, 1000).await, Err(gone()));
}

#[tokio::test]
async fn reads_wait_for_a_broker_that_comes_back_and_not_for_one_that_does_not() {
    let broker = Broker::start().await;
    let log = connect(Settings { request_timeout: Duration::from_secs(8), ..settings(broker.url()) }).await;
    append_many(&log, "a", 10).await;
    broker.kill().await;
    let reads = async {
        tokio::join!(
            log.get(Stream::Chat, 3),
            log.range(Stream::Chat, 2, 5, 1 << 20),
            log.state(Stream::Chat),
            log.last(Stream::Chat, "chat.user.u1.message"),
        )
    };
    let (reads, ()) = tokio::join!(reads, broker.restart());
    assert_eq!(reads.0.expect("read").expect("there").seq, 3);
    assert_contiguous(&reads.1.expect("read"), 3);
    assert_eq!(reads.2.expect("the state").last_seq, 10);
    assert_eq!(reads.3.expect("read").expect("there").seq, 10);

    broker.kill().await;
    let hasty = Settings { request_timeout: Duration::from_millis(300), ..settings(broker.url()) };
    Log::connect(hasty).await.err().expect("nobody there");
}

#[tokio::test]
async fn reads_end_when_the_broker_stands_still() {
    let broker = Broker::start().await;
    // The streams are made before, which may take longer.
    log_on(&broker).await;
    let log = connect(Settings { request_timeout: Duration::from_millis(300), ..settings(broker.url()) }).await;
    append(&log, "a").await;
    stand_still(&broker).await;
    assert_eq!(log.get(Stream::Chat, 1).await, Err(ReadError::Unavailable));
    assert_eq!(log.range(Stream::Chat, 0, 5, 1 << 20).await, Err(ReadError::Unavailable));
    assert_eq!(log.state(Stream::Chat).await, Err(ReadError::Unavailable));
    broker.resume().await;
}

#[tokio::test]
async fn a_hole_in_a_range_is_an_error_and_what_is_before_it_is_not() {
    let broker = Broker::start().await;
    crate::follow_faults::chat_that_can_be_damaged(&broker).await;
    let log = Log::connect(settings(broker.url())).await.expect("a connection");
    append_many(&log, "a", 9).await;
    raw(&broker).await.get_stream("CHAT").await.expect("there").delete_message(5).await.expect("deleted");
    assert_contiguous(&log.range(Stream::Chat, 0, 20, 1 << 20).await.expect("read"), 1);
    assert_eq!(log.range(Stream::Chat, 0, 20, 1 << 20).await.expect("read").len(), 4);
    assert_eq!(log.range(Stream::Chat, 4, 20, 1 << 20).await, Err(ReadError::Hole { expected: 5, found: 6 }));
    assert_contiguous(&log.range(Stream::Chat, 5, 20, 1 << 20).await.expect("read"), 6);
}

#[tokio::test]
async fn a_range_of_presence_begins_with_what_has_not_expired() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    for i in 0..9 {
        let append =
            Append { stream: Stream::Presence, subject: "presence.user.u".into(), ..message(&format!("p{i}")) };
        log.append(append).await.expect("stored");
    }
    let presence = raw(&broker).await.get_stream("PRESENCE").await.expect("there");
    presence.purge().sequence(4).await.expect("purged");
    assert_contiguous(&log.range(Stream::Presence, 0, 20, 1 << 20).await.expect("read"), 4);
}
