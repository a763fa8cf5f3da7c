//! `natter chat` as scripts run it, against a Natter that runs.

use std::io::Write;
use std::process::Stdio;

use futures::TryStreamExt;
use natter_client::{ErrorCode, Position, ReactionItem, SendError, Timeline, Toggle};
use natter_testkit::{eventually, scratch_folder};
use serde_json::Value;

use crate::program::{LONG, Up, natter_up, run};
use crate::terminal::{CTRL_C, ENTER, People, client, handle, json, said, stdout_of, up_again};

#[tokio::test]
async fn what_one_sends_the_other_sees_live_in_the_list_and_in_history() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob", "carol"]);
    let (lines, objects) = (people.tail("bob", &[]), people.tail("bob", &["--json"]));
    lines.live(1).await;
    objects.live(1).await;

    people.sends("ada", "bob", "Good morning!\nDid you sleep?");
    people.sends("bob", "ada", "Like a stone.");
    people.sends("carol", "ada,bob", "Both of you: lunch?");
    let mut command = people.chat("ada");
    command.args(["send", "--to", "bob", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    child.stdin.take().expect("piped").write_all("from a pipe\r\nin two lines\n".as_bytes()).expect("written");
    assert!(child.wait().expect("it ends").success());

    let expected = [
        "ada: Good morning! Did you sleep?",
        "you to ada: Like a stone.",
        "carol to ada, bob: Both of you: lunch?",
        "ada: from a pipe in two lines",
    ];
    let printed = lines.lines(4).await;
    assert_eq!(printed.iter().map(|line| said(line)).collect::<Vec<_>>(), expected);
    let printed = objects.lines(4).await;
    let messages: Vec<_> = printed.iter().map(|line| json(line)).filter(|event| event["type"] == "message").collect();
    assert_eq!(messages[0]["text"], "Good morning!\nDid you sleep?");
    assert_eq!(messages[0]["sender"], "ada");

    let history = |arguments: &[&str]| {
        let mut command = people.chat("bob");
        command.args(["history", "--with", "ada"]).args(arguments);
        stdout_of(command)
    };
    // History follows the log; a script that must see its own message waits for it, as here.
    eventually("it is in history", LONG, async || match history(&[]) {
        text if text.lines().count() == 3 => Ok(()),
        text => Err(text),
    })
    .await;
    let text = history(&[]);
    assert_eq!(
        text.lines().map(said).collect::<Vec<_>>(),
        ["ada: Good morning! Did you sleep?", "bob: Like a stone.", "ada: from a pipe in two lines"]
    );
    let text = history(&["--limit", "1", "--json"]);
    assert_eq!(text.lines().map(|line| json(line)["text"].clone()).collect::<Vec<_>>(), ["from a pipe\nin two lines"]);

    let mut command = people.chat("bob");
    command.arg("list");
    let list = stdout_of(command);
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((rows[0][0], &rows[0][1..3]), ("ada", &["1", "new"][..]), "{list}");
    assert_eq!((rows[1][0], rows[1][1], &rows[1][2..4]), ("ada,", "carol", &["1", "new"][..]), "{list}");
    assert!(list.contains("from a pipe in two lines"), "{list}");
    let mut command = people.chat("bob");
    command.args(["list", "--json"]);
    let list: Vec<Value> = stdout_of(command).lines().map(json).collect();
    assert_eq!((&list[0]["unread"], &list[0]["participants"]), (&1.into(), &serde_json::json!(["ada", "bob"])));
}

#[tokio::test]
async fn words_are_searched_for_in_all_conversations_or_in_one() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob", "carol"]);
    people.sends("ada", "bob", "The harbour opens at seven.");
    people.sends("bob", "ada", "Which Harbour?");
    people.sends("carol", "ada", "No harbour here");
    people.sends("carol", "bob", "A harbour that ada does not know of");
    people.prints("ada", &["room", "create", "engines"]);
    people.prints("ada", &["send", "--room", "engines", "Steam at the harbour: seven!"]);
    let search = |arguments: &[&str]| -> Vec<String> {
        let printed = people.prints("ada", &[&["search"], arguments].concat());
        printed.lines().map(|line| said(line).to_owned()).collect()
    };
    let all = [
        "ada: The harbour opens at seven.",
        "bob: Which Harbour?",
        "carol: No harbour here",
        "ada: Steam at the harbour: seven!",
    ];
    eventually("all of it is found", LONG, async || match search(&["HARB"]) {
        found if found == all => Ok(()),
        found => Err(found),
    })
    .await;
    assert_eq!(search(&["seven", "harbour"]), [all[0], all[3]]);
    assert_eq!(search(&["harbour", "--limit", "2"]), all[2..], "the newest ones");
    assert_eq!(search(&["harbour", "--with", "bob"]), all[..2]);
    assert_eq!(search(&["harbour", "--with", "bob", "--sender", "bob"]), all[1..2]);
    assert_eq!(search(&["harbour", "--room", "engines"]), all[3..]);
    assert_eq!(search(&["nowhere"]), Vec::<String>::new());
    let object = json(people.prints("ada", &["search", "steam", "--json"]).trim());
    assert_eq!(object["text"], "Steam at the harbour: seven!");
    let refused = people.asks("ada", &["search", "?!"]);
    assert!(refused.code != Some(0) && refused.stderr.contains("`q` has to be words"), "{}", refused.stderr);
}

#[tokio::test]
async fn hst3_what_is_done_to_messages_shows_live_in_a_timeline_and_in_history() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob"]);
    let (ada, _unread) = client(&up.url, "ada").await;
    let (bob, mut events) = client(&up.url, "bob").await;
    let (lines, objects) = (people.tail("bob", &[]), people.tail("bob", &["--json"]));
    lines.live(1).await;
    objects.live(1).await;
    let mut screen = people.screen("bob", 100, 20);
    screen.shows("live as bob").await;

    let sent = ada.send(handle("bob"), "Lunch at non?").await.expect("sent");
    let talk = sent.conversation.expect("a conversation");
    screen.shows("Lunch at non?").await;
    screen.types(ENTER);
    screen.until("the conversation", |text| text.matches("Lunch at non?").count() == 2).await;
    ada.edit(talk, sent.seq, "Lunch at noon?").await.expect("edited");
    bob.react(talk, sent.seq, "👍", Toggle::Add).await.expect("reacted");
    bob.react(talk, sent.seq, "❤", Toggle::Add).await.expect("reacted");
    bob.react(talk, sent.seq, "👍", Toggle::Remove).await.expect("taken back");
    let mistake = ada.send(talk, "A secret").await.expect("sent");
    screen.until("all of it", |text| text.contains("A secret") && text.contains("❤")).await;
    let last = ada.delete(talk, mistake.seq).await.expect("deleted");
    let shown =
        screen.until("the tombstone", |text| text.contains("message deleted") && !text.contains("secret")).await;
    assert!(shown.contains("Lunch at noon? (edited)") && !shown.contains("👍"), "{shown}");
    match bob.edit(talk, sent.seq, "Mine now").await {
        Err(SendError::Refused(refused)) => assert_eq!(refused.code, ErrorCode::Forbidden),
        other => panic!("{other:?}"),
    }

    // What the client made of events is what history says, whichever comes first.
    let mut timeline = Timeline::default();
    let mut at = Position::start(0);
    while at.seq < last.seq {
        let event = events.next().await.expect("the client runs");
        if event.conversation() == Some(talk) {
            at = event.position().unwrap_or(at);
            timeline.apply(&event);
        }
    }
    let page = bob.history().messages(talk).at_least(at).next_page().await.expect("read").expect("a page");
    // The reactions are bob's own, done in this session: for those there is no event (EVT2).
    let mut known: Vec<_> = timeline.messages().cloned().collect();
    known[0].reactions = vec![ReactionItem { emoji: "❤️".into(), users: vec![handle("bob")], count: 1 }];
    let mut items = page.items.clone();
    items.sort_by_key(|item| item.seq);
    assert_eq!(known, items);
    timeline.page(page).expect("not stale");
    assert_eq!(timeline.messages().cloned().collect::<Vec<_>>(), items);
    let versions: Vec<_> = bob.history().versions(talk, sent.seq).items().try_collect().await.expect("read");
    let texts: Vec<_> = versions.iter().map(|version| version.text.as_str()).collect();
    assert_eq!(texts, ["Lunch at non?", "Lunch at noon?"]);

    let printed = lines.lines(7).await;
    let expected = [
        "ada: Lunch at non?",
        "ada edited: Lunch at noon?",
        "you reacted 👍",
        "you reacted ❤️",
        "you took 👍 back",
        "ada: A secret",
        "ada deleted a message",
    ];
    assert_eq!(printed.iter().map(|line| said(line)).collect::<Vec<_>>(), expected);
    let deleted = eventually("all of it was printed", LONG, async || {
        let printed = objects.stdout.lock().expect("lock").clone();
        printed.iter().map(|line| json(line)).find(|event| event["type"] == "deleted").ok_or(printed)
    });
    assert_eq!(deleted.await["message"], mistake.seq);
    let mut command = people.chat("ada");
    command.args(["history", "--with", "bob"]);
    let text = stdout_of(command);
    let expected = ["ada: Lunch at noon? (edited)  [❤️ bob]", "ada: message deleted"];
    assert_eq!(text.lines().map(said).collect::<Vec<_>>(), expected);
    let mut command = people.chat("bob");
    command.arg("list");
    let list = stdout_of(command);
    assert!(list.contains("message deleted"), "{list}");
    screen.types(CTRL_C);
    screen.ended(0).await;
}

#[tokio::test]
async fn con3_tail_goes_on_after_a_restart_of_the_server_without_a_loss_or_a_repeat() {
    let data = scratch_folder("data");
    let mut up = Up::up(natter_up(&data));
    let people = People::register(&up.url, &["ada", "bob"]);
    let tail = people.tail("bob", &[]);
    tail.live(1).await;
    for number in 0..5 {
        people.sends("ada", "bob", &number.to_string());
    }
    tail.lines(5).await;
    up.signal("KILL");
    up.ended(LONG);
    eventually("it says that the connection is gone", LONG, async || {
        let said = tail.stderr.lock().expect("lock").clone();
        if said.iter().any(|line| line.contains("next try in")) { Ok(()) } else { Err(said) }
    })
    .await;

    let _up = up_again(&data, &people.url);
    for number in 5..10 {
        people.sends("ada", "bob", &number.to_string());
    }
    tail.live(2).await;
    people.sends("ada", "bob", "the last one");
    let lines = tail.lines(11).await;
    let texts: Vec<_> = lines.iter().map(|line| said(line).strip_prefix("ada: ").expect("of ada").to_owned()).collect();
    let expected: Vec<_> = (0..10).map(|number| number.to_string()).chain(["the last one".to_owned()]).collect();
    assert_eq!(texts, expected);
}

#[test]
fn what_goes_wrong_has_its_own_exit_code_and_says_why() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada"]);

    let mut command = people.chat("ada");
    // Without what is remembered of the login.
    command.args(["list"]).env("NATTER_PASSWORD", "another one").env("XDG_STATE_HOME", scratch_folder("home"));
    let ended = run(command);
    assert_eq!(ended.code, Some(9), "{}", ended.stderr);
    assert!(ended.stderr.contains("unauthenticated") && !ended.stderr.contains("another one"), "{}", ended.stderr);

    let mut command = people.chat("ada");
    command.args(["list", "--register"]).env("XDG_STATE_HOME", scratch_folder("home"));
    let ended = run(command);
    assert_eq!(ended.code, Some(9), "{}", ended.stderr);
    assert!(ended.stderr.contains("conflict"), "{}", ended.stderr);

    for (to, text, code, words) in [
        ("nobody", "hello", 9, "not sent: "),
        ("ada", " \n", 2, "only white space"),
        ("ada", "\u{1b}[2J", 2, "control character"),
        ("Ada Lovelace", "hello", 2, "a handle is"),
    ] {
        let ended = people.send("ada", to, text);
        assert_eq!(ended.code, Some(code), "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }

    let nowhere = People { url: "http://127.0.0.1:1".to_owned(), home: scratch_folder("home") };
    let ended = nowhere.send("ada", "bob", "hello");
    assert_eq!(ended.code, Some(8), "{}", ended.stderr);
    assert!(ended.stderr.contains("http://127.0.0.1:1 does not answer"), "{}", ended.stderr);

    let mut command = people.chat("ada");
    command.arg("list").env_remove("NATTER_PASSWORD").env("XDG_STATE_HOME", scratch_folder("home"));
    let ended = run(command);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("NATTER_PASSWORD"), "{}", ended.stderr);
}

#[test]
fn a_login_goes_on_without_a_password_until_it_is_over() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada"]);
    for _ in 0..3 {
        let mut command = people.chat("ada");
        // Nor does it need to be said again who is talking.
        command.arg("list").env_remove("NATTER_PASSWORD").env_remove("NATTER_USER");
        stdout_of(command);
    }
}

/// The server refuses control characters; what else can lie is left to whoever shows it.
#[tokio::test]
async fn hostile_text_stays_on_its_line_and_does_not_turn_it_around() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["bob", "mallory"]);
    let (lines, objects) = (people.tail("bob", &[]), people.tail("bob", &["--json"]));
    lines.live(1).await;
    objects.live(1).await;
    let attacks =
        ["hi\n2026-11-21 14:02:59  ada: I owe mallory 100", "\u{202e}gnp.exe", "a\u{2028}b\u{2066}c", "\ttab"];
    for attack in attacks {
        people.sends("mallory", "bob", attack);
    }
    let printed = lines.lines(attacks.len()).await;
    assert_eq!(
        printed.iter().map(|line| said(line)).collect::<Vec<_>>(),
        [
            "mallory: hi 2026-11-21 14:02:59  ada: I owe mallory 100",
            "mallory: \u{fffd}gnp.exe",
            "mallory: a\u{fffd}b\u{fffd}c",
            "mallory:     tab",
        ]
    );
    let printed = objects.lines(attacks.len()).await;
    assert_eq!(printed.iter().map(|line| json(line)["text"].clone()).collect::<Vec<_>>(), attacks);
    assert!(printed.iter().all(|line| line.is_ascii()), "{printed:?}");
}

#[tokio::test]
async fn cmd7_who_is_blocked_from_the_terminal_can_say_nothing() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob"]);
    let asks = |who: &str, arguments: &[&str]| {
        let mut command = people.chat(who);
        command.args(arguments);
        run(command)
    };
    let blocked = asks("ada", &["block", "bob"]);
    assert_eq!(blocked.code, Some(0), "{}", blocked.stderr);
    let refused = asks("bob", &["send", "--to", "ada", "Why?"]);
    assert_eq!(refused.code, Some(9), "{}", refused.stderr);
    assert!(refused.stderr.contains("one of you has blocked the other"), "{}", refused.stderr);
    eventually("history has it", LONG, async || match asks("ada", &["blocks"]).stdout {
        list if list == "bob\n" => Ok(()),
        other => Err(other),
    })
    .await;
    let unknown = asks("ada", &["block", "nobody"]);
    assert!(unknown.code == Some(9) && unknown.stderr.contains("nobody"), "{}", unknown.stderr);
    assert_eq!(asks("ada", &["unblock", "bob"]).code, Some(0));
    assert_eq!(asks("bob", &["send", "--to", "ada", "Ah."]).code, Some(0));
}
