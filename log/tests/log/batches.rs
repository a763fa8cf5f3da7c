//! Many at once: group commit against the broker.

use natter_log::{Append, AppendError, Appended, GroupCommit, Settings, Stream};
use natter_testkit::Broker;

use crate::support::*;

#[tokio::test]
async fn order_of_calls_is_order_in_the_log_in_batches_too() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let appended = append_many(&log, "a", 5_000).await;
    assert_eq!(appended.iter().map(|a| a.seq).collect::<Vec<_>>(), (1..=5_000).collect::<Vec<_>>());
    let counts = log.counts();
    assert!(counts.batches > 0 && counts.appends_batched > 4_000, "{counts:?}");
    for (i, event) in read_all(&log).await.iter().enumerate() {
        assert_eq!(id(event), format!("a{i}"));
    }
}

/// The broker refuses a batch that has an id twice.
#[tokio::test]
async fn cmd2_repeats_within_a_burst_are_one_event_with_one_answer() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let pending: Vec<_> = (0..300).map(|i| log.append(message(&format!("a{}", i % 100)))).collect();
    let mut seqs = Vec::new();
    let mut duplicates = 0;
    for pending in pending {
        let appended = pending.await.expect("stored");
        duplicates += usize::from(appended.duplicate);
        seqs.push(appended.seq);
    }
    let first: Vec<u64> = (1..=100).collect();
    assert_eq!(seqs, [first.clone(), first.clone(), first].concat());
    assert_eq!(duplicates, 200);
}

/// Error 10201: one id that the window knows fails all of the batch.
#[tokio::test]
async fn cmd2_a_batch_with_ids_that_are_stored_is_halved_until_each_has_its_answer() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "old", 3).await;
    let ids: Vec<String> =
        (0..200).map(|i| if i % 67 == 5 { format!("old{}", i / 67) } else { format!("new{i}") }).collect();
    let pending: Vec<_> = ids.iter().map(|id| log.append(message(id))).collect();
    let mut next = 4;
    for (i, (id, pending)) in ids.iter().zip(pending).enumerate() {
        let appended = pending.await.expect("stored");
        if let Some(old) = id.strip_prefix("old") {
            let seq = old.parse::<u64>().expect("a number") + 1;
            assert_eq!(appended, Appended { seq, duplicate: true }, "{i}");
        } else {
            assert_eq!(appended, Appended { seq: next, duplicate: false }, "{i}");
            next += 1;
        }
    }
    assert!(log.counts().batches_halved > 0, "{:?}", log.counts());
}

#[tokio::test]
async fn guarded_appends_in_a_burst_keep_their_place_and_fail_alone() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let pending: Vec<_> = (0..200)
        .map(|i| {
            // Every fiftieth expects a subject that does not exist, every other fiftieth is right.
            log.append(match i % 50 {
                20 => Append {
                    subject: format!("chat.user.u{i}.rooms"),
                    expected_last: Some(0),
                    ..message(&format!("right{i}"))
                },
                40 => Append {
                    subject: format!("chat.user.u{i}.rooms"),
                    expected_last: Some(1),
                    ..message(&format!("wrong{i}"))
                },
                _ => message(&format!("a{i}")),
            })
        })
        .collect();
    let mut next = 1;
    for (i, pending) in pending.into_iter().enumerate() {
        match pending.await {
            Ok(appended) => {
                assert_eq!(appended, Appended { seq: next, duplicate: false }, "{i}");
                next += 1;
            }
            Err(error) => {
                assert_eq!((i % 50, error), (40, AppendError::WrongLast { expected: 1, last: 0 }), "{i}");
            }
        }
    }
    assert_eq!(next, 197);
    assert!(log.counts().batches > 0);
}

#[tokio::test]
async fn without_group_commit_everything_is_plain_and_in_order() {
    let broker = Broker::start().await;
    let log = connect(Settings { group_commit: GroupCommit::Off, ..settings(broker.url()) }).await;
    let appended = append_many(&log, "a", 500).await;
    assert_eq!(appended.iter().map(|a| a.seq).collect::<Vec<_>>(), (1..=500).collect::<Vec<_>>());
    assert_eq!((log.counts().batches, log.counts().appends_plain), (0, 500));
}

#[tokio::test]
async fn presence_is_never_batched_for_its_stream_allows_none() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let pending: Vec<_> = (0..500)
        .map(|i| {
            let subject = format!("presence.user.u{i}");
            log.append(Append { stream: Stream::Presence, subject, ..message(&format!("p{i}")) })
        })
        .collect();
    for (pending, seq) in pending.into_iter().zip(1..) {
        assert_eq!(pending.await, Ok(Appended { seq, duplicate: false }));
    }
    assert_eq!(log.counts().batches, 0);
}

/// An operator's stream without atomic publish is reported by `declare`, and used all the same.
#[tokio::test]
async fn a_stream_that_allows_no_batches_is_appended_to_one_by_one() {
    let broker = Broker::start().await;
    let config = async_nats::jetstream::stream::Config {
        name: "CHAT".into(),
        subjects: vec!["chat.>".into()],
        ..Default::default()
    };
    raw(&broker).await.create_stream(config).await.expect("created");
    let log = natter_log::Log::connect(settings(broker.url())).await.expect("a connection");
    let appended = append_many(&log, "a", 200).await;
    assert_eq!(appended.iter().map(|a| a.seq).collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
    assert_eq!(log.counts().batches, 1, "one was tried");
}

/// Two gateways write batches into one stream: each keeps its order, and all is contiguous.
#[tokio::test]
async fn two_appenders_share_the_stream() {
    let broker = Broker::start().await;
    let (one, two) = (log_on(&broker).await, log_on(&broker).await);
    let (ones, twos) = tokio::join!(append_many(&one, "one", 2_000), append_many(&two, "two", 2_000));
    for appended in [&ones, &twos] {
        assert!(appended.is_sorted_by_key(|appended| appended.seq));
    }
    let mut all: Vec<u64> = ones.iter().chain(&twos).map(|appended| appended.seq).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=4_000).collect::<Vec<_>>());
}
