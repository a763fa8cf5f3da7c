//! `mark`: how far someone has read, never back, and at most one event per conversation in a time.

use std::time::Duration;

use natter_log::Stream;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Rig, new_id};
use crate::socket::{seq, text};

fn mark(conversation: &str, read: u64) -> Value {
    json!({"type": "mark", "id": new_id(), "conversation": conversation, "read": read})
}

#[tokio::test]
async fn a_marker_reaches_everyone_in_the_conversation_and_never_goes_back() {
    let rig = Rig::start_with(2, |config| config.marker_interval = Duration::ZERO).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b, mut also_b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await, rig.socket(0, &bob).await);
    let mut seqs = Vec::new();
    for _ in 0..3 {
        seqs.push(seq(&a.send(&["bob"], "x").await));
        also_b.expect("message").await;
        b.expect("message").await;
    }
    let conversation = text(&a.send(&["bob"], "last").await, "conversation");
    b.expect("message").await;
    also_b.expect("message").await;
    let ok = b.done(mark(&conversation, seqs[1])).await;
    for socket in [&mut a, &mut also_b] {
        let marker = socket.expect("marker").await;
        assert_eq!((&marker["user"], &marker["read"]), (&json!("bob"), &json!(seqs[1])));
        assert_eq!((&marker["seq"], &marker["position"]), (&ok["seq"], &ok["position"]));
        assert_eq!(marker["conversation"], conversation);
    }
    // What is covered already says by what, and makes no event; on any gateway.
    for read in [seqs[1], seqs[0], 0] {
        for socket in [&mut b, &mut also_b] {
            let covered = socket.done(mark(&conversation, read)).await;
            assert_eq!(covered["seq"], ok["seq"], "{read}: {covered}");
        }
    }
    // Sending reads up to what was sent.
    let sent = b.send(&["ada"], "an answer").await;
    also_b.expect("message").await;
    assert_eq!(also_b.done(mark(&conversation, seqs[2])).await["seq"], sent["seq"]);
    a.expect("message").await;
    assert_eq!(a.drain().await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_ahead_of_the_log_can_not_have_been_read() {
    let rig = Rig::start_with(1, |config| config.ahead_timeout = Duration::from_millis(100)).await;
    let ada = rig.person("ada").await;
    let mut socket = rig.socket(0, &ada).await;
    let ok = socket.send(&["ada"], "x").await;
    let conversation = text(&ok, "conversation");
    for read in [seq(&ok) + 1, 1 << 53, u64::MAX] {
        assert_eq!(socket.refused(mark(&conversation, read)).await, "invalid", "{read}");
    }
    socket.send(&["ada"], "still here").await;
}

#[tokio::test]
async fn within_the_interval_one_event_covers_all_and_every_command_is_answered() {
    let rig = Rig::start_with(1, |config| config.marker_interval = Duration::from_millis(1_500)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b, mut also_b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await, rig.socket(0, &bob).await);
    let mut seqs = Vec::new();
    for _ in 0..6 {
        seqs.push(seq(&a.send(&["bob"], "x").await));
        b.expect("message").await;
        also_b.expect("message").await;
    }
    let direct = natter_events::ConversationId::direct(&[ada.uid, bob.uid]).to_string();
    let first = b.done(mark(&direct, seqs[0])).await;
    also_b.expect("marker").await;
    let mut commands: Vec<Value> = seqs[1..].iter().map(|read| mark(&direct, *read)).collect();
    for (index, command) in commands.iter_mut().enumerate() {
        command["ref"] = json!(100 + index);
    }
    b.say_all(&commands[..3]).await;
    also_b.say_all(&commands[3..]).await;
    let (mut answers, mut others) = (Vec::new(), Vec::new());
    for (socket, count) in [(&mut b, 3), (&mut also_b, 2)] {
        let mut left = count;
        while left > 0 {
            let frame = socket.next_but_pings().await.unwrap();
            if frame["type"] == "marker" {
                others.push(frame);
            } else {
                assert_eq!(frame["type"], "ok", "{frame}");
                answers.push(frame);
                left -= 1;
            }
        }
    }
    let event = loop {
        let marker = a.expect("marker").await;
        if marker["seq"] != first["seq"] {
            break marker;
        }
    };
    assert_eq!(event["read"], seqs[5]);
    assert!(answers.iter().all(|answer| answer["seq"] == event["seq"]), "{answers:?}, {event}");
    assert!(others.iter().all(|marker| marker["seq"] == event["seq"]));
    // An account each, six messages, two markers.
    assert_eq!(rig.log().await.state(Stream::Chat).await.unwrap().last_seq, 2 + 6 + 2);
}

/// What waits for the interval is stored before the gateway ends.
#[tokio::test]
async fn a_gateway_that_stops_stores_the_markers_that_wait() {
    let rig = Rig::start_with(1, |config| {
        (config.marker_interval, config.drain) = (Duration::from_secs(600), PATIENCE);
    })
    .await;
    let ada = rig.person("ada").await;
    let (mut socket, mut other) = (rig.socket(0, &ada).await, rig.socket(0, &ada).await);
    let first = socket.send(&["ada"], "x").await;
    let conversation = text(&first, "conversation");
    other.expect("message").await;
    let bob = rig.person("bob").await;
    let mut b = rig.socket(0, &bob).await;
    let seqs = [seq(&b.send(&["ada"], "1").await), seq(&b.send(&["ada"], "2").await)];
    let direct = text(&socket.until("message").await[0], "conversation");
    assert_ne!(direct, conversation);
    other.until("message").await;
    socket.done(mark(&direct, seqs[0])).await;
    socket.say(mark(&direct, seqs[1])).await;
    rig.gateways[0].shutdown.request();
    let ok = socket.until("ok").await.pop().unwrap();
    let stored = rig.log().await.get(Stream::Chat, seq(&ok)).await.unwrap().unwrap();
    let record = natter_events::Record::decode(&stored.payload).unwrap();
    let natter_events::Event::ReadMarkerMoved(marker) = record.event else { panic!("{record:?}") };
    assert_eq!(marker.read, seqs[1]);
}
