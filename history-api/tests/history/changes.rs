//! `/history/changes`: the socket's frames, for those who were away.

use natter_protocol::history::Page;
use natter_protocol::{ErrorCode, Position};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::log::{Words, direct};
use crate::world::{EPOCH, Person, World};

async fn since(world: &World, person: &Person, after: Position) -> Page<Value> {
    world.get(person, &format!("/history/changes?after={after}")).await.ok()
}

fn seqs(page: &Page<Value>) -> Vec<u64> {
    page.items.iter().map(|frame| frame["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn changes_are_the_frames_of_the_socket() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let words = Words { metadata: Some(r#"{"a":1}"#.into()), ..Words::from("hello") };
    let id = words.id;
    let said = world.say(&[&bob, &ada], words).await;
    let conversation = direct(&[&ada, &bob]);
    let reply = world.say(&[&ada, &bob], Words { reply_to: Some(said), ..Words::from("hi") }).await;
    let marked = world.mark(&bob, conversation, reply).await;

    let page = since(&world, &ada, Position::start(EPOCH)).await;

    let frame = |n: usize, key: &str| page.items[n][key].clone();
    assert_eq!((seqs(&page), page.position, &page.next), (vec![said, reply, marked], world.position(marked), &None));
    let at = |seq| natter_protocol::Timestamp(crate::log::at_ms(seq)).to_string();
    assert_eq!(
        page.items[0],
        json!({
            "type": "message", "seq": said, "position": frame(0, "position"), "conversation": conversation,
            "participants": ["ada", "bob"], "sender": "bob", "id": id, "text": "hello", "mentions": [],
            "metadata": {"a": 1}, "at": at(said),
        })
    );
    assert_eq!((frame(1, "reply_to"), frame(1, "sender")), (json!(said), json!("ada")));
    assert_eq!(
        page.items[2],
        json!({
            "type": "marker", "seq": marked, "position": frame(2, "position"), "conversation": conversation,
            "user": "bob", "read": reply, "at": at(marked),
        })
    );
    for (n, seq) in [said, reply, marked].into_iter().enumerate() {
        let position: Position = serde_json::from_value(frame(n, "position")).unwrap();
        assert_eq!((position.epoch, position.seq), (EPOCH, seq));
        let rest = since(&world, &ada, position).await;
        assert_eq!(seqs(&rest), [said, reply, marked][n + 1..], "a frame's position is one to go on from");
    }
}

#[tokio::test]
async fn evt3_changes_of_others_are_not_among_them() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    world.say(&[&ada, &bob], "secret").await;
    world.mark(&bob, direct(&[&ada, &bob]), 4).await;
    let own = world.say(&[&eve], "to myself").await;
    let all = world.say(&[&ada, &bob, &eve], "all").await;
    world.say(&[&bob, &ada], "secret").await;
    let last = world.something_else().await;
    let page = since(&world, &eve, Position::start(EPOCH)).await;
    assert_eq!((seqs(&page), page.position), (vec![own, all], world.position(last)));
}

#[tokio::test]
async fn what_is_for_one_person_alone_reaches_no_other() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let said = world.say(&[&ada, &bob], "hello").await;
    let conversation = direct(&[&ada, &bob]);
    let marked = world.mark(&ada, conversation, said).await;
    world.run(format!("update changes set only_for = '{}' where seq = {marked}", ada.uid.as_uuid())).await;
    assert_eq!(seqs(&since(&world, &ada, Position::start(EPOCH)).await), [said, marked]);
    assert_eq!(seqs(&since(&world, &bob, Position::start(EPOCH)).await), [said]);
}

#[test]
fn hst1_following_changes_from_anywhere_has_no_hole_and_no_repeat() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = runtime.block_on(World::with(|config| config.queries.count = 1_000_000.try_into().unwrap()));
    let (ada, seen_by_ada) = runtime.block_on(async {
        let ada = world.person("ada").await;
        let mut others = Vec::new();
        for n in 0..5 {
            others.push(world.person(&format!("p{n}")).await);
        }
        let mut seen = Vec::new();
        for n in 0..150usize {
            let other = &others[n % 5];
            match n % 7 {
                0 => drop(world.say(&[other, &others[(n + 1) % 5]], "not ada's").await),
                1 => drop(world.something_else().await),
                2 if n > 20 => seen.push(world.mark(other, direct(&[&ada, other]), n as u64).await),
                _ => seen.push(world.say(&[other, &ada], "hello").await),
            }
        }
        (ada, seen)
    });
    let head = world.next() - 1;

    let strategy = (0..=head, prop::collection::vec(prop_oneof![1u32..6, 6u32..=200], 200));
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(from, limits)| {
        let expected: Vec<_> = seen_by_ada.iter().copied().filter(|seq| *seq > from).collect();
        let after = Position { seq: from, ..Position::start(EPOCH) };
        let seen = runtime.block_on(async {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            for limit in &limits {
                let path = format!("/history/changes?after={after}&limit={limit}{cursor}");
                let page: Page<Value> = world.get(&ada, &path).await.ok();
                assert!(page.items.len() <= *limit as usize);
                seen.extend(seqs(&page));
                match page.next {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            seen
        });
        prop_assert_eq!(seen, expected);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[tokio::test]
async fn changes_are_found_however_far_they_lie_apart() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let mut said = Vec::new();
    for far in [10, 9_000, 10_001, 250_000, 250_001, 7_000_000] {
        world.seq.store(far, std::sync::atomic::Ordering::SeqCst);
        said.push(world.say(&[&ada, &bob], "hello").await);
    }
    world.seq.store(30_000_000, std::sync::atomic::Ordering::SeqCst);
    let head = world.something_else().await;
    let page = since(&world, &ada, Position::start(EPOCH)).await;
    assert_eq!((seqs(&page), page.next, page.position), (said.clone(), None, world.position(head)));
    for limit in 1..=6 {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/history/changes?after={}&limit={limit}{cursor}", Position::start(EPOCH));
            let page: Page<Value> = world.get(&ada, &path).await.ok();
            seen.extend(seqs(&page));
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, said, "in pages of {limit}");
    }
}

#[tokio::test]
async fn changes_before_what_is_kept_are_gone() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let first = world.say(&[&ada, &bob], "1").await;
    let second = world.say(&[&ada, &bob], "2").await;
    world.run(format!("update changes_kept set after_seq = {first}")).await;
    let gone = world.get(&ada, &format!("/history/changes?after={}", Position::start(EPOCH))).await;
    gone.is_problem(410, ErrorCode::NotFound);
    assert!(gone.detail().starts_with("too_old:"), "{}", gone.detail());
    assert_eq!(seqs(&since(&world, &ada, world.position(first)).await), [second]);
}

#[tokio::test]
async fn changes_after_a_position_of_another_log_are_gone() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let seq = world.say(&[&ada, &bob], "1").await;
    let here = world.position(seq);
    for other in [
        Position { epoch: 7, ..here },
        Position { epoch: 7, seq: 1_000_000, ..here },
        Position { tag: natter_events::Tag(here.tag.0 ^ 1), ..here },
    ] {
        let gone = world.get(&ada, &format!("/history/changes?after={other}")).await;
        gone.is_problem(410, ErrorCode::NotFound);
        assert!(gone.detail().starts_with("other_log:"), "{}", gone.detail());
    }
}

#[tokio::test]
async fn changes_after_a_position_ahead_are_waited_for_and_then_unavailable() {
    let world = World::with(|config| config.position_timeout = std::time::Duration::from_millis(50)).await;
    let ada = world.person("ada").await;
    let answer = world.get(&ada, &format!("/history/changes?after={}", world.position(50))).await;
    answer.is_problem(503, ErrorCode::Unavailable);
    let now = world.get(&ada, &format!("/history/changes?after={}", world.position(1))).await;
    assert_eq!(now.ok::<Page<Value>>().items.len(), 0);
}

#[tokio::test]
async fn changes_after_nothing_or_nonsense_are_refused() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let good = world.position(1);
    for query in [
        "",
        "after=",
        "after=0",
        "after=x",
        "after=%00",
        "after='--",
        &format!("after={good}A"),
        &format!("after={good}&after={good}"),
        &format!("after={good}&limit=201"),
        &format!("after={good}&cursor=AAAA"),
    ] {
        world.get(&ada, &format!("/history/changes?{query}")).await.is_problem(400, ErrorCode::Invalid);
    }
}
