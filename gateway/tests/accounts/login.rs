//! Logging in.

use std::time::Duration;

use natter_platform::ManualClock;
use natter_protocol::ErrorCode;

use crate::harness::{Answer, Door, PASSWORD, World};

#[tokio::test]
async fn a_login_is_a_session_of_its_own_on_any_gateway() {
    let world = World::new().await;
    let doors = [world.door().await, world.door().await];
    let registered = doors[0].register("ada").await.expect(201);
    let login = doors[1].login("ada", PASSWORD).await.expect(200);
    let (one, two) = (doors[0].claims(&registered), doors[0].claims(&login));
    assert_eq!(one.uid, two.uid);
    assert_ne!(one.session, two.session);
    for token in [registered.token(), login.token()] {
        doors[0].whoami(token).await.expect(200);
        doors[1].whoami(token).await.expect(200);
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_handle_are_answered_exactly_alike() {
    let world = World::new().await;
    let door = world.door().await;
    door.register("ada").await.expect(201);
    let wrong = door.login("ada", "correct horse batterz").await;
    let unknown = door.login("nobody", PASSWORD).await;
    assert_eq!(wrong.problem(), (401, "unauthenticated"));
    assert_eq!(wrong.body, unknown.body);
    let told = |answer: &Answer| {
        let mut names: Vec<_> = answer.headers.iter().map(|(name, value)| (name.to_string(), value.len())).collect();
        names.sort();
        names
    };
    assert_eq!(told(&wrong), told(&unknown));
    assert!(wrong.cookie.is_none());
}

#[tokio::test]
async fn tries_are_limited_per_handle_whoever_tries_and_whether_there_is_such_an_account() {
    let (world, hands) = World::with_hands().await;
    let door = world.door_with(|config| config.logins_per_handle.count = 3.try_into().unwrap()).await;
    door.register("ada").await.expect(201);
    for handle in ["ada", "nobody"] {
        for _ in 0..3 {
            assert_eq!(door.login(handle, "wrong password").await.status, 401);
        }
        let limited = door.login(handle, PASSWORD).await;
        assert_eq!(limited.problem(), (429, "rate_limited"), "{handle}");
        assert!(limited.body["retry_after_ms"].as_u64().unwrap() <= 20_000);
    }
    hands.advance(Duration::from_secs(20));
    door.login("ada", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn tries_are_limited_per_address_as_our_own_proxy_tells_it() {
    let (world, _hands): (World, ManualClock) = World::with_hands().await;
    let door = world
        .door_with(|config| {
            config.logins_per_address.count = 2.try_into().unwrap();
            config.trusted_proxies = 1;
        })
        .await;
    let login = async |n: usize, forwarded: &str| {
        let body = serde_json::json!({ "handle": format!("user-{n}"), "password": PASSWORD });
        let request = door.request("/auth/login").header("x-forwarded-for", forwarded).json(&body);
        crate::harness::answer(request).await.status
    };
    assert_eq!(login(1, "6.6.6.6, 192.0.2.1").await, 401);
    assert_eq!(login(2, "7.7.7.7, 192.0.2.1").await, 401);
    assert_eq!(login(3, "8.8.8.8, 192.0.2.1").await, 429, "what the client writes itself does not count");
    assert_eq!(login(4, "8.8.8.8, 192.0.2.2").await, 401);
}

#[tokio::test]
async fn with_the_broker_gone_everything_is_unavailable_and_with_it_back_all_is_well() {
    let world = World::new().await;
    let door = world.door().await;
    let ada = door.register("ada").await.expect(201);
    world.broker.kill().await;
    let down: [Answer; 4] = [
        door.login("ada", PASSWORD).await,
        door.register("bob").await,
        door.refresh(ada.cookie()).await,
        door.logout(ada.cookie()).await,
    ];
    for answer in &down {
        assert_eq!(answer.problem(), (503, ErrorCode::Unavailable.as_str()), "{answer:?}");
        assert!(answer.body["retry_after_ms"].as_u64().is_some() && answer.cookie.is_none(), "{answer:?}");
    }
    door.whoami(ada.token()).await.expect(200);
    world.broker.restart().await;
    eventually_login(&door, "ada").await;
    door.refresh(ada.cookie()).await.expect(200);
    // The connection for appends may take a moment longer: then it is the next login that finishes the registration.
    let bob = door.register("bob").await;
    assert!([201, 503].contains(&bob.status), "{bob:?}");
    let bob = eventually_login(&door, "bob").await;
    assert_eq!(world.account_events(door.claims(&bob).uid).await.len(), 1);
}

async fn eventually_login(door: &Door, handle: &str) -> Answer {
    natter_testkit::eventually("logins work again", crate::harness::PATIENCE, async || {
        match door.login(handle, PASSWORD).await {
            answer if answer.status == 200 => Ok(answer),
            answer => Err(answer),
        }
    })
    .await
}
