//! `/history/conversations/{id}/messages?around_at=`.

use natter_events::ConversationId;
use natter_protocol::history::{MessageItem, Page};
use natter_protocol::{ErrorCode, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use crate::log::{at_ms, direct};
use crate::world::{Person, World};

const MINUTE_MS: i64 = 60_000;

type Messages = Page<MessageItem>;

fn seqs(page: &Messages) -> Vec<u64> {
    page.items.iter().map(|item| item.seq).collect()
}

async fn around(world: &World, person: &Person, conversation: ConversationId, at_ms: i64, more: &str) -> Messages {
    let path = format!("/history/conversations/{conversation}/messages?around_at={}{more}", Timestamp(at_ms));
    world.get(person, &path).await.ok()
}

/// Has some messages be said at other times, in milliseconds.
async fn retimed(world: &World, messages: impl IntoIterator<Item = (u64, i64)>) {
    let set = |(seq, at): (u64, i64)| format!("update messages set at = to_timestamp({at} / 1000.0) where seq = {seq}");
    world.run(messages.into_iter().map(set).collect::<Vec<_>>().join(";")).await;
}

/// Ten messages a minute apart from `start` on, with messages of another conversation between them.
async fn ten(world: &World, people: (&Person, &Person), other: &Person, start: i64) -> Vec<u64> {
    let mut said = Vec::new();
    for n in 0..10 {
        said.push(world.say(&[people.0, people.1], &*format!("{n}")).await);
        world.say(&[people.0, other], "elsewhere").await;
    }
    retimed(world, said.iter().enumerate().map(|(n, seq)| (*seq, start + n as i64 * MINUTE_MS))).await;
    said
}

#[tokio::test]
async fn hst4_a_page_lies_around_the_first_message_of_a_moment_or_later() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    let start = at_ms(0);
    let said = ten(&world, (&ada, &bob), &eve, start).await;
    let get = async |at_ms, more| around(&world, &bob, direct(&[&ada, &bob]), at_ms, more).await;

    for (minute, more, expected, goes_on) in [
        (5 * MINUTE_MS, "&limit=4", &said[3..7], true),
        (5 * MINUTE_MS - 1, "&limit=4", &said[3..7], true),
        (5 * MINUTE_MS + 1, "&limit=4", &said[4..8], true),
        (5 * MINUTE_MS, "&limit=1", &said[5..6], true),
        (9 * MINUTE_MS, "&limit=4", &said[7..], false),
        (0, "&limit=4", &said[..2], true),
        (5 * MINUTE_MS, "", &said[..], false),
        // Before all, and behind all: the ends.
        (-1_000 * 365 * 24 * 60 * MINUTE_MS, "&limit=4", &said[..2], true),
        (9 * MINUTE_MS + 1, "&limit=4", &said[8..], false),
        (7_000 * 365 * 24 * 60 * MINUTE_MS, "&limit=4", &said[8..], false),
    ] {
        let page = get(start + minute, more).await;
        assert_eq!((seqs(&page).as_slice(), page.next.is_some()), (expected, goes_on), "{minute}{more}");
    }
}

#[tokio::test]
async fn hst4_the_pages_behind_one_around_a_moment_go_on_to_the_newest() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    let start = at_ms(0);
    let said = ten(&world, (&ada, &bob), &eve, start).await;
    let path = format!(
        "/history/conversations/{}/messages?limit=4&around_at={}",
        direct(&[&ada, &bob]),
        Timestamp(start + 3 * MINUTE_MS)
    );
    let mut page: Messages = world.get(&ada, &path).await.ok();
    let mut seen = seqs(&page);
    let cursor = page.next.clone().unwrap();
    while let Some(next) = &page.next {
        page = world.get(&ada, &format!("{path}&cursor={next}")).await.ok();
        seen.extend(seqs(&page));
    }
    assert_eq!(seen, said[1..]);
    let other = path.replace(".000Z", ".001Z");
    assert_ne!(other, path);
    world.get(&ada, &format!("{other}&cursor={cursor}")).await.is_problem(400, ErrorCode::Invalid);
}

#[tokio::test]
async fn hst4_the_offset_of_a_moment_is_heard_and_what_is_no_moment_is_refused() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let said = world.say(&[&ada, &bob], "hello").await;
    retimed(&world, [(said, 1_790_000_000_123)]).await;
    let path = format!("/history/conversations/{}/messages?limit=1", direct(&[&ada, &bob]));
    for (same, there) in [
        ("2026-09-21T14:13:20.123Z", true),
        ("2026-09-21T16:13:20.123%2B02:00", true),
        ("2026-09-21T16:13:20.124%2B02:00", false),
        ("0000-01-01T00:00:00Z", true),
        ("9999-12-31T23:59:59-23:59", false),
    ] {
        let page: Messages = world.get(&ada, &format!("{path}&around_at={same}")).await.ok();
        assert_eq!(!page.items.is_empty(), there, "{same}");
    }
    for bad in [
        "around_at=",
        "around_at=yesterday",
        "around_at=1790000000123",
        "around_at=2026-09-21",
        "around_at=2026-09-21T16:13:20.123+02:00",
        "around_at=2026-02-30T00:00:00Z",
        "around_at=%00",
        "around_at=2026-09-21T14:13:20Z'--",
        "around_at=2026-09-21T14:13:20Z&around_at=2026-09-21T14:13:20Z",
        "around_at=2026-09-21T14:13:20Z&around=1",
        "around_at=2026-09-21T14:13:20Z&before=1",
        "after=0&around_at=2026-09-21T14:13:20Z",
    ] {
        world.get(&ada, &format!("{path}&{bad}")).await.is_problem(400, ErrorCode::Invalid);
    }
}

#[tokio::test]
async fn hst4_where_nothing_was_said_the_page_is_empty() {
    let world = World::new().await;
    let (ada, _bob) = (world.person("ada").await, world.person("bob").await);
    let room = world.room(&ada, "harbour", "public").await;
    let page = around(&world, &ada, room, at_ms(1), "").await;
    assert_eq!((seqs(&page), page.next), (vec![], None));
    let path = format!("/history/direct?participants=bob&around_at={}", Timestamp(at_ms(1)));
    let page: Messages = world.get(&ada, &path).await.ok();
    assert_eq!((seqs(&page), page.next), (vec![], None));
}

#[tokio::test]
async fn hst4_a_thread_has_moments_of_its_own() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "harbour", "public").await;
    world.joins(&ben, room).await;
    let root = world.say_in(room, &ada, "ships?").await;
    let first = world.reply_in(room, &ben, root, "none").await;
    let aside = world.say_in(room, &ada, "fog").await;
    let second = world.reply_in(room, &ben, root, "one").await;
    let last = world.say_in(room, &ada, "sun").await;
    let thread = format!("&limit=1&thread={root}");
    assert_eq!(seqs(&around(&world, &ada, room, at_ms(aside), &thread).await), [second]);
    assert_eq!(seqs(&around(&world, &ada, room, at_ms(first), &thread).await), [first]);
    assert_eq!(seqs(&around(&world, &ada, room, at_ms(last), &thread).await), [0; 0]);
    assert_eq!(seqs(&around(&world, &ada, room, at_ms(first), "&limit=1").await), [aside]);
    assert_eq!(seqs(&around(&world, &ada, room, at_ms(second), "&limit=1").await), [last]);
    assert_eq!(seqs(&around(&world, &ada, room, at_ms(first), "&limit=1&thread=1").await), [0; 0], "no such thread");
}

#[tokio::test]
async fn hst3_only_what_the_caller_may_read_is_looked_at() {
    let world = World::new().await;
    let (ada, ben, eve) = (world.person("ada").await, world.person("ben").await, world.person("eve").await);
    let room = world.room(&ada, "harbour", "private").await;
    world.say_in(room, &ada, "before ben").await;
    world.joins(&ben, room).await;
    let first = world.say_in(room, &ada, "hello ben").await;
    world.leaves(&ben, room).await;
    let mut secrets = Vec::new();
    for _ in 0..20 {
        secrets.push(world.say_in(room, &ada, "he is gone").await);
    }
    let secret = secrets[0];
    world.joins(&ben, room).await;
    let back = world.say_in(room, &ada, "back again").await;

    // A moment in which something was said that is not his leads to what is.
    assert_eq!(seqs(&around(&world, &ben, room, at_ms(secret), "&limit=1").await), [back]);
    assert_eq!(seqs(&around(&world, &ben, room, at_ms(secret), "").await), [first, back]);
    assert_eq!(seqs(&around(&world, &ben, room, 0, "").await), [first, back]);
    // Not even the clock of what is not his shows: had it been set back then, his pages would lie where they do.
    retimed(&world, secrets.into_iter().map(|seq| (seq, 0))).await;
    assert_eq!(seqs(&around(&world, &ben, room, at_ms(secret), "&limit=1").await), [back]);
    assert_eq!(seqs(&around(&world, &ben, room, at_ms(first), "&limit=1").await), [first]);

    let path = format!("messages?around_at={}", Timestamp(at_ms(first)));
    world.get(&eve, &format!("/history/conversations/{room}/{path}")).await.is_problem(404, ErrorCode::NotFound);
    let missing = ConversationId::from(uuid::Uuid::now_v7());
    world.get(&eve, &format!("/history/conversations/{missing}/{path}")).await.is_problem(404, ErrorCode::NotFound);
    world.becomes(room, "public").await;
    world.get(&eve, &format!("/history/conversations/{room}/{path}")).await.is_problem(403, ErrorCode::NotMember);
    world.joins(&eve, room).await;
    let page = around(&world, &eve, room, at_ms(back), "").await;
    assert_eq!(seqs(&page), [0; 0], "what was said while it was private stays with those who were there");
}

#[test]
fn hst4_whatever_the_clock_did_the_message_before_was_said_before_the_moment_and_this_one_was_not() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = runtime.block_on(World::with(|config| config.queries.count = 1_000_000.try_into().unwrap()));
    let (ada, bob, eve) =
        runtime.block_on(async { (world.person("ada").await, world.person("bob").await, world.person("eve").await) });
    let said = runtime.block_on(ten(&world, (&ada, &bob), &eve, 0));
    let conversation = direct(&[&ada, &bob]);

    let strategy = (prop::collection::vec(0i64..12, 10), -1i64..13, any::<bool>());
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(mut times, moment, rising)| {
        if rising {
            times.sort_unstable();
        }
        let page = runtime.block_on(async {
            retimed(&world, said.iter().copied().zip(times.iter().copied())).await;
            around(&world, &bob, conversation, moment, "&limit=2").await
        });
        let at = |seq: &u64| times[said.iter().position(|said| said == seq).unwrap()];
        let seen = seqs(&page);
        // One older and one newer, but at the ends.
        let (older, newer) = match seen[..] {
            [older, newer] => (Some(older), Some(newer)),
            [one] if one == said[0] => (None, Some(one)),
            [one] => (Some(one), None),
            _ => panic!("{seen:?}"),
        };
        prop_assert!(older.is_none_or(|seq| at(&seq) < moment), "{:?} at {}: {:?}", times, moment, seen);
        prop_assert!(newer.is_none_or(|seq| at(&seq) >= moment), "{:?} at {}: {:?}", times, moment, seen);
        prop_assert!(newer.is_some() || older == said.last().copied());
        if rising {
            prop_assert_eq!(newer, said.iter().copied().find(|seq| at(seq) >= moment), "{:?} at {}", times, moment);
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// The buffers that finding a moment takes, in the statement that the service runs with its settings.
async fn buffers(world: &World, person: &Person, room: ConversationId, at_ms: i64) -> u64 {
    let mut sql: PgConnection = world.sql.connect_options().connect().await.unwrap();
    sql.execute(
        "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
         set enable_mergejoin = off; set jit = off",
    )
    .await
    .unwrap();
    let statement = format!(
        "prepare place (uuid, uuid, timestamptz, int8, uuid, int8, int8) as {}",
        natter_history_api::PLACE_STATEMENT
    );
    sql.execute(AssertSqlSafe(statement)).await.unwrap();
    let (uid, nobody) = (person.uid.as_uuid(), uuid::Uuid::nil());
    let execute = format!("execute place ('{uid}', '{nobody}', now(), 0, '{room}', 0, {at_ms})");
    // Once before, so that what PostgreSQL reads of itself is not counted.
    sql.fetch_one(AssertSqlSafe(execute.clone())).await.unwrap();
    let explain = format!("explain (analyze, buffers, timing off, format json) {execute}");
    let row = sql.fetch_one(AssertSqlSafe(explain)).await.unwrap();
    let plan: Value = row.try_get(0).unwrap();
    let plan = &plan[0]["Plan"];
    plan["Shared Hit Blocks"].as_u64().unwrap() + plan["Shared Read Blocks"].as_u64().unwrap()
}

#[tokio::test]
async fn a_moment_is_found_without_reading_what_lies_before_it() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "harbour", "private").await;
    let uid = ada.uid.as_uuid();
    // Sixty thousand messages, nine of ten in a thread, one a second; ben was there a hundred times, for a minute each.
    world
        .run(format!(
            "insert into messages (seq, at, ordinal, conversation, sender, id, text, thread)
               select n, to_timestamp(n), n, '{room}', '{uid}', gen_random_uuid(), 'hello', case when n % 10 = 0 then 0 else 1000 end
               from generate_series(1000, 61000) n;
             insert into stays select '{}', '{room}', n * 600, n * 600 + 60 from generate_series(2, 101) n;
             update conversations set last_seq = 61000, last_ordinal = 61000 where id = '{room}'",
            ben.uid.as_uuid(),
        ))
        .await;
    world.advance_to(61_000).await;
    world.run("vacuum analyze messages".to_owned()).await;
    for (person, seconds, expected) in [
        (&ada, 0, 1_000),
        (&ada, 30_000, 30_000),
        (&ada, 30_001, 30_010),
        (&ada, 70_000, 0),
        (&ben, 30_030, 30_030),
        // He was not there then: the next of his stays.
        (&ben, 30_100, 30_600),
    ] {
        let buffers = buffers(&world, person, room, seconds * 1000).await;
        let path = format!("/history/conversations/{room}/messages?limit=1&around_at={}", Timestamp(seconds * 1000));
        let page: Messages = world.get(person, &path).await.ok();
        assert_eq!(seqs(&page), if expected == 0 { vec![] } else { vec![expected as u64] });
        assert!(buffers < 300, "{buffers} buffers for {} at {seconds}", person.handle);
    }
}
