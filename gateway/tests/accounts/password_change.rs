//! Another password.

use std::time::Duration;

use natter_gateway::accounts::PasswordCost;
use natter_log::Bucket;
use natter_platform::tokens::Subject;
use serde_json::json;

use crate::harness::{PASSWORD, World, answer};

const NEW: &str = "another horse, another battery";

#[tokio::test]
async fn hrt4_a_change_of_the_password_ends_all_other_logins_and_keeps_the_one_it_came_from() {
    let (world, hands) = World::with_hands().await;
    let doors = [world.door().await, world.door().await];
    let kept = doors[0].register("ada").await.expect(201);
    let other = doors[0].login("ada", PASSWORD).await.expect(200);
    doors[1].whoami(other.token()).await.expect(200);
    hands.advance(Duration::from_secs(2));
    doors[0].change_password(kept.token(), PASSWORD, NEW).await.expect(204);
    assert_eq!(doors[0].whoami(other.token()).await.status, 401, "at once on this gateway");
    doors[1].refuses(other.token()).await;
    for door in &doors {
        door.whoami(kept.token()).await.expect(200);
        assert!(door.refresh(other.cookie()).await.expect(401).cleared());
    }
    hands.advance(Duration::from_secs(3));
    assert_eq!(doors[1].login("ada", PASSWORD).await.status, 401);
    let login = doors[1].login("ada", NEW).await.expect(200);
    let renewed = doors[1].refresh(kept.cookie()).await.expect(200);
    for door in &doors {
        door.whoami(login.token()).await.expect(200);
        door.whoami(renewed.token()).await.expect(200);
        door.refresh(login.cookie()).await.expect(200);
    }
    // Long after, when no revocation is kept any more, the other login is still ended.
    hands.advance(Duration::from_secs(3600));
    assert_eq!(doors[0].refresh(other.cookie()).await.status, 401);
    doors[0].refresh(renewed.cookie()).await.expect(200);
}

#[tokio::test]
async fn hrt4_a_login_right_after_a_change_is_not_among_those_that_it_ended() {
    let world = World::new().await;
    let doors = [world.door().await, world.door().await];
    let kept = doors[0].register("ada").await.expect(201);
    doors[0].change_password(kept.token(), PASSWORD, NEW).await.expect(204);
    let login = doors[0].login("ada", NEW).await.expect(200);
    // Both gateways know of the change by now: the one made it, the other reads it.
    for door in &doors {
        door.whoami(login.token()).await.expect(200);
        door.refresh(login.cookie()).await.expect(200);
    }
}

#[tokio::test]
async fn a_login_on_a_gateway_whose_clock_is_behind_is_put_off_rather_than_refused_later() {
    let (world, hands) = World::with_hands().await;
    let door = world.door().await;
    let kept = door.register("ada").await.expect(201);
    door.change_password(kept.token(), PASSWORD, NEW).await.expect(204);
    hands.set_ms(hands.now_ms() - 60_000);
    let early = door.login("ada", NEW).await;
    assert_eq!(early.problem(), (503, "unavailable"));
    assert!((60_000..63_000).contains(&early.body["retry_after_ms"].as_u64().unwrap()), "{early:?}");
    hands.advance(Duration::from_secs(63));
    let login = door.login("ada", NEW).await.expect(200);
    door.whoami(login.token()).await.expect(200);
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_finished_by_the_same_request() {
    let (world, hands) = World::with_hands().await;
    let door = world.door().await;
    let kept = door.register("ada").await.expect(201);
    let uid = door.claims(&kept).uid;
    let other = door.login("ada", PASSWORD).await.expect(200);
    hands.advance(Duration::from_secs(2));
    door.change_password(kept.token(), PASSWORD, NEW).await.expect(204);
    assert_eq!(world.account_events(uid).await.len(), 2);
    door.change_password(kept.token(), PASSWORD, NEW).await.expect(204);
    assert_eq!(world.account_events(uid).await.len(), 2, "once is enough");

    // Interrupted before the event: stored under another version, revoked nowhere.
    hands.advance(Duration::from_secs(5));
    let third = door.login("ada", NEW).await.expect(200);
    let mut credentials = world.entry(Bucket::Credentials, "ada").await.unwrap();
    credentials["password_version"] = json!(2);
    credentials["password_changed_at_ms"] = json!(hands.now_ms());
    world.put(Bucket::Credentials, "ada", credentials.to_string()).await;
    assert_eq!(door.refresh(third.cookie()).await.status, 401, "no new tokens");
    door.whoami(third.token()).await.expect(200);
    hands.advance(Duration::from_secs(1));
    door.change_password(kept.token(), PASSWORD, NEW).await.expect(204);
    door.refuses(third.token()).await;
    assert_eq!(door.whoami(other.token()).await.status, 401);
    door.whoami(kept.token()).await.expect(200);
}

#[tokio::test]
async fn a_change_needs_the_current_password_and_a_new_one_that_is_one() {
    let world = World::new().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    let bob = door.register("bob").await.expect(201);
    let wrong = door.change_password(login.token(), "not the password", NEW).await;
    assert_eq!(wrong.problem(), (403, "forbidden"));
    for new in ["", "1234567", &"x".repeat(1025)] {
        assert_eq!(door.change_password(login.token(), PASSWORD, new).await.problem(), (400, "invalid"));
    }
    let body = json!({ "current": PASSWORD, "new": NEW });
    let unauthorised = [
        door.post("/auth/password", None, None, body.clone()).await,
        door.post("/auth/password", None, Some("not.a.token"), body.clone()).await,
        door.post("/auth/password", Some(login.cookie()), None, body.clone()).await,
        answer(door.request(&format!("/auth/password?access_token={}", login.token())).json(&body)).await,
    ];
    for refused in unauthorised {
        assert_eq!(refused.problem(), (401, "unauthenticated"), "{refused:?}");
    }
    door.login("ada", PASSWORD).await.expect(200);
    door.login("bob", PASSWORD).await.expect(200);
    door.whoami(bob.token()).await.expect(200);
}

#[tokio::test]
async fn a_token_changes_the_password_of_its_own_account_and_not_of_who_has_the_handle_now() {
    let world = World::new().await;
    let door = world.door().await;
    door.register("ada").await.expect(201);
    let bob = door.claims(&door.register("bob").await.expect(201));
    let (token, _) = world.signer().mint(Subject::new(bob.uid, bob.session, "ada")).unwrap();
    assert_eq!(door.change_password(&token, PASSWORD, NEW).await.problem(), (403, "forbidden"));
    door.login("ada", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn guessing_the_current_password_is_limited_with_the_logins() {
    let (world, _hands) = World::with_hands().await;
    let door = world.door_with(|config| config.logins_per_handle.count = 3.try_into().unwrap()).await;
    let login = door.register("ada").await.expect(201);
    for _ in 0..3 {
        assert_eq!(door.change_password(login.token(), "not the password", NEW).await.status, 403);
    }
    assert_eq!(door.change_password(login.token(), PASSWORD, NEW).await.problem(), (429, "rate_limited"));
    assert_eq!(door.login("ada", PASSWORD).await.problem(), (429, "rate_limited"));
}

#[tokio::test]
async fn of_changes_at_once_one_wins_and_its_login_goes_on() {
    let world = World::new().await;
    let doors = [world.door().await, world.door().await];
    let mut logins = vec![doors[0].register("ada").await.expect(201)];
    for _ in 0..3 {
        logins.push(doors[0].login("ada", PASSWORD).await.expect(200));
    }
    let passwords: Vec<_> = (0..4).map(|n| format!("new password {n}")).collect();
    let changes = logins.iter().zip(&passwords).enumerate();
    let changes = changes.map(|(n, (login, new))| doors[n % 2].change_password(login.token(), PASSWORD, new));
    let answers = futures::future::join_all(changes).await;
    let won: Vec<_> = (0..4).filter(|n| answers[*n].status == 204).collect();
    let [winner] = won[..] else { panic!("{answers:?}") };
    assert!(answers.iter().all(|answer| [204, 401, 403].contains(&answer.status)), "{answers:?}");
    for (n, login) in logins.iter().enumerate() {
        let expected = if n == winner { 200 } else { 401 };
        doors[0].refresh(login.cookie()).await.expect(expected);
    }
    doors[1].login("ada", &passwords[winner]).await.expect(200);
}

#[tokio::test]
async fn hrt4_no_login_with_the_old_password_outlives_a_change_that_it_races() {
    let world = World::new().await;
    let many = |config: &mut natter_gateway::accounts::AccountConfig| {
        config.logins_per_handle.count = 10_000.try_into().unwrap();
        config.logins_per_address.count = 10_000.try_into().unwrap();
    };
    let doors = [world.door_with(many).await, world.door_with(many).await];
    let mut raced = 0;
    for round in 0..12 {
        let handle = format!("ada-{round}");
        let kept = doors[0].register(&handle).await.expect(201);
        let logins = async {
            let mut through = Vec::new();
            loop {
                let answers = futures::future::join_all((0..4).map(|n| doors[n % 2].login(&handle, PASSWORD))).await;
                let refused = answers.iter().any(|answer| answer.status == 401);
                through.extend(answers.into_iter().filter(|answer| answer.status == 200));
                if refused {
                    return through;
                }
            }
        };
        let change = doors[round % 2].change_password(kept.token(), PASSWORD, NEW);
        let (through, changed) = tokio::join!(logins, change);
        changed.expect(204);
        raced += through.len();
        for login in through {
            doors[0].refuses(login.token()).await;
            doors[1].refuses(login.token()).await;
            doors[round % 2].refresh(login.cookie()).await.expect(401);
        }
    }
    assert!(raced > 0, "no login raced the change");
}

#[tokio::test]
async fn hrt4_a_login_that_waited_for_its_hash_while_the_password_was_changed_gets_nothing_that_lasts() {
    let (world, hands) = World::with_hands().await;
    let slow = world
        .door_with(|config| config.password_cost = PasswordCost { memory_kib: 128 << 10, passes: 8, lanes: 1 })
        .await;
    let busy = world.door_with(|config| config.max_hashing = 1).await;
    let door = world.door().await;
    slow.register("slow").await.expect(201);
    let kept = door.register("ada").await.expect(201);
    // It is read with the old password, waits behind the slow one, and goes on seconds after the change.
    let change = async {
        door.change_password(kept.token(), PASSWORD, NEW).await.expect(204);
        hands.advance(Duration::from_secs(5));
    };
    let (_, login, ()) = tokio::join!(busy.login("slow", PASSWORD), busy.login("ada", PASSWORD), change);
    if login.status != 401 {
        // It was faster than the change after all.
        door.refuses(login.token()).await;
        door.refresh(login.cookie()).await.expect(401);
    }
}
