//! The broker killed in the middle of everything.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use natter_log::{AppendError, Log, Stored, Stream};
use natter_testkit::{Broker, eventually};

use crate::support::*;

/// Appends without pause until told to stop, in order, retrying what is unknown as a client would. Returns the seq of
/// each acknowledged id.
async fn writer(log: Log, name: &'static str, stop: Arc<AtomicBool>) -> HashMap<String, u64> {
    let mut acknowledged = HashMap::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let ids: Vec<String> = (0..40).map(|i| format!("{name}-{}", number + i)).collect();
        number += ids.len();
        let pending: Vec<_> = ids.iter().map(|id| log.append(message(id))).collect();
        let mut last = 0;
        for (id, pending) in ids.into_iter().zip(pending) {
            match pending.await {
                Ok(appended) => {
                    assert!(appended.seq > last, "order of calls is order in the log");
                    last = appended.seq;
                    acknowledged.insert(id, appended.seq);
                }
                Err(AppendError::Unavailable) => tokio::task::yield_now().await,
                Err(AppendError::Unknown) => {
                    if let Ok(appended) = log.append(message(&id)).await {
                        acknowledged.insert(id, appended.seq);
                        // Later ones of this burst were not stored, so what follows is behind it.
                    }
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cmd1_acknowledged_is_stored_once_and_followed_in_order_through_kills_and_pauses() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = ["one", "two"].map(|name| tokio::spawn(writer(log.clone(), name, stop.clone())));
    let mut follower = log.follow(Stream::Chat, 0);
    let (seen_tx, mut seen) = tokio::sync::watch::channel(0);
    let (events_tx, events_rx) = tokio::sync::oneshot::channel::<Vec<Stored>>();
    let (last_tx, mut last_rx) = tokio::sync::watch::channel(None::<u64>);
    tokio::spawn(async move {
        let mut events = Vec::new();
        loop {
            tokio::select! {
                batch = follower.next_batch(500) => events.extend(batch.expect("following heals")),
                _ = last_rx.changed() => {}
            }
            seen_tx.send_replace(follower.position());
            if last_rx.borrow().is_some_and(|last| follower.position() >= last) {
                let _ = events_tx.send(events);
                return;
            }
        }
    });
    for round in 0..6 {
        let begun = *seen.borrow_and_update();
        let more = tokio::time::timeout(SOON, seen.wait_for(|seen| *seen > begun + 400)).await;
        more.unwrap_or_else(|_| panic!("round {round}: it goes on")).expect("the follower lives");
        if round % 3 == 2 {
            stand_still(&broker).await;
            // Long enough for followers to notice the silence.
            let silent = log.counts().follower_silences;
            eventually("silence is noticed", SOON, async || log.counts().follower_silences > silent).await;
            broker.resume().await;
        } else {
            broker.kill().await;
            broker.restart().await;
        }
    }
    let begun = *seen.borrow_and_update();
    tokio::time::timeout(SOON, seen.wait_for(|seen| *seen > begun + 400)).await.expect("it goes on").expect("lives");
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = HashMap::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("the writer holds"));
    }
    let last = append_until_stored(&log, "last").await;
    last_tx.send_replace(Some(last));
    let events = tokio::time::timeout(SOON, events_rx).await.expect("the follower gets there").expect("and says so");

    assert_contiguous(&events, 1);
    let mut ids = HashMap::new();
    for event in &events {
        assert_eq!(ids.insert(id(event).to_owned(), event.seq), None, "{} is there twice", id(event));
    }
    for (id, seq) in &acknowledged {
        assert_eq!(ids.get(id), Some(seq), "{id} was acknowledged at {seq}");
    }
    assert!(acknowledged.len() > 2_000, "{} acknowledged", acknowledged.len());
    let counts = log.counts();
    assert!(counts.append_lines_lost >= 4 && counts.follower_reopened >= 4, "{counts:?}");
}
