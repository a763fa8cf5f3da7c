//! EVT3: what a member of a room gets begins with their joining and ends with their leaving, live, after a resume, and from
//! before the tail. And who is mentioned, and what is said in threads.

use natter_testkit::eventually;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Rig, new_id};
use crate::rooms::{about, about_user, create, room, say};
use crate::socket::{message, seq, text};

fn kinds(frames: &[Value]) -> Vec<String> {
    let told = |frame: &Value| match frame["type"].as_str().unwrap() {
        "message" => text(frame, "text"),
        "member" => format!("{} {}", text(frame, "user"), text(frame, "change")),
        kind => kind.to_owned(),
    };
    frames.iter().map(told).collect()
}

#[tokio::test]
async fn evt3_what_a_member_gets_ends_at_their_removal_and_begins_anew_at_their_return() {
    let mut rig = Rig::start(2).await;
    // One that has hardly anything in its tail.
    rig.add(|config| config.tail_bytes = 1).await;
    let people = [rig.person("ada").await, rig.person("bob").await];
    let [ada, bob] = people.each_ref().map(|person| rig.with_rate(person, 1_000));
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let start = text(&b.send(&["bob"], "a note").await, "position");
    let here = room(&mut a, "engines", "private", &[]).await;
    let mut positions = vec![start];
    a.done(say(&here, "before")).await;
    for n in 0..3 {
        a.done(about_user("add", &here, "bob")).await;
        a.done(say(&here, &format!("in {n}"))).await;
        let heard = b.until("message").await;
        positions.push(text(heard.last().unwrap(), "position"));
        a.done(about_user("remove", &here, "bob")).await;
        a.done(say(&here, &format!("out {n}"))).await;
    }
    let last = a.send(&["bob"], "the end").await;
    let live = b.until("message").await;
    assert_eq!(kinds(&live), ["bob removed", "the end"]);
    let expected = [
        "bob joined",
        "in 0",
        "bob removed",
        "bob joined",
        "in 1",
        "bob removed",
        "bob joined",
        "in 2",
        "bob removed",
        "the end",
        "caught_up",
    ];
    for gateway in [0, 1, 2] {
        for (n, position) in positions.iter().enumerate() {
            let mut again = rig.resume(gateway, &bob, position).await;
            let heard = again.until("caught_up").await;
            // From within the n-th stay on.
            let from = if n == 0 { 0 } else { 3 * n - 1 };
            assert_eq!(kinds(&heard), expected[from..], "gateway {gateway}, from {n}");
            assert_eq!(seq(&heard[heard.len() - 2]), seq(&last));
        }
    }
    // Whoever comes back goes on as what they are now.
    let mut again = rig.resume(1, &bob, &positions[0]).await;
    again.until("caught_up").await;
    a.done(say(&here, "nobody")).await;
    a.done(about_user("add", &here, "bob")).await;
    a.done(say(&here, "back again")).await;
    assert_eq!(kinds(&again.until("message").await), ["bob joined", "back again"]);
}

#[tokio::test]
async fn evt3_a_removal_holds_for_every_socket_of_the_removed_on_every_gateway_at_once() {
    let rig = Rig::start(2).await;
    let people = [rig.person("ada").await, rig.person("bob").await];
    let [ada, bob] = people.each_ref().map(|person| rig.with_rate(person, 1_000));
    let mut a = rig.socket(0, &ada).await;
    let mut sockets = [rig.socket(0, &bob).await, rig.socket(1, &bob).await, rig.socket(1, &bob).await];
    let here = room(&mut a, "engines", "public", &["bob"]).await;
    let mut commands: Vec<_> = (0..20).map(|n| say(&here, &format!("{n}"))).collect();
    commands.insert(10, about_user("remove", &here, "bob"));
    a.say_all(&commands).await;
    a.send(&["bob"], "the end").await;
    for socket in &mut sockets {
        let mut heard = Vec::new();
        while heard.last().is_none_or(|frame: &Value| frame["text"] != "the end") {
            heard.extend(socket.until("message").await);
        }
        let told = kinds(&heard);
        let removed = told.iter().position(|told| told == "bob removed").expect("told of it");
        assert_eq!(told[removed - 1], "9", "{told:?}");
        assert_eq!(told[removed + 1..], ["the end"]);
    }
}

#[tokio::test]
async fn evt2_who_was_removed_while_they_spoke_gets_an_answer_and_not_the_event() {
    let rig = Rig::start(1).await;
    let people = [rig.person("ada").await, rig.person("bob").await];
    let [ada, bob] = people.each_ref().map(|person| rig.with_rate(person, 10_000));
    for _ in 0..5 {
        let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
        let here = room(&mut a, "engines", "public", &["bob"]).await;
        b.until("room").await;
        let mut commands: Vec<_> = (0..50).map(|n| say(&here, &format!("{n}"))).collect();
        for (n, command) in commands.iter_mut().enumerate() {
            command["ref"] = json!(n);
        }
        b.say_all(&commands).await;
        a.done(about_user("remove", &here, "bob")).await;
        let mut answered = Vec::new();
        while answered.len() < commands.len() {
            let frame = b.next_but_pings().await.expect("the socket stays open");
            match frame["type"].as_str().unwrap() {
                "ok" => answered.push(frame["ref"].as_u64().unwrap()),
                "error" => {
                    assert_eq!(frame["code"], "not_member", "{frame}");
                    answered.push(frame["ref"].as_u64().unwrap());
                }
                "member" => {}
                _ => panic!("{frame}"),
            }
        }
        answered.sort_unstable();
        assert_eq!(answered, (0..50).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn cmd2_who_has_left_gets_the_same_answer_to_the_same_command() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let here = room(&mut a, "engines", "private", &["bob"]).await;
    b.until("room").await;
    let command = say(&here, "it was me");
    let ok = b.done(command.clone()).await;
    a.done(about_user("remove", &here, "bob")).await;
    b.until("member").await;
    let mut other = rig.socket(0, &bob).await;
    for socket in [&mut b, &mut other] {
        let again = socket.done(command.clone()).await;
        assert_eq!((&again["seq"], &again["duplicate"]), (&ok["seq"], &json!(true)));
        let mut changed = command.clone();
        changed["text"] = json!("it was not");
        assert_eq!(socket.refused(changed).await, "conflict");
    }
}

#[tokio::test]
async fn cmd4_what_a_member_can_not_see_they_can_not_refer_to() {
    let rig = Rig::start(1).await;
    let people = [rig.person("ada").await, rig.person("bob").await];
    let [ada, bob] = people.each_ref().map(|person| rig.with_rate(person, 1_000));
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    for (visibility, sees) in [("private", false), ("public", true)] {
        let here = room(&mut a, "engines", visibility, &[]).await;
        let elsewhere = seq(&a.send(&["ada"], "elsewhere").await);
        let before = seq(&a.done(say(&here, "before")).await);
        a.done(about_user("add", &here, "bob")).await;
        let during = seq(&a.done(say(&here, "during")).await);
        eventually("bob is in it", PATIENCE, async || {
            let (answer, _) = b.ask(say(&here, "hi")).await;
            if answer["type"] == "ok" { Ok(()) } else { Err(answer) }
        })
        .await;
        for (at, sees) in [(elsewhere, false), (before, sees), (during, true)] {
            let react = json!({"type": "react", "id": new_id(), "conversation": here, "message": at, "emoji": "👍", "op": "add"});
            let mut reply = say(&here, "what?");
            reply["reply_to"] = json!(at);
            let mut thread = say(&here, "about that");
            thread["thread"] = json!(at);
            for command in [react, reply, thread] {
                let (answer, _) = b.ask(command.clone()).await;
                let expected = if sees { Value::Null } else { json!("not_found") };
                assert_eq!(answer["code"], expected, "{visibility}, {command}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn a_thread_begins_with_a_message_and_has_its_own_marker() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b, mut also_b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await, rig.socket(0, &bob).await);
    let root = a.send(&["bob"], "what about this?").await;
    b.expect("message").await;
    also_b.expect("message").await;
    let mut in_thread = message(&["ada"], "about that");
    in_thread["thread"] = root["seq"].clone();
    let said = b.done(in_thread.clone()).await;
    for socket in [&mut a, &mut also_b] {
        let heard = socket.expect("message").await;
        assert_eq!((&heard["thread"], &heard["seq"]), (&root["seq"], &said["seq"]));
    }
    in_thread["thread"] = Value::Null;
    assert_eq!(b.refused(in_thread).await, "conflict", "CMD2: the thread is part of what was said");
    let mut nested = message(&["bob"], "deeper");
    nested["thread"] = said["seq"].clone();
    assert_eq!(a.refused(nested).await, "invalid");
    let mark = |thread: &Value| json!({"type": "mark", "id": new_id(), "conversation": root["conversation"], "read": said["seq"], "thread": thread});
    assert_eq!(a.refused(mark(&said["seq"])).await, "invalid", "it is in a thread itself");
    assert_eq!(a.refused(mark(&json!(1))).await, "not_found", "there is no such message");
    a.done(mark(&root["seq"])).await;
    let marker = b.expect("marker").await;
    assert_eq!((&marker["thread"], &marker["read"], &marker["user"]), (&root["seq"], &said["seq"], &json!("ada")));
    a.done(mark(&Value::Null)).await;
    assert!(b.expect("marker").await.get("thread").is_none(), "reading the thread has not read the conversation");
}

#[tokio::test]
async fn who_is_mentioned_is_who_sees_it_and_everybody_only_by_moderators() {
    let rig = Rig::start(1).await;
    let people = [rig.person("ada").await, rig.person("bob").await, rig.person("cy").await];
    let [mut a, mut b] = [rig.socket(0, &people[0]).await, rig.socket(0, &people[1]).await];
    let here = room(&mut a, "engines", "private", &["bob"]).await;
    b.until("room").await;
    let mentions = |frame: Value| (frame["mentions"].clone(), frame["mentions_room"].clone());
    a.done(say(&here, "@bob, @Bob, @cy, @nobody and @ada: @room!")).await;
    assert_eq!(mentions(b.expect("message").await), (json!(["bob"]), json!(true)));
    b.done(say(&here, "@room and @ada")).await;
    assert_eq!(mentions(a.expect("message").await), (json!(["ada"]), Value::Null));
    a.send(&["bob"], "@bob @cy @room").await;
    assert_eq!(mentions(b.expect("message").await), (json!(["bob"]), Value::Null));
}

#[tokio::test]
async fn con3_who_is_in_many_rooms_misses_nothing_in_any() {
    let rig = Rig::start_with(2, |config| config.other_commands = 1_000).await;
    let people = [rig.person("ada").await, rig.person("bob").await];
    let [ada, bob] = people.each_ref().map(|person| rig.with_rate(person, 10_000));
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let start = text(&b.send(&["bob"], "a note").await, "position");
    let mut rooms = Vec::new();
    for n in 0..30 {
        let (ok, _) = a.ask(create(&format!("room {n}"), "public", &["bob"])).await;
        rooms.push(text(&ok, "conversation"));
    }
    for n in 0..300 {
        a.done(say(&rooms[n % rooms.len()], &format!("{n}"))).await;
    }
    a.done(about_user("remove", &rooms[0], "bob")).await;
    let last = a.send(&["bob"], "the end").await;
    let expected: Vec<_> = (0..300).map(|n| n.to_string()).chain(["the end".to_owned()]).collect();
    let said = |frames: &[Value]| -> Vec<String> {
        frames.iter().filter(|frame| frame["type"] == "message").map(|frame| text(frame, "text")).collect()
    };
    let mut live = Vec::new();
    while live.last().is_none_or(|frame: &Value| frame["seq"] != last["seq"]) {
        live.extend(b.until("message").await);
    }
    assert_eq!(said(&live), expected);
    for gateway in [0, 1] {
        let mut again = rig.resume(gateway, &bob, &start).await;
        let heard = again.until("caught_up").await;
        assert_eq!(heard[..heard.len() - 1], live, "gateway {gateway}");
    }
    assert_eq!(b.refused(about("leave", &rooms[0])).await, "not_member");
}
