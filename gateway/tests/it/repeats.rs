//! CMD2, CMD3: one id of one sender is one event and one answer, whenever and wherever it comes.

use std::time::Duration;

use natter_log::Stream;
use natter_testkit::Proxy;
use serde_json::{Value, json};

use crate::rig::{Person, Rig, impatient, new_id, old_id};
use crate::socket::{Socket, message, seq, text};

/// A repeat was answered as the first one was, with what only a first answer has left out.
fn is_repeat(answer: &Value, first: &Value) {
    assert_eq!((&answer["type"], &answer["duplicate"]), (&json!("ok"), &json!(true)), "{answer}");
    let said = |of: &Value| (of["seq"].clone(), of["conversation"].clone(), of["at"].clone());
    assert_eq!(said(answer), said(first));
    assert!(answer.get("position").is_none(), "a repeat moves no position: {answer}");
}

async fn by_http(rig: &Rig, gateway: usize, person: &Person, command: &Value) -> Value {
    let (_, answer) = rig.http(gateway, "POST", "/api/messages", Some(&person.token), Some(command.clone())).await;
    answer
}

#[tokio::test]
async fn cmd2_a_repeat_is_answered_as_the_first_on_every_socket_gateway_and_door() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut also_a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &ada).await, rig.socket(1, &bob).await);
    let mut command = message(&["bob"], "once");
    command["metadata"] = json!({"a": 1});
    let first = a.done(command.clone()).await;
    assert!(first.get("duplicate").is_none_or(|duplicate| duplicate == false), "{first}");
    also_a.expect("message").await;
    is_repeat(&a.done(command.clone()).await, &first);
    is_repeat(&also_a.done(command.clone()).await, &first);
    // The same people in other words are the same.
    command["to"] = json!({"participants": ["ada", "bob", "bob"]});
    is_repeat(&a.done(command.clone()).await, &first);
    command["to"] = json!({"conversation": first["conversation"]});
    is_repeat(&a.done(command.clone()).await, &first);
    let mut again = rig.socket(1, &ada).await;
    is_repeat(&again.done(command.clone()).await, &first);
    for gateway in [0, 1] {
        let mut answer = by_http(&rig, gateway, &ada, &command).await;
        answer["type"] = json!("ok");
        is_repeat(&answer, &first);
    }
    b.expect("message").await;
    assert_eq!(b.drain().await, Vec::<Value>::new(), "it was said once");
}

#[tokio::test]
async fn cmd2_another_command_under_a_used_id_is_a_conflict() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    rig.person("cy").await;
    let (mut a, mut also_a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &ada).await, rig.socket(1, &bob).await);
    let start = a.send(&["bob"], "start").await;
    also_a.expect("message").await;
    let command = message(&["bob"], "once");
    let first = a.done(command.clone()).await;
    also_a.expect("message").await;
    let with = |field: &str, value: Value| {
        let mut other = command.clone();
        other[field] = value;
        other
    };
    let mark = json!({"type": "mark", "id": command["id"], "conversation": first["conversation"], "read": 1});
    for other in [
        with("text", json!("twice")),
        with("metadata", json!({})),
        with("reply_to", start["seq"].clone()),
        with("to", json!({"participants": ["cy"]})),
        with("to", json!({"participants": ["bob", "cy"]})),
        mark,
        // A known id is answered before anything else is checked (CMD3).
        with("text", json!("")),
        with("text", json!("x".repeat(8_001))),
        with("to", json!({"participants": ["nobody"]})),
        with("to", json!({"conversation": new_id()})),
    ] {
        assert_eq!(a.refused(other.clone()).await, "conflict", "{other}");
        assert_eq!(also_a.refused(other.clone()).await, "conflict", "{other}");
        if other["type"] == "send" {
            assert_eq!(by_http(&rig, 0, &ada, &other).await["code"], "conflict");
        }
    }
    // An id is the sender's own.
    let theirs = json!({"type": "send", "id": command["id"], "to": {"participants": ["ada"]}, "text": "mine"});
    assert!(seq(&b.done(theirs).await) > seq(&first));
}

/// Neither the gateways' memory nor anything else has the first one yet: the broker decides.
#[tokio::test]
async fn cmd2_of_many_at_once_one_is_stored_and_all_are_answered_alike() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let ada = rig.with_rate(&ada, 1_000);
    let mut b = rig.socket(0, &bob).await;
    let mut sockets = Vec::new();
    for n in 0..6 {
        sockets.push(rig.socket(n % 2, &ada).await);
    }
    for round in 0..5 {
        let same = message(&["bob"], "the same");
        // Every third says something else under the id, so there are two commands, and whoever is first wins.
        let other = json!({"type": "send", "id": same["id"], "to": same["to"], "text": "another"});
        let asked = sockets.iter_mut().enumerate().map(|(n, socket)| {
            let command = if n % 3 == 2 { other.clone() } else { same.clone() };
            async move { (command["text"].clone(), socket.ask(command).await.0) }
        });
        let answers = futures::future::join_all(asked).await;
        let stored = b.expect("message").await;
        for (said, answer) in &answers {
            if *said == stored["text"] {
                assert_eq!((&answer["type"], &answer["seq"]), (&json!("ok"), &stored["seq"]), "{round}: {answers:?}");
            } else {
                assert_eq!(answer["code"], "conflict", "{round}: {answers:?}");
            }
        }
        // Who raced may be answered as the first, in the event's place; the others are repeats, and there is no third way.
        let oks = || answers.iter().map(|(_, answer)| answer).filter(|answer| answer["type"] == "ok");
        assert!(oks().any(|answer| answer["duplicate"] != true), "{answers:?}");
        for ok in oks() {
            let position = if ok["duplicate"] == true { &Value::Null } else { &stored["position"] };
            assert_eq!(&ok["position"], position, "{answers:?}");
        }
    }
    assert_eq!(b.drain().await, Vec::<Value>::new());
}

#[tokio::test]
async fn cmd2_repeats_in_one_message_are_one_event() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    let mut first = message(&["bob"], "once");
    first["ref"] = json!(5);
    let (mut second, mut third) = (first.clone(), first.clone());
    (second["ref"], third["ref"], third["text"]) = (json!(6), json!(7), json!("not the same"));
    a.say_all(&[first, second, third]).await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(a.next_but_pings().await.unwrap());
    }
    answers.sort_by_key(|answer| answer["ref"].as_u64());
    let stored = b.expect("message").await;
    assert_eq!((&answers[0]["seq"], &answers[1]["seq"]), (&stored["seq"], &stored["seq"]), "{answers:?}");
    assert_eq!((&answers[0]["duplicate"], &answers[1]["duplicate"]), (&Value::Null, &json!(true)));
    assert_eq!(answers[2]["code"], "conflict");
    assert_eq!(b.drain().await, Vec::<Value>::new());
}

#[tokio::test]
async fn cmd2_a_gateway_that_was_started_again_knows_the_ids_of_before() {
    let mut rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let mut command = message(&["ada"], "once");
    let first = rig.socket(0, &ada).await.done(command.clone()).await;
    rig.gateways[0].kill();
    rig.add(|_| {}).await;
    // Nothing of it is in this one's memory, but in the broker's.
    rig.add(|config| config.tail_bytes = 1).await;
    for gateway in [1, 2] {
        is_repeat(&rig.socket(gateway, &ada).await.done(command.clone()).await, &first);
    }
    command["text"] = json!("not the same");
    for gateway in [1, 2] {
        assert_eq!(rig.socket(gateway, &ada).await.refused(command.clone()).await, "conflict");
    }
}

/// The answer of the broker is lost on the way, and with it what became of the command.
#[tokio::test]
async fn cmd3_what_became_of_a_command_whose_answer_was_lost_the_same_id_settles() {
    let mut rig = Rig::start(1).await;
    let proxy = Proxy::to(rig.broker.address()).await;
    let settings = impatient(rig.settings_through(&proxy));
    rig.add_over(settings, |_| {}).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut elsewhere, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    let mut a = rig.socket(1, &ada).await;
    // What it needs to know of people is known before.
    a.send(&["bob"], "before").await;
    b.expect("message").await;
    elsewhere.expect("message").await;
    proxy.blackhole(natter_testkit::Direction::Down);
    let command = message(&["bob"], "did it arrive?");
    let (answer, _) = a.ask(command.clone()).await;
    assert_eq!((&answer["code"], &answer["temporary"]), (&json!("unavailable"), &json!(true)), "{answer}");
    let stored = b.expect("message").await;
    assert_eq!(stored["id"], command["id"]);
    assert_eq!(elsewhere.expect("message").await["id"], command["id"]);
    let repeat = elsewhere.done(command.clone()).await;
    assert_eq!((&repeat["duplicate"], &repeat["seq"]), (&json!(true), &stored["seq"]));
    proxy.heal();
    let again = natter_testkit::eventually("the gateway has its broker back", crate::rig::PATIENCE, async || {
        let (answer, _) = a.ask(command.clone()).await;
        if answer["type"] == "ok" { Ok(answer) } else { Err(answer) }
    })
    .await;
    assert_eq!(again["seq"], stored["seq"]);
    assert_eq!(b.drain().await, Vec::<Value>::new(), "it was said once");
}

#[tokio::test]
async fn cmd2_an_id_that_is_not_fresh_waits_for_history_and_holds_nothing_else_up() {
    let mut rig = Rig::start(1).await;
    // Nobody listens there any more.
    let gone = Proxy::to("127.0.0.1:9").await;
    gone.refuse();
    let url = format!("http://{}", gone.address());
    rig.add(|config| config.history_url = Some(url.clone())).await;
    let ada = rig.person("ada").await;
    for gateway in [0, 1] {
        let mut socket = rig.socket(gateway, &ada).await;
        let ahead = natter_events::ClientId::at(rig.clock.now_ms() + 60_000).to_string();
        for id in [old_id(Duration::from_secs(61)), old_id(Duration::from_secs(86_400 * 365)), ahead] {
            let mut old = message(&["ada"], "old");
            (old["id"], old["ref"]) = (json!(id), json!(1));
            let mut new = message(&["ada"], "new");
            new["ref"] = json!(2);
            socket.say_all(&[old.clone(), new]).await;
            let answers = [socket.next_but_pings().await.unwrap(), socket.next_but_pings().await.unwrap()];
            let of = |reference: u64| answers.iter().find(|answer| answer["ref"] == reference).unwrap();
            assert_eq!((&of(1)["code"], &of(1)["temporary"]), (&json!("unavailable"), &json!(true)), "{answers:?}");
            assert_eq!(of(2)["type"], "ok", "{answers:?}");
            let (status, _) = rig.http(gateway, "POST", "/api/messages", Some(&ada.token), Some(old)).await;
            assert_eq!(status, 503);
        }
        // Just fresh, by a margin for a slow machine.
        let mut fresh = message(&["ada"], "fresh");
        fresh["id"] = json!(old_id(Duration::from_secs(30)));
        socket.done(fresh).await;
    }
    assert_eq!(rig.log().await.state(Stream::Chat).await.unwrap().last_seq, 1 + 2 * 4, "an account, and what was new");
}

#[tokio::test]
async fn cmd2_a_markers_id_is_one_event_too() {
    let rig = Rig::start_with(2, |config| config.marker_interval = Duration::from_millis(10)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let mut seqs = Vec::new();
    for _ in 0..3 {
        seqs.push(seq(&a.send(&["bob"], "x").await));
    }
    let conversation = text(&b.until("message").await[0], "conversation");
    let mark = json!({"type": "mark", "id": new_id(), "conversation": conversation, "read": seqs[1]});
    let first = b.done(mark.clone()).await;
    assert_eq!(a.expect("marker").await["read"], seqs[1]);
    is_repeat(&b.done(mark.clone()).await, &first);
    let mut also_b = rig.socket(0, &bob).await;
    is_repeat(&also_b.done(mark.clone()).await, &first);
    let body = Some(json!({"id": mark["id"], "read": seqs[1]}));
    let path = format!("/api/conversations/{conversation}/marker");
    let (status, answer) = rig.http(0, "PUT", &path, Some(&bob.token), body).await;
    assert_eq!((status, &answer["seq"], &answer["duplicate"]), (200, &first["seq"], &json!(true)));
    let mut further = mark.clone();
    further["read"] = json!(seqs[2]);
    assert_eq!(b.refused(further.clone()).await, "conflict");
    let mut sent: Socket = rig.socket(1, &bob).await;
    let under_it = json!({"type": "send", "id": mark["id"], "to": {"participants": ["ada"]}, "text": "x"});
    assert_eq!(sent.refused(under_it).await, "conflict");
    assert_eq!(a.drain().await, Vec::<Value>::new());
}
