//! FRM1-5: several frames a message, both encodings, bounds, what is malformed, and order.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use natter_testkit::Proxy;

use crate::rig::{Rig, new_ref};
use crate::socket::{Closed, JSON, MSGPACK, Socket, message, seq, text};

const MAX_MESSAGE_BYTES: usize = 131_072;

#[tokio::test]
async fn frm1_several_frames_share_a_message_in_both_encodings() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    for protocol in [JSON, MSGPACK] {
        let mut socket = Socket::open_as(&rig.gateways[0].address, protocol).await;
        let (first, second) = (new_ref(), new_ref());
        let hello = json!({"type": "hello", "token": ada.token});
        let mut frames = [hello, message(&["ada"], "one"), json!({"type": "levitate"}), message(&["ada"], "two")];
        frames[1]["ref"] = first.into();
        frames[3]["ref"] = second.into();
        socket.say_all(&frames).await;
        socket.expect("welcome").await;
        socket.expect("reset").await;
        let mut answers = [socket.next().await, socket.next().await, socket.next().await].map(Result::unwrap);
        answers.sort_by_key(|answer| answer["ref"].as_u64());
        assert_eq!(answers[0]["code"], "unknown_type");
        assert_eq!([&answers[1]["ref"], &answers[2]["ref"]], [first, second]);
        assert!(seq(&answers[1]) < seq(&answers[2]), "{answers:?}");
    }
}

#[tokio::test]
async fn frm1_messagepack_says_what_json_says() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let address = &rig.gateways[0].address;
    let mut sender = Socket::open_as(address, MSGPACK).await;
    sender.say(json!({"type": "hello", "token": ada.token, "client": "test"})).await;
    sender.expect("welcome").await;
    sender.expect("reset").await;
    let mut both = [Socket::open_as(address, JSON).await, Socket::open_as(address, MSGPACK).await];
    for socket in &mut both {
        socket.say(json!({"type": "hello", "token": bob.token})).await;
        assert_eq!(socket.expect("welcome").await["user"], "bob");
        socket.expect("reset").await;
        let (answer, _) = socket.ask(json!({"type": "watch", "users": ["ada"]})).await;
        assert_eq!(answer["type"], "ok");
        assert_eq!(socket.expect("presence").await["status"], "online");
    }
    let first = sender.send(&["ada", "bob"], "grüße 🦀").await;
    let mut rich = message(&["ada", "bob"], "line\nbreak\tand \"quotes\"");
    rich["reply_to"] = first["seq"].clone();
    rich["metadata"] =
        json!({"list": [1, -2, 2.5, null, true], "deep": {"a": {"b": "c"}}, "big": 9007199254740991_u64});
    let second = sender.done(rich.clone()).await;
    sender
        .done(json!({"type": "mark", "conversation": first["conversation"], "id": crate::rig::new_id(), "read": 1}))
        .await;
    sender.say(json!({"type": "typing", "conversation": first["conversation"]})).await;
    let mut seen = [Vec::new(), Vec::new()];
    for (socket, seen) in both.iter_mut().zip(&mut seen) {
        // What changes while someone begins to watch may be told twice.
        seen.extend(socket.until("typing").await.into_iter().filter(|frame| frame["type"] != "presence"));
    }
    assert_eq!(seen[0], seen[1]);
    let [one, two, ..] = &seen[0][..] else { panic!("{seen:?}") };
    assert_eq!((&one["text"], &one["seq"]), (&json!("grüße 🦀"), &first["seq"]));
    assert_eq!((&two["text"], &two["metadata"]), (&rich["text"], &rich["metadata"]));
    assert_eq!((&two["reply_to"], &two["position"]), (&first["seq"], &second["position"]));
}

#[tokio::test]
async fn frm1_the_other_kind_of_message_is_not_this_protocol() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let hello = json!({"type": "hello", "token": ada.token});
    for (protocol, wrong) in
        [(JSON, Message::binary(rmp_serde::to_vec_named(&hello).unwrap())), (MSGPACK, Message::text(hello.to_string()))]
    {
        let mut socket = Socket::open_as(&rig.gateways[0].address, protocol).await;
        socket.say_raw(wrong.clone()).await;
        assert_eq!(socket.closed().await, Closed(Some(4500)), "as the first message of {protocol}");
        let mut socket = Socket::open_as(&rig.gateways[0].address, protocol).await;
        socket.say(hello.clone()).await;
        socket.expect("welcome").await;
        socket.say_raw(wrong).await;
        assert_eq!(socket.closed().await, Closed(Some(4500)), "later on a socket of {protocol}");
    }
}

#[tokio::test]
async fn frm2_unknown_fields_are_ignored_and_what_is_not_understood_is_answered() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let mut socket = Socket::open(&rig.gateways[0].address).await;
    socket.say(json!({"type": "hello", "token": ada.token, "colour": "blue", "nested": {"type": "send"}})).await;
    socket.expect("welcome").await;
    socket.expect("reset").await;
    let mut command = message(&["ada"], "hi");
    command["colour"] = json!(["blue"]);
    socket.done(command).await;
    assert_eq!(socket.refused(json!({"type": "levitate"})).await, "unknown_type");
    for wrong in [
        json!({"type": "send"}),
        json!({"type": "send", "id": "x", "to": {"participants": ["ada"]}, "text": "hi"}),
        json!({"type": "send", "id": crate::rig::new_id(), "to": {"room": "x"}, "text": "hi"}),
        json!({"type": "send", "id": crate::rig::new_id(), "to": {"participants": ["Not A Handle"]}, "text": "hi"}),
        json!({"type": "mark", "conversation": 5, "id": crate::rig::new_id(), "read": 1}),
        json!({"type": "mark", "conversation": uuid::Uuid::nil(), "id": crate::rig::new_id(), "read": -1}),
        json!({"type": "presence", "status": "asleep"}),
        json!({"type": "watch", "users": "ada"}),
        json!({"type": 5}),
        json!({}),
    ] {
        assert_eq!(socket.refused(wrong.clone()).await, "invalid", "{wrong}");
    }
    socket.send(&["ada"], "the socket is still open").await;
}

#[tokio::test]
async fn frm3_a_message_of_128_kib_is_taken_and_a_larger_one_closes_with_4500() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let sized = |bytes: usize| {
        let mut frame = message(&["ada"], "padded");
        frame["padding"] = json!("");
        let bare = frame.to_string().len();
        frame["padding"] = json!("x".repeat(bytes - bare));
        Message::text(frame.to_string())
    };
    let mut socket = rig.socket(0, &ada).await;
    let largest = sized(MAX_MESSAGE_BYTES);
    assert_eq!(largest.len(), MAX_MESSAGE_BYTES);
    socket.say_raw(largest).await;
    socket.expect("ok").await;
    socket.say_raw(sized(MAX_MESSAGE_BYTES + 1)).await;
    assert_eq!(socket.closed().await, Closed(Some(4500)));
    // Much larger: the code has to come through although most of it is never read.
    let mut socket = rig.socket(0, &ada).await;
    socket.try_say_raw(sized(1 << 20)).await;
    assert_eq!(socket.closed().await, Closed(Some(4500)));
    // Before hello, too.
    let mut socket = Socket::open(&rig.gateways[0].address).await;
    socket.say_raw(sized(MAX_MESSAGE_BYTES + 1)).await;
    assert_eq!(socket.closed().await, Closed(Some(4500)));
    // In pieces that are each small enough.
    let mut socket = rig.socket(0, &ada).await;
    let piece = "x".repeat(MAX_MESSAGE_BYTES / 2 + 1);
    let frame = |opcode, last| Message::Frame(Frame::message(piece.clone(), opcode, last));
    socket.say_raw(frame(OpCode::Data(Data::Text), false)).await;
    socket.try_say_raw(frame(OpCode::Data(Data::Continue), true)).await;
    assert_eq!(socket.closed().await, Closed(Some(4500)));
}

#[tokio::test]
async fn frm4_what_is_malformed_closes_with_4500_and_frames_before_it_take_effect() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut reader = rig.socket(0, &bob).await;
    let before = message(&["ada", "bob"], "before");
    let after = message(&["ada", "bob"], "after");
    for broken in ["{oops", "5", "[]", "\"send\"", "{\"type\":\"send\"", "\u{feff}{}"] {
        let mut socket = rig.socket(0, &rig.with_rate(&ada, 1000)).await;
        let mut before = before.clone();
        before["id"] = json!(crate::rig::new_id());
        socket.say_raw(Message::text(format!("{before}\n{broken}\n{after}"))).await;
        assert_eq!(socket.closed().await, Closed(Some(4500)), "{broken}");
        assert_eq!(text(&reader.expect("message").await, "text"), "before", "{broken}");
    }
    let mut socket = Socket::open_as(&rig.gateways[0].address, MSGPACK).await;
    socket.say(json!({"type": "hello", "token": ada.token})).await;
    socket.expect("welcome").await;
    let mut bytes = rmp_serde::to_vec_named(&before).unwrap();
    bytes.extend_from_slice(&[0xc1, 0x80]);
    socket.say_raw(Message::binary(bytes)).await;
    assert_eq!(socket.closed().await, Closed(Some(4500)));
    assert_eq!(text(&reader.expect("message").await, "text"), "before");
    // Behind hello in one message, too.
    let mut socket = Socket::open(&rig.gateways[0].address).await;
    let hello = json!({"type": "hello", "token": ada.token});
    let mut before = before.clone();
    before["id"] = json!(crate::rig::new_id());
    socket.say_raw(Message::text(format!("{hello}\n{before}\nnonsense"))).await;
    socket.expect("welcome").await;
    assert_eq!(socket.closed().await, Closed(Some(4500)));
    assert_eq!(text(&reader.expect("message").await, "text"), "before");
    // Bytes that are no text at all.
    let mut socket = rig.socket(0, &ada).await;
    let frame = Frame::message(&b"{\"type\":\"\xff\"}"[..], OpCode::Data(Data::Text), true);
    socket.say_raw(Message::Frame(frame)).await;
    assert!([Socket::code(CloseCode::Invalid), Closed(Some(4500))].contains(&socket.closed().await));
    // Nothing of what stood behind was stored.
    let mut socket = rig.socket(0, &ada).await;
    let last = socket.send(&["ada", "bob"], "last").await;
    assert_eq!(reader.expect("message").await["seq"], last["seq"]);
}

#[tokio::test]
async fn frm5_pipelined_commands_enter_the_log_in_order() {
    let rig = Rig::start_with(1, |config| config.session_commands = 8).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let ada = rig.with_rate(&ada, 10_000);
    let mut reader = rig.socket(0, &bob).await;
    let mut sender = rig.socket(0, &ada).await;
    let all: Vec<Value> = (0..300).map(|n| message(&["ada", "bob"], &n.to_string())).collect();
    // Messages with many more commands than may wait for their outcome.
    for part in all.chunks(100) {
        sender.say_all(part).await;
    }
    for n in 0..300 {
        assert_eq!(text(&reader.expect("message").await, "text"), n.to_string());
        sender.expect("ok").await;
    }
}

/// What a client keeps: it sends everything in order, without waiting, and what was refused for now again, in order.
#[tokio::test]
async fn frm5_nothing_overtakes_what_was_lost_with_the_connection_to_the_broker() {
    let mut rig = Rig::start(1).await;
    let proxy = Proxy::to(rig.broker.address()).await;
    let settings = rig.settings_through(&proxy);
    rig.add_over(settings, |_| {}).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let ada = rig.with_rate(&ada, 1_000_000);
    let mut reader = rig.socket(0, &bob).await;
    let mut sender = rig.socket(1, &ada).await;
    const COUNT: u64 = 2_000;
    let command = |n: u64, id: &str| json!({"type": "send", "ref": n, "id": id, "to": {"participants": ["ada", "bob"]}, "text": n.to_string()});
    let mut waiting: BTreeMap<u64, String> = (0..COUNT).map(|n| (n, crate::rig::new_id())).collect();
    let (mut cuts, mut lost) = (0, 0);
    while !waiting.is_empty() {
        let again: Vec<Value> = waiting.iter().map(|(n, id)| command(*n, id)).collect();
        let sent = again.len();
        for part in again.chunks(50) {
            sender.say_all(part).await;
        }
        let mut failed = false;
        for answered in 0..sent {
            let mut answer = sender.next_but_pings().await.unwrap();
            while answer["type"] == "message" {
                // What it was told might be lost was stored after all.
                assert!(lost > 0, "{answer}");
                answer = sender.next_but_pings().await.unwrap();
            }
            let n = answer["ref"].as_u64().unwrap();
            match answer["type"].as_str() {
                Some("ok") => {
                    assert!(
                        !failed || answer["duplicate"] == true,
                        "{n} was stored behind one that was lost: {answer}"
                    );
                    waiting.remove(&n);
                }
                _ => {
                    assert_eq!(answer["code"], "unavailable", "{answer}");
                    (failed, lost) = (true, lost + 1);
                }
            }
            if cuts < 6 && answered == 40 + 10 * cuts {
                proxy.cut();
                cuts += 1;
            }
        }
    }
    assert!(lost > 0, "no cut lost anything");
    let mut last = 0;
    for n in 0..COUNT {
        let message = reader.expect("message").await;
        assert_eq!(text(&message, "text"), n.to_string(), "in the order in which they were sent first");
        assert!(seq(&message) > last);
        last = seq(&message);
    }
}
