//! EVT3 over random stays: whoever comes and goes how often, whatever a room is at the time, pages, changes and versions hold
//! what they heard, and what was said in public, and nothing else; and reading them never walks over what they do not hold.

use std::collections::BTreeMap;

use natter_events::ConversationId;
use natter_protocol::Position;
use natter_protocol::history::{MessageItem, Page};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::log::at_ms;
use crate::room_log::Told;
use crate::world::{EPOCH, Person, World};

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Someone comes, or goes if they are there.
    Turn(usize),
    Public(bool),
    Say,
    /// In the thread of some message.
    Reply(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0usize..3).prop_map(Step::Turn),
        1 => any::<bool>().prop_map(Step::Public),
        4 => Just(Step::Say),
        3 => (0usize..8).prop_map(Step::Reply),
    ];
    prop::collection::vec(step, 20..70)
}

/// What each may read and hear of a room, by definition.
#[derive(Default)]
struct Model {
    there: [bool; 3],
    public: bool,
    /// Messages outside of threads and in them, whether the room was public, and who was there.
    said: Vec<(u64, u64, bool, [bool; 3])>,
    heard: [Vec<u64>; 3],
}

impl Model {
    fn happened(&mut self, seq: u64) {
        for (heard, there) in self.heard.iter_mut().zip(self.there) {
            heard.extend(there.then_some(seq));
        }
    }

    fn readable(&self, who: usize, thread: u64) -> Vec<u64> {
        let may = |said: &&(u64, u64, bool, [bool; 3])| said.1 == thread && (said.3[who] || said.2 && self.there[who]);
        self.said.iter().filter(may).map(|said| said.0).collect()
    }
}

async fn play(world: &World, owner: &Person, people: &[Person], steps: &[Step]) -> (ConversationId, Model) {
    let room = world.room(owner, "harbour", "private").await;
    let mut model = Model::default();
    for step in steps {
        match *step {
            Step::Turn(who) if model.there[who] => {
                let seq = world.leaves(&people[who], room).await;
                model.happened(seq);
                model.there[who] = false;
            }
            Step::Turn(who) => {
                let seq = world.joins(&people[who], room).await;
                model.there[who] = true;
                model.happened(seq);
            }
            Step::Public(public) => {
                world.becomes(room, if public { "public" } else { "private" }).await;
                model.public = public;
            }
            Step::Say => {
                let seq = world.say_in(room, owner, "said").await;
                model.said.push((seq, 0, model.public, model.there));
                model.happened(seq);
            }
            Step::Reply(n) => {
                let roots: Vec<u64> = model.said.iter().filter(|said| said.1 == 0).map(|said| said.0).collect();
                let Some(root) = roots.get(n % roots.len().max(1)) else { continue };
                let seq = world.reply_in(room, owner, *root, "said").await;
                model.said.push((seq, *root, model.public, model.there));
                model.happened(seq);
            }
        }
    }
    (room, model)
}

#[test]
fn evt3_pages_and_changes_hold_what_someone_heard_or_was_said_in_public_and_nothing_else() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = runtime.block_on(World::with(|config| config.queries.count = 1_000_000.try_into().unwrap()));
    let (owner, people) = runtime.block_on(async {
        let mut people = Vec::new();
        for n in 0..3 {
            people.push(world.person(&format!("p{n}")).await);
        }
        (world.person("owner").await, people)
    });
    let strategy = (steps(), 1u32..6, any::<bool>(), 0usize..60);
    let mut runner = TestRunner::new(Config { cases: 20, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(steps, limit, back, from)| {
        runtime.block_on(async {
            let start = Position { seq: world.next() - 1, ..Position::start(EPOCH) };
            let (room, model) = play(&world, &owner, &people, &steps).await;
            let path = format!("/history/conversations/{room}/messages");
            for (who, person) in people.iter().enumerate() {
                let ever = model.there[who] || !model.heard[who].is_empty();
                if !ever {
                    let status = world.get(person, &path).await.status;
                    prop_assert_eq!(status, if model.public { 403 } else { 404 });
                    continue;
                }
                let from = model.said.get(from).map_or(start.seq + from as u64, |said| said.0);
                let all = model.readable(who, 0);
                let (place, expected): (_, Vec<u64>) = if back {
                    (format!("before={from}"), all.iter().copied().filter(|seq| *seq < from).collect())
                } else {
                    (format!("after={from}"), all.iter().copied().filter(|seq| *seq > from).collect())
                };
                let seen = follow(&world, person, &format!("{path}?{place}&limit={limit}"), back).await;
                prop_assert_eq!(seen, expected);
                let around: Page<MessageItem> = world.get(person, &format!("{path}?around={from}&limit=4")).await.ok();
                let older = all.partition_point(|seq| *seq < from);
                let window = &all[older.saturating_sub(2)..(older + 2).min(all.len())];
                let seqs: Vec<u64> = around.items.iter().map(|item| item.seq).collect();
                prop_assert_eq!(seqs, window, "around");

                let mut threads: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
                for (_, thread, ..) in model.said.iter().filter(|said| said.1 != 0) {
                    threads.insert(*thread, model.readable(who, *thread));
                }
                for (root, expected) in &threads {
                    let seen = follow(&world, person, &format!("{path}?thread={root}&limit={limit}"), true).await;
                    prop_assert_eq!(&seen, expected, "the thread of {}", root);
                }
                let mut everything: Vec<u64> = all.iter().chain(threads.values().flatten()).copied().collect();
                everything.sort_unstable_by(|a, b| b.cmp(a));
                let search = "/history/search?q=Sai";
                let in_room = format!("{search}&conversation={room}&limit={limit}");
                prop_assert_eq!(&follow(&world, person, &in_room, false).await, &everything, "a search of the room");
                let mut seen = follow(&world, person, &format!("{search}&limit=200"), false).await;
                // In the rooms before it stands what it stood for then.
                seen.retain(|seq| *seq > start.seq);
                prop_assert_eq!(&seen, &everything, "a search of everything");
                let page: Page<MessageItem> = world.get(person, &format!("{path}?limit=200")).await.ok();
                for item in &page.items {
                    let expected = threads.get(&item.seq).filter(|seqs| !seqs.is_empty());
                    let expected = expected.map(|seqs| (seqs.len() as u64, at_ms(*seqs.last().unwrap())));
                    prop_assert_eq!(item.replies.as_ref().map(|replies| (replies.count, replies.last_at.0)), expected);
                }
                // Threads of what they may read, by the last of it that they may read.
                let mut order: Vec<(u64, u64)> = threads
                    .iter()
                    .filter(|(root, seqs)| all.contains(root) && !seqs.is_empty())
                    .map(|(root, seqs)| (*seqs.last().unwrap(), *root))
                    .collect();
                order.sort_unstable();
                let path = format!("/history/conversations/{room}/threads?limit={limit}");
                let mut seen = follow(&world, person, &path, false).await;
                seen.reverse();
                prop_assert_eq!(seen, order.iter().map(|(_, root)| *root).collect::<Vec<_>>(), "threads");

                let (mut seen, mut cursor) = (Vec::new(), String::new());
                loop {
                    let path = format!("/history/changes?after={start}&limit={limit}{cursor}");
                    let page: Page<Value> = world.get(person, &path).await.ok();
                    seen.extend(page.items.iter().map(|frame| frame["seq"].as_u64().unwrap()));
                    match page.next {
                        Some(next) => cursor = format!("&cursor={next}"),
                        None => break,
                    }
                }
                prop_assert_eq!(&seen, &model.heard[who], "changes");
            }
            // Whoever is still there goes, so that the next room is all that happens to them.
            for (person, _) in people.iter().zip(model.there).filter(|(_, there)| *there) {
                world.leaves(person, room).await;
            }
            Ok(())
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// The messages of every page, in the order in which they stand in the list.
async fn follow(world: &World, person: &Person, path: &str, back: bool) -> Vec<u64> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: Page<MessageItem> = world.get(person, &format!("{path}{cursor}")).await.ok();
        let seqs: Vec<u64> = page.items.iter().map(|item| item.seq).collect();
        seen = if back { [seqs, seen].concat() } else { [seen, seqs].concat() };
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn changes_in_rooms_are_the_frames_of_the_socket() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "harbour", "public").await;
    let after = Position { seq: world.next() - 2, ..Position::start(EPOCH) };
    let joined = world.joins(&ben, room).await;
    let told = Told { mentions: &[&ben], mentions_room: true, ..Told::default() };
    let said = world.tell_in(room, &ada, "@ben @room", told).await;
    let reply = world.reply_in(room, &ben, said, "yes").await;
    let pinned = world.pin_in(room, &ada, said).await;
    let marked = world.next();
    world
        .run(format!(
            "insert into changes (seq, at, conversation, kind, actor, read, thread, only_for)
               values ({marked}, now(), '{room}', 'marker', '{0}', {reply}, {said}, '{0}')",
            ben.uid.as_uuid()
        ))
        .await;
    world.advance_to(marked).await;
    let page: Page<Value> = world.get(&ben, &format!("/history/changes?after={after}")).await.ok();
    let kinds: Vec<_> = page.items.iter().map(|frame| (frame["type"].clone(), frame["seq"].clone())).collect();
    let expected = [("member", joined), ("message", said), ("message", reply), ("pin", pinned), ("marker", marked)];
    assert_eq!(kinds, expected.map(|(kind, seq)| (json!(kind), json!(seq))));
    let frame =
        |n: usize, names: &[&str]| -> Vec<Value> { names.iter().map(|name| page.items[n][name].clone()).collect() };
    assert_eq!(
        frame(0, &["user", "change", "role", "by", "id"]),
        [json!("ben"), json!("joined"), json!("member"), json!("ben"), json!(null)]
    );
    assert_eq!(
        frame(1, &["participants", "mentions", "mentions_room", "thread"]),
        [json!(null), json!(["ben"]), json!(true), json!(null)]
    );
    assert_eq!(frame(2, &["thread", "text"]), [json!(said), json!("yes")]);
    assert_eq!(frame(3, &["message", "by", "op"]), [json!(said), json!("ada"), json!("add")]);
    assert_eq!(frame(4, &["read", "thread", "user"]), [json!(reply), json!(said), json!("ben")]);
    let of_ada: Page<Value> = world.get(&ada, &format!("/history/changes?after={}", Position::start(EPOCH))).await.ok();
    assert!(of_ada.items.iter().all(|frame| frame["type"] != "marker"), "how far ben read is his alone");
    let made = of_ada.items.iter().find(|frame| frame["type"] == "room").unwrap();
    assert_eq!(
        (&made["name"], &made["visibility"], &made["owners"], &made["archived"]),
        (&json!("harbour"), &json!("public"), &json!(["ada"]), &json!(false))
    );
}

/// The buffers that reading a page takes, in the statement that the service runs with its settings.
async fn buffers(world: &World, person: &Person, room: ConversationId, before: u64) -> (u64, u64) {
    let options = world.sql.connect_options();
    let mut sql = PgConnection::connect_with(&options).await.unwrap();
    sql.execute(
        "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
         set enable_mergejoin = off; set jit = off",
    )
    .await
    .unwrap();
    let statement = format!(
        "prepare page (uuid, uuid, timestamptz, int8, uuid, int8, int8, int8) as {}",
        natter_history_api::PAGE_STATEMENT
    );
    sql.execute(AssertSqlSafe(statement)).await.unwrap();
    let (uid, nobody) = (person.uid.as_uuid(), uuid::Uuid::nil());
    let execute = format!("execute page ('{uid}', '{nobody}', now(), 0, '{room}', 0, {before}, 51)");
    // Once before, so that what PostgreSQL reads of itself is not counted.
    let found = sql.fetch_all(AssertSqlSafe(execute.clone())).await.unwrap().len() as u64;
    let explain = format!("explain (analyze, buffers, timing off, format json) {execute}");
    let row = sql.fetch_one(AssertSqlSafe(explain)).await.unwrap();
    let plan: Value = row.try_get(0).unwrap();
    let plan = &plan[0]["Plan"];
    (found, plan["Shared Hit Blocks"].as_u64().unwrap() + plan["Shared Read Blocks"].as_u64().unwrap())
}

#[tokio::test]
async fn evt3_a_page_of_a_big_room_reads_no_more_than_the_page() {
    let world = World::new().await;
    let (ada, ben, eve) = (world.person("ada").await, world.person("ben").await, world.person("eve").await);
    let room = world.room(&ada, "harbour", "private").await;
    let uid = ada.uid.as_uuid();
    // Sixty thousand messages, nine of ten in one thread; ben was there for a hundred of them, three hundred times; eve came
    // once at the beginning and once at the end.
    world
        .run(format!(
            "insert into messages (seq, at, ordinal, conversation, sender, id, text, thread)
               select n, now(), n, '{room}', '{uid}', gen_random_uuid(), 'hello', case when n % 10 = 0 then 0 else 1000 end
               from generate_series(1000, 61000) n;
             insert into stays select '{}', '{room}', n * 200, n * 200 + 100 from generate_series(6, 300) n;
             insert into stays values ('{}', '{room}', 1000, 1100), ('{}', '{room}', 60900, 61000);
             update conversations set last_seq = 61000, last_ordinal = 61000 where id = '{room}'",
            ben.uid.as_uuid(),
            eve.uid.as_uuid(),
            eve.uid.as_uuid(),
        ))
        .await;
    world.run("vacuum analyze messages".to_owned()).await;
    for (person, before) in [(&ada, 1 << 53), (&ada, 30_000), (&ben, 1 << 53), (&ben, 30_000), (&eve, 50_000)] {
        let (found, buffers) = buffers(&world, person, room, before).await;
        assert!(found >= 11, "{found} messages for {} before {before}", person.handle);
        assert!(buffers < 500, "{buffers} buffers for {} before {before}", person.handle);
    }
}

#[tokio::test]
async fn a_page_with_a_rare_thread_reads_no_more_than_the_page() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let room = world.room(&ada, "harbour", "public").await;
    let uid = ada.uid.as_uuid();
    // Two messages of sixty thousand are in a thread: whoever counts a sample of them finds none.
    world
        .run(format!(
            "insert into messages (seq, at, ordinal, conversation, sender, id, text, thread)
               select n, now(), n, '{room}', '{uid}', gen_random_uuid(), 'hello', 0 from generate_series(1000, 61000) n;
             update messages set thread = 20000, ordinal = 1 where seq = 20500;
             update messages set thread = 20000, ordinal = 2 where seq = 60999;
             insert into threads values ('{room}', 20000, 2, 60999, now());
             insert into thread_readers values ('{room}', 20000, '{uid}', 0, true);
             update conversations set last_seq = 61000, last_ordinal = 61000 where id = '{room}'"
        ))
        .await;
    world.run("vacuum analyze messages".to_owned()).await;
    let (found, buffers) = buffers(&world, &ada, room, 20_010).await;
    assert!(found == 51 && buffers < 500, "{buffers} buffers for {found} messages");
    let path = format!("/history/conversations/{room}/messages?before=20001&limit=1");
    let page: Page<MessageItem> = world.get(&ada, &path).await.ok();
    assert_eq!(page.items[0].replies.as_ref().map(|replies| (replies.count, replies.unread)), Some((2, Some(2))));
}
