//! Editing, deleting and reacting (EVT1-3, CMD2-6), on the socket, over HTTP, on two gateways and after a resume.

use natter_events::Record;
use natter_log::Stream;
use natter_testkit::eventually;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig, new_id};
use crate::socket::{Socket, message, seq, text};

/// Two people, a conversation of theirs, and its first message, by ada.
struct Story {
    rig: Rig,
    ada: Person,
    bob: Person,
    a: Socket,
    b: Socket,
    conversation: String,
    message: u64,
}

impl Story {
    async fn begin() -> Self {
        let rig = Rig::start(2).await;
        let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
        let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
        let first = a.send(&["bob"], "hello").await;
        b.expect("message").await;
        let (conversation, message) = (text(&first, "conversation"), seq(&first));
        Self { rig, ada, bob, a, b, conversation, message }
    }

    fn edit(&self, words: &str) -> Value {
        json!({"type": "edit", "id": new_id(), "conversation": self.conversation, "message": self.message, "text": words})
    }

    fn delete(&self) -> Value {
        json!({"type": "delete", "id": new_id(), "conversation": self.conversation, "message": self.message})
    }

    fn react(&self, emoji: &str, op: &str) -> Value {
        json!({"type": "react", "id": new_id(), "conversation": self.conversation, "message": self.message,
               "emoji": emoji, "op": op})
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/conversations/{}/messages/{}{rest}", self.conversation, self.message)
    }
}

#[tokio::test]
async fn evt2_what_is_done_to_a_message_is_answered_in_its_place_and_told_to_all_others() {
    let mut story = Story::begin().await;
    let mut also_a = story.rig.socket(1, &story.ada).await;
    for command in [story.edit("hullo"), story.react("❤", "add"), story.react("❤️", "remove"), story.delete()] {
        let ok = story.a.done(command.clone()).await;
        assert_eq!((&ok["conversation"], &ok["duplicate"]), (&json!(story.conversation), &Value::Null), "{ok}");
        let kind = match command["type"].as_str().unwrap() {
            "edit" => "edited",
            "delete" => "deleted",
            _ => "reaction",
        };
        for socket in [&mut also_a, &mut story.b] {
            let frame = socket.expect(kind).await;
            for field in ["seq", "position", "conversation", "at"] {
                assert_eq!(frame[field], ok[field], "{field}: {frame}");
            }
            assert_eq!((&frame["message"], &frame["id"]), (&json!(story.message), &command["id"]), "{frame}");
            let who = if kind == "reaction" { "user" } else { "by" };
            assert_eq!((&frame[who], &frame["op"]), (&json!("ada"), &command["op"]), "{frame}");
            assert_eq!(frame["text"], command["text"]);
            let emoji = command.get("emoji").map_or(Value::Null, |_| json!("❤️"));
            assert_eq!(frame["emoji"], emoji, "in one form");
        }
    }
    assert_eq!(story.a.drain().await, Vec::<Value>::new(), "who did it gets the answers and nothing else");
}

#[tokio::test]
async fn con3_what_was_done_to_a_message_comes_again_after_a_resume_in_its_order() {
    let mut story = Story::begin().await;
    let start = text(&story.a.send(&["bob"], "from here").await, "position");
    for command in [story.edit("one"), story.react("👍", "add"), story.edit("two"), story.delete()] {
        story.a.done(command).await;
    }
    let mut live: Vec<Value> = story.b.until("deleted").await.split_off(1);
    assert_eq!((&live[0]["text"], &live[2]["text"]), (&json!("one"), &json!("two")));
    // Whoever was away when it was deleted learns that it was edited, and not to what.
    for edited in [0, 2] {
        live[edited]["text"] = json!("");
    }
    for gateway in [0, 1] {
        let mut again = story.rig.resume(gateway, &story.bob, &start).await;
        let mut replayed = again.until("caught_up").await;
        replayed.pop();
        assert_eq!(replayed, live, "gateway {gateway}");
    }
}

#[tokio::test]
async fn what_was_deleted_meanwhile_is_not_told_to_who_comes_back_from_the_tail_or_from_before_it() {
    for tail_bytes in [1 << 20, 1] {
        let rig = Rig::start_with(1, |config| config.tail_bytes = tail_bytes).await;
        let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
        let mut a = rig.socket(0, &ada).await;
        let start = text(&a.send(&["bob"], "from here").await, "position");
        let mut secret = message(&["bob"], "a secret");
        secret["metadata"] = json!({"also": "secret"});
        let said = a.done(secret).await;
        let change = |kind: &str| {
            json!({"type": kind, "id": new_id(), "conversation": said["conversation"], "message": said["seq"],
                   "text": "still a secret"})
        };
        a.done(change("edit")).await;
        a.done(change("delete")).await;
        a.send(&["bob"], "the end").await;
        let mut b = rig.resume(0, &bob, &start).await;
        let replayed = b.until("caught_up").await;
        let kinds: Vec<_> = replayed.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["message", "edited", "deleted", "message", "caught_up"], "{tail_bytes}");
        assert!(!json!(replayed).to_string().contains("secret"), "{replayed:?}");
    }
}

#[tokio::test]
async fn d13_what_is_written_in_an_edit_or_a_reaction_is_sealed() {
    let mut story = Story::begin().await;
    for (command, secret) in [(story.edit("a secret"), "a secret"), (story.react("🎈", "add"), "🎈")] {
        let ok = story.a.done(command).await;
        let stored = story.rig.log().await.get(Stream::Chat, seq(&ok)).await.unwrap().unwrap();
        assert!(!stored.payload.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret}");
        assert!(Record::decode(&stored.payload).unwrap().envelope.key.is_some());
    }
}

#[tokio::test]
async fn cmd2_a_repeat_is_the_same_event_and_another_body_a_conflict() {
    let mut story = Story::begin().await;
    let mut elsewhere = story.rig.socket(1, &story.ada).await;
    for command in [story.edit("once"), story.react("❤️", "add"), story.react("👍", "remove"), story.delete()] {
        let ok = story.a.done(command.clone()).await;
        // Of repeats that race with the event on its way there, more than one may be answered as the first.
        eventually("the other gateway has it", PATIENCE, async || {
            let heard = elsewhere.next_but_pings().await.unwrap();
            if heard["seq"] == ok["seq"] { Ok(()) } else { Err(heard) }
        })
        .await;
        let mut same = command.clone();
        if same["emoji"] == "❤️" {
            // The same emoji, written otherwise.
            same["emoji"] = json!("❤");
        }
        for socket in [&mut story.a, &mut elsewhere] {
            let again = socket.done(same.clone()).await;
            assert_eq!((&again["seq"], &again["duplicate"]), (&ok["seq"], &json!(true)), "{again}");
            assert_eq!(again["position"], Value::Null, "a repeat moves no position");
        }
        let changed = match command["type"].as_str().unwrap() {
            "edit" => [("text", json!("twice")), ("message", json!(story.message + 1))],
            "delete" => [("message", json!(story.message + 1)), ("conversation", json!(new_id()))],
            _ => [("emoji", json!("🎈")), ("op", json!(if command["op"] == "add" { "remove" } else { "add" }))],
        };
        for (field, value) in changed {
            let mut other = command.clone();
            other[field] = value;
            assert_eq!(elsewhere.refused(other.clone()).await, "conflict", "{other}");
        }
        let mut said = message(&["bob"], "under a used id");
        said["id"] = command["id"].clone();
        assert_eq!(elsewhere.refused(said).await, "conflict");
    }
}

#[tokio::test]
async fn cmd4_only_its_sender_edits_or_deletes_a_message_and_anyone_in_the_conversation_reacts() {
    let mut story = Story::begin().await;
    for command in [story.edit("not mine"), story.delete()] {
        assert_eq!(story.b.refused(command).await, "forbidden");
    }
    story.b.done(story.react("👍", "add")).await;
    assert_eq!(story.a.expect("reaction").await["user"], "bob");
}

#[tokio::test]
async fn cmd4_what_is_not_there_or_deleted_is_not_changed() {
    let mut story = Story::begin().await;
    let marker = json!({"type": "mark", "id": new_id(), "conversation": story.conversation, "read": story.message});
    let marker = seq(&story.b.done(marker).await);
    story.a.expect("marker").await;
    let alone = seq(&story.a.send(&["ada"], "elsewhere").await);
    for there in [0, 1, marker, alone, story.message + 1_000, (1 << 53) + 1] {
        for mut command in [story.edit("nothing"), story.delete(), story.react("👍", "add")] {
            command["message"] = json!(there);
            assert_eq!(story.a.refused(command.clone()).await, "not_found", "{command}");
        }
    }
    story.a.done(story.delete()).await;
    story.b.expect("deleted").await;
    for command in [story.edit("back"), story.delete(), story.react("👍", "add")] {
        assert_eq!(story.a.refused(command.clone()).await, "not_found", "{command}");
        assert_eq!(story.b.refused(command).await, "not_found", "on the other gateway");
    }
    let mut reply = message(&["bob"], "to what?");
    reply["reply_to"] = json!(story.message);
    assert_eq!(story.a.refused(reply).await, "not_found");
}

#[tokio::test]
async fn cmd4_texts_and_emoji_are_checked() {
    let mut story = Story::begin().await;
    for (words, code) in [("", "invalid"), (" \n", "invalid"), ("a\0", "invalid"), (&*"x".repeat(8_001), "too_large")] {
        assert_eq!(story.a.refused(story.edit(words)).await, code);
    }
    for emoji in ["", "x", "👍👍", ":+1:", "<script>", &"👍".repeat(10_000)] {
        assert_eq!(story.a.refused(story.react(emoji, "add")).await, "invalid");
    }
    let mut garbage = story.react("👍", "add");
    garbage["op"] = json!("explode");
    assert_eq!(story.a.refused(garbage).await, "invalid");
    let mut garbage = story.edit("hm");
    garbage["message"] = json!("7");
    assert_eq!(story.a.refused(garbage).await, "invalid");
    assert_eq!(story.b.drain().await, Vec::<Value>::new(), "nobody heard of any of it");
}

#[tokio::test]
async fn cmd5_changes_have_a_budget_of_their_own() {
    let rig = Rig::start_with(1, |config| config.other_commands = 3).await;
    let ada = rig.person("ada").await;
    let mut a = rig.socket(0, &ada).await;
    let first = a.send(&["ada"], "mine").await;
    let react = |emoji: &str| {
        json!({"type": "react", "id": new_id(), "conversation": first["conversation"], "message": first["seq"],
               "emoji": emoji, "op": "add"})
    };
    for emoji in ["👍", "🎈", "❤️"] {
        a.done(react(emoji)).await;
    }
    let (refused, _) = a.ask(react("👏")).await;
    assert_eq!((&refused["code"], &refused["temporary"]), (&json!("rate_limited"), &json!(true)), "{refused}");
    assert!(refused["retry_after_ms"].as_u64().unwrap() > 0);
    a.send(&["ada"], "talking goes on").await;
}

#[tokio::test]
async fn the_http_twins_do_the_same() {
    let mut story = Story::begin().await;
    let (token, of_bob) = (story.ada.token.clone(), story.bob.token.clone());
    let ask = async |method, path: String, token: &str, body| story.rig.http(0, method, &path, Some(token), body).await;
    let (id, heart) = (new_id(), "%E2%9D%A4");
    let query = |id: &str| format!("?id={id}");
    let edit = Some(json!({"id": id, "text": "by http"}));
    let (status, ok) = ask("PATCH", story.path(""), &token, edit.clone()).await;
    assert_eq!(status, 200, "{ok}");
    let frame = story.b.expect("edited").await;
    assert_eq!((&frame["seq"], &frame["text"]), (&ok["seq"], &json!("by http")));
    let (status, again) = ask("PATCH", story.path(""), &token, edit).await;
    assert_eq!((status, &again["seq"], &again["duplicate"]), (200, &ok["seq"], &json!(true)));

    for (method, op) in [("PUT", "add"), ("DELETE", "remove")] {
        let path = story.path(&format!("/reactions/{heart}{}", query(&new_id())));
        let (status, ok) = ask(method, path, &of_bob, None).await;
        assert_eq!(status, 200, "{ok}");
        let frame = story.b.expect("reaction").await;
        assert_eq!((&frame["op"], &frame["emoji"], &frame["user"]), (&json!(op), &json!("❤️"), &json!("bob")));
    }
    let (status, problem) = ask("DELETE", story.path(&query(&new_id())), &of_bob, None).await;
    assert_eq!((status, &problem["code"]), (403, &json!("forbidden")));
    let (status, problem) = ask("DELETE", story.path(""), &token, None).await;
    assert_eq!((status, &problem["code"]), (400, &json!("invalid")), "without an id: {problem}");
    let (status, _) = ask("DELETE", story.path(&query(&new_id())), &token, None).await;
    assert_eq!(status, 200);
    assert_eq!(story.b.expect("deleted").await["by"], "ada");

    let path = |seq: &str| format!("/api/conversations/{}/messages/{seq}{}", story.conversation, query(&new_id()));
    for there in ["1", "x", "-1", "99999999999999999999"] {
        let (status, problem) = ask("DELETE", path(there), &token, None).await;
        assert_eq!((status, &problem["code"]), (404, &json!("not_found")), "{there}: {problem}");
    }
    let (status, _) = story.rig.http(0, "DELETE", &path("1"), None, None).await;
    assert_eq!(status, 401);
}
