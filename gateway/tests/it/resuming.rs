//! CON3, CON4: a session begins where the client was, on any gateway, with nothing missing and nothing twice.

use std::collections::BTreeSet;
use std::time::Duration;

use natter_events::Tag;
use natter_protocol::Position;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Rig, new_id};
use crate::socket::{Socket, message, seq, text};

/// Less than the broker is waited for.
const IMPATIENCE: Duration = Duration::from_secs(3);

/// Reads a replay to its end: the events before `caught_up`, and its position.
async fn replay(socket: &mut Socket) -> (Vec<Value>, String) {
    let mut seen = socket.until("caught_up").await;
    let end = seen.pop().unwrap();
    (seen, text(&end, "position"))
}

fn texts(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(event, "text")).collect()
}

#[tokio::test]
async fn con3_a_replay_is_whole_in_order_and_has_the_clients_own_events() {
    let rig = Rig::start(2).await;
    let (ada, bob, eve) = (rig.person("ada").await, rig.person("bob").await, rig.person("eve").await);
    let (mut a, mut b, mut e) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await, rig.socket(1, &eve).await);
    let start = a.send(&["ada", "bob"], "0").await;
    let from = text(&start, "position");
    let mine = message(&["ada", "bob"], "1");
    a.done(mine.clone()).await;
    b.until("message").await;
    b.send(&["ada", "bob"], "2").await;
    e.send(&["eve", "bob"], "not for ada").await;
    let last = b.send(&["ada", "bob"], "3").await;
    for gateway in [0, 1] {
        let mut again = rig.resume(gateway, &ada, &from).await;
        let (events, end) = replay(&mut again).await;
        assert_eq!(texts(&events), ["1", "2", "3"]);
        assert_eq!((&events[0]["id"], &events[0]["sender"]), (&mine["id"], &json!("ada")));
        assert!(events.iter().all(|event| event["position"].is_string()));
        assert_eq!(end, text(&last, "position"));
        // Where it ended is a position as good as any other.
        let (events, same) = replay(&mut rig.resume(1 - gateway, &ada, &end).await).await;
        assert_eq!((events.len(), same), (0, end));
    }
}

#[tokio::test]
async fn con3_a_replay_goes_on_live_without_a_seam() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let bob = rig.with_rate(&bob, 1_000_000);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    let first = a.send(&["ada", "bob"], "first").await;
    a.close().await;
    let all: Vec<Value> = (0..500).map(|n| message(&["ada", "bob"], &n.to_string())).collect();
    b.say_all(&all[..250]).await;
    let mut a = rig.hello(0, &ada, Some(&text(&first, "position"))).await;
    b.say_all(&all[250..]).await;
    a.expect("welcome").await;
    let mut seen = Vec::new();
    while seen.len() < 500 {
        let frame = a.next_but_pings().await.unwrap();
        if frame["type"] == "message" {
            seen.push(text(&frame, "text"));
        }
    }
    assert_eq!(seen, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn con3_what_the_tail_has_lost_is_read_from_the_broker() {
    let rig = Rig::start_with(2, |config| config.tail_bytes = 20_000).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let bob = rig.with_rate(&bob, 1_000_000);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    let first = a.send(&["ada", "bob"], "first").await;
    a.close().await;
    b.until("message").await;
    let mut last = Value::Null;
    for n in 0..200 {
        // One by one: who writes faster than they read falls out of so short a tail.
        last = b.send(if n % 4 == 0 { &["bob"] } else { &["ada", "bob"] }, &n.to_string()).await;
    }
    let expected: Vec<String> = (0..200).filter(|n| n % 4 != 0).map(|n: u32| n.to_string()).collect();
    for gateway in [0, 1] {
        let (events, end) = replay(&mut rig.resume(gateway, &ada, &text(&first, "position")).await).await;
        assert_eq!(texts(&events), expected);
        assert_eq!(end, text(&last, "position"));
    }
}

#[tokio::test]
async fn con3_too_old_and_too_much_are_resets_before_anything_is_replayed() {
    let rig = Rig::start_with(1, |config| {
        (config.tail_bytes, config.max_replay_events) = (20_000, 100);
    })
    .await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let bob = rig.with_rate(&bob, 1_000_000);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    let first = a.send(&["ada"], "first").await;
    for _ in 0..150 {
        b.send(&["bob"], "x").await;
    }
    let mut again = rig.resume(0, &ada, &text(&first, "position")).await;
    let reset = again.expect("reset").await;
    assert_eq!(reset["reason"], "too_old");
    // The reset's own position is one to resume from.
    let (events, _) = replay(&mut rig.resume(0, &ada, &text(&reset, "position")).await).await;
    assert!(events.is_empty());
}

/// The bound is in the protocol, so it takes more than ten thousand events: written to the log by themselves.
#[tokio::test]
async fn con3_more_than_ten_thousand_events_are_too_much() {
    let mut rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let mut a = rig.socket(0, &ada).await;
    let first = a.send(&["ada"], "first").await;
    let log = rig.log().await;
    let conversation = natter_events::ConversationId::direct(&[ada.uid]);
    let append = |n: u64| {
        let record = natter_events::Record::new(ada.uid, natter_events::ReadMarkerMoved { read: n, thread: None })
            .to(&[ada.uid])
            .in_conversation(conversation)
            .answering(natter_events::ClientId::at(n));
        log.append(natter_log::Append {
            stream: natter_log::Stream::Chat,
            subject: natter_events::Subject::Messages(ada.uid).to_string(),
            message_id: format!("marker-{n}"),
            payload: record.encode(),
            expected_last: None,
        })
    };
    let last = futures::future::join_all((0..10_000).map(append)).await.pop().unwrap().unwrap();
    rig.add(|_| {}).await;
    // Ten thousand are still replayed, one more is not.
    let (events, end) = replay(&mut rig.resume(1, &ada, &text(&first, "position")).await).await;
    assert_eq!((events.len(), seq(&events[9_999])), (10_000, last.seq));
    append(10_000).await.unwrap();
    a.until("marker").await;
    let (more, _) = replay(&mut rig.resume(1, &ada, &end).await).await;
    assert_eq!(more.len(), 1);
    let mut again = rig.resume(1, &ada, &text(&first, "position")).await;
    assert_eq!(again.expect("reset").await["reason"], "too_much");
    // From the broker, too.
    rig.add(|config| config.tail_bytes = 10_000).await;
    let mut again = rig.resume(2, &ada, &text(&first, "position")).await;
    assert_eq!(again.expect("reset").await["reason"], "too_much");
}

#[tokio::test]
async fn con3_a_position_of_another_log_is_told() {
    let rig = Rig::start_with(1, |config| config.tail_bytes = 10_000).await;
    let ada = rig.person("ada").await;
    let ada = rig.with_rate(&ada, 1_000_000);
    let mut a = rig.socket(0, &ada).await;
    let old: Position = text(&a.send(&["ada"], "old").await, "position").parse().unwrap();
    for _ in 0..50 {
        a.send(&["ada"], "more").await;
    }
    let new: Position = text(&a.send(&["ada"], "new").await, "position").parse().unwrap();
    for (what, position) in [
        ("another epoch", Position { epoch: new.epoch ^ 1, ..new }),
        ("another event in the tail", Position { tag: Tag(new.tag.0 ^ 1), ..new }),
        ("another event before the tail", Position { tag: Tag(old.tag.0 ^ 1), ..old }),
        ("an event where nothing is", Position { seq: 0, ..new }),
    ] {
        let mut again = rig.resume(0, &ada, &position.to_string()).await;
        assert_eq!(again.expect("reset").await["reason"], "other_log", "{what}");
    }
    let mut again = rig.resume(0, &ada, &old.to_string()).await;
    assert_eq!(replay(&mut again).await.0.len(), 51);
}

#[tokio::test]
async fn con4_a_position_that_the_log_itself_does_not_reach_is_waited_for_and_then_of_another_log() {
    let rig = Rig::start_with(1, |config| config.ahead_timeout = Duration::from_millis(300)).await;
    let ada = rig.person("ada").await;
    let mut a = rig.socket(0, &ada).await;
    let now: Position = text(&a.send(&["ada"], "now").await, "position").parse().unwrap();
    let ahead = Position { seq: now.seq + 1, ..now };
    let mut early = rig.resume(0, &ada, &ahead.to_string()).await;
    assert_eq!(early.expect("reset").await["reason"], "other_log");
}

#[tokio::test]
async fn con4_a_gateway_that_is_behind_takes_a_session_up_once_it_has_caught_up() {
    let mut rig = Rig::start(1).await;
    let proxy = natter_testkit::Proxy::to(rig.broker.address()).await;
    let settings = rig.settings_through(&proxy);
    rig.add_over(settings, |config| config.ahead_timeout = Duration::from_secs(15)).await;
    let ada = rig.person("ada").await;
    // Known there, so that nothing but the feed is needed.
    rig.socket(1, &ada).await;
    let mut a = rig.socket(0, &ada).await;
    proxy.delay(natter_testkit::Direction::Down, Duration::from_secs(2));
    let ok = a.send(&["ada"], "seen here first").await;
    let (events, end) = replay(&mut rig.resume(1, &ada, &text(&ok, "position")).await).await;
    assert_eq!((events.len(), end), (0, text(&ok, "position")));
}

/// Else those who give up and come back again and again would wait behind what they asked for before.
#[tokio::test]
async fn con4_a_resume_that_nobody_waits_for_any_more_is_given_up() {
    let rig = Rig::start_with(1, |config| (config.tail_bytes, config.max_replays) = (6_000, 1)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let bob = rig.with_rate(&bob, 1_000_000);
    let first = rig.socket(0, &ada).await.send(&["ada"], "first").await;
    let mut b = rig.socket(0, &bob).await;
    for _ in 0..30 {
        b.send(&["bob"], "something else").await;
    }
    let sockets = async || {
        let asked = Some(json!({"users": ["ada"]}));
        rig.http(0, "POST", "/api/connections", Some(&bob.token), asked).await.1["ada"].clone()
    };
    natter_testkit::eventually("she is gone", PATIENCE, async || gone(sockets().await)).await;
    rig.broker.pause().await;
    for _ in 0..3 {
        let waiting = rig.hello(0, &ada, Some(&text(&first, "position"))).await;
        natter_testkit::eventually("she waits for the log", PATIENCE, async || match sockets().await {
            Value::Number(one) if one.as_u64() == Some(1) => Ok(()),
            other => Err(other),
        })
        .await;
        drop(waiting);
        natter_testkit::eventually("she is gone again", IMPATIENCE, async || gone(sockets().await)).await;
    }
    rig.broker.resume().await;
    rig.resume(0, &ada, &text(&first, "position")).await.expect("caught_up").await;
}

fn gone(sockets: Value) -> Result<(), Value> {
    if sockets == 0 { Ok(()) } else { Err(sockets) }
}

/// Two people write without end while a third is cut off again and again at random points, comes back anywhere, and must
/// have seen each message once.
#[tokio::test]
async fn con3_con4_resuming_at_random_points_misses_nothing_and_repeats_nothing() {
    const MESSAGES: u32 = 1_500;
    let rig = Rig::start_with(2, |config| config.tail_bytes = 500_000).await;
    let people = [rig.person("ada").await, rig.person("bob").await, rig.person("cy").await];
    let [ada, bob, cy] = people.each_ref();
    let everyone = ["ada", "bob", "cy"];
    let first = rig.socket(0, cy).await.send(&everyone, "first").await;
    let write = async |gateway: usize, person: &crate::rig::Person| {
        let mut socket = rig.socket(gateway, &rig.with_rate(person, 1_000_000)).await;
        let mut answered = 0;
        for n in 0..MESSAGES / 2 {
            socket
                .say(json!({"type": "send", "ref": 1, "id": new_id(), "to": {"participants": everyone},
                "text": format!("{} {n}", person.handle)}))
                .await;
            // The last one is waited for too: what a client leaves behind unanswered may not be stored.
            if n % 20 == 19 || n + 1 == MESSAGES / 2 {
                while answered <= n {
                    let frame = socket.next_but_pings().await.unwrap();
                    assert_ne!(frame["type"], "error", "{frame}");
                    answered += u32::from(frame["type"] == "ok");
                }
            }
        }
    };
    let read = async {
        let mut random = rand::rngs::StdRng::seed_from_u64(7);
        let (mut position, mut seen, mut cuts) = (text(&first, "position"), Vec::<(u64, String)>::new(), 0);
        'connections: while seen.len() < MESSAGES as usize {
            let mut socket = rig.resume(random.random_range(0..2), cy, &position).await;
            let (mut left, mut caught_up) = (random.random_range(1..120), false);
            while left > 0 && seen.len() < MESSAGES as usize {
                let Ok(frame) = socket.next_but_pings().await else { continue 'connections };
                match frame["type"].as_str().unwrap() {
                    "message" => seen.push((seq(&frame), text(&frame, "text"))),
                    "caught_up" => caught_up = true,
                    other => panic!("{other}: {frame}"),
                }
                position = text(&frame, "position");
                left -= u32::from(caught_up);
            }
            cuts += 1;
        }
        assert!(cuts > 10, "{cuts}");
        seen
    };
    let ((), (), seen) = tokio::join!(write(0, ada), write(1, bob), read);
    assert!(seen.is_sorted_by(|one, next| one.0 < next.0), "in the log's order, none twice");
    assert_eq!(seen.iter().map(|(_, text)| text).collect::<BTreeSet<_>>().len(), MESSAGES as usize);
    for person in ["ada", "bob"] {
        let own = seen.iter().filter_map(|(_, text)| text.strip_prefix(person)?.trim().parse::<u32>().ok());
        assert!(own.eq(0..MESSAGES / 2), "what {person} said is in the order in which it was said");
    }
}
