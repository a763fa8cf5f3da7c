//! What is one person's own in the terminal: whom they want to hear, what of, and how they are shown.

use natter_testkit::{eventually, scratch_folder};
use serde_json::{Value, json};

use crate::program::{LONG, Up, natter_up};
use crate::terminal::{CTRL_C, ENTER, People, client, handle, json as parsed, said};

#[tokio::test]
async fn cmd7_what_the_blocked_say_among_others_is_folded_in_the_terminal_and_raw_for_programs() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob", "eve"]);
    people.sends("eve", "ada", "Between two");
    let room = people.prints("ada", &["room", "create", "engines", "--member", "bob,eve"]).trim().to_owned();
    people.prints("ada", &["block", "eve"]);
    let (tail, objects) = (people.tail("ada", &[]), people.tail("ada", &["--json"]));
    tail.live(1).await;
    objects.live(1).await;
    let mut screen = people.screen("ada", 100, 24);
    screen.shows("# engines").await;

    let (eve, mut unread) = client(&up.url, "eve").await;
    tokio::spawn(async move { while unread.next().await.is_some() {} });
    let group = eve.send(vec![handle("ada"), handle("bob")], "Buy this").await.expect("sent");
    eve.edit(group.conversation.expect("theirs"), group.seq, "Buy that").await.expect("edited");
    let root = eve.send(room.parse::<natter_client::ConversationId>().expect("an id"), "Buy now").await.expect("sent");
    people.prints("ada", &["room", "pin", &room, &root.seq.to_string()]);
    people.prints("bob", &["send", "--room", &room, "--reply-to", &root.seq.to_string(), "No."]);
    let lines = tail.lines(5).await;
    let expected = [
        "eve to ada, bob: (blocked)",
        "eve edited: (blocked)",
        "#engines eve: (blocked)",
        "#engines you pinned a message",
        "#engines bob: No.",
    ];
    assert_eq!(lines.iter().map(|line| said(line)).collect::<Vec<_>>(), expected);
    eventually("programs get it as it is", LONG, async || {
        let printed = objects.stdout.lock().expect("lock").clone();
        let texts: Vec<Value> = printed.iter().map(|line| parsed(line)["text"].clone()).collect();
        let all = ["Buy this", "Buy that", "Buy now", "No."];
        if all.iter().all(|text| texts.contains(&json!(text))) { Ok(()) } else { Err(texts) }
    })
    .await;

    // The full-screen client folds also what is quoted of it.
    screen.until("bob's answer in the list", |text| text.contains("bob: No.")).await;
    screen.types(ENTER);
    let text = screen.shows("↳ eve: (blocked)").await;
    assert!(text.contains("eve, whom you have blocked, said something") && !text.contains("Buy"), "{text}");

    let history = |arguments: &[&str]| -> Vec<String> {
        let printed = people.prints("ada", &[&["history"], arguments].concat());
        printed.lines().map(|line| said(line).to_owned()).collect()
    };
    eventually("history has it", LONG, async || match history(&["--room", &room]) {
        lines if lines == ["eve: (blocked)", "bob: No."] => Ok(()),
        other => Err(other),
    })
    .await;
    assert_eq!(history(&["--with", "bob,eve"]), ["eve: (blocked)"]);
    assert_eq!(history(&["--with", "eve"]), ["eve: Between two"], "between two nothing changes");
    let raw = people.prints("ada", &["history", "--with", "bob,eve", "--json"]);
    assert_eq!(parsed(raw.trim())["text"], "Buy that");
    let pins = people.prints("ada", &["room", "pins", &room]);
    assert_eq!(said(pins.trim()), "eve: (blocked)  [pinned by you]");
    let list = people.prints("ada", &["list"]);
    assert!(list.contains("(blocked)") && list.contains("Between two") && !list.contains("Buy"), "{list}");

    // Taken back in one place, it is so in all of them.
    people.prints("ada", &["unblock", "eve"]);
    let text = screen.shows("↳ eve: Buy now").await;
    assert!(!text.contains("whom you have blocked"), "{text}");
    people.prints("eve", &["send", "--room", &room, "Sorry."]);
    assert_eq!(said(&tail.lines(6).await[5]), "#engines eve: Sorry.");
    assert_eq!(history(&["--with", "bob,eve"]), ["eve: Buy that (edited)"]);
    screen.types(CTRL_C);
    screen.ended(0).await;
}

#[tokio::test]
async fn how_conversations_are_treated_and_by_which_name_one_is_shown_is_said_in_the_terminal() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob"]);
    people.prints("ada", &["room", "create", "engines", "--member", "bob"]);
    let cases: [(&[&str], i32, &str); 6] = [
        (&["prefer", "--with", "bob", "--mute"], 9, "not changed: nothing was said there yet"),
        (&["prefer", "--room", "nowhere", "--mute"], 9, "you see no room"),
        (&["prefer", "--room", "engines"], 2, "--mute"),
        (&["prefer", "--mute"], 2, "--room"),
        (&["prefer", "--room", "engines", "--mute", "--unmute"], 2, "cannot be used with"),
        (&["profile", "two\nlines"], 2, "control character"),
    ];
    for (arguments, code, words) in cases {
        let ended = people.asks("ada", arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{arguments:?}: {}", ended.stderr);
    }

    // What is not asked for stays.
    people.prints("ada", &["prefer", "--room", "engines", "--mute", "--notify", "mentions"]);
    people.prints("ada", &["prefer", "--room", "engines", "--star"]);
    let listed = |user: &str, arguments: &[&str]| people.prints(user, &[&["list"], arguments].concat());
    let row = parsed(listed("ada", &["--json"]).trim());
    let expected = json!({"muted": true, "starred": true, "hidden": false, "notify": "mentions"});
    assert_eq!(row["preferences"], expected);
    let list = listed("ada", &[]);
    assert!(list.starts_with("#engines ") && list.contains("[starred, muted]"), "{list}");
    people.prints("ada", &["prefer", "--room", "engines", "--unmute", "--unstar"]);
    assert!(!listed("ada", &[]).contains('['), "{}", listed("ada", &[]));
    assert!(!listed("bob", &[]).contains('['), "it is nobody else's");

    // Hidden until something is new.
    people.sends("ada", "bob", "Later");
    people.prints("ada", &["prefer", "--with", "bob", "--hide"]);
    assert!(!listed("ada", &[]).contains("Later"), "{}", listed("ada", &[]));
    assert!(listed("ada", &["--hidden"]).contains("[hidden] you: Later"), "{}", listed("ada", &["--hidden"]));
    people.sends("bob", "ada", "Now!");
    eventually("it is back", LONG, async || match listed("ada", &[]) {
        list if list.contains("Now!") => Ok(()),
        list => Err(list),
    })
    .await;

    people.prints("ada", &["profile", "Ada L."]);
    let (bob, _events) = client(&up.url, "bob").await;
    let shown = async || bob.history().user(&handle("ada")).await.expect("read").display_name;
    assert_eq!(shown().await, "Ada L.");
    people.prints("ada", &["profile", ""]);
    assert_eq!(shown().await, "ada");
}
