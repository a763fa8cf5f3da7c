//! HRT6: from what clients have applied to `delivered`, and to the record.

use std::time::Duration;

use natter_events::{Event, Record, Subject};
use natter_log::Stream;
use natter_testkit::eventually;
use serde_json::json;

use crate::rig::{PATIENCE, Rig};
use crate::socket::seq;

#[tokio::test]
async fn hrt6_applied_becomes_delivered_on_every_gateway_and_never_goes_back() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut also_a) = (rig.socket(0, &ada).await, rig.socket(1, &ada).await);
    let (mut phone, mut laptop) = (rig.socket(0, &bob).await, rig.socket(1, &bob).await);
    let mut events = Vec::new();
    for text in ["one", "two", "three"] {
        a.send(&["ada", "bob"], text).await;
        also_a.expect("message").await;
        phone.expect("message").await;
        events.push(laptop.expect("message").await);
    }
    let applied = |index: usize| json!({"type": "applied", "position": events[index]["position"]});
    laptop.say(applied(1)).await;
    for socket in [&mut a, &mut also_a] {
        let delivered = socket.expect("delivered").await;
        assert_eq!((&delivered["user"], &delivered["upto"]), (&json!("bob"), &events[1]["seq"]));
        assert_eq!(delivered["conversation"], events[1]["conversation"]);
    }
    // A device that is behind, on another gateway and on the same: nothing that is older is told. What follows shows it.
    phone.say(applied(0)).await;
    phone.drain().await;
    laptop.say(applied(0)).await;
    laptop.drain().await;
    phone.say(applied(2)).await;
    for socket in [&mut a, &mut also_a] {
        assert_eq!(socket.expect("delivered").await["upto"], events[2]["seq"]);
    }
    // Nobody is told of themselves.
    assert!(phone.drain().await.is_empty() && laptop.drain().await.is_empty());
}

#[tokio::test]
async fn hrt6_each_conversation_is_told_its_own_last_message() {
    let rig = Rig::start(1).await;
    let (ada, bob, cy) = (rig.person("ada").await, rig.person("bob").await, rig.person("cy").await);
    let (mut a, mut b, mut c) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await, rig.socket(0, &cy).await);
    let from_ada = a.send(&["ada", "bob"], "from ada").await;
    let from_cy = c.send(&["cy", "bob"], "from cy").await;
    b.expect("message").await;
    let last = b.expect("message").await;
    let own = b.send(&["ada", "bob"], "one's own needs no word of it").await;
    b.say(json!({"type": "applied", "position": own["position"]})).await;
    a.expect("message").await;
    let (told_a, told_c) = (a.expect("delivered").await, c.expect("delivered").await);
    assert_eq!((seq(&last), &told_c["upto"]), (seq(&from_cy), &from_cy["seq"]));
    assert_eq!(told_a["upto"], from_ada["seq"]);
    assert_eq!(told_a["conversation"], from_ada["conversation"]);
}

#[tokio::test]
async fn hrt6_what_was_never_sent_to_a_client_can_not_be_applied() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    a.send(&["ada", "bob"], "hi").await;
    let position: natter_protocol::Position = b.expect("message").await["position"].as_str().unwrap().parse().unwrap();
    for wrong in [
        natter_protocol::Position { seq: position.seq + 1_000, ..position },
        natter_protocol::Position { epoch: position.epoch ^ 1, ..position },
    ] {
        b.say(json!({"type": "applied", "position": wrong.to_string()})).await;
    }
    assert_eq!(b.refused(json!({"type": "applied", "ref": 1, "position": "nonsense"})).await, "invalid");
    b.say(json!({"type": "applied", "position": position.to_string()})).await;
    assert_eq!(a.expect("delivered").await["upto"], position.seq);
    assert!(a.drain().await.is_empty());
}

#[tokio::test]
async fn hrt6_how_far_a_user_has_received_is_put_on_record() {
    let rig = Rig::start_with(1, |config| config.received_interval = Duration::from_millis(100)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    let log = rig.log().await;
    let on_record = async || {
        let events = log.range(Stream::Presence, 0, 1_000, 1 << 20).await.unwrap();
        let own = events.iter().filter(|stored| *stored.subject == Subject::Presence(bob.uid).to_string());
        let received = own.filter_map(|stored| match Record::decode(&stored.payload).unwrap().event {
            Event::ReceivedUpTo(received) => Some(received.seq),
            _ => None,
        });
        received.collect::<Vec<_>>()
    };
    let mut expected = Vec::new();
    for text in ["one", "two"] {
        a.send(&["ada", "bob"], text).await;
        let event = b.expect("message").await;
        expected.push(seq(&event));
        b.say(json!({"type": "applied", "position": event["position"]})).await;
        eventually("it is on record, once", PATIENCE, async || match on_record().await {
            seen if seen == expected => Ok(()),
            seen => Err(format!("{seen:?}, not {expected:?}")),
        })
        .await;
    }
}
