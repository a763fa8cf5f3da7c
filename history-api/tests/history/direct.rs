//! `/history/direct`.

use natter_protocol::ErrorCode;
use natter_protocol::history::{MessageItem, Page};

use crate::log::direct;
use crate::world::{Person, World};

async fn texts(world: &World, person: &Person, query: &str) -> Vec<String> {
    let page: Page<MessageItem> = world.get(person, &format!("/history/direct?{query}")).await.ok();
    page.items.into_iter().map(|item| item.text).collect()
}

#[tokio::test]
async fn a_direct_conversation_is_found_by_its_people_in_any_order() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    world.say(&[&ada, &bob], "two").await;
    world.say(&[&ada, &bob, &eve], "three").await;
    world.say(&[&ada], "one").await;
    for query in ["participants=bob", "participants=ada,bob", "participants=bob,ada", "participants=bob,bob,ada"] {
        assert_eq!(texts(&world, &ada, query).await, ["two"], "{query}");
    }
    for query in ["participants=bob,eve", "participants=eve,ada,bob"] {
        assert_eq!(texts(&world, &ada, query).await, ["three"], "{query}");
    }
    assert_eq!(texts(&world, &ada, "participants=ada").await, ["one"]);
    assert_eq!(texts(&world, &eve, "participants=ada,bob").await, ["three"], "the caller is always one of them");
}

#[tokio::test]
async fn people_who_have_not_spoken_yet_have_an_empty_page() {
    let world = World::new().await;
    let (ada, _bob) = (world.person("ada").await, world.person("bob").await);
    let page: Page<MessageItem> = world.get(&ada, "/history/direct?participants=bob").await.ok();
    assert_eq!((page.items.len(), page.next, page.position), (0, None, world.position(2)));
}

#[tokio::test]
async fn it_has_the_windows_and_cursors_of_the_same_conversation_by_id() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let mut said = Vec::new();
    for n in 0..9 {
        said.push(world.say(&[&ada, &bob], &*format!("{n}")).await);
    }
    assert_eq!(texts(&world, &ada, &format!("participants=bob&limit=2&before={}", said[4])).await, ["2", "3"]);
    assert_eq!(texts(&world, &ada, &format!("participants=bob&limit=2&after={}", said[4])).await, ["5", "6"]);
    assert_eq!(texts(&world, &ada, &format!("participants=bob&limit=2&around={}", said[4])).await, ["3", "4"]);
    let path = format!("/history/conversations/{}/messages?limit=4", direct(&[&ada, &bob]));
    let page: Page<MessageItem> = world.get(&ada, &path).await.ok();
    let query = format!("participants=bob&limit=4&cursor={}", page.next.unwrap());
    assert_eq!(texts(&world, &ada, &query).await, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_handle_that_is_nobodys_is_an_unknown_user() {
    let world = World::new().await;
    let (ada, _bob) = (world.person("ada").await, world.person("bob").await);
    for query in ["participants=nobody", "participants=bob,nobody", "participants=ada,nobody"] {
        world.get(&ada, &format!("/history/direct?{query}")).await.is_problem(404, ErrorCode::UnknownUser);
    }
}

#[tokio::test]
async fn participants_that_are_missing_malformed_or_too_many_are_refused() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for query in [
        "",
        "participants=",
        "participants=,",
        "participants=bob,",
        "participants=Bob",
        "participants=%00",
        "participants=bob'--",
        "participants=bob&participants=ada",
        "participants=bob&limit=0",
        "participants=bob&before=x",
    ] {
        world.get(&ada, &format!("/history/direct?{query}")).await.is_problem(400, ErrorCode::Invalid);
    }
    let many: Vec<_> = (0..40).map(|n| format!("p{n}")).collect();
    let query = format!("/history/direct?participants={}", many.join(","));
    world.get(&ada, &query).await.is_problem(413, ErrorCode::TooLarge);
}
