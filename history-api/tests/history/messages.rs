//! `/history/conversations/{id}/messages`.

use natter_protocol::ErrorCode;
use natter_protocol::history::{MessageItem, Page};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::log::{Words, at_ms, direct};
use crate::world::{Person, World};

type Messages = Page<MessageItem>;

fn seqs(page: &Messages) -> Vec<u64> {
    page.items.iter().map(|item| item.seq).collect()
}

#[tokio::test]
async fn hst3_a_message_carries_what_its_event_carried() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let first = world.say(&[&ada, &bob], "hello").await;
    let words =
        Words { reply_to: Some(first), metadata: Some(r#"{"k": [1, null]}"#.into()), ..Words::from("héllo\n🎈") };
    let id = words.id;
    let second = world.say(&[&bob, &ada], words).await;
    let conversation = direct(&[&ada, &bob]);

    let page: Messages = world.get(&ada, &format!("/history/conversations/{conversation}/messages")).await.ok();

    assert_eq!(seqs(&page), [first, second]);
    assert_eq!((page.next, page.position), (None, world.position(second)));
    let item = &page.items[1];
    assert_eq!((item.conversation, item.sender.as_str(), item.id), (conversation, "bob", id));
    assert_eq!((item.text.as_str(), item.reply_to, item.at.0), ("héllo\n🎈", Some(first), at_ms(second)));
    assert_eq!(item.metadata, Some(serde_json::json!({"k": [1, null]})));
}

#[tokio::test]
async fn what_an_erasure_took_is_empty_and_the_rest_is_there() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let seq = world.say(&[&bob, &ada], Words { text: None, ..Words::from("") }).await;
    world.run(format!("update users set handle = null, erased = true where uid = '{}'", bob.uid.as_uuid())).await;

    let path = format!("/history/conversations/{}/messages", direct(&[&ada, &bob]));
    let page: Messages = world.get(&ada, &path).await.ok();

    assert_eq!(seqs(&page), [seq]);
    assert_eq!((page.items[0].sender.as_str(), page.items[0].text.as_str()), ("erased-user", ""));
}

#[tokio::test]
async fn a_window_is_before_after_or_around_a_seq_and_ascending() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let mut said = Vec::new();
    for n in 0..10 {
        said.push(world.say(&[&ada, &bob], &*format!("{n}")).await);
    }
    let get = async |query: String| -> Messages {
        world.get(&bob, &format!("/history/conversations/{}/messages?{query}", direct(&[&ada, &bob]))).await.ok()
    };

    for (query, expected, more) in [
        ("limit=3".to_owned(), &said[7..], true),
        (format!("limit=3&before={}", said[5]), &said[2..5], true),
        (format!("limit=3&before={}", said[3]), &said[..3], false),
        (format!("limit=3&before={}", said[0]), &[], false),
        ("before=0".to_owned(), &[], false),
        (format!("limit=3&after={}", said[5]), &said[6..9], true),
        (format!("limit=3&after={}", said[6]), &said[7..], false),
        ("limit=3&after=0".to_owned(), &said[..3], true),
        (format!("after={}", (1u64 << 53) - 1), &[], false),
        (format!("limit=4&around={}", said[5]), &said[3..7], true),
        (format!("limit=5&around={}", said[5]), &said[3..8], true),
        (format!("limit=1&around={}", said[5]), &said[5..6], true),
        (format!("limit=4&around={}", said[9]), &said[7..], false),
        ("limit=4&around=0".to_owned(), &said[..2], true),
    ] {
        let page = get(query.clone()).await;
        assert_eq!((seqs(&page).as_slice(), page.next.is_some()), (expected, more), "{query}");
    }
}

#[tokio::test]
async fn a_seq_of_another_conversation_is_as_good_a_place_as_any() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    let first = world.say(&[&ada, &bob], "1").await;
    let other = world.say(&[&ada, &eve], "x").await;
    let last = world.say(&[&ada, &bob], "2").await;
    let path = format!("/history/conversations/{}/messages?around={other}", direct(&[&ada, &bob]));
    assert_eq!(seqs(&world.get(&ada, &path).await.ok()), [first, last]);
}

#[tokio::test]
async fn evt3_a_conversation_of_others_is_answered_as_one_that_does_not_exist() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    world.say(&[&ada, &bob], "secret").await;
    let theirs = direct(&[&ada, &bob]);
    let missing = direct(&[&bob, &eve]);
    for route in ["", "/messages", "/members", "/messages?around=1", "/messages?after=0&limit=200"] {
        let mut refused = world.get(&eve, &format!("/history/conversations/{theirs}{route}")).await;
        let mut absent = world.get(&eve, &format!("/history/conversations/{missing}{route}")).await;
        refused.is_problem(404, ErrorCode::NotFound);
        for varying in ["date", "x-request-id"] {
            refused.headers.remove(varying);
            absent.headers.remove(varying);
        }
        assert_eq!(
            (refused.status, refused.body, refused.headers),
            (absent.status, absent.body, absent.headers),
            "{route}"
        );
    }
}

/// A conversation between two with `count` messages, and another one in between.
async fn conversation(world: &World, people: (&Person, &Person), other: &Person, count: usize) -> Vec<u64> {
    let mut said = Vec::new();
    for n in 0..count {
        said.push(world.say(&[people.0, people.1], &*format!("{n}")).await);
        if n % 3 == 0 {
            world.say(&[people.0, other], "elsewhere").await;
        }
    }
    said
}

#[test]
fn hst1_paging_through_everything_in_either_direction_has_no_hole_and_no_repeat() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = runtime.block_on(World::with(|config| config.queries.count = 1_000_000.try_into().unwrap()));
    let (ada, bob, eve) =
        runtime.block_on(async { (world.person("ada").await, world.person("bob").await, world.person("eve").await) });
    let said = runtime.block_on(conversation(&world, (&ada, &bob), &eve, 210));
    // In several partitions, as after some months.
    let (first, second) = (said[80], said[150]);
    runtime.block_on(world.run(format!(
        "begin;
         alter table messages detach partition messages_from_0;
         create table messages_a partition of messages for values from (minvalue) to ({first});
         create table messages_b partition of messages for values from ({first}) to ({second});
         create table messages_c partition of messages for values from ({second}) to (maxvalue);
         insert into messages select * from messages_from_0;
         commit;
         grant select on all tables in schema public to public;"
    )));
    let path = format!("/history/conversations/{}/messages", direct(&[&ada, &bob]));

    let from = prop_oneof![Just(None), (0..said.len()).prop_map(Some)];
    let strategy = (any::<bool>(), from, prop::collection::vec(prop_oneof![1u32..8, 8u32..=200], 300));
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(back, from, limits)| {
        let (place, expected) = match (back, from) {
            (true, None) => (String::new(), said.clone()),
            (true, Some(n)) => (format!("&before={}", said[n]), said[..n].to_vec()),
            (false, None) => ("&after=0".to_owned(), said.clone()),
            (false, Some(n)) => (format!("&after={}", said[n]), said[n + 1..].to_vec()),
        };
        let seen = runtime.block_on(async {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            for limit in &limits {
                let page: Messages = world.get(&bob, &format!("{path}?limit={limit}{place}{cursor}")).await.ok();
                assert!(page.items.len() <= *limit as usize);
                let page_seqs = seqs(&page);
                seen = if back { [page_seqs, seen].concat() } else { [seen, page_seqs].concat() };
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
async fn hst1_the_pages_after_one_around_a_message_go_on_to_the_newest() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    let said = conversation(&world, (&ada, &bob), &eve, 20).await;
    let path = format!("/history/conversations/{}/messages?around={}&limit=4", direct(&[&ada, &bob]), said[10]);
    let mut page: Messages = world.get(&ada, &path).await.ok();
    let mut seen = seqs(&page);
    while let Some(next) = &page.next {
        page = world.get(&ada, &format!("{path}&cursor={next}")).await.ok();
        seen.extend(seqs(&page));
    }
    assert_eq!(seen, said[8..]);
}

#[tokio::test]
async fn hst1_a_cursor_of_another_query_is_invalid() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    let said = conversation(&world, (&ada, &bob), &eve, 10).await;
    let path = format!("/history/conversations/{}/messages?limit=2", direct(&[&ada, &bob]));
    let page: Messages = world.get(&ada, &path).await.ok();
    let cursor = page.next.unwrap();
    let elsewhere = format!("/history/conversations/{}/messages?limit=2", direct(&[&ada, &eve]));
    for (person, other) in [
        (&bob, path.clone()),
        (&ada, elsewhere),
        (&ada, format!("{path}&before={}", said[9])),
        (&ada, format!("{path}&after=0")),
        (&ada, "/history/conversations?".to_owned()),
    ] {
        world.get(person, &format!("{other}&cursor={cursor}")).await.is_problem(400, ErrorCode::Invalid);
    }
    let other_size: Messages = world.get(&ada, &format!("{path}0&cursor={cursor}")).await.ok();
    assert_eq!(seqs(&other_size), said[..8]);
}
