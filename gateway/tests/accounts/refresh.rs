//! Going on: the refresh cookie.

use std::time::Duration;

use natter_log::Bucket;
use serde_json::json;

use crate::harness::{Answer, World, answer};

#[tokio::test]
async fn a_refresh_gives_a_new_token_of_the_same_login_and_a_new_cookie_on_any_gateway() {
    let (world, hands) = World::with_hands().await;
    let doors = [world.door().await, world.door().await];
    let login = doors[0].register("ada").await.expect(201);
    hands.advance(Duration::from_secs(14 * 60));
    let renewed = doors[1].refresh(login.cookie()).await.expect(200);
    let (before, after) = (doors[0].claims(&login), doors[0].claims(&renewed));
    assert_eq!((before.uid, before.session), (after.uid, after.session));
    assert!(after.exp > before.exp);
    assert_ne!(renewed.cookie(), login.cookie());
    let set = renewed.cookie.as_deref().unwrap();
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Path=/auth; Max-Age=1209600"), "{set}");
    hands.advance(Duration::from_secs(61));
    let again = doors[0].refresh(renewed.cookie()).await.expect(200);
    assert_ne!(again.cookie(), renewed.cookie());
}

#[tokio::test]
async fn the_cookie_is_for_https_only_where_people_come_by_https() {
    let world = World::new().await;
    let door = world.door_with(|config| config.secure_cookies = true).await;
    let login = door.register("ada").await.expect(201);
    assert!(login.cookie.as_deref().unwrap().ends_with("; Secure"));
    assert!(door.logout(login.cookie()).await.cookie.unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_succeed_with_one_cookie_also_on_two_gateways() {
    let (world, hands) = World::with_hands().await;
    let doors = [world.door().await, world.door().await];
    let login = doors[0].register("ada").await.expect(201);
    let tabs = futures::future::join_all((0..12).map(|n| doors[n % 2].refresh(login.cookie()))).await;
    for tab in &tabs {
        assert_eq!(tab.status, 200, "{tab:?}");
        assert_eq!(tab.cookie(), tabs[0].cookie());
    }
    // An answer that was lost: within a minute the old cookie is as good.
    hands.advance(Duration::from_secs(60));
    let late = doors[1].refresh(login.cookie()).await.expect(200);
    assert_eq!(late.cookie(), tabs[0].cookie());
    doors[0].refresh(late.cookie()).await.expect(200);
}

#[tokio::test]
async fn hrt4_a_secret_that_comes_back_after_a_minute_ends_the_login_everywhere() {
    let (world, hands) = World::with_hands().await;
    let doors = [world.door().await, world.door().await];
    let login = doors[0].register("ada").await.expect(201);
    let other = doors[0].login("ada", crate::harness::PASSWORD).await.expect(200);
    let renewed = doors[0].refresh(login.cookie()).await.expect(200);
    doors[1].whoami(renewed.token()).await.expect(200);
    hands.advance(Duration::from_secs(61));
    let stolen = doors[1].refresh(login.cookie()).await;
    assert_refused(&stolen);
    assert_refused(&doors[0].refresh(renewed.cookie()).await);
    for door in &doors {
        door.refuses(renewed.token()).await;
        door.refuses(login.token()).await;
        door.whoami(other.token()).await.expect(200);
    }
    doors[0].refresh(other.cookie()).await.expect(200);
    assert_eq!(world.account_events(doors[0].claims(&other).uid).await.len(), 2);
}

#[tokio::test]
async fn a_cookie_that_never_was_ends_nothing() {
    let world = World::new().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    let (session, secret) = login.cookie().split_once('.').unwrap();
    let forged = [
        format!("{session}.{}", "A".repeat(64)),
        format!("{session}.{}", secret.chars().rev().collect::<String>()),
        format!("{}.{secret}", "0".repeat(32)),
        String::new(),
        "x".repeat(10_000),
        format!("*.{secret}"),
        format!("{}.{secret}", session.to_uppercase()) + "=",
    ];
    for cookie in &forged {
        assert_refused(&door.refresh(cookie).await);
        door.logout(cookie).await.expect(204);
    }
    assert_refused(&answer(door.request("/auth/refresh").header("natter-client", "test/1")).await);
    door.whoami(login.token()).await.expect(200);
    door.refresh(login.cookie()).await.expect(200);
}

#[tokio::test]
async fn a_page_of_another_site_can_neither_refresh_nor_log_out() {
    let world = World::new().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    for path in ["/auth/refresh", "/auth/logout"] {
        for client in [None, Some(""), Some(&*"x".repeat(201))] {
            let request = door.request(path).header("cookie", format!("natter_refresh={}", login.cookie()));
            let request = client.into_iter().fold(request, |request, client| request.header("natter-client", client));
            let refused = answer(request).await;
            assert_eq!(refused.problem(), (403, "forbidden"));
            assert!(refused.cookie.is_none());
        }
    }
    door.refresh(login.cookie()).await.expect(200);
}

#[tokio::test]
async fn a_login_that_expired_or_whose_account_is_gone_does_not_go_on() {
    let world = World::new().await;
    let door = world.door().await;
    let expired = door.register("ada").await.expect(201);
    let session = door.claims(&expired).session.to_string();
    world.log.bucket(Bucket::Sessions).delete(&session).await.unwrap();
    assert_refused(&door.refresh(expired.cookie()).await);

    let gone = door.register("bob").await.expect(201);
    let mut credentials = world.entry(Bucket::Credentials, "bob").await.unwrap();
    world.log.bucket(Bucket::Credentials).delete("bob").await.unwrap();
    assert_refused(&door.refresh(gone.cookie()).await);
    assert!(world.entry(Bucket::Sessions, &door.claims(&gone).session.to_string()).await.is_none());

    // Someone else who has the handle now is someone else.
    let cid = door.register("cid").await.expect(201);
    credentials["uid"] = json!(natter_events::Uid::random());
    world.put(Bucket::Credentials, "cid", credentials.to_string()).await;
    assert_refused(&door.refresh(cid.cookie()).await);
}

#[tokio::test]
async fn an_entry_that_does_not_read_is_an_error_of_ours_and_tells_nothing() {
    let world = World::new().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    let session = door.claims(&login).session.to_string();
    for damaged in ["", "{}", "{\"uid\":7}", "\u{0}"] {
        world.put(Bucket::Sessions, &session, damaged.to_owned()).await;
        let answer = door.refresh(login.cookie()).await;
        assert_eq!(answer.problem(), (500, "internal"), "{damaged}");
        world.put(Bucket::Credentials, "ada", damaged.to_owned()).await;
        let answer = door.login("ada", crate::harness::PASSWORD).await;
        assert_eq!(answer.problem(), (500, "internal"), "{damaged}");
        assert_eq!(answer.body["detail"], "something went wrong on our side");
    }
}

#[tokio::test]
async fn refreshes_are_limited_per_address() {
    let (world, hands) = World::with_hands().await;
    let door = world.door_with(|config| config.refreshes_per_address.count = 2.try_into().unwrap()).await;
    let login = door.register("ada").await.expect(201);
    door.refresh(login.cookie()).await.expect(200);
    door.refresh(login.cookie()).await.expect(200);
    for limited in [door.refresh(login.cookie()).await, door.logout(login.cookie()).await] {
        assert_eq!(limited.problem(), (429, "rate_limited"));
        assert!(limited.cookie.is_none(), "the cookie stays good");
    }
    hands.advance(Duration::from_secs(30));
    door.refresh(login.cookie()).await.expect(200);
}

fn assert_refused(answer: &Answer) {
    assert_eq!(answer.problem(), (401, "unauthenticated"), "{answer:?}");
    assert!(answer.cleared(), "{answer:?}");
}
