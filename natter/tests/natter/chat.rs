//! `natter chat` as people and scripts run it, against a Natter that runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use futures::TryStreamExt;
use natter_client::{Client, ErrorCode, Events, Handle, Position, ReactionItem, SendError, Timeline, Toggle};
use natter_testkit::{eventually, scratch_folder};
use serde_json::Value;

use crate::program::{Ended, LONG, Up, natter, natter_up, run, signal};
use crate::screen::Screen;

const PASSWORD: &str = "correct horse battery";

/// People with a machine of their own each, which remembers their logins.
struct People {
    url: String,
    home: PathBuf,
}

impl People {
    /// Makes the accounts.
    fn register(url: &str, users: &[&str]) -> Self {
        let people = Self { url: url.to_owned(), home: scratch_folder("home") };
        for user in users {
            let mut command = people.chat(user);
            command.args(["list", "--register"]);
            let ended = run(command);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        }
        people
    }

    /// `natter chat` of this user.
    fn chat(&self, user: &str) -> Command {
        let mut command = natter();
        command.arg("chat").env("NATTER_URL", &self.url).env("NATTER_USER", user).env("NATTER_PASSWORD", PASSWORD);
        command.env("XDG_STATE_HOME", self.home.join(user)).env("TZ", "UTC");
        command
    }

    fn send(&self, from: &str, to: &str, text: &str) -> Ended {
        let mut command = self.chat(from);
        command.args(["send", "--to", to, "--", text]);
        run(command)
    }

    fn sends(&self, from: &str, to: &str, text: &str) {
        let ended = self.send(from, to, text);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{from} to {to}: {text}");
        assert_eq!(ended.stdout, "");
    }

    /// The full-screen client.
    fn screen(&self, user: &str, columns: u16, rows: u16) -> Screen {
        Screen::start(&self.chat(user), columns, rows)
    }

    fn tail(&self, user: &str, arguments: &[&str]) -> Tail {
        let mut command = self.chat(user);
        command.arg("tail").args(arguments);
        Tail::start(command)
    }
}

/// A `natter chat tail` that runs, and what it printed.
struct Tail {
    child: Child,
    stdout: Arc<Mutex<Vec<String>>>,
    stderr: Arc<Mutex<Vec<String>>>,
}

impl Tail {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let stdout = collect(child.stdout.take().expect("piped"));
        let stderr = collect(child.stderr.take().expect("piped"));
        Self { child, stdout, stderr }
    }

    /// Waits until it has said so often that it is live.
    async fn live(&self, times: usize) {
        eventually("it is live", LONG, async || {
            let said = self.stderr.lock().expect("lock").clone();
            if said.iter().filter(|line| line.starts_with("natter: live as ")).count() >= times {
                Ok(())
            } else {
                Err(said)
            }
        })
        .await;
    }

    async fn lines(&self, count: usize) -> Vec<String> {
        eventually("all lines came", LONG, async || {
            let lines = self.stdout.lock().expect("lock").clone();
            if lines.len() >= count { Ok(lines) } else { Err((lines, self.stderr.lock().expect("lock").clone())) }
        })
        .await
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(from: impl Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    thread::spawn(move || {
        let read = BufReader::new(from).lines().map_while(Result::ok);
        read.for_each(|line| kept.lock().expect("lock").push(line));
    });
    lines
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// A line of `tail` or `history` without the time that it begins with.
fn said(line: &str) -> &str {
    line.get("2026-11-21 14:02:59  ".len()..).unwrap_or_else(|| panic!("no time: {line}"))
}

fn stdout_of(command: Command) -> String {
    let ended = run(command);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    ended.stdout
}

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

fn handle(name: &str) -> Handle {
    name.parse().expect("a handle")
}

async fn client(url: &str, user: &str) -> (Client, Events) {
    Client::builder(url).login(handle(user), PASSWORD).connect().await.expect("connects")
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

/// Where it was before.
fn up_again(data: &Path, url: &str) -> Up {
    let address = url.replace("http://localhost", "127.0.0.1");
    let mut command = natter();
    command.arg("up").arg("--data").arg(data).args(["--listen", &address]);
    Up::up(command)
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

const ENTER: &str = "\r";
const ESC: &str = "\u{1b}";
const CTRL_C: &str = "\u{3}";
const CTRL_N: &str = "\u{e}";
const ALT_ENTER: &str = "\u{1b}\r";
const DOWN: &str = "\u{1b}[B";

/// The newest own line is in the log. How much further it has come may be said or not (EVT4).
fn is_sent(text: &str) -> bool {
    ["sent ✓", "delivered ✓✓", "read ✓✓"].iter().any(|words| text.contains(words))
}

#[tokio::test]
async fn a_person_logs_in_sees_the_list_opens_writes_is_answered_and_leaves() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob", "carol"]);
    people.sends("bob", "ada", "Are you there?");
    people.sends("carol", "ada", "And you?");
    let (bob, carol) = (people.tail("bob", &[]), people.tail("carol", &[]));
    bob.live(1).await;
    carol.live(1).await;

    // On a machine that does not know her: she types her name and password.
    let mut command = people.chat("ada");
    command.env_remove("NATTER_USER").env_remove("NATTER_PASSWORD").env("XDG_STATE_HOME", scratch_folder("home"));
    let mut screen = Screen::start(&command, 100, 30);
    screen.shows("Your name here:").await;
    screen.types("ada\n");
    screen.shows("Password of ada:").await;
    screen.types(&format!("{PASSWORD}\n"));
    let text = screen.until("the list", |text| text.contains("Are you there?") && text.contains("live as ada")).await;
    assert!(!text.contains(PASSWORD), "{text}");
    let place = |text: &str, words: &str| text.find(words).unwrap_or_else(|| panic!("no {words}: {text}"));
    assert!(place(&text, "carol") < place(&text, "bob"), "the newest is the first: {text}");
    screen.until("bob is online", |text| text.contains("● bob")).await;

    screen.types(DOWN);
    screen.types(ENTER);
    screen.until("the conversation", |text| text.contains("online") && text.contains("bob  ")).await;
    screen.types("Yes, I am.");
    screen.types(ALT_ENTER);
    screen.types("Here!");
    screen.types(ENTER);
    assert_eq!(said(&bob.lines(1).await[0]), "ada: Yes, I am. Here!");
    screen.until("it is sent", is_sent).await;
    people.sends("bob", "ada", "Live and in colour");
    screen.until("the answer", |text| text.matches("Live and in colour").count() == 2).await;
    // Sending reads up to itself.
    screen.until("bob has read it", |text| text.contains("read ✓✓")).await;

    // Somebody new: found by the beginning of the name.
    screen.types(CTRL_N);
    screen.shows("Type the beginning of a name.").await;
    screen.types("car");
    screen.until("carol is found", |text| text.contains("│ carol")).await;
    screen.types(ENTER);
    screen.until("her conversation", |text| text.contains("And you?") && !text.contains("Talk to")).await;
    screen.types("Me, too.");
    screen.types(ENTER);
    let lines = carol.lines(1).await;
    assert_eq!(said(&lines[0]), "ada: Me, too.");
    screen.until("it is sent", is_sent).await;

    // A narrow terminal has one of the two.
    screen.resize(50, 20);
    screen.until("the conversation alone", |text| text.contains("Me, too.") && !text.contains("bob")).await;
    screen.types(ESC);
    screen.until("the list alone", |text| text.contains("bob") && text.contains("Esc quit")).await;

    screen.types(CTRL_C);
    screen.ended(0).await;
}

#[tokio::test]
async fn what_is_written_while_the_server_is_away_is_sent_once_it_is_back() {
    let data = scratch_folder("data");
    let mut up = Up::up(natter_up(&data));
    let people = People::register(&up.url, &["ada", "bob"]);
    people.sends("bob", "ada", "Here I am");
    let bob = people.tail("bob", &[]);
    bob.live(1).await;
    let mut screen = people.screen("ada", 120, 20);
    screen.until("the list", |text| text.contains("live as ada") && text.contains("Here I am")).await;
    screen.types(ENTER);
    screen.until("the conversation", |text| text.matches("Here I am").count() == 2).await;

    up.signal("KILL");
    up.ended(LONG);
    screen.until("that it reconnects", |text| text.contains("reconnecting in ")).await;
    for number in 0..3 {
        screen.types(&format!("message {number}"));
        screen.types(ENTER);
    }
    screen.until("they wait", |text| text.contains("sending …") && text.contains("message 2")).await;
    screen.types(CTRL_C);
    screen.shows("3 messages are not sent yet").await;

    let _up = up_again(&data, &people.url);
    screen.until("all is sent", |text| text.contains("live as ada") && is_sent(text)).await;
    people.sends("ada", "bob", "the last one");
    let lines = bob.lines(4).await;
    let texts: Vec<_> = lines.iter().map(|line| said(line)).collect();
    assert_eq!(texts, ["ada: message 0", "ada: message 1", "ada: message 2", "ada: the last one"]);
    // What this user says elsewhere is here, too.
    screen.shows("the last one").await;
    screen.types(CTRL_C);
    screen.ended(0).await;
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

#[tokio::test]
async fn sigterm_gives_the_terminal_back() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada"]);
    let screen = people.screen("ada", 80, 24);
    screen.shows("No conversations yet.").await;
    signal(screen.pid(), "TERM");
    screen.ended(0).await;
}

#[tokio::test]
async fn a_password_that_is_wrong_is_said_before_anything_is_drawn() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada"]);
    let mut command = people.chat("ada");
    command.env_remove("NATTER_PASSWORD").env("XDG_STATE_HOME", scratch_folder("home"));
    let mut screen = Screen::start(&command, 100, 24);
    screen.shows("Password of ada:").await;
    screen.types("another one\n");
    screen.shows("Make a new account ada with this password?").await;
    screen.types("n\n");
    screen.ended(9).await;
}

#[test]
fn without_a_terminal_the_full_screen_client_says_what_scripts_can_use() {
    let nowhere = People { url: "http://127.0.0.1:1".to_owned(), home: scratch_folder("home") };
    let ended = run(nowhere.chat("ada"));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("draws on a terminal") && ended.stderr.contains("chat --help"), "{}", ended.stderr);
}
