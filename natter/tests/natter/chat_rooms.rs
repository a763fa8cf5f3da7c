//! Rooms in the terminal: `natter chat room` and what becomes of rooms elsewhere in `natter chat`.

use futures::TryStreamExt;
use natter_client::{MessageItem, Pages, Position, Timeline, Toggle};
use natter_testkit::{eventually, scratch_folder};
use serde_json::Value;

use crate::program::{LONG, Up, natter_up};
use crate::terminal::{CTRL_C, ENTER, People, client, handle, is_sent, json, said, up_again};

/// The lines of a tail without their times.
async fn told(tail: &crate::terminal::Tail, count: usize) -> Vec<String> {
    tail.lines(count).await.iter().map(|line| said(line).to_owned()).collect()
}

/// The first line of the list that has these words.
fn listed(people: &People, user: &str, words: &str) -> Option<String> {
    people.prints(user, &["list"]).lines().find(|line| line.contains(words)).map(str::to_owned)
}

#[tokio::test]
async fn a_community_lives_in_the_terminal_and_goes_on_after_a_restart() {
    let data = scratch_folder("data");
    let mut up = Up::up(natter_up(&data));
    let people = People::register(&up.url, &["ada", "bob", "cy"]);
    let (bob, cy) = (people.tail("bob", &[]), people.tail("cy", &[]));
    bob.live(1).await;
    cy.live(1).await;

    // Made, found, come into.
    let made = people.prints("ada", &["room", "create", "engines", "--topic", "steam and brass", "--member", "bob"]);
    let room = made.trim();
    let found = people.prints("cy", &["room", "list", "bra"]);
    assert!(found.starts_with("#engines ") && found.contains("2 members") && found.contains(room), "{found}");
    people.prints("cy", &["room", "join", "engines"]);
    let members: Vec<Value> = people.prints("bob", &["room", "members", room, "--json"]).lines().map(json).collect();
    let mut roles: Vec<_> = members.iter().map(|member| (member["user"].as_str(), member["role"].as_str())).collect();
    roles.sort();
    let (owner, member) = (Some("owner"), Some("member"));
    assert_eq!(roles, [(Some("ada"), owner), (Some("bob"), member), (Some("cy"), member)]);

    // Said, mentioned, answered, in a thread.
    people.prints("ada", &["send", "--room", "engines", "Who has oil? @bob"]);
    eventually("bob is mentioned", LONG, async || match listed(&people, "bob", "#engines") {
        Some(line) if line.contains("1 new @1") && line.contains("ada: Who has oil?") => Ok(()),
        other => Err(other),
    })
    .await;
    let history = people.prints("bob", &["history", "--room", "engines", "--json"]);
    let root = json(history.trim())["seq"].to_string();
    people.prints("bob", &["send", "--room", "engines", "--thread", &root, "I do."]);
    people.prints("cy", &["send", "--room", "#engines", "--reply-to", &root, "Me, too."]);
    people.prints("ada", &["room", "pin", room, &root]);
    let pins = people.prints("cy", &["room", "pins", "engines"]);
    assert_eq!(said(pins.trim()), format!("ada: Who has oil? @bob  [1 reply in thread {root}]  [pinned by ada]"));
    let history = people.prints("ada", &["history", "--room", "engines"]);
    let first = format!("ada: Who has oil? @bob  [1 reply in thread {root}]");
    assert_eq!(history.lines().map(said).collect::<Vec<_>>(), [first.as_str(), "cy: Me, too."]);
    let thread = people.prints("ada", &["history", "--room", "engines", "--thread", &root]);
    assert_eq!(thread.lines().map(said).collect::<Vec<_>>(), ["bob: I do."]);

    // Ruled.
    people.prints("ada", &["room", "role", "engines", "bob", "moderator"]);
    people.prints("bob", &["room", "update", "engines", "--name", "motors", "--topic", ""]);
    people.prints("bob", &["room", "remove", "motors", "cy"]);
    people.prints("ada", &["send", "--room", "motors", "Between the two of us"]);
    let refused = people.asks("cy", &["send", "--room", "motors", "Hello?"]);
    assert_eq!(refused.code, Some(9), "{}", refused.stderr);
    assert!(refused.stderr.contains("not_member"), "{}", refused.stderr);
    let heard = people.prints("cy", &["history", "--room", "motors"]);
    assert_eq!(heard.lines().map(said).collect::<Vec<_>>(), [first.as_str(), "cy: Me, too."], "EVT3: and no more");
    assert_eq!(listed(&people, "cy", "#motors"), None);
    people.prints("ada", &["room", "ban", "motors", "cy"]);
    let banned = people.asks("cy", &["room", "join", "motors"]);
    assert!(banned.code == Some(9) && banned.stderr.contains("not joined: you are banned"), "{}", banned.stderr);
    assert_eq!(people.prints("ada", &["room", "bans", "motors"]), "cy\n");
    people.sends("ada", "cy", "the end");
    let expected = [
        "#engines you joined",
        "#engines ada: Who has oil? @bob",
        &format!("#engines bob in thread {root}: I do."),
        "#engines you: Me, too.",
        "#engines ada pinned a message",
        "#engines ada made bob a moderator",
        "#engines bob renamed the room to #motors",
        "#engines bob took the topic away",
        "#motors bob removed you",
        "ada: the end",
    ];
    assert_eq!(told(&cy, expected.len()).await, expected, "EVT3: what is said after the removal does not reach cy");

    // Archived, and all of it is there after a restart.
    people.prints("ada", &["room", "archive", "motors"]);
    up.signal("KILL");
    up.ended(LONG);
    let _up = up_again(&data, &people.url);
    let archived = people.asks("bob", &["send", "--room", "motors", "Hm"]);
    assert!(archived.code == Some(9) && archived.stderr.contains("archived"), "{}", archived.stderr);
    people.prints("ada", &["room", "update", "motors", "--unarchive"]);
    people.prints("ada", &["room", "unban", "motors", "cy"]);
    people.prints("cy", &["room", "join", "motors"]);
    bob.live(2).await;
    people.prints("cy", &["send", "--room", "motors", "Back again"]);
    let expected = [
        "#engines ada made the room, with you in it",
        "#engines cy joined",
        "#engines ada: Who has oil? @bob",
        &format!("#engines you in thread {root}: I do."),
        "#engines cy: Me, too.",
        "#engines ada pinned a message",
        "#engines ada made you a moderator",
        "#engines you renamed the room to #motors",
        "#engines you took the topic away",
        "#motors you removed cy",
        "#motors ada: Between the two of us",
        "#motors ada banned cy",
        "#motors ada archived the room",
        "#motors ada took the room back from the archive",
        "#motors ada lets cy come back",
        "#motors cy joined",
        "#motors cy: Back again",
    ];
    assert_eq!(told(&bob, expected.len()).await, expected, "CON3: across the restart, too");
    let history = people.prints("cy", &["history", "--room", "motors", "--limit", "2"]);
    let texts = ["ada: Between the two of us", "cy: Back again"];
    assert_eq!(history.lines().map(said).collect::<Vec<_>>(), texts, "a public room's past is open to its members");
}

#[test]
fn what_can_not_be_done_to_a_room_says_why_and_names_are_not_guessed_at() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob"]);
    let made = people.asks("ada", &["room", "create", "engines", "--private", "--member", "bob,nobody", "--json"]);
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), "natter: not added: nobody\n"));
    let made = json(made.stdout.trim());
    assert_eq!(made["refused"], serde_json::json!(["nobody"]));
    let first = made["conversation"].as_str().expect("an id").to_owned();
    let second = people.prints("ada", &["room", "create", "engines"]).trim().to_owned();

    let ambiguous = people.asks("ada", &["send", "--room", "engines", "hello"]);
    assert_eq!(ambiguous.code, Some(2), "{}", ambiguous.stderr);
    assert!(ambiguous.stderr.contains(&first) && ambiguous.stderr.contains(&second), "{}", ambiguous.stderr);
    // One's own room comes before another one of that name.
    people.prints("bob", &["send", "--room", "engines", "hello"]);
    people.prints("ada", &["history", "--room", &first]);

    let direct = "5f0a3c1e-7b1d-5e8e-9c55-0d9b1b0c3a77";
    let missing = "01a0c450-77a4-7000-8000-000000000007";
    let cases: [(&str, &[&str], i32, &str); 17] = [
        ("bob", &["room", "join", "nowhere"], 9, "you see no room that is called nowhere"),
        ("bob", &["room", "join", missing], 9, "not_found"),
        ("bob", &["room", "join", direct], 2, "is the id of no room"),
        ("bob", &["room", "members", &second], 9, "not_member"),
        ("bob", &["room", "bans", &first], 9, "forbidden"),
        ("bob", &["room", "remove", &first, "ada"], 9, "not removed: your role does not allow that"),
        ("bob", &["room", "pin", &first, "1"], 9, "not pinned: "),
        ("ada", &["room", "leave", &first], 9, "the last owner hands the room over first"),
        ("ada", &["room", "role", &first, "bob", "king"], 2, "possible values: owner, moderator, member"),
        ("ada", &["room", "add", &first, "nobody"], 9, "unknown_user"),
        ("ada", &["room", "add", &first, "No Body"], 2, "a handle is"),
        ("ada", &["room", "update", &first], 2, "--topic"),
        ("ada", &["room", "update", &first, "--public", "--private"], 2, "cannot be used with"),
        ("ada", &["room", "create", "two\nlines"], 2, "control character"),
        ("ada", &["send", "--room", &first, "--thread", "1", "hm"], 9, "not_found"),
        ("ada", &["send", "--room", &first, "--to", "bob", "hm"], 2, "cannot be used with"),
        ("ada", &["send", "hm"], 2, "--room"),
    ];
    for (who, arguments, code, words) in cases {
        let ended = people.asks(who, arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{arguments:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn evt3_a_room_appears_in_the_full_screen_client_lives_there_and_is_gone_with_the_removal() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob", "carol"]);
    let (ada, mut unread) = client(&up.url, "ada").await;
    tokio::spawn(async move { while unread.next().await.is_some() {} });
    let mut screen = people.screen("bob", 100, 20);
    screen.until("an empty list", |text| text.contains("live as bob") && text.contains("No conversations yet.")).await;

    let made = ada.create_room("engines").private().topic("steam").members([handle("bob")]).await.expect("made");
    let room = made.conversation.expect("a room");
    screen.shows("# engines").await;
    let root = ada.send(room, "Who has oil? @bob").await.expect("sent");
    screen.until("the mention", |text| text.contains("@1 1") && text.contains("ada: Who has oil?")).await;
    screen.types(ENTER);
    let text = screen.until("the room", |text| text.contains("2 members") && text.contains("Who has oil?")).await;
    assert!(text.contains("engines  steam"), "{text}");
    screen.until("it is read", |text| !text.contains("@1 1")).await;

    let (tail, objects) = (people.tail("ada", &[]), people.tail("ada", &["--json"]));
    tail.live(1).await;
    objects.live(1).await;
    screen.types("I have.");
    screen.types(ENTER);
    screen.until("it is sent", is_sent).await;
    assert_eq!(told(&tail, 1).await, ["#engines bob: I have."]);
    ada.send(room, "in the thread").thread(root.seq).await.expect("sent");
    ada.pin(room, root.seq, Toggle::Add).await.expect("pinned");
    ada.room(room).add(handle("carol")).await.expect("added");
    ada.room(room).update().name("motors").await.expect("renamed");
    let text = screen.until("what happened", |text| text.contains("ada renamed the room to #motors")).await;
    for words in ["# motors", "3 members", "ada added carol"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let marks = format!("pinned · 1 reply in thread {}", root.seq);
    assert!(text.contains(&marks) && !text.contains("in the thread"), "{text}");

    let told = eventually("all of it was printed", LONG, async || {
        let printed = objects.stdout.lock().expect("lock").clone();
        if printed.iter().any(|line| json(line)["name"] == "motors") { Ok(printed) } else { Err(printed) }
    });
    let told: Vec<Value> = told.await.iter().map(|line| json(line)).collect();
    let durable = told.iter().filter(|event| event["seq"].is_u64() && event["type"] != "marker");
    let types: Vec<_> = durable.filter_map(|event| event["type"].as_str()).collect();
    assert!(types.ends_with(&["message", "message", "pin", "member", "room"]), "{types:?}");

    ada.room(room).remove(handle("bob")).await.expect("removed");
    ada.send(room, "He is gone").await.expect("sent");
    people.sends("ada", "bob", "the end");
    let text = screen.until("the end", |text| text.contains("the end")).await;
    assert!(!text.contains("# motors") && !text.contains("oil") && !text.contains("He is gone"), "{text}");
    screen.types(CTRL_C);
    screen.ended(0).await;
}

/// All of it, as one that is read: how much of a thread is unread is not counted from events.
async fn read(pages: Pages<MessageItem>) -> Vec<MessageItem> {
    let mut items: Vec<_> = pages.items().try_collect().await.expect("read");
    items.sort_by_key(|item: &MessageItem| item.seq);
    items.iter_mut().filter_map(|item| item.replies.as_mut()).for_each(|replies| replies.unread = None);
    items
}

#[tokio::test]
async fn hst3_a_room_comes_out_of_its_events_as_history_shows_it_outside_of_threads_and_in_them() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    People::register(&up.url, &["ada", "bob"]);
    let (ada, _unread) = client(&up.url, "ada").await;
    let (bob, mut events) = client(&up.url, "bob").await;
    let made = ada.create_room("engines").members([handle("bob")]).await.expect("made");
    let room = made.conversation.expect("a room");
    let say = async |text: &str| ada.send(room, text).await.expect("sent").seq;
    let root = say("Who has oil? @bob @room").await;
    let other = say(&"x".repeat(300)).await;
    let slip = say("A secret").await;
    for answered in [root, other, slip] {
        ada.send(room, "About that").reply_to(answered).await.expect("sent");
    }
    let first = ada.send(room, "I do").thread(root).await.expect("sent").seq;
    ada.send(room, "So do I, @bob").thread(root).reply_to(first).await.expect("sent");
    ada.edit(room, root, "Who has any oil?").await.expect("edited");
    ada.edit(room, first, "I do not").await.expect("edited");
    for (message, op) in [(root, Toggle::Add), (other, Toggle::Add), (slip, Toggle::Add), (other, Toggle::Remove)] {
        ada.pin(room, message, op).await.expect("done");
    }
    ada.react(room, first, "👍", Toggle::Add).await.expect("reacted");
    let last = ada.delete(room, slip).await.expect("deleted").seq;

    let (mut outside, mut thread) = (Timeline::default(), Timeline::of_thread(root));
    let mut at = None;
    while at.is_none_or(|at: Position| at.seq < last) {
        let event = events.next().await.expect("the client runs");
        if event.conversation() == Some(room) {
            at = event.position().or(at);
            outside.apply(&event);
            thread.apply(&event);
        }
    }
    let history = bob.history().at_least(at.expect("events"));
    let pages = [history.messages(room), history.messages(room).in_thread(root)];
    for (pages, timeline) in pages.into_iter().zip([outside, thread]) {
        assert_eq!(timeline.messages().cloned().collect::<Vec<_>>(), read(pages).await);
    }
    let pins: Vec<_> = history.pins(room).items().map_ok(|pin| pin.message.seq).try_collect().await.expect("read");
    assert_eq!(pins, [root]);
    let threads = read(history.threads(room)).await;
    assert_eq!(threads.iter().map(|message| message.seq).collect::<Vec<_>>(), [root]);
}
