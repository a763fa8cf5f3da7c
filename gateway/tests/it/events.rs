//! EVT1, 2, 4: what a session sees, in which order, and what is only of the moment.

use std::time::Duration;

use natter_testkit::eventually;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig};
use crate::socket::{Socket, message, seq, text};

/// Two people write to each other from two gateways at once: what each sees, their own `ok`s among it, is the log itself.
#[tokio::test]
async fn evt1_evt2_oks_and_events_are_one_order_without_gaps() {
    const EACH: usize = 150;
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let begin = rig.socket(0, &ada).await.send(&["ada", "bob"], "begin").await;
    let generous = |person: &Person| rig.with_rate(person, 1_000_000);
    let talk = async |mut socket: Socket| {
        let (mut seen, mut said) = (Vec::<Value>::new(), 0);
        while seen.len() < 2 * EACH {
            if said < EACH {
                socket.say_all(&[message(&["ada", "bob"], "x"), message(&["ada", "bob"], "y")]).await;
                said += 2;
            }
            seen.push(socket.next_but_pings().await.unwrap());
        }
        seen
    };
    // Both are there before either says anything.
    let (a, b) = (rig.socket(0, &generous(&ada)).await, rig.socket(1, &generous(&bob)).await);
    let (a, b) = tokio::join!(talk(a), talk(b));
    for (seen, other) in [(&a, "bob"), (&b, "ada")] {
        let own = seen.iter().filter(|frame| frame["type"] == "ok").count();
        assert_eq!(own, EACH, "every command has its ok");
        assert!(seen.iter().all(|frame| frame["type"] == "ok" || frame["sender"] == other), "and not its event, too");
        // Nobody else writes, so the conversation has every place in the log.
        let seqs: Vec<u64> = seen.iter().map(seq).collect();
        assert!(seqs.iter().copied().eq(seq(&begin) + 1..=seq(&begin) + 2 * EACH as u64), "{seqs:?}");
    }
    let positions = |seen: &[Value]| seen.iter().map(|frame| text(frame, "position")).collect::<Vec<_>>();
    assert_eq!(positions(&a), positions(&b), "an ok has the position that its event has");
}

#[tokio::test]
async fn evt2_the_users_other_sessions_get_the_event() {
    let rig = Rig::start(2).await;
    let ada = rig.person("ada").await;
    let mut sockets = [rig.socket(0, &ada).await, rig.socket(0, &ada).await, rig.socket(1, &ada).await];
    let command = message(&["ada"], "to myself");
    let ok = sockets[0].done(command.clone()).await;
    for socket in &mut sockets[1..] {
        let event = socket.expect("message").await;
        assert_eq!((&event["id"], &event["seq"], &event["position"]), (&command["id"], &ok["seq"], &ok["position"]));
        assert_eq!((&event["at"], &event["conversation"]), (&ok["at"], &ok["conversation"]));
    }
    let (status, ok) = rig.http(1, "POST", "/api/messages", Some(&ada.token), Some(message(&["ada"], "by HTTP"))).await;
    assert_eq!(status, 200, "{ok}");
    for socket in &mut sockets {
        let event = socket.expect("message").await;
        assert_eq!((&event["seq"], &event["position"]), (&ok["seq"], &ok["position"]), "a socket did not send this");
    }
}

#[tokio::test]
async fn evt1_nobody_else_sees_a_conversation() {
    let rig = Rig::start(1).await;
    let (ada, bob, eve) = (rig.person("ada").await, rig.person("bob").await, rig.person("eve").await);
    let (mut a, mut b, mut e) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await, rig.socket(0, &eve).await);
    a.send(&["ada", "bob"], "secret").await;
    b.expect("message").await;
    let own = e.send(&["eve"], "alone").await;
    assert_eq!(seq(&own), seq(&a.send(&["ada"], "alone").await) - 1);
    assert_eq!(e.drain().await, Vec::<Value>::new());
}

#[tokio::test]
async fn evt4_what_is_of_the_moment_has_no_place_and_is_not_replayed() {
    let rig = Rig::start_with(2, |config| config.offline_after = Duration::ZERO).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let first = a.send(&["ada", "bob"], "first").await;
    let received = b.expect("message").await;
    a.done(json!({"type": "watch", "users": ["bob"]})).await;
    eventually("bob is online for ada", PATIENCE, async || a.expect("presence").await["status"] == "online").await;
    b.say(json!({"type": "applied", "position": received["position"]})).await;
    b.say(json!({"type": "typing", "conversation": first["conversation"]})).await;
    b.done(json!({"type": "presence", "status": "busy"})).await;
    let mut missing = vec!["delivered", "presence", "typing"];
    while !missing.is_empty() {
        let frame = a.next_but_pings().await.unwrap();
        assert!(frame.get("seq").is_none() && frame.get("position").is_none(), "{frame}");
        // That bob is online may be told twice: what changes while someone begins to watch is.
        if frame["status"] != "online" {
            missing.retain(|kind| frame["type"] != *kind);
        }
    }
    b.send(&["ada", "bob"], "second").await;
    a.expect("message").await;
    let mut again = rig.resume(1, &ada, &text(&first, "position")).await;
    let seen: Vec<String> = again.until("caught_up").await.iter().map(|frame| text(frame, "type")).collect();
    assert_eq!(seen, ["message", "caught_up"]);
}
