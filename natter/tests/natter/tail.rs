//! `natter tail`, as analytics runs it: with the account that may only read, in pipes, killed and started again. And the
//! example program of docs/ANALYTICS.md, which is run as it stands there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use natter_events::{
    ClientId, ContentKey, ConversationId, Field, Intent, MessageSent, PresenceChanged, PresenceStatus, ReadMarkerMoved,
    Record, Subject, Uid,
};
use natter_log::{Append, Log, Settings, Stream};
use natter_testkit::{Broker, eventually, scratch_folder};
use serde_json::Value;

use crate::program::{Ended, LONG, Up, alive, descendants, natter, natter_up, run, signal};

/// A broker with a log, and no gateway.
struct World {
    broker: Broker,
    log: Log,
    key: ContentKey,
}

const ADA: Uid = Uid::from_bytes([0xa1; 16]);

impl World {
    async fn new() -> Self {
        let broker = Broker::start().await;
        let settings = Settings { servers: vec![broker.url().to_owned()], ..Settings::default() };
        let log = Log::connect(settings).await.expect("the log");
        assert_eq!(log.declare().await.expect("declared"), []);
        Self { broker, log, key: ContentKey::random() }
    }

    async fn append(&self, subject: &Subject, payload: Bytes) -> u64 {
        let subject = subject.to_string();
        let stream = if subject.starts_with("presence.") { Stream::Presence } else { Stream::Chat };
        let message_id = format!("{:032x}", rand::random::<u128>());
        let append = Append { stream, subject, message_id, payload, expected_last: None };
        self.log.append(append).await.expect("appended").seq
    }

    fn message(&self, to: Uid, text: &str) -> Record {
        let (people, id) = ([ADA, to], ClientId::at(1_790_000_000_000));
        let conversation = ConversationId::direct(&people);
        let intent = Intent::Send { text, reply_to: None, thread: None, metadata: None };
        let sent = MessageSent {
            text: self.key.seal(ADA, Field::Text, text.as_bytes()),
            reply_to: None,
            thread: None,
            mentions: vec![],
            mentions_room: false,
            metadata: None,
            fingerprint: self.key.fingerprint(conversation, id, intent),
        };
        Record::new(ADA, sent).to(&people).in_conversation(conversation).answering(id)
    }

    /// Somebody says something to one of so many; now and then one reads.
    async fn chatter(&self, events: usize, people: u8) {
        let mut pending = Vec::new();
        for n in 0..events {
            let to = Uid::from_bytes([u8::try_from(n % usize::from(people)).expect("few"); 16]);
            let record = match n % 4 {
                3 => Record::new(ADA, ReadMarkerMoved { read: 1, thread: None })
                    .in_conversation(ConversationId::direct(&[ADA, to])),
                _ => self.message(to, &format!("message {n}")),
            };
            pending.push(self.append(&Subject::Messages(ADA), record.encode()));
        }
        futures::future::join_all(pending).await;
    }

    async fn presence(&self, status: PresenceStatus) -> u64 {
        let record = Record::new(ADA, PresenceChanged { status, text: None, gateway: "g".into() });
        self.append(&Subject::Presence(ADA), record.encode()).await
    }

    /// With the account that may only read.
    fn tail(&self, arguments: &[&str]) -> Command {
        tail_of(&self.broker, natter(), arguments)
    }
}

fn tail_of(broker: &Broker, mut command: Command, arguments: &[&str]) -> Command {
    let (user, password) = broker.analytics();
    command.env("NATTER_NATS_USER", user).env("NATTER_NATS_PASSWORD", password).arg("tail");
    command.args(["--nats-url", &format!("nats://{}", broker.address())]).args(arguments);
    command
}

fn printed(ended: &Ended) -> Vec<Value> {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    parsed(&ended.stdout)
}

fn parsed(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn seqs(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["seq"].as_u64().expect("a seq")).collect()
}

/// A tail that runs. It is killed when this is dropped.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts"))
    }

    fn ended(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("it is our child") {
                return status.code();
            }
            assert!(begun.elapsed() < LONG, "it does not end");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn d13_tail_prints_who_when_and_where_of_a_conversation_and_never_what_was_said() {
    let data = scratch_folder("data");
    let up = Up::up(natter_up(&data));
    let (text, home) = ("the eagle has landed", scratch_folder("home"));
    let chat = |user: &str, arguments: &[&str]| {
        let mut command = natter();
        command.arg("chat").args(arguments).env("XDG_STATE_HOME", home.join(user));
        command.env("NATTER_URL", &up.url).env("NATTER_USER", user).env("NATTER_PASSWORD", "correct horse battery");
        let ended = run(command);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    };
    // Names and words that no hexadecimal id has in it by chance.
    for user in ["yuri", "olga"] {
        chat(user, &["list", "--register"]);
    }
    chat("yuri", &["send", "--to", "olga", text]);
    chat("olga", &["send", "--to", "yuri", "roger"]);

    let tail = |arguments: &[&str]| {
        let mut command = natter();
        command.args(["tail", "--until-head", "--presence"]).arg("--data").arg(&data).args(arguments);
        run(command)
    };
    // Both are gone for a moment before that is told, and then nothing more comes.
    let deadline = Instant::now() + LONG;
    let (ended, lines) = loop {
        let ended = tail(&["--json"]);
        let lines = printed(&ended);
        let changes = lines.iter().filter(|line| line["type"] == "PresenceChanged");
        let last: BTreeMap<_, _> =
            changes.map(|line| (line["actor"].to_string(), line["body"]["status"] == "offline")).collect();
        if last.len() == 2 && last.values().all(|is_gone| *is_gone) {
            break (ended, lines);
        }
        assert!(Instant::now() < deadline, "not both are gone: {lines:?}");
    };
    for word in [text, "eagle", "roger", "yuri", "olga"] {
        assert!(!ended.stdout.contains(word), "{word}: {}", ended.stdout);
    }
    let chat: Vec<&Value> = lines.iter().filter(|line| line["stream"] == "CHAT").collect();
    let types: Vec<&str> = chat.iter().map(|line| line["type"].as_str().expect("a type")).collect();
    assert_eq!(types, ["UserRegistered", "UserRegistered", "MessageSent", "MessageSent"]);
    let (first, second) = (chat[2], chat[3]);
    assert_eq!(first["actor"], chat[0]["actor"], "who registered first wrote first");
    assert_eq!(second["actor"], chat[1]["actor"]);
    assert_eq!((&first["conversation"], &first["to"]), (&second["conversation"], &second["to"]));
    assert_eq!(first["to"].as_array().map(Vec::len), Some(2));
    let subject = format!("chat.user.{}.message", first["actor"].as_str().expect("a uid"));
    assert_eq!(first["subject"], subject);
    assert_eq!(first["body"]["text"]["sealed_bytes"], text.len() + 40);
    assert!(first["id"].is_string() && first["at"].as_str() <= second["at"].as_str());
    assert!(lines.iter().any(|line| line["type"] == "PresenceChanged" && line["body"]["status"] == "online"));

    let human = tail(&[]).stdout;
    assert_eq!(human.lines().count(), lines.len());
    assert!(human.contains("  CHAT 3  MessageSent v1  by ") && !human.contains("eagle"), "{human}");
}

#[tokio::test]
async fn what_is_of_a_later_natter_or_malformed_is_printed_and_passed() {
    let world = World::new().await;
    world.chatter(1, 1).await;
    let mut later = world.message(ADA, "from the future");
    later.envelope.kind = "MessageSung".into();
    world.append(&Subject::Messages(ADA), later.encode()).await;
    world.append(&Subject::Messages(ADA), Bytes::from_static(b"hunter2")).await;
    world.chatter(1, 1).await;
    let lines = printed(&run(world.tail(&["--json", "--until-head"])));
    assert_eq!(seqs(&lines), [1, 2, 3, 4]);
    assert_eq!((&lines[1]["type"], &lines[1]["body"]), (&Value::from("MessageSung"), &Value::Null));
    assert!(lines[2]["malformed"].is_string() && lines[2]["bytes"] == 7 && lines[2]["position"].is_string());
    assert!(lines[3]["body"].is_object());
}

#[tokio::test]
async fn any_printed_position_is_a_place_to_begin() {
    let world = World::new().await;
    world.chatter(5, 2).await;
    for status in [PresenceStatus::Online, PresenceStatus::Offline] {
        world.presence(status).await;
    }
    let all = printed(&run(world.tail(&["--json", "--until-head", "--presence"])));
    assert_eq!(all.len(), 7);
    for (n, line) in all.iter().enumerate() {
        let position = line["position"].as_str().expect("a position");
        let rest = printed(&run(world.tail(&["--json", "--until-head", "--presence", "--from", position])));
        assert_eq!(rest, all[n + 1..], "from {position}");
    }
    // Without presence, its place is kept.
    let position = all[5]["position"].as_str().expect("a position");
    world.chatter(1, 1).await;
    let chat = printed(&run(world.tail(&["--json", "--limit", "1", "--from", position])));
    let position = chat[0]["position"].as_str().expect("a position");
    let rest = printed(&run(world.tail(&["--json", "--until-head", "--presence", "--from", position])));
    assert_eq!(
        rest.iter().map(|line| (&line["stream"], &line["seq"])).collect::<Vec<_>>(),
        [(&Value::from("PRESENCE"), &Value::from(2))]
    );
}

#[tokio::test]
async fn it_ends_after_the_limit_or_at_the_head_and_new_is_what_comes_from_now_on() {
    let world = World::new().await;
    assert_eq!(printed(&run(world.tail(&["--json", "--until-head", "--presence"]))), Vec::<Value>::new());
    world.chatter(2_100, 3).await;
    assert_eq!(seqs(&printed(&run(world.tail(&["--json", "--limit", "1500"])))), (1..=1_500).collect::<Vec<_>>());
    assert_eq!(printed(&run(world.tail(&["--json", "--until-head"]))).len(), 2_100);
    assert_eq!(printed(&run(world.tail(&["--json", "--until-head", "--from", "new"]))), Vec::<Value>::new());

    let checkpoint = scratch_folder("tail").join("checkpoint");
    let mut command = world.tail(&["--json", "--from", "new", "--limit", "2"]);
    command.arg("--checkpoint").arg(&checkpoint);
    let waiting = std::thread::spawn(move || run(command));
    eventually("it has begun", LONG, async || fs::read_to_string(&checkpoint)).await;
    world.chatter(3, 1).await;
    let lines = tokio::task::spawn_blocking(move || waiting.join().expect("it ran")).await.expect("it ran");
    assert_eq!(seqs(&printed(&lines)), [2_101, 2_102]);
}

/// Lines of a file that a tail wrote; the last one may be half.
fn whole_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    parsed(&text[..end])
}

#[tokio::test]
async fn with_a_checkpoint_it_is_killed_at_any_moment_and_misses_nothing() {
    let world = World::new().await;
    let folder = scratch_folder("tail");
    let (checkpoint, out) = (folder.join("checkpoint"), folder.join("events.jsonl"));
    let command = |more: &[&str]| {
        let mut command = world.tail(&["--json"]);
        command.arg(&out).arg("--checkpoint").arg(&checkpoint).args(more);
        command
    };
    for round in 1..=8 {
        let mut tail = Running::start(command(&[]));
        let before = whole_lines(&out).len();
        world.chatter(400, 3).await;
        eventually("it prints", LONG, async || {
            let lines = whole_lines(&out).len();
            if lines > before { Ok(()) } else { Err(lines) }
        })
        .await;
        // Every other time it may end in order.
        signal(tail.0.id(), if round % 2 == 0 { "INT" } else { "KILL" });
        assert_eq!(tail.ended(), (round % 2 == 0).then_some(0), "round {round}");
        if round == 5 {
            // As if it had been killed in the middle of a line.
            let cut = fs::read(&out).expect("there");
            fs::write(&out, &cut[..cut.len() - 100]).expect("written");
            let last = whole_lines(&out).pop().expect("a line");
            fs::write(&checkpoint, last["position"].as_str().expect("a position")).expect("written");
        }
    }
    assert_eq!(run(command(&["--until-head"])).code, Some(0));
    let printed = seqs(&parsed(&fs::read_to_string(&out).expect("there")));
    let mut once = printed.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once, (1..=3_200).collect::<Vec<_>>(), "nothing is missing");
    for pair in printed.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "it went back to its checkpoint, never on past a hole: {pair:?}");
    }
}

#[tokio::test]
async fn a_stop_prints_nothing_twice() {
    let world = World::new().await;
    let checkpoint = scratch_folder("tail").join("checkpoint");
    let mut all = Vec::new();
    for round in 0..6 {
        world.chatter(50, 2).await;
        let mut command = world.tail(&["--json"]);
        command.arg("--checkpoint").arg(&checkpoint);
        let mut tail = Running::start(command);
        let mut lines = BufReader::new(tail.0.stdout.take().expect("piped")).lines();
        for _ in 0..=round {
            all.push(lines.next().expect("a line").expect("text"));
        }
        signal(tail.0.id(), if round % 2 == 0 { "INT" } else { "TERM" });
        all.extend(lines.map_while(Result::ok));
        assert_eq!(tail.ended(), Some(0));
    }
    let seqs = seqs(&parsed(&all.join("\n")));
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn whoever_has_read_enough_ends_it_even_when_nothing_more_comes() {
    let world = World::new().await;
    world.chatter(3_000, 1).await;
    let mut tail = Running::start(world.tail(&["--json"]));
    let mut lines = BufReader::new(tail.0.stdout.take().expect("piped")).lines();
    assert!(lines.next().is_some_and(|line| line.is_ok()));
    drop(lines);
    assert_eq!(tail.ended(), Some(0), "in the middle");

    let mut tail = Running::start(world.tail(&["--json", "--from", "new"]));
    drop(tail.0.stdout.take());
    assert_eq!(tail.ended(), Some(0), "while it waits");
}

#[tokio::test]
async fn a_reader_that_does_not_read_cannot_keep_it_from_stopping() {
    let world = World::new().await;
    world.chatter(3_000, 1).await;
    let mut tail = Running::start(world.tail(&["--json"]));
    let mut stdout = tail.0.stdout.take().expect("piped");
    stdout.read_exact(&mut [0; 100]).expect("it prints");
    signal(tail.0.id(), "INT");
    assert_eq!(tail.ended(), Some(0));
    drop(stdout);
}

#[tokio::test]
async fn d14_another_log_ends_it_with_10_and_says_what_to_do() {
    let (world, other) = tokio::join!(World::new(), World::new());
    let checkpoint = scratch_folder("tail").join("checkpoint");
    let on = |world: &World| {
        let mut command = world.tail(&["--json", "--until-head"]);
        command.arg("--checkpoint").arg(&checkpoint);
        run(command)
    };
    world.chatter(10, 1).await;
    assert_eq!(printed(&on(&world)).len(), 10);
    let kept = fs::read_to_string(&checkpoint).expect("written");
    for (events, why) in [(5, "ends at 5"), (20, "another log")] {
        other.chatter(events, 1).await;
        let ended = on(&other);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(10), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(why) && ended.stderr.contains("--from start"), "{}", ended.stderr);
        assert_eq!(fs::read_to_string(&checkpoint).expect("there"), kept);
    }
}

#[tokio::test]
async fn a_broker_that_goes_and_comes_back_leaves_no_gap() {
    let world = World::new().await;
    world.chatter(100, 2).await;
    let mut tail = Running::start(world.tail(&["--json", "--limit", "201"]));
    let mut lines = BufReader::new(tail.0.stdout.take().expect("piped")).lines();
    let mut all: Vec<String> = lines.by_ref().take(100).map(|line| line.expect("text")).collect();
    world.broker.kill().await;
    world.broker.restart().await;
    eventually("the log can be written again", LONG, async || {
        let record = world.message(ADA, "again");
        let message_id = "again".to_owned();
        let subject = Subject::Messages(ADA).to_string();
        let append =
            Append { stream: Stream::Chat, subject, message_id, payload: record.encode(), expected_last: None };
        world.log.append(append).await
    })
    .await;
    world.chatter(100, 2).await;
    all.extend(lines.map_while(Result::ok));
    assert_eq!(tail.ended(), Some(0));
    assert_eq!(seqs(&parsed(&all.join("\n"))), (1..=201).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_wrong_is_named_before_anything_is_printed() {
    let world = World::new().await;
    let refused = |command: Command, code: i32, words: &[&str]| {
        let ended = run(command);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
        assert!(words.iter().all(|word| ended.stderr.contains(word)), "{words:?}: {}", ended.stderr);
    };
    refused(world.tail(&["--from", "yesterday"]), 2, &["--from", "yesterday"]);
    let folder = scratch_folder("tail");
    fs::write(folder.join("checkpoint"), "nonsense").expect("written");
    let mut damaged = world.tail(&["--until-head"]);
    damaged.arg("--checkpoint").arg(folder.join("checkpoint"));
    refused(damaged, 2, &["checkpoint", "nonsense"]);
    let mut nowhere = world.tail(&["--until-head"]);
    nowhere.args(["--checkpoint", "/no/such/folder/checkpoint"]);
    refused(nowhere, 1, &["/no/such/folder/checkpoint"]);
    let mut stranger = world.tail(&["--until-head"]);
    stranger.env("NATTER_NATS_PASSWORD", "wrong");
    refused(stranger, 8, &["refused our credentials"]);
    let mut nobody = natter();
    nobody.arg("tail").arg("--data").arg(folder.join("data"));
    refused(nobody, 2, &["does not run on", "--nats-url"]);
}

/// docs/examples/messages_per_day.py and its database.
struct Example {
    database: PathBuf,
}

impl Example {
    fn command(&self, world: &World, arguments: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/messages_per_day.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(&self.database).arg(env!("CARGO_BIN_EXE_natter"));
        tail_of(&world.broker, command, arguments)
    }

    /// What it has counted so far.
    fn counts(&self) -> BTreeMap<(String, String), u64> {
        const READ: &str = "import sqlite3, json, sys; print(json.dumps(sqlite3.connect(sys.argv[1], timeout=30)\
                            .execute('select * from messages_per_day').fetchall()))";
        let mut command = Command::new("python3");
        command.args(["-c", READ]).arg(&self.database);
        let ended = run(command);
        // Nothing, before it has made its tables.
        let rows: Vec<(String, String, u64)> = serde_json::from_str(&ended.stdout).unwrap_or_default();
        rows.into_iter().map(|(day, conversation, messages)| ((day, conversation), messages)).collect()
    }
}

#[tokio::test]
async fn the_example_program_counts_each_message_once_whatever_is_killed_when() {
    let world = World::new().await;
    let example = Example { database: scratch_folder("example").join("counts.db") };
    let counted = || example.counts().values().sum::<u64>();
    for round in 0..6 {
        let mut program = Running::start(example.command(&world, &[]));
        let before = counted();
        world.chatter(1_500, 7).await;
        eventually("it counts", LONG, async || {
            let counted = counted();
            if counted > before { Ok(()) } else { Err(counted) }
        })
        .await;
        let children = descendants(program.0.id());
        let tail = children.iter().find(|(_, name)| name == "natter").expect("it runs natter tail").0;
        // The program, or natter tail under it.
        signal(if round % 2 == 0 { program.0.id() } else { tail }, "KILL");
        program.ended();
        eventually("natter tail ends with its reader", LONG, async || match alive(&children) {
            none if none.is_empty() => Ok(()),
            left => Err(left),
        })
        .await;
    }
    let ended = run(example.command(&world, &["--until-head"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let mut expected = BTreeMap::new();
    for line in printed(&run(world.tail(&["--json", "--until-head"]))) {
        if line["type"] == "MessageSent" {
            let text = |name: &str| line[name].as_str().expect("text").to_owned();
            *expected.entry((text("at")[..10].to_owned(), text("conversation"))).or_insert(0) += 1;
        }
    }
    assert_eq!(expected.values().sum::<u64>(), 6 * 1_125);
    assert_eq!(example.counts(), expected);
}
