//! Logging out.

use std::time::Duration;

use natter_events::{RevokedSessions, SessionId};
use natter_log::Bucket;
use serde_json::json;

use crate::harness::{PASSWORD, World, answer};

#[tokio::test]
async fn hrt4_a_logout_ends_that_login_on_every_gateway_within_two_seconds_and_no_other() {
    let world = World::new().await;
    let doors = [world.door().await, world.door().await];
    let login = doors[0].register("ada").await.expect(201);
    let other = doors[0].login("ada", PASSWORD).await.expect(200);
    doors[1].whoami(login.token()).await.expect(200);
    let out = doors[0].logout(login.cookie()).await.expect(204);
    assert!(out.cleared());
    let begun = std::time::Instant::now();
    assert_eq!(doors[0].whoami(login.token()).await.problem(), (401, "unauthenticated"), "at once on this one");
    doors[1].refuses(login.token()).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for door in &doors {
        assert_eq!(door.refresh(login.cookie()).await.status, 401);
        door.whoami(other.token()).await.expect(200);
    }
    doors[1].refresh(other.cookie()).await.expect(200);
    let claims = doors[0].claims(&login);
    let account = world.account(claims.uid).await;
    assert!(account.revocations.iter().any(|revocation| revocation.which == RevokedSessions::One(claims.session)));
    assert!(world.entry(Bucket::Sessions, &claims.session.to_string()).await.is_none());
}

#[tokio::test]
async fn hrt4_the_gateway_that_ends_a_login_does_not_wait_for_its_feed_to_say_so() {
    let world = World::new().await;
    let door = world.door_without_feed().await;
    let login = door.register("ada").await.expect(201);
    door.whoami(login.token()).await.expect(200);
    door.logout(login.cookie()).await.expect(204);
    assert_eq!(door.whoami(login.token()).await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn logging_out_again_or_without_a_login_is_what_was_asked_for_and_writes_nothing() {
    let world = World::new().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    for _ in 0..3 {
        assert!(door.logout(login.cookie()).await.expect(204).cleared());
    }
    let none = answer(door.request("/auth/logout").header("natter-client", "test/1")).await;
    assert!(none.expect(204).cleared());
    assert_eq!(world.account_events(door.claims(&login).uid).await.len(), 2);
}

#[tokio::test]
async fn logins_that_log_out_at_once_on_two_gateways_are_all_revoked() {
    let world = World::new().await;
    let doors = [world.door().await, world.door().await];
    let uid = doors[0].claims(&doors[0].register("ada").await.expect(201)).uid;
    let logins = futures::future::join_all((0..8).map(|n| doors[n % 2].login("ada", PASSWORD))).await;
    let outs =
        futures::future::join_all(logins.iter().enumerate().map(|(n, login)| doors[n % 2].logout(login.cookie())));
    for out in outs.await {
        out.expect(204);
    }
    let revoked: Vec<SessionId> = world
        .account(uid)
        .await
        .revocations
        .iter()
        .filter_map(|revocation| match revocation.which {
            RevokedSessions::One(session) => Some(session),
            _ => None,
        })
        .collect();
    for login in &logins {
        assert!(revoked.contains(&doors[0].claims(login).session), "{revoked:?}");
    }
    assert_eq!(world.account_events(uid).await.len(), 9);
}

#[tokio::test]
async fn a_logout_that_was_interrupted_is_finished_by_the_next_attempt_to_go_on_or_to_end() {
    let world = World::new().await;
    let door = world.door().await;
    door.register("ada").await.expect(201);
    for finish in ["/auth/refresh", "/auth/logout"] {
        let login = door.login("ada", PASSWORD).await.expect(200);
        let claims = door.claims(&login);
        let entry = claims.session.to_string();
        // After the first step: its secret is good for nothing, its tokens still are.
        let mut session = world.entry(Bucket::Sessions, &entry).await.unwrap();
        session["ended"] = json!(true);
        world.put(Bucket::Sessions, &entry, session.to_string()).await;
        door.whoami(login.token()).await.expect(200);

        let finished = door.post(finish, Some(login.cookie()), None, serde_json::Value::Null).await;
        assert!(finished.cleared() && [204, 401].contains(&finished.status), "{finished:?}");
        door.refuses(login.token()).await;
        assert!(world.entry(Bucket::Sessions, &entry).await.is_none());
    }
}

#[tokio::test]
async fn a_logout_whose_event_could_not_be_written_has_ended_the_login_all_the_same() {
    let world = World::new().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    let uid = door.claims(&login).uid;
    let good = world.account_events(uid).await.remove(0);
    let mut later = good.clone();
    later.envelope.version = 99;
    world.append(&later).await;
    let fresh = world.door().await;
    let failed = fresh.logout(login.cookie()).await;
    assert_eq!(failed.problem(), (500, "internal"));
    assert!(failed.cookie.is_none(), "there is something left to do, and the cookie is needed for it");
    world.append(&good).await;
    door.refresh(login.cookie()).await.expect(401);
    door.refuses(login.token()).await;
}

#[tokio::test]
async fn an_old_cookie_of_a_login_is_enough_to_end_it() {
    let (world, hands) = World::with_hands().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    let renewed = door.refresh(login.cookie()).await.expect(200);
    hands.advance(Duration::from_secs(120));
    door.logout(login.cookie()).await.expect(204);
    assert_eq!(door.refresh(renewed.cookie()).await.status, 401);
    door.refuses(renewed.token()).await;
}

#[tokio::test]
async fn revocations_are_let_go_when_the_tokens_they_end_are_dead() {
    let (world, hands) = World::with_hands().await;
    let door = world.door().await;
    let first = door.register("ada").await.expect(201);
    door.logout(first.cookie()).await.expect(204);
    hands.advance(Duration::from_secs(16 * 60));
    let second = door.login("ada", PASSWORD).await.expect(200);
    door.logout(second.cookie()).await.expect(204);
    let account = world.account(door.claims(&second).uid).await;
    assert_eq!(account.revocations.len(), 1, "{:?}", account.revocations);
    assert_eq!(door.refresh(first.cookie()).await.status, 401);
}
