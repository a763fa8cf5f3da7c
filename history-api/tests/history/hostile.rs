//! What nobody means well with.

use natter_protocol::ErrorCode;

use crate::log::direct;
use crate::world::World;

const LISTS: [&str; 5] = [
    "/history/conversations?x=1",
    "/history/users?x=1",
    "/history/rooms?x=1",
    "/history/direct?participants=bob",
    "/history/search?q=hello",
];

#[tokio::test]
async fn hst1_limits_and_cursors_of_no_good_form_are_refused() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    world.say(&[&ada, &bob], "hello").await;
    let messages = format!("/history/conversations/{}/messages?x=1", direct(&[&ada, &bob]));
    let members = format!("/history/conversations/{}/members?x=1", direct(&[&ada, &bob]));
    let threads = format!("/history/conversations/{}/threads?x=1", direct(&[&ada, &bob]));
    let pins = format!("/history/conversations/{}/pins?x=1", direct(&[&ada, &bob]));
    let long = "A".repeat(7_000);
    for list in LISTS.into_iter().chain([messages.as_str(), members.as_str(), threads.as_str(), pins.as_str()]) {
        for bad in [
            "limit=0",
            "limit=201",
            "limit=-1",
            "limit=",
            "limit=1e9",
            "limit=99999999999999999999",
            "limit=%00",
            "limit=1%3Bdrop%20table%20users",
            "limit=1&limit=2",
            "cursor=",
            "cursor=x",
            "cursor=%00",
            "cursor=AAAA",
            "cursor=' or 1=1",
            &format!("cursor={long}"),
            "cursor=AQ&cursor=AQ",
        ] {
            let answer = world.get(&ada, &format!("{list}&{bad}")).await;
            assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("invalid")), "{list}&{bad}");
        }
    }
    for bad in
        ["before=x", "before=-1", "after=%00", "around=9007199254740992", "before=1&after=2", "before=1&before=2"]
    {
        world.get(&ada, &format!("{messages}&{bad}")).await.is_problem(400, ErrorCode::Invalid);
    }
    for list in LISTS {
        assert_eq!(world.get(&ada, &format!("{list}&unknown=%00&other[]=x")).await.status, 200, "{list}");
    }
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_refused_in_words() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for path in ["/history", "/history/", "/history/nothing", "/history/conversations/", "/"] {
        world.get(&ada, path).await.is_problem(404, ErrorCode::NotFound);
    }
    for method in [reqwest::Method::POST, reqwest::Method::DELETE, reqwest::Method::PUT] {
        let request = world.request_with(method.clone(), &ada, "/history/conversations");
        let response = request.body("x".repeat(100)).send().await.unwrap();
        assert_eq!(response.status(), 405, "{method}");
    }
}

#[tokio::test]
async fn every_answer_forbids_to_be_stored() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for path in ["/history/conversations", "/history/users/nobody", "/history/changes", "/nothing"] {
        assert_eq!(world.get(&ada, path).await.headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn handles_in_the_tables_are_never_taken_for_statements() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let text = "'); drop table messages; -- \\ %s $1 \u{202e}";
    let seq = world.say(&[&ada, &bob], text).await;
    let page = world.get(&ada, "/history/direct?participants=bob").await;
    assert_eq!(
        (page.body["items"][0]["seq"].as_u64(), page.body["items"][0]["text"].as_str()),
        (Some(seq), Some(text))
    );
}
