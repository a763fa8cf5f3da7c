//! Who may ask: access tokens, revocations, suspensions, rates.

use std::time::Duration;

use natter_events::SessionId;
use natter_protocol::ErrorCode;

use crate::log::direct;
use crate::world::World;

async fn routes(world: &World) -> Vec<String> {
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    world.say(&[&ada, &bob], "hello").await;
    let conversation = direct(&[&ada, &bob]);
    let id = uuid::Uuid::now_v7();
    let position = world.position(1);
    vec![
        "/history/conversations".to_owned(),
        format!("/history/conversations/{conversation}"),
        format!("/history/conversations/{conversation}/members"),
        format!("/history/conversations/{conversation}/messages"),
        format!("/history/conversations/{conversation}/threads"),
        format!("/history/conversations/{conversation}/pins"),
        format!("/history/conversations/{conversation}/bans"),
        "/history/rooms".to_owned(),
        "/history/rooms?q=a".to_owned(),
        format!("/history/rooms/{conversation}"),
        "/history/direct?participants=bob".to_owned(),
        "/history/direct?participants=ada".to_owned(),
        "/history/users?prefix=a".to_owned(),
        "/history/users/bob".to_owned(),
        format!("/history/changes?after={position}"),
        format!("/history/commands/{id}"),
    ]
}

#[tokio::test]
async fn every_route_wants_a_good_token() {
    let world = World::new().await;
    let routes = routes(&world).await;
    let eve = world.person("eve").await;
    let stranger = World::new().await;
    let good = world.token(&eve);
    let (head, tail) = good.split_at(good.len() / 2);
    let tokens = [stranger.token(&eve), String::new(), "x".to_owned(), format!("{head}A{tail}"), "A".repeat(10_000)];
    for route in &routes {
        world.ask(route, |request| request).await.is_problem(401, ErrorCode::Unauthenticated);
        for token in &tokens {
            world.ask(route, |request| request.bearer_auth(token)).await.is_problem(401, ErrorCode::Unauthenticated);
        }
        let basic = world.ask(route, |request| request.basic_auth("eve", Some(&good))).await;
        basic.is_problem(401, ErrorCode::Unauthenticated);
    }
    let in_url = world.ask(&format!("/history/conversations?token={good}"), |request| request.bearer_auth(&good)).await;
    in_url.is_problem(401, ErrorCode::Unauthenticated);
    world.hands.advance(Duration::from_secs(906));
    for route in &routes {
        world.ask(route, |request| request.bearer_auth(&good)).await.is_problem(401, ErrorCode::Unauthenticated);
    }
}

#[tokio::test]
async fn hrt4_a_login_that_was_ended_is_refused_on_every_route_from_then_on() {
    let world = World::new().await;
    let routes = routes(&world).await;
    let eve = world.person("eve").await;
    let other_device = eve.again();
    for route in &routes {
        assert_ne!(world.get(&eve, route).await.status, 401, "{route}");
    }
    world.revoke(&eve, "one", Some(eve.session), 0).await;
    for route in &routes {
        let refused = world.get(&eve, route).await;
        refused.is_problem(401, ErrorCode::Unauthenticated);
        assert_eq!(refused.detail(), "this login was ended", "{route}");
        assert_ne!(world.get(&other_device, route).await.status, 401, "{route}");
    }
}

#[tokio::test]
async fn hrt4_ending_all_but_one_login_or_all_of_them_refuses_tokens_issued_until_then() {
    let world = World::new().await;
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let (kept, gone) = (ada.clone(), ada.again());
    let old = world.token(&gone);
    let status = async |token: &str| world.ask("/history/users", |request| request.bearer_auth(token)).await.status;
    world.hands.advance(Duration::from_secs(10));
    world.revoke(&ada, "all_but", Some(kept.session), 5).await;
    let later = world.token(&gone);
    assert_eq!((status(&old).await, status(&later).await, status(&world.token(&kept)).await), (401, 200, 200));

    let all_old = [world.token(&kept), world.token(&gone)];
    world.revoke(&ada, "all", None, 10).await;
    world.hands.advance(Duration::from_secs(1));
    assert_eq!((status(&all_old[0]).await, status(&all_old[1]).await), (401, 401));
    assert_eq!((status(&world.token(&kept)).await, status(&world.token(&ada.again())).await), (200, 200));
    assert_eq!(status(&world.token(&eve)).await, 200, "another person's logins are another matter");
}

#[tokio::test]
async fn hrt4_a_suspended_or_erased_account_is_refused_until_it_is_not() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for column in ["suspended", "erased"] {
        world.run(format!("update users set {column} = true")).await;
        world.get(&ada, "/history/conversations").await.is_problem(401, ErrorCode::Unauthenticated);
        world.run(format!("update users set {column} = false")).await;
        assert_eq!(world.get(&ada, "/history/conversations").await.status, 200);
    }
}

#[tokio::test]
async fn who_registered_a_moment_ago_may_read_before_the_projector_knows_them() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let eve = crate::world::Person {
        uid: natter_events::Uid::random(),
        handle: "eve".to_owned(),
        session: SessionId::random(),
    };
    assert_eq!(world.get(&eve, "/history/conversations").await.status, 200);
    assert_eq!(world.get(&eve, "/history/direct?participants=ada").await.status, 200);
    assert_eq!(world.get(&eve, "/history/direct?participants=eve").await.status, 200);
    world.get(&ada, "/history/users/eve").await.is_problem(404, ErrorCode::UnknownUser);
}

#[tokio::test]
async fn queries_are_limited_for_each_person() {
    let world = World::with(|config| config.queries.count = 3.try_into().unwrap()).await;
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    for _ in 0..3 {
        assert_eq!(world.get(&ada, "/history/users").await.status, 200);
    }
    let refused = world.get(&ada.again(), "/history/conversations").await;
    refused.is_problem(429, ErrorCode::RateLimited);
    assert!(refused.body["retry_after_ms"].as_u64().is_some_and(|ms| (1..=10_000).contains(&ms)), "{:?}", refused.body);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(world.get(&eve, "/history/users").await.status, 200);
    world.hands.advance(Duration::from_secs(10));
    assert_eq!(world.get(&ada, "/history/users").await.status, 200);
}
