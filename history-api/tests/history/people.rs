//! `/history/users` and `/history/users/{handle}`.

use natter_protocol::ErrorCode;
use natter_protocol::history::{At, Page, UserItem};

use crate::world::{Person, World};

async fn found(world: &World, person: &Person, query: &str) -> Vec<String> {
    let page: Page<UserItem> = world.get(person, &format!("/history/users?{query}")).await.ok();
    page.items.into_iter().map(|item| item.user.to_string()).collect()
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_handle() {
    let world = World::new().await;
    let mut ada = None;
    for handle in ["ada", "ad", "adam", "ad-1", "ad_1", "bob", "zz", "zzz", "0a"] {
        let person = world.person(handle).await;
        if handle == "ada" {
            ada = Some(person);
        }
    }
    let ada = ada.unwrap();
    assert_eq!(found(&world, &ada, "prefix=ad").await, ["ad", "ad-1", "ad_1", "ada", "adam"]);
    assert_eq!(found(&world, &ada, "prefix=ad_").await, ["ad_1"], "an underscore is itself");
    assert_eq!(found(&world, &ada, "prefix=zz").await, ["zz", "zzz"]);
    assert_eq!(found(&world, &ada, "prefix=nobody").await, Vec::<String>::new());
    assert_eq!(found(&world, &ada, "").await, ["0a", "ad", "ad-1", "ad_1", "ada", "adam", "bob", "zz", "zzz"]);
}

#[tokio::test]
async fn hst1_people_come_page_after_page_by_handle() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for n in 0..30 {
        world.person(&format!("p{n:02}")).await;
    }
    for limit in [1, 7, 29, 30, 31, 200] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page: Page<UserItem> =
                world.get(&ada, &format!("/history/users?prefix=p&limit={limit}{cursor}")).await.ok();
            seen.extend(page.items.into_iter().map(|item| item.user.to_string()));
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, (0..30).map(|n| format!("p{n:02}")).collect::<Vec<_>>(), "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_person_is_shown_with_their_name_and_when_they_were_last_seen() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let seen: At<UserItem> = world.get(&ada, "/history/users/bob").await.ok();
    assert_eq!((seen.item.user, seen.item.display_name.as_str()), (bob.handle(), "The bob"));
    assert_eq!((seen.item.last_seen, seen.position), (None, world.position(2)));
    let uid = bob.uid.as_uuid();
    world.run(format!("insert into presence (uid, last_seen) values ('{uid}', '2026-09-21T14:13:20.123Z')")).await;
    world.run(format!("update users set display_name = null where uid = '{uid}'")).await;
    let seen: At<UserItem> = world.get(&ada, "/history/users/bob").await.ok();
    assert_eq!(seen.item.display_name, "bob", "without a name of their own people are called by their handle");
    assert_eq!(seen.item.last_seen.map(|at| at.to_string()).as_deref(), Some("2026-09-21T14:13:20.123Z"));
    let listed: Page<UserItem> = world.get(&ada, "/history/users?prefix=bo").await.ok();
    assert_eq!(listed.items, [seen.item]);
}

#[tokio::test]
async fn nobody_has_a_handle_that_is_free_malformed_or_erased() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    world.run(format!("update users set handle = null, erased = true where uid = '{}'", bob.uid.as_uuid())).await;
    for handle in ["nobody", "bob", "Ada", "a", "%00", "ada%00", "'; drop table users; --", &"a".repeat(33)] {
        world.get(&ada, &format!("/history/users/{handle}")).await.is_problem(404, ErrorCode::UnknownUser);
    }
    assert_eq!(found(&world, &ada, "").await, ["ada"]);
}

#[tokio::test]
async fn a_prefix_that_no_handle_can_begin_with_is_refused() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for prefix in ["A", "-", "a%25", "a'%20or%201=1--", "%00", "a%00", "%C3%A4", &"a".repeat(33)] {
        world.get(&ada, &format!("/history/users?prefix={prefix}")).await.is_problem(400, ErrorCode::Invalid);
    }
}

#[tokio::test]
async fn hst5_several_people_are_told_about_by_their_handles() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    world.run(format!("update users set handle = null, erased = true where uid = '{}'", eve.uid.as_uuid())).await;
    assert_eq!(found(&world, &ada, "handles=bob,ada,bob").await, ["ada", "bob"], "each once, by handle");
    assert_eq!(
        found(&world, &ada, "handles=nobody,bob,eve,erased-user").await,
        ["bob"],
        "whom nobody is called is left out"
    );
    assert_eq!(found(&world, &ada, "handles=nobody").await, Vec::<String>::new());
    let listed: Page<UserItem> = world.get(&ada, "/history/users?handles=bob").await.ok();
    let alone: At<UserItem> = world.get(&ada, &format!("/history/users/{}", bob.handle)).await.ok();
    assert_eq!((listed.items.as_slice(), listed.next), (&[alone.item][..], None));
}

#[tokio::test]
async fn hst5_a_question_for_people_names_a_hundred_at_most() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let mut all = Vec::new();
    for n in 0..100 {
        all.push(world.person(&format!("p{n:02}")).await.handle);
    }
    let handles = all.join(",");
    assert_eq!(found(&world, &ada, &format!("handles={handles}&limit=100")).await, all);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: Page<UserItem> = world.get(&ada, &format!("/history/users?handles={handles}{cursor}")).await.ok();
        seen.extend(page.items.into_iter().map(|item| item.user.to_string()));
        let Some(next) = page.next else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, all, "in pages of 50");
    let other = world.get(&ada, &format!("/history/users?handles=ada{cursor}")).await;
    other.is_problem(400, ErrorCode::Invalid);
    world.get(&ada, &format!("/history/users?handles={handles},ada")).await.is_problem(413, ErrorCode::TooLarge);
}

#[tokio::test]
async fn hst5_handles_of_no_good_form_are_refused() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for query in [
        "handles=",
        "handles=,",
        "handles=ada,",
        "handles=Ada",
        "handles=ada,%00",
        "handles=ada'--",
        "handles=ada&handles=bob",
        "handles=ada&prefix=a",
        "handles=ada&prefix=",
        "handles=ada&limit=0",
        "handles=ada&cursor=x",
    ] {
        world.get(&ada, &format!("/history/users?{query}")).await.is_problem(400, ErrorCode::Invalid);
    }
}
