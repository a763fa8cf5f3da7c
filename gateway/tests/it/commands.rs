//! CMD1, 4, 5, 6: what is stored, what is refused, and how often.

use std::time::Duration;

use natter_events::{Event, Record};
use natter_log::Stream;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Rig, new_id};
use crate::socket::{message, seq, text};

#[tokio::test]
async fn cmd1_what_was_acknowledged_is_in_the_log_at_its_seq() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut socket = rig.socket(0, &ada).await;
    let command = message(&["bob"], "hello");
    let ok = socket.done(command.clone()).await;
    let stored = rig.log().await.get(Stream::Chat, seq(&ok)).await.unwrap().unwrap();
    let record = Record::decode(&stored.payload).unwrap();
    assert!(matches!(record.event, Event::MessageSent(_)));
    assert_eq!(record.envelope.actor, ada.uid);
    assert_eq!(record.envelope.id.unwrap().to_string(), text(&command, "id"));
    assert_eq!(record.envelope.conversation.unwrap().to_string(), text(&ok, "conversation"));
    let mut people: Vec<_> = record.envelope.addressees().collect();
    let mut expected = vec![ada.uid, bob.uid];
    people.sort_unstable();
    expected.sort_unstable();
    assert_eq!(people, expected, "the sender is one of them, named or not");
    assert!(!stored.payload.windows(5).any(|bytes| bytes == b"hello"), "what people write is sealed");
}

#[tokio::test]
async fn cmd1_the_same_people_always_have_the_same_conversation() {
    let rig = Rig::start(2).await;
    let people = [rig.person("ada").await, rig.person("bob").await, rig.person("cy").await];
    let (mut a, mut b) = (rig.socket(0, &people[0]).await, rig.socket(1, &people[1]).await);
    let three = text(&a.send(&["bob", "cy"], "one").await, "conversation");
    b.expect("message").await;
    for to in [&["cy", "ada"][..], &["ada", "bob", "cy"], &["cy", "cy", "ada", "bob", "ada"]] {
        assert_eq!(text(&b.send(to, "again").await, "conversation"), three, "{to:?}");
        assert_eq!(text(&a.expect("message").await, "conversation"), three);
    }
    let by_id = json!({"type": "send", "id": new_id(), "to": {"conversation": three}, "text": "by its id"});
    assert_eq!(text(&b.done(by_id).await, "conversation"), three);
    assert_eq!(a.expect("message").await["participants"], json!(["ada", "bob", "cy"]));
    let alone = a.send(&["ada"], "to myself").await;
    let pair = a.send(&["bob"], "to bob").await;
    assert!(text(&alone, "conversation") != three && text(&pair, "conversation") != three);
    assert_eq!(b.expect("message").await["participants"], json!(["ada", "bob"]));
}

#[tokio::test]
async fn cmd4_texts_and_metadata_up_to_their_limits_are_taken_and_come_out_as_they_went_in() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut a = rig.socket(0, &rig.with_rate(&ada, 1_000)).await;
    let mut b = rig.socket(0, &bob).await;
    for words in ["x".to_owned(), "𝄞".repeat(8_000), "a\n\tb".to_owned(), " padded \u{200d}🦀 ".to_owned()] {
        a.send(&["bob"], &words).await;
        assert_eq!(text(&b.expect("message").await, "text"), words);
    }
    let exactly = json!("x".repeat(4_094));
    for metadata in [exactly, json!({}), json!([]), json!(false), json!({"a": [1, {"b": "ü"}], "c": 1.5})] {
        let mut command = message(&["bob"], "with metadata");
        command["metadata"] = metadata.clone();
        a.done(command).await;
        assert_eq!(b.expect("message").await["metadata"], metadata);
    }
    // `null` is none.
    let mut command = message(&["bob"], "without");
    (command["metadata"], command["reply_to"]) = (Value::Null, Value::Null);
    a.done(command).await;
    let without = b.expect("message").await;
    assert!(without.get("metadata").is_none() && without.get("reply_to").is_none(), "{without}");
}

#[tokio::test]
async fn cmd4_what_is_over_a_limit_or_against_the_rules_is_refused_and_nothing_is_stored() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    rig.person("bob").await;
    let handles: Vec<String> = (0..33).map(|n| format!("p{n}")).collect();
    let mut a = rig.socket(0, &ada).await;
    let first = a.send(&["bob"], "first").await;
    let with = |field: &str, value: Value| {
        let mut command = message(&["bob"], "hi");
        command[field] = value;
        command
    };
    for (command, code) in [
        (with("text", json!("")), "invalid"),
        (with("text", json!(" \n\t\u{2003}")), "invalid"),
        (with("text", json!("a\u{0}b")), "invalid"),
        (with("text", json!("a\rb")), "invalid"),
        (with("text", json!("x".repeat(8_001))), "too_large"),
        (with("text", Value::Null), "invalid"),
        (with("text", json!(5)), "invalid"),
        (with("metadata", json!("x".repeat(4_095))), "too_large"),
        (with("metadata", json!({"a": "ü".repeat(2_048)})), "too_large"),
        (with("id", json!("00000000-0000-4000-8000-000000000000")), "invalid"),
        (with("id", json!("nonsense")), "invalid"),
        (with("to", json!({"participants": []})), "invalid"),
        (with("to", json!({"participants": vec!["bob"; 65]})), "invalid"),
        (with("to", json!({"participants": ["bob", "nobody"]})), "unknown_user"),
        (with("to", json!({"participants": ["Bob"]})), "invalid"),
        (with("to", json!({"participants": handles})), "unknown_user"),
        (with("to", json!({})), "invalid"),
        (with("to", json!("bob")), "invalid"),
        (with("to", json!({"conversation": "nonsense"})), "invalid"),
        (with("to", json!({"conversation": new_id()})), "not_found"),
        (with("reply_to", json!(0)), "not_found"),
        (with("reply_to", json!(1)), "not_found"),
        (with("reply_to", json!(-1)), "invalid"),
    ] {
        assert_eq!(a.refused(command.clone()).await, code, "{command}");
    }
    // None of them cost anything of the ten that may be sent, and none is in the log.
    assert_eq!(seq(&a.send(&["bob"], "second").await), seq(&first) + 1);
}

#[tokio::test]
async fn cmd4_a_conversation_has_at_most_32_people_the_sender_among_them() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let handles: Vec<String> = (0..32).map(|n| format!("p{n}")).collect();
    let mut last = ada.clone();
    for handle in &handles {
        last = rig.person(handle).await;
    }
    let (mut a, mut other) = (rig.socket(0, &ada).await, rig.socket(0, &last).await);
    let all: Vec<&str> = handles.iter().map(String::as_str).collect();
    assert_eq!(a.refused(message(&all, "33 of us")).await, "invalid");
    a.send(&all[1..], "32 of us").await;
    assert_eq!(other.expect("message").await["participants"].as_array().unwrap().len(), 32);
}

#[tokio::test]
async fn cmd4_a_reply_names_a_message_of_the_same_conversation() {
    let rig = Rig::start_with(2, |config| config.tail_bytes = 12_000).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let ada = rig.with_rate(&ada, 1_000);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let first = a.send(&["bob"], "first").await;
    let elsewhere = a.send(&["ada"], "elsewhere").await;
    b.expect("message").await;
    let reply = |to: &Value| {
        let mut command = message(&["ada", "bob"], "a reply");
        command["reply_to"] = to["seq"].clone();
        command
    };
    let mark = json!({"type": "mark", "id": new_id(), "conversation": first["conversation"], "read": seq(&first)});
    let marker = b.done(mark).await;
    a.expect("marker").await;
    b.done(reply(&first)).await;
    assert_eq!(a.expect("message").await["reply_to"], first["seq"]);
    // One that is not of this conversation is one that does not exist (CMD6), and so is one ahead of the log.
    assert_eq!(b.refused(reply(&elsewhere)).await, "not_found");
    assert_eq!(b.refused(reply(&marker)).await, "not_found", "a marker is no message");
    // Long gone from the tail, but not from the log.
    for _ in 0..30 {
        a.send(&["ada"], "something else").await;
    }
    a.done(reply(&first)).await;
    // So short a tail can't tell that the command was never stored, and there is no history to be asked (CMD3).
    assert_eq!(a.refused(reply(&elsewhere)).await, "unavailable");
}

#[tokio::test]
async fn cmd4_a_reply_to_what_only_another_gateway_has_yet_waits_for_it() {
    let mut rig = Rig::start(1).await;
    let proxy = natter_testkit::Proxy::to(rig.broker.address()).await;
    let settings = rig.settings_through(&proxy);
    rig.add_over(settings, |config| config.ahead_timeout = PATIENCE).await;
    let ada = rig.person("ada").await;
    let (mut here, mut there) = (rig.socket(0, &ada).await, rig.socket(1, &ada).await);
    // So that nothing but the feed is needed there.
    let begun = there.send(&["ada"], "begun").await;
    here.expect("message").await;
    proxy.delay(natter_testkit::Direction::Down, Duration::from_millis(700));
    let ok = here.send(&["ada"], "seen here first").await;
    let mut reply = message(&["ada"], "a reply");
    reply["reply_to"] = ok["seq"].clone();
    let (answer, seen) = there.ask(reply).await;
    assert_eq!((answer["type"].as_str(), seen.len()), (Some("ok"), 1), "{answer}");
    assert_eq!(seen[0]["seq"], ok["seq"], "in the log's order");
    assert!(seq(&answer) > seq(&ok) && seq(&ok) > seq(&begun));
}

/// The window is long here, so that nothing comes back while a slow machine sends.
const LONG_WINDOW: Duration = Duration::from_secs(600);

#[tokio::test]
async fn cmd5_ten_messages_in_a_window_over_all_gateways() {
    let rig = Rig::start_with(2, |config| config.messages_window = LONG_WINDOW).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut sockets = [rig.socket(0, &ada).await, rig.socket(1, &ada).await];
    for n in 0..10 {
        sockets[n % 2].send(&["bob"], "x").await;
        sockets[1 - n % 2].expect("message").await;
    }
    for socket in &mut sockets {
        let (refused, _) = socket.ask(message(&["bob"], "one too many")).await;
        assert_eq!((&refused["code"], &refused["temporary"]), (&json!("rate_limited"), &json!(true)), "{refused}");
        // The tenth part of the window brings one back.
        assert!((1..=60_000).contains(&refused["retry_after_ms"].as_u64().unwrap()), "{refused}");
    }
    for gateway in [0, 1] {
        let body = Some(message(&["bob"], "by HTTP"));
        let (status, refused) = rig.http(gateway, "POST", "/api/messages", Some(&ada.token), body).await;
        assert_eq!((status, &refused["code"]), (429, &json!("rate_limited")));
    }
    rig.socket(0, &bob).await.send(&["ada"], "others are not held up").await;
}

#[tokio::test]
async fn cmd5_what_was_told_to_wait_is_taken_after_the_wait() {
    let rig = Rig::start_with(1, |config| {
        (config.messages, config.messages_window) = (2, Duration::from_millis(1_000));
    })
    .await;
    let ada = rig.person("ada").await;
    let mut socket = rig.socket(0, &ada).await;
    let mut waits = 0;
    for _ in 0..5 {
        let command = message(&["ada"], "x");
        loop {
            let (answer, _) = socket.ask(command.clone()).await;
            if answer["type"] == "ok" {
                break;
            }
            assert_eq!(answer["code"], "rate_limited");
            waits += 1;
            tokio::time::sleep(Duration::from_millis(answer["retry_after_ms"].as_u64().unwrap())).await;
        }
    }
    assert!((1..=3).contains(&waits), "one wait each is enough: {waits}");
}

#[tokio::test]
async fn cmd5_a_token_may_grant_another_number() {
    let rig = Rig::start_with(2, |config| config.messages_window = LONG_WINDOW).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut strict = rig.socket(0, &rig.with_rate(&bob, 3)).await;
    for _ in 0..3 {
        strict.send(&["ada"], "x").await;
    }
    assert_eq!(strict.refused(message(&["ada"], "x")).await, "rate_limited");
    let generous = rig.with_rate(&ada, 40);
    let mut sockets = [rig.socket(0, &generous).await, rig.socket(1, &generous).await];
    for n in 0..40 {
        let sent = sockets[n % 2].send(&["ada"], "x").await;
        let event = sockets[1 - n % 2].expect("message").await;
        assert_eq!(event["seq"], sent["seq"]);
    }
    for socket in &mut sockets {
        assert_eq!(socket.refused(message(&["ada"], "one too many")).await, "rate_limited");
    }
}

#[tokio::test]
async fn cmd5_other_durable_commands_have_a_budget_of_their_own() {
    let rig = Rig::start_with(1, |config| (config.other_commands, config.messages_window) = (5, LONG_WINDOW)).await;
    let ada = rig.person("ada").await;
    let mut socket = rig.socket(0, &ada).await;
    let ok = socket.send(&["ada"], "x").await;
    for n in 0..5 {
        if n % 2 == 0 {
            socket.done(json!({"type": "presence", "status": "busy"})).await;
        } else {
            socket.done(json!({"type": "watch", "users": []})).await;
        }
    }
    let mark = json!({"type": "mark", "id": new_id(), "conversation": ok["conversation"], "read": ok["seq"]});
    for command in [mark, json!({"type": "presence", "status": "busy"}), json!({"type": "watch", "users": []})] {
        assert_eq!(socket.refused(command.clone()).await, "rate_limited", "{command}");
    }
    socket.send(&["ada"], "messages are counted by themselves").await;
}

#[tokio::test]
async fn cmd6_a_conversation_of_others_is_answered_like_one_that_is_not() {
    let rig = Rig::start(1).await;
    let (ada, bob, eve) = (rig.person("ada").await, rig.person("bob").await, rig.person("eve").await);
    let mut a = rig.socket(0, &ada).await;
    let secret = a.send(&["bob"], "secret").await;
    let never = natter_events::ConversationId::direct(&[ada.uid, eve.uid]);
    let mut b = rig.socket(0, &bob).await;
    let mut e = rig.socket(0, &eve).await;
    type Ask = fn(&Value) -> Value;
    let asks: [Ask; 6] = [
        |to| json!({"type": "send", "id": new_id(), "to": {"conversation": to}, "text": "hi"}),
        |to| json!({"type": "mark", "id": new_id(), "conversation": to, "read": 1}),
        |to| json!({"type": "typing", "conversation": to}),
        |to| json!({"type": "edit", "id": new_id(), "conversation": to, "message": 4, "text": "hi"}),
        |to| json!({"type": "delete", "id": new_id(), "conversation": to, "message": 4}),
        |to| json!({"type": "react", "id": new_id(), "conversation": to, "message": 4, "emoji": "👍", "op": "add"}),
    ];
    for ask in asks {
        let mut answers = Vec::new();
        for conversation in [secret["conversation"].clone(), json!(never), json!(new_id()), json!(uuid::Uuid::nil())] {
            let (mut answer, _) = e.ask(ask(&conversation)).await;
            answer.as_object_mut().unwrap().remove("ref");
            answers.push(answer);
        }
        assert_eq!(answers[0]["code"], "not_found");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    // A reply to a message of theirs, too.
    let mut reply = message(&["eve"], "hi");
    reply["reply_to"] = secret["seq"].clone();
    let (of_theirs, _) = e.ask(reply.clone()).await;
    reply["reply_to"] = json!(1);
    let (of_none, _) = e.ask(reply).await;
    assert_eq!((&of_theirs["code"], &of_theirs["message"]), (&json!("not_found"), &of_none["message"]));
    assert_eq!(b.drain().await, Vec::<Value>::new(), "nobody heard of it");
}

#[tokio::test]
async fn typing_reaches_the_others_of_a_conversation_on_every_gateway_and_is_bounded() {
    let rig = Rig::start(2).await;
    let (ada, bob, eve) = (rig.person("ada").await, rig.person("bob").await, rig.person("eve").await);
    let mut a = rig.socket(0, &ada).await;
    let (mut also_a, mut b, mut e) = (rig.socket(1, &ada).await, rig.socket(1, &bob).await, rig.socket(1, &eve).await);
    let ok = a.send(&["bob"], "hi").await;
    b.expect("message").await;
    also_a.expect("message").await;
    let typing = json!({"type": "typing", "conversation": ok["conversation"]});
    for _ in 0..60 {
        a.say(typing.clone()).await;
    }
    // Past the bound it is let go of in silence: no answer, no error.
    assert_eq!(a.drain().await, Vec::<Value>::new());
    // What the same gateway tells behind it comes behind it.
    let (answer, mut heard) = b.ask(message(&["ada"], "what is it?")).await;
    a.expect("message").await;
    a.say(json!({"type": "applied", "position": answer["position"]})).await;
    heard.extend(b.until("delivered").await);
    heard.pop();
    assert!(
        heard.iter().all(|frame| frame["user"] == "ada" && frame["conversation"] == ok["conversation"]),
        "{heard:?}"
    );
    assert!((1..=25).contains(&heard.len()), "{}", heard.len());
    assert_eq!(also_a.until("message").await.len(), 1, "not to oneself");
    assert_eq!(e.drain().await, Vec::<Value>::new(), "not to others");
}
