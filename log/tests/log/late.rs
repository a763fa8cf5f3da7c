//! Appends whose outcome is unknown: they are in the log before anything later is, or never.
//!
//! The client library gets this wrong by itself: what it was given and did not send, or sent into a connection that
//! stalled, is stored whenever the way is free again, behind newer events.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use natter_log::{Append, AppendError, GroupCommit, Log, Settings, Stream};
use natter_testkit::{Broker, BrokerOptions, Direction, Proxy, eventually};

use crate::support::*;

fn impatient(url: &str) -> Settings {
    Settings { ack_timeout: Duration::from_millis(300), ..settings(url) }
}

/// What became of appends: `Some(true)` for unknown, `Some(false)` for unavailable, None for stored.
async fn outcomes(pending: Vec<(String, natter_log::Pending)>) -> HashMap<String, Option<bool>> {
    let mut outcomes = HashMap::new();
    for (id, pending) in pending {
        let outcome = match pending.await {
            Ok(_) => None,
            Err(AppendError::Unknown) => Some(true),
            Err(AppendError::Unavailable) => Some(false),
            Err(error) => panic!("{id}: {error:?}"),
        };
        outcomes.insert(id, outcome);
    }
    outcomes
}

fn start(log: &Log, prefix: &str, count: usize, bytes: usize) -> Vec<(String, natter_log::Pending)> {
    (0..count)
        .map(|i| {
            let id = format!("{prefix}{i}");
            let payload = Bytes::from(vec![b'x'; bytes]);
            (id.clone(), log.append(Append { payload, ..message(&id) }))
        })
        .collect()
}

/// The rule, checked on the whole log: nothing unavailable is there, and nothing unknown is behind `first_new`.
async fn check(log: &Log, outcomes: &HashMap<String, Option<bool>>, first_new: u64) {
    // Whatever was still under way would be in front of these.
    append_many(log, "probe", 50).await;
    for event in read_all(log).await {
        match outcomes.get(id(&event)) {
            Some(Some(false)) => panic!("{} was reported unavailable and is at {}", id(&event), event.seq),
            Some(Some(true)) => {
                assert!(event.seq < first_new, "{} surfaced at {}, behind {first_new}", id(&event), event.seq);
            }
            Some(None) | None => {}
        }
    }
}

fn count(outcomes: &HashMap<String, Option<bool>>, what: Option<bool>) -> usize {
    outcomes.values().filter(|outcome| **outcome == what).count()
}

#[tokio::test]
async fn frm5_nothing_surfaces_after_the_broker_stood_still() {
    let broker = Broker::start().await;
    let log = connect(impatient(broker.url())).await;
    append(&log, "first").await;
    stand_still(&broker).await;
    let sent = start(&log, "a", 5, 100);
    let outcomes = outcomes(sent).await;
    assert_eq!(count(&outcomes, Some(true)), 5, "{outcomes:?}");
    // While it is unsettled, later ones are refused.
    assert_eq!(log.append(message("later")).await, Err(AppendError::Unavailable));
    broker.resume().await;
    let first_new = append_until_stored(&log, "new").await;
    check(&log, &outcomes, first_new).await;
}

/// More than the sockets' buffers hold: some is in the broker's, some in ours, some was never written.
#[tokio::test]
async fn frm5_nothing_surfaces_after_the_broker_stood_still_under_load() {
    let broker = Broker::start().await;
    let log = connect(impatient(broker.url())).await;
    append(&log, "first").await;
    for round in 0..3 {
        stand_still(&broker).await;
        let sent = start(&log, &format!("r{round}-"), 400, 50_000);
        let outcomes = outcomes(sent).await;
        assert!(count(&outcomes, Some(false)) > 0, "{round}: something never got out");
        broker.resume().await;
        let first_new = append_until_stored(&log, &format!("new{round}-")).await;
        check(&log, &outcomes, first_new).await;
    }
}

#[tokio::test]
async fn frm5_nothing_surfaces_after_a_batch_stood_still() {
    let broker = Broker::start().await;
    let log = connect(impatient(broker.url())).await;
    append(&log, "first").await;
    stand_still(&broker).await;
    let sent = start(&log, "a", 500, 300);
    let outcomes = outcomes(sent).await;
    assert_eq!(count(&outcomes, None), 0);
    broker.resume().await;
    let first_new = append_until_stored(&log, "new").await;
    check(&log, &outcomes, first_new).await;
    // All of a batch or nothing of it.
    let there = read_all(&log).await.iter().filter(|event| id(event).starts_with('a')).count();
    assert!(there == 0 || there == count(&outcomes, Some(true)), "{there} of a batch");
}

/// It has so much to read when it goes on that a new connection would be served before the old one is read to its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frm5_nothing_surfaces_when_the_broker_wakes_with_much_to_read() {
    // Reading is what takes it long, not syncing.
    let options = BrokerOptions { sync_interval: "100ms".into(), ..BrokerOptions::default() };
    let broker = Broker::start_with(options).await;
    let pipelined = Settings {
        group_commit: GroupCommit::Off,
        max_in_flight: 30_000,
        // So that the new connection is waiting at the door when the broker goes on.
        connect_timeout: SOON,
        ..impatient(broker.url())
    };
    let log = connect(pipelined).await;
    append(&log, "first").await;
    stand_still(&broker).await;
    let sent = start(&log, "a", 20_000, 30);
    let outcomes = outcomes(sent).await;
    assert!(count(&outcomes, Some(true)) > 5_000, "{} unknown", count(&outcomes, Some(true)));
    broker.resume().await;
    let first_new = append_until_stored(&log, "new").await;
    check(&log, &outcomes, first_new).await;
}

/// The network holds what was sent for longer than we wait for an answer, and for longer than a new connection takes.
#[tokio::test]
async fn frm5_nothing_surfaces_out_of_a_slow_network() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let url = broker.url_through(&proxy.address());
    let log = connect(Settings { connect_timeout: Duration::from_millis(200), ..impatient(&url) }).await;
    append(&log, "first").await;
    let connections = proxy.open();
    proxy.delay(Direction::Up, Duration::from_secs(1));
    let sent = start(&log, "a", 30, 100);
    let outcomes = outcomes(sent).await;
    assert!(count(&outcomes, Some(true)) > 0, "{outcomes:?}");
    // What is under way keeps its delay, what comes now has none.
    proxy.delay(Direction::Up, Duration::ZERO);
    let first_new = append_until_stored(&log, "new").await;
    connections_are(&proxy, connections).await;
    check(&log, &outcomes, first_new).await;
}

async fn connections_are(proxy: &Proxy, expected: usize) {
    eventually("as many connections as before", SOON, async || match proxy.open() {
        open if open == expected => Ok(()),
        open => Err(format!("{open} of {expected}")),
    })
    .await;
}

/// Answers are lost, what was sent was stored: unknown, and a retry settles it.
#[tokio::test]
async fn cmd3_a_retry_with_the_same_id_settles_an_unknown_append() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let log = connect(impatient(&broker.url_through(&proxy.address()))).await;
    append(&log, "first").await;
    proxy.blackhole(Direction::Down);
    let sent = start(&log, "a", 5, 100);
    let outcomes = outcomes(sent).await;
    assert_eq!(count(&outcomes, Some(true)), 5, "{outcomes:?}");
    proxy.heal();
    for i in 0..5u64 {
        let retried = eventually("the retry is answered", SOON, async || {
            let payload = Bytes::from(vec![b'x'; 100]);
            log.append(Append { payload, ..message(&format!("a{i}")) }).await
        })
        .await;
        assert_eq!((retried.seq, retried.duplicate), (i + 2, true));
    }
}

#[tokio::test]
async fn frm5_nothing_surfaces_after_what_was_sent_was_swallowed() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let log = connect(impatient(&broker.url_through(&proxy.address()))).await;
    append(&log, "first").await;
    proxy.blackhole(Direction::Up);
    let sent = start(&log, "a", 20, 100);
    let outcomes = outcomes(sent).await;
    assert_eq!(count(&outcomes, None), 0);
    proxy.heal();
    let first_new = append_until_stored(&log, "new").await;
    assert_eq!(first_new, 2, "nothing of it got through");
    check(&log, &outcomes, first_new).await;
}

/// A connection that is cut with answers under way: what was reported unknown may be stored, and stays in front.
#[tokio::test]
async fn frm5_nothing_surfaces_after_cuts_in_the_middle_of_load() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let log = connect(settings(&broker.url_through(&proxy.address()))).await;
    append(&log, "first").await;
    for round in 0..10 {
        let sent = start(&log, &format!("r{round}-"), 300, 200);
        // Cut when some of it is under way.
        let begun = log.state(natter_log::Stream::Chat).await.expect("the state").last_seq;
        if round % 2 == 0 {
            eventually("something is stored", SOON, async || {
                log.state(natter_log::Stream::Chat).await.is_ok_and(|state| state.last_seq > begun)
            })
            .await;
        }
        let lost = log.counts().append_lines_lost;
        proxy.cut();
        let outcomes = outcomes(sent).await;
        eventually("the cut is noticed", SOON, async || log.counts().append_lines_lost > lost).await;
        let first_new = append_until_stored(&log, &format!("new{round}-")).await;
        check(&log, &outcomes, first_new).await;
    }
}

#[tokio::test]
async fn the_old_line_is_reset_and_not_left_behind() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let log = connect(impatient(&broker.url_through(&proxy.address()))).await;
    append(&log, "first").await;
    let connections = proxy.open();
    proxy.blackhole(Direction::Down);
    assert_eq!(log.append(message("lost")).await, Err(AppendError::Unknown));
    proxy.heal();
    append_until_stored(&log, "new").await;
    connections_are(&proxy, connections).await;
}

/// Between looking at its outcomes and appending, a caller may be held up for as long as it takes to open a line.
#[tokio::test]
async fn frm5_what_is_meant_for_a_line_is_not_appended_over_the_next() {
    let broker = Broker::start().await;
    let proxy = Proxy::to(broker.address()).await;
    let log = connect(impatient(&broker.url_through(&proxy.address()))).await;
    append(&log, "first").await;
    let line = log.line(Stream::Chat);
    assert!(log.append_over(line, message("second")).await.is_ok());
    proxy.cut();
    let next = eventually("another line is in use", SOON, async || {
        let _ = log.append(message("probe")).await;
        let now = log.line(Stream::Chat);
        if now == line { Err(now) } else { Ok(now) }
    })
    .await;
    assert_eq!(log.append_over(line, message("late")).await, Err(AppendError::Unavailable));
    assert!(log.append_over(next, message("third")).await.is_ok());
    assert!(!read_all(&log).await.iter().any(|event| id(event) == "late"));
}
