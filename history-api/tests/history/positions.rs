//! `Natter-Min-Position`: an answer at a position or later.

use std::time::{Duration, Instant};

use natter_protocol::history::{ConversationItem, MessageItem, Page};
use natter_protocol::{ErrorCode, MIN_POSITION_HEADER, Position};
use natter_testkit::eventually;

use crate::log::Words;
use crate::world::{DEADLINE, EPOCH, Person, World};

const PATH: &str = "/history/direct?participants=bob";

#[tokio::test]
async fn hst2_a_position_that_was_reached_is_answered_at_once() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let seq = world.say(&[&ada, &bob], "hello").await;
    for position in [world.position(seq), world.position(1), Position::start(EPOCH)] {
        let page: Page<MessageItem> = world.get_at(&ada, PATH, &position.to_string()).await.ok();
        assert_eq!((page.items.len(), page.position), (1, world.position(seq)));
    }
}

#[tokio::test]
async fn hst2_a_position_ahead_is_waited_for() {
    let world = World::with(|config| config.position_timeout = DEADLINE).await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let seq = world.next();
    let position = world.position(seq).to_string();
    let reads = pages_of(&world, &ada, &position);
    let write = async {
        someone_waits(&world).await;
        world.write_message(&[&ada, &bob], Words::from("late"), seq).await;
        world.advance_to(seq).await;
    };
    let (pages, ()) = tokio::join!(reads, write);
    for page in pages {
        assert_eq!((page.items[0].seq, page.position), (seq, world.position(seq)));
    }
}

#[tokio::test]
async fn hst2_someone_who_is_not_known_yet_is_waited_for_too() {
    let world = World::with(|config| config.position_timeout = DEADLINE).await;
    let ada = world.person("ada").await;
    let position = world.position(2).to_string();
    let register = async {
        someone_waits(&world).await;
        world.person("bob").await
    };
    let (answer, _) = tokio::join!(world.get_at(&ada, PATH, &position), register);
    assert_eq!(answer.ok::<Page<MessageItem>>().position, world.position(2));
}

/// Waits until a request has seen that it is too early, and asks PostgreSQL for the position again.
async fn someone_waits(world: &World) {
    eventually("a request waits for a position", DEADLINE, async || {
        let last: Vec<(String,)> = sqlx::query_as(
            "select query from pg_stat_activity where datname = current_database() and application_name = 'natter-history-api'",
        )
        .fetch_all(&world.sql)
        .await
        .unwrap();
        if last.iter().any(|(query,)| query.starts_with("select seq from projector")) { Ok(()) } else { Err(last) }
    })
    .await;
}

/// The pages of twenty requests that are under way at once.
async fn pages_of(world: &World, ada: &Person, position: &str) -> Vec<Page<MessageItem>> {
    let mut pages = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let request = world.request(ada, PATH).header(MIN_POSITION_HEADER, position);
        tasks.spawn(async move { request.send().await.unwrap().json().await.unwrap() });
    }
    while let Some(page) = tasks.join_next().await {
        pages.push(page.unwrap());
    }
    pages
}

#[tokio::test]
async fn hst2_past_the_wait_it_is_unavailable_and_says_when_to_retry() {
    let world = World::with(|config| config.position_timeout = Duration::from_millis(200)).await;
    let (ada, _bob) = (world.person("ada").await, world.person("bob").await);
    let position = world.position(100).to_string();
    for path in [PATH, "/history/conversations", "/history/users/bob"] {
        let started = Instant::now();
        let answer = world.get_at(&ada, path, &position).await;
        answer.is_problem(503, ErrorCode::Unavailable);
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(started.elapsed() >= Duration::from_millis(200), "it did not wait: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn hst2_waiting_requests_are_bounded() {
    let world = World::with(|config| config.position_waiters = 0).await;
    let (ada, _bob) = (world.person("ada").await, world.person("bob").await);
    let answer = world.get_at(&ada, PATH, &world.position(100).to_string()).await;
    answer.is_problem(503, ErrorCode::Unavailable);
    assert!(answer.detail().contains("too many"), "{}", answer.detail());
}

#[tokio::test]
async fn hst2_a_position_of_another_log_is_a_conflict() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let seq = world.say(&[&ada, &bob], "hello").await;
    let here = world.position(seq);
    for other in [
        Position { epoch: EPOCH + 1, ..here },
        Position { epoch: EPOCH + 1, seq: seq + 100, ..here },
        Position::start(EPOCH + 1),
        Position { tag: natter_events::Tag(here.tag.0 ^ 1), ..here },
    ] {
        world.get_at(&ada, PATH, &other.to_string()).await.is_problem(409, ErrorCode::Conflict);
    }
}

#[tokio::test]
async fn hst2_a_malformed_position_is_refused() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let good = world.position(1).to_string();
    for bad in ["", "0", "17", "'; --", &good[1..], &format!("{good}A"), &"A".repeat(8_000)] {
        world.get_at(&ada, "/history/conversations", bad).await.is_problem(400, ErrorCode::Invalid);
    }
    let twice = world.request(&ada, "/history/conversations").header(MIN_POSITION_HEADER, &good);
    let twice = twice.header(MIN_POSITION_HEADER, &good).send().await.unwrap();
    assert_eq!(twice.status(), 400);
}

#[tokio::test]
async fn hst1_a_page_is_true_at_its_position() {
    let world = World::with(|config| config.queries.count = 1_000_000.try_into().unwrap()).await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    world.say(&[&ada, &bob], "first").await;
    // Rows and position change together, as the projector changes them; every page sees both or neither.
    let writing = async {
        for n in 0_u64.. {
            let seq = world.next();
            let statement = format!(
                "begin;
                 insert into messages (seq, at, ordinal, conversation, sender, id, text)
                 select {seq}, now(), {n} + 2, id, '{}', gen_random_uuid(), 'more' from conversations;
                 update conversations set last_seq = {seq}, last_ordinal = last_ordinal + 1;
                 update projector set seq = {seq};
                 commit;",
                ada.uid.as_uuid()
            );
            world.run(statement).await;
        }
    };
    let reading = async {
        let mut positions = std::collections::BTreeSet::new();
        while positions.len() < 12 {
            let page: Page<MessageItem> =
                world.get(&bob, &format!("{}&limit=1", PATH.replace("bob", "ada"))).await.ok();
            assert_eq!(page.items[0].seq, page.position.seq);
            let list: Page<ConversationItem> = world.get(&bob, "/history/conversations").await.ok();
            let item = &list.items[0];
            assert_eq!(item.last_message.as_ref().unwrap().seq, list.position.seq);
            assert_eq!(item.unread, list.position.seq - 2);
            positions.insert(list.position.seq);
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => unreachable!("nothing ends the writing"),
        () = tokio::time::sleep(DEADLINE) => panic!("the pages never came at twelve positions"),
    }
}
