//! `/history/search`.

use std::sync::atomic::Ordering;

use natter_protocol::ErrorCode;
use natter_protocol::history::{MessageItem, Page};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::log::{Words, direct};
use crate::world::{Person, World};

/// How much of the log is in one stretch of the index.
const STRETCH: u64 = 1 << 16;

/// A search for these words, whatever they are.
fn asking(words: &str) -> String {
    let escaped: String = words.bytes().map(|byte| format!("%{byte:02x}")).collect();
    format!("/history/search?q={escaped}")
}

/// The seqs of all pages, as they come.
async fn found(world: &World, person: &Person, query: &str) -> Vec<u64> {
    let (mut seqs, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: Page<MessageItem> = world.get(person, &format!("/history/search?{query}{cursor}")).await.ok();
        seqs.extend(page.items.iter().map(|item| item.seq));
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seqs,
        }
    }
}

#[tokio::test]
async fn messages_are_found_by_the_beginnings_of_all_words_newest_first() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let first = world.say(&[&ada, &bob], "Meet me at the HARBOUR, at seven!").await;
    let second = world.say(&[&bob, &ada], "which harbour-side? Été 2026 (natter.example/map_7)").await;
    let endless = world.say(&[&bob, &ada], &*format!("{} end {}", "Z".repeat(3_000), "word ".repeat(900))).await;
    for (query, expected) in [
        ("q=harbour", vec![second, first]),
        ("q=HaRb", vec![second, first]),
        ("q=seven+harbour", vec![first]),
        ("q=harbour,%20which?", vec![second]),
        ("q=%C3%A9t%C3%A9+2026", vec![second]),
        ("q=%C3%89T", vec![second]),
        ("q=natter+map+7", vec![second]),
        ("q=side", vec![second]),
        ("q=zzzz+end", vec![endless]),
        (&format!("q={}", "z".repeat(100)), vec![endless]),
        ("q=arbour", vec![]),
        ("q=harbour+nowhere", vec![]),
        ("q=harbour&from=ada", vec![first]),
        ("q=harbour&from=nobody-here", vec![]),
        (&format!("q=harbour&before={second}"), vec![first]),
        (&format!("q=harbour&before={first}"), vec![]),
        ("q=harbour&before=0", vec![]),
        (&format!("q=harbour&conversation={}", direct(&[&ada, &bob])), vec![second, first]),
        (&format!("q=harbour&from=bob&conversation={}", direct(&[&ada, &bob])), vec![second]),
    ] {
        assert_eq!(found(&world, &ada, query).await, expected, "{query}");
    }
    let searched: Page<MessageItem> = world.get(&bob, "/history/search?q=harbour").await.ok();
    let path = format!("/history/conversations/{}/messages?before={endless}", direct(&[&ada, &bob]));
    let mut read: Page<MessageItem> = world.get(&bob, &path).await.ok();
    read.items.reverse();
    assert_eq!(searched.items, read.items, "an item is the same as in a page of messages");
    assert_eq!((searched.next, searched.position), (None, read.position));
}

#[tokio::test]
async fn evt3_what_others_say_is_never_found() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    let secret = world.say(&[&ada, &bob], "secret").await;
    let mine = world.say(&[&eve, &bob], "no secret").await;
    let private = world.room(&ada, "cellar", "private").await;
    let public = world.room(&ada, "harbour", "public").await;
    let below = world.say_in(private, &ada, "secret").await;
    let above = world.say_in(public, &ada, "secret").await;
    assert_eq!(found(&world, &eve, "q=secret").await, [mine]);
    assert_eq!(found(&world, &eve, "q=secret&from=ada").await, Vec::<u64>::new());
    assert_eq!(found(&world, &ada, "q=secret").await, [above, below, secret]);
    for conversation in [direct(&[&ada, &bob]).to_string(), private.to_string(), "nothing".to_owned()] {
        let path = format!("/history/search?q=secret&conversation={conversation}");
        world.get(&eve, &path).await.is_problem(404, ErrorCode::NotFound);
    }
    let path = format!("/history/search?q=secret&conversation={public}");
    world.get(&eve, &path).await.is_problem(403, ErrorCode::NotMember);
}

#[tokio::test]
async fn evt3_who_comes_and_goes_finds_what_they_could_read() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "harbour", "private").await;
    world.say_in(room, &ada, "boat before").await;
    world.joins(&ben, room).await;
    let heard = world.say_in(room, &ada, "boat while there").await;
    let reply = world.reply_in(room, &ada, heard, "boat in a thread").await;
    world.leaves(&ben, room).await;
    world.say_in(room, &ada, "boat after").await;
    world.reply_in(room, &ada, heard, "boat in the thread after").await;
    assert_eq!(found(&world, &ben, "q=boat").await, [reply, heard], "who left finds what they heard");
    assert_eq!(found(&world, &ben, &format!("q=boat&conversation={room}")).await, [reply, heard]);
    world.joins(&ben, room).await;
    let again = world.say_in(room, &ada, "boat again").await;
    assert_eq!(found(&world, &ben, "q=boat").await, [again, reply, heard]);
    world.becomes(room, "public").await;
    let open = world.say_in(room, &ada, "boat for all").await;
    world.becomes(room, "private").await;
    let eve = world.person("eve").await;
    world.joins(&eve, room).await;
    assert_eq!(found(&world, &eve, "q=boat").await, [open], "said while it was public");
    world.leaves(&eve, room).await;
    assert_eq!(found(&world, &eve, "q=boat").await, Vec::<u64>::new(), "for its members alone");
}

#[tokio::test]
async fn a_message_is_found_by_what_it_says_now_and_a_deleted_one_by_nothing() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "harbour", "private").await;
    world.joins(&ben, room).await;
    let message = world.say_in(room, &ada, "the ship").await;
    world.edit_in(room, message, "the boat").await;
    for person in [&ada, &ben] {
        assert_eq!(found(&world, person, "q=boat").await, [message]);
        assert_eq!(found(&world, person, "q=ship").await, Vec::<u64>::new());
    }
    world.leaves(&ben, room).await;
    world.edit_in(room, message, "the whale").await;
    assert_eq!(found(&world, &ada, "q=whale").await, [message]);
    // What ben's page shows is the boat still, and of the whale he knows nothing.
    assert_eq!(found(&world, &ben, "q=whale").await, Vec::<u64>::new());
    world.delete_in(room, message).await;
    for query in ["q=ship", "q=boat", "q=whale", "q=the"] {
        assert_eq!(found(&world, &ada, query).await, Vec::<u64>::new(), "{query}");
    }
    world.say(&[&ben, &ada], Words { text: None, ..Words::from("") }).await;
    assert_eq!(found(&world, &ada, "q=the&from=ben").await, Vec::<u64>::new(), "nothing is left of who was erased");
}

#[tokio::test]
async fn hst1_a_search_comes_in_pages_of_any_size() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    let mut said = Vec::new();
    for n in 0..40 {
        // Over some stretches of the log, with nothing in most.
        world.seq.fetch_add(if n % 10 == 0 { 7 * STRETCH } else { STRETCH / 7 }, Ordering::SeqCst);
        said.push(world.say(&[&ada, &bob], &*format!("found {n}")).await);
        world.say(&[&ada, &bob], "something else").await;
        world.say(&[&bob, &eve], "found by others").await;
    }
    said.reverse();
    for limit in [1, 3, 39, 40, 41, 200] {
        assert_eq!(found(&world, &ada, &format!("q=found&limit={limit}")).await, said, "pages of {limit}");
    }
    for n in [0, 1, 17, 39] {
        assert_eq!(found(&world, &ada, &format!("q=found&limit=7&before={}", said[n])).await, said[n + 1..]);
    }
    let page: Page<MessageItem> = world.get(&ada, "/history/search?q=found&limit=1").await.ok();
    let next = page.next.unwrap();
    for other in ["q=something", "q=found&from=ada", "q=found&before=9", "q=founds"] {
        let path = format!("/history/search?{other}&limit=1&cursor={next}");
        world.get(&ada, &path).await.is_problem(400, ErrorCode::Invalid);
    }
}

#[tokio::test]
async fn a_page_looks_only_so_far_and_the_next_one_goes_on() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let first = world.say(&[&ada, &bob], "long ago").await;
    world.seq.fetch_add(300 * STRETCH, Ordering::SeqCst);
    world.say(&[&ada, &bob], "just now").await;
    let page: Page<MessageItem> = world.get(&ada, "/history/search?q=ago").await.ok();
    assert!(page.items.is_empty() && page.next.is_some(), "{page:?}");
    assert_eq!(found(&world, &ada, "q=ago").await, [first]);
}

#[tokio::test]
async fn hostile_words_are_words_or_refused() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let seq = world.say(&[&ada, &bob], "it's a test").await;
    for good in [
        "it's",
        "'test'",
        "test:*",
        "test | nothing-else",
        "!test",
        "(test",
        "test <-> a",
        "\\test\\",
        "%test",
        "te:ABCD",
    ] {
        let answer = world.request(&ada, &asking(good)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{good}");
        let page: Page<MessageItem> = answer.json().await.unwrap();
        let expected = if good.contains("nothing") || good.contains("ABCD") { vec![] } else { vec![seq] };
        assert_eq!(page.items.iter().map(|item| item.seq).collect::<Vec<_>>(), expected, "{good}");
    }
    for bad in ["", " ", "'", "&|!()<->:*", "\0", &"x".repeat(2_500), &"x ".repeat(1_200), &"a ".repeat(11)] {
        let answer = world.request(&ada, &asking(bad)).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{bad:.20}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "invalid");
        assert!(problem["detail"].as_str().unwrap().contains("`q`"), "{problem}");
    }
    for bad in [
        "",
        "q=a&from=%00",
        "q=a&from=A",
        "q=a&from=",
        "q=a&before=x",
        "q=a&before=9007199254740992",
        "q=a&q=b",
        "q=a&limit=0",
        "q=a&cursor=x",
    ] {
        world.get(&ada, &format!("/history/search?{bad}")).await.is_problem(400, ErrorCode::Invalid);
    }
}

/// What a search of the newest stretches reads, in the statement that the service runs with its settings: how many it finds,
/// the buffers, and the plan.
async fn reads(world: &World, person: &Person, words: &str, stretches: u32) -> (u64, u64, String) {
    let mut sql = PgConnection::connect_with(&world.sql.connect_options()).await.unwrap();
    sql.execute(
        "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
         set enable_mergejoin = off; set jit = off",
    )
    .await
    .unwrap();
    let statement = format!(
        "prepare search (uuid, uuid, timestamptz, int8, uuid, text, text, int8, int8, int8, int8) as {}",
        natter_history_api::SEARCH_STATEMENT
    );
    sql.execute(AssertSqlSafe(statement)).await.unwrap();
    let (uid, nobody) = (person.uid.as_uuid(), uuid::Uuid::nil());
    let execute = format!(
        "execute search ('{uid}', '{nobody}', now(), 0, null, '{words}', null, {}, {stretches}, 10000, 51)",
        1u64 << 53
    );
    // Once before, so that what PostgreSQL reads of itself is not counted.
    let rows = sql.fetch_all(AssertSqlSafe(execute.clone())).await.unwrap();
    let found = rows.iter().filter(|row| row.get::<Option<bool>, _>("item") == Some(true)).count() as u64;
    let explain = format!("explain (analyze, buffers, timing off, format json) {execute}");
    let plan: Value = sql.fetch_one(AssertSqlSafe(explain)).await.unwrap().try_get(0).unwrap();
    let buffers = |name: &str| plan[0]["Plan"][name].as_u64().unwrap();
    (found, buffers("Shared Hit Blocks") + buffers("Shared Read Blocks"), plan.to_string())
}

#[tokio::test]
async fn a_search_for_a_common_word_in_a_long_log_reads_little_of_it() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    // Forty thousand messages over six hundred stretches say the same between two; eve is there for three of them, and in
    // more conversations than are looked for one by one is cas.
    let cas = world.person("cas").await;
    let (uid, theirs) = (ada.uid.as_uuid(), direct(&[&ada, &bob]));
    world.say(&[&ada, &bob], "hello").await;
    world
        .run(format!(
            "insert into messages (seq, at, ordinal, conversation, sender, id, text)
               select n * 1000, now(), n, '{theirs}', '{uid}', gen_random_uuid(),
                      'hello there' || case when n % 8000 = 0 then ' treasure' else '' end
               from generate_series(1, 40000) n;
             insert into participants select gen_random_uuid(), '{}' from generate_series(1, 40)",
            cas.uid.as_uuid()
        ))
        .await;
    for seq in [2_500, 20_000_500, 39_000_500] {
        world.seq.store(seq, Ordering::SeqCst);
        world.say(&[&eve, &bob], "hello you").await;
    }
    world.seq.store(40_000_001, Ordering::SeqCst);
    world.say(&[&cas, &bob], "hello from cas").await;
    world.run("vacuum analyze".to_owned()).await;
    for (person, words, stretches, expected, most) in [
        (&ada, "hello", 4, 51, 2_500),
        (&ada, "h t", 4, 51, 2_500),
        (&ada, "hello", 1_024, 51, 8_000),
        (&ada, "treasure", 1_024, 5, 8_000),
        (&ada, "hello treasure", 1_024, 5, 8_000),
        (&eve, "hello", 1_024, 3, 8_000),
        (&cas, "hello", 1_024, 1, 8_000),
        (&ada, "nothing", 1_024, 0, 8_000),
    ] {
        let (found, buffers, plan) = reads(&world, person, words, stretches).await;
        let asked = format!("{words} for {} in {stretches} stretches", person.handle);
        assert_eq!(found, expected, "{asked}");
        assert!(buffers < most, "{buffers} buffers: {asked}");
        // The key of messages is by conversation first: to look for seqs in it would be to read all of it.
        assert!(plan.contains("found_by") && !plan.contains("BitmapAnd"), "{plan}");
    }
}
