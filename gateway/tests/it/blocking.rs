//! CMD7: blocks, which are changes of an account: decided against its last event, told to its owner alone.

use std::collections::BTreeSet;

use futures::future::join_all;
use natter_events::{Event, Record, Subject};
use natter_log::Stream;
use natter_testkit::eventually;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig, new_id};
use crate::socket::{Socket, message, seq, text};

fn block(user: &str) -> Value {
    json!({"type": "block", "id": new_id(), "user": user})
}

fn unblock(user: &str) -> Value {
    json!({"type": "unblock", "id": new_id(), "user": user})
}

/// Asks until the gateway has heard of it.
async fn refused_soon(socket: &mut Socket, command: impl Fn() -> Value) -> Value {
    eventually("the gateway knows of the block", PATIENCE, async || {
        let (answer, _) = socket.ask(command()).await;
        if answer["type"] == "error" { Ok(answer) } else { Err(answer) }
    })
    .await
}

#[tokio::test]
async fn cmd7_between_two_of_whom_one_blocked_the_other_nothing_is_said_on_any_gateway() {
    let rig = Rig::start(2).await;
    let people = [rig.person("ada").await, rig.person("bob").await, rig.person("cy").await];
    let [ada, bob, _] = people.each_ref().map(|person| rig.with_rate(person, 1_000));
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let said = a.send(&["bob"], "hello").await;
    let answered = b.send(&["ada"], "hi").await;
    let change = |kind: &str, to: &Value| {
        json!({"type": kind, "id": new_id(), "conversation": said["conversation"], "message": to["seq"],
               "text": "otherwise", "emoji": "👍", "op": "add"})
    };
    b.done(change("react", &said)).await;
    a.done(block("bob")).await;

    let (of_ada, _) = a.ask(message(&["bob"], "no")).await;
    let of_bob = refused_soon(&mut b, || message(&["ada"], "why?")).await;
    assert_eq!((&of_ada["code"], &of_ada["temporary"]), (&json!("blocked"), &json!(false)));
    assert_eq!((&of_bob["code"], &of_bob["message"]), (&of_ada["code"], &of_ada["message"]), "it does not say who");
    let by_id = json!({"type": "send", "id": new_id(), "to": {"conversation": said["conversation"]}, "text": "hm"});
    assert_eq!(b.refused(by_id).await, "blocked");
    assert_eq!(b.refused(change("edit", &answered)).await, "blocked");
    assert_eq!(b.refused(change("react", &said)).await, "blocked");
    let typing = json!({"type": "typing", "conversation": said["conversation"]});
    assert_eq!(b.refused(typing).await, "blocked");
    // What was said may be taken back, and among three they hear each other.
    let mut back = change("react", &said);
    back["op"] = json!("remove");
    b.done(back).await;
    b.done(change("delete", &answered)).await;
    b.send(&["ada", "cy"], "all of us").await;

    a.until("message").await;
    a.done(unblock("bob")).await;
    a.send(&["bob"], "again").await;
    b.until("message").await;
    b.send(&["ada"], "gladly").await;
}

#[tokio::test]
async fn cmd7_a_block_is_told_to_its_owner_alone_live_and_after_a_resume() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut also_a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &ada).await, rig.socket(1, &bob).await);
    let start = text(&a.send(&["ada"], "a note").await, "position");
    also_a.expect("message").await;
    let mut heard = Vec::new();
    for command in [block("bob"), block("bob"), unblock("bob")] {
        let ok = a.done(command.clone()).await;
        let frame = also_a.expect("block").await;
        for field in ["seq", "position", "at"] {
            assert_eq!(frame[field], ok[field], "{field}: {frame}");
        }
        assert_eq!((&frame["user"], &frame["id"]), (&json!("bob"), &command["id"]));
        assert_eq!(frame["blocked"], json!(command["type"] == "block"));
        heard.push(frame);
    }
    assert_eq!(a.drain().await, Vec::<Value>::new());
    assert_eq!(b.drain().await, Vec::<Value>::new(), "who is blocked is not told");
    for gateway in [0, 1] {
        let mut again = rig.resume(gateway, &ada, &start).await;
        let mut replayed = again.until("caught_up").await;
        replayed.pop();
        assert_eq!(replayed, heard);
    }
}

#[tokio::test]
async fn cmd2_a_repeated_block_is_the_same_event_and_another_body_a_conflict() {
    let rig = Rig::start(2).await;
    let (ada, _, _) = (rig.person("ada").await, rig.person("bob").await, rig.person("cy").await);
    let (mut a, mut also_a) = (rig.socket(0, &ada).await, rig.socket(1, &ada).await);
    let command = block("bob");
    let ok = a.done(command.clone()).await;
    also_a.expect("block").await;
    for socket in [&mut a, &mut also_a] {
        let again = socket.done(command.clone()).await;
        assert_eq!((&again["seq"], &again["duplicate"]), (&ok["seq"], &json!(true)));
        for (field, value) in [("user", "cy"), ("user", "nobody"), ("type", "unblock")] {
            let mut other = command.clone();
            other[field] = json!(value);
            assert_eq!(socket.refused(other).await, "conflict", "{value}");
        }
    }
    assert_eq!(a.refused(block("nobody")).await, "unknown_user");
    assert_eq!(a.refused(block("ada")).await, "invalid");
    assert_eq!(a.refused(block("Not A Handle")).await, "invalid");
}

#[tokio::test]
async fn d5_racing_changes_of_one_account_on_two_gateways_lose_none() {
    const EACH: usize = 8;
    let rig = Rig::start(2).await;
    let ada = rig.person("ada").await;
    let mut others = Vec::new();
    for n in 0..2 * EACH {
        others.push(rig.person(&format!("other-{n}")).await);
    }
    let asks = others.iter().enumerate().map(|(n, other)| {
        let (rig, ada) = (&rig, &ada);
        async move {
            let path = format!("/api/blocks/{}?id={}", other.handle, new_id());
            // One that loses too often is told to try again, with the same id.
            eventually("it is stored", PATIENCE, async || {
                match rig.http(n % 2, "PUT", &path, Some(&ada.token), None).await {
                    (200, ok) => Ok(ok),
                    (503, refused) => Err(refused),
                    other => panic!("{other:?}"),
                }
            })
            .await
        }
    });
    let seqs: BTreeSet<u64> = join_all(asks).await.iter().map(seq).collect();
    assert_eq!(seqs.len(), 2 * EACH, "an event each");
    assert_eq!(blocks_of(&rig, &ada).await, others.iter().map(|other| other.uid).collect());
    // An account that changes otherwise keeps them.
    rig.log_out(0, &ada).await;
    assert_eq!(blocks_of(&rig, &ada).await.len(), 2 * EACH);
}

async fn blocks_of(rig: &Rig, person: &Person) -> BTreeSet<natter_events::Uid> {
    let subject = Subject::Account(person.uid).to_string();
    let last = rig.log().await.last(Stream::Chat, &subject).await.unwrap().unwrap();
    let account = match Record::decode(&last.payload).unwrap().event {
        Event::BlockChanged(event) => event.account,
        Event::SessionsRevoked(event) => event.account,
        other => panic!("{other:?}"),
    };
    account.blocks.into_iter().collect()
}

#[tokio::test]
async fn frm5_what_is_said_behind_a_block_is_stored_behind_it() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    rig.person("bob").await;
    rig.person("cy").await;
    let mut a = rig.socket(0, &ada).await;
    let mut commands =
        [message(&["cy"], "1"), block("bob"), message(&["cy"], "2"), unblock("bob"), message(&["bob"], "3")];
    for (n, command) in commands.iter_mut().enumerate() {
        command["ref"] = json!(n);
    }
    a.say_all(&commands).await;
    let mut seqs = Vec::new();
    for n in 0..commands.len() {
        let ok = a.expect("ok").await;
        assert_eq!(ok["ref"], json!(n), "{ok}");
        seqs.push(seq(&ok));
    }
    assert!(seqs.is_sorted(), "{seqs:?}");
}

#[tokio::test]
async fn the_http_twins_block_and_unblock() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let ask = async |method: &str, user: &str, token: Option<&str>| {
        rig.http(0, method, &format!("/api/blocks/{user}?id={}", new_id()), token, None).await
    };
    let (status, ok) = ask("PUT", "bob", Some(&ada.token)).await;
    assert_eq!((status, ok["seq"].is_u64()), (200, true), "{ok}");
    let (status, problem) = rig.http(0, "POST", "/api/messages", Some(&bob.token), Some(message(&["ada"], "hi"))).await;
    assert_eq!((status, &problem["code"]), (403, &json!("blocked")));
    assert_eq!(ask("DELETE", "bob", Some(&ada.token)).await.0, 200);
    let (status, _) = rig.http(0, "POST", "/api/messages", Some(&bob.token), Some(message(&["ada"], "hi"))).await;
    assert_eq!(status, 200);
    assert_eq!(ask("PUT", "nobody", Some(&ada.token)).await.0, 404);
    assert_eq!(ask("PUT", "ada", Some(&ada.token)).await.0, 400);
    assert_eq!(ask("PUT", "bob", None).await.0, 401);
    let (status, problem) = rig.http(0, "PUT", "/api/blocks/bob", Some(&ada.token), None).await;
    assert_eq!((status, &problem["code"]), (400, &json!("invalid")));
}
