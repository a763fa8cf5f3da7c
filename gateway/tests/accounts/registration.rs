//! Making accounts.

use natter_events::{ContentKey, Event, Field, KeyId, Uid};
use natter_log::{Bucket, Stream};
use natter_protocol::Handle;
use serde_json::json;

use crate::harness::{Door, PASSWORD, World};

#[tokio::test]
async fn d6_an_account_has_a_token_a_cookie_a_name_and_one_event_that_tells_nobody_who_it_is() {
    let world = World::new().await;
    let door = world.door().await;
    let body = json!({ "handle": "ada", "password": PASSWORD, "display_name": "Ada Lovelace", "unknown": 1 });
    let answer = door.post("/auth/register", None, None, body).await.expect(201);
    assert_eq!((answer.body["user"].as_str(), answer.body["expires_in"].as_u64()), (Some("ada"), Some(900)));
    assert_eq!(answer.headers["cache-control"], "no-store");
    let claims = door.claims(&answer);
    assert_eq!(claims.handle, "ada");
    assert_eq!(door.whoami(answer.token()).await.expect(200).body["user"], "ada");
    door.refresh(answer.cookie()).await.expect(200);

    let ada: Handle = "ada".parse().unwrap();
    let other = world.door().await;
    assert_eq!(other.service.directory.cached_uid(&ada), None);
    let nobody: Handle = "nobody".parse().unwrap();
    let resolved = other.service.directory.resolve(&[nobody.clone(), ada.clone(), nobody]).await.unwrap();
    assert_eq!(resolved, [None, Some(claims.uid), None]);
    assert_eq!(other.service.directory.handle(claims.uid).await.unwrap(), Some(ada.clone()));
    assert_eq!(other.service.directory.handle(Uid::random()).await.unwrap(), None);
    assert_eq!(other.service.directory.cached_uid(&ada), Some(claims.uid));
    assert_eq!(other.service.directory.cached_handle(claims.uid), Some(ada));

    let events = world.account_events(claims.uid).await;
    let [registered] = &events[..] else { panic!("{} events", events.len()) };
    let Event::UserRegistered(event) = &registered.event else { panic!("{}", registered.event.kind()) };
    assert_eq!(registered.envelope.addressees().collect::<Vec<_>>(), [claims.uid]);
    let key = world.keys.get(claims.uid, registered.envelope.key.unwrap()).await.unwrap().unwrap();
    let open = |field, sealed| key.open_text(claims.uid, field, sealed).unwrap();
    assert_eq!(open(Field::Handle, &event.account.handle), "ada");
    assert_eq!(open(Field::DisplayName, event.account.display_name.as_ref().unwrap()), "Ada Lovelace");
    for stored in world.log.range(Stream::Chat, 0, 10, 64 << 20).await.unwrap() {
        for told in ["ada", "Lovelace", PASSWORD] {
            let tells = stored.payload.windows(told.len()).any(|bytes| bytes.eq_ignore_ascii_case(told.as_bytes()));
            assert!(!tells, "the log tells {told}");
        }
    }
}

#[tokio::test]
async fn d6_a_handle_belongs_to_whoever_claims_it_first_also_on_two_gateways_at_once() {
    let world = World::new().await;
    let doors = [world.door().await, world.door().await];
    let answers = futures::future::join_all((0..8).map(|n| doors[n % 2].register("ada"))).await;
    let (winners, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert!(others.iter().all(|answer| answer.problem() == (409, "conflict") && answer.cookie.is_none()), "{others:?}");
    let uid = doors[0].claims(winners[0]).uid;
    assert_eq!(doors[1].service.directory.uid(&"ada".parse().unwrap()).await.unwrap(), Some(uid));
    assert_eq!(world.log.state(Stream::Chat).await.unwrap().messages, 1, "nobody else left an event");
    assert_eq!(doors[1].register("ada").await.problem(), (409, "conflict"));
}

#[tokio::test]
async fn handles_that_mean_something_else_are_nobodys() {
    let world = World::new().await;
    let door = world.door().await;
    for handle in ["me", "room"] {
        assert_eq!(door.register(handle).await.problem(), (409, "conflict"), "{handle}");
    }
}

/// It is what everyone is called whose account was erased: nobody may speak in their name.
#[tokio::test]
async fn d13_nobody_registers_as_an_erased_user() {
    let world = World::new().await;
    let door = world.door().await;
    let body = json!({ "handle": Handle::erased(), "password": PASSWORD });
    let refused = door.post("/auth/register", None, None, body).await.expect(409);
    assert_eq!(refused.body["code"], "conflict");
}

/// Leaves what a registration that was interrupted after some steps has left.
async fn interrupted(world: &World, door: &Door, handle: &str, steps: usize) -> Uid {
    let mut claim = world.entry(Bucket::Credentials, "model").await.unwrap();
    let (uid, key) = (Uid::random(), KeyId::random());
    claim["uid"] = json!(uid);
    claim["key"] = json!(key);
    world.put(Bucket::Credentials, handle, claim.to_string()).await;
    if steps > 0 {
        world.keys.create(uid, key, &ContentKey::random()).await.unwrap();
    }
    if steps > 1 {
        world.put(Bucket::Directory, &format!("uid.{uid}"), handle.to_owned()).await;
    }
    if steps > 2 {
        world.put(Bucket::Directory, &format!("handle.{handle}"), uid.to_string()).await;
    }
    if steps > 3 {
        // Everything is there but the answer.
        door.login(handle, PASSWORD).await.expect(200);
    }
    uid
}

#[tokio::test]
async fn d6_a_registration_that_was_interrupted_after_any_step_is_finished_by_the_next_login() {
    let world = World::new().await;
    let door = world.door().await;
    door.register("model").await.expect(201);
    for steps in 0..=4 {
        let handle = format!("ada-{steps}");
        let uid = interrupted(&world, &door, &handle, steps).await;
        assert_eq!(door.login(&handle, "not the password").await.status, 401, "a stranger finishes nothing");

        let other = world.door().await;
        let answer = other.login(&handle, PASSWORD).await.expect(200);
        assert_eq!(other.claims(&answer).uid, uid);
        other.whoami(answer.token()).await.expect(200);
        let events = world.account_events(uid).await;
        assert_eq!(events.len(), 1, "after {steps} steps");
        let key = world.keys.get(uid, events[0].envelope.key.unwrap()).await.unwrap().unwrap();
        let sealed = &world.account(uid).await.handle;
        assert_eq!(
            key.open_text(uid, Field::Handle, sealed).as_deref(),
            Ok(&*handle),
            "sealed with the key that is stored"
        );
        let fresh = world.door().await;
        assert_eq!(fresh.service.directory.uid(&handle.parse().unwrap()).await.unwrap(), Some(uid));
        assert_eq!(fresh.service.directory.handle(uid).await.unwrap().unwrap().as_str(), handle);
        assert_eq!(other.register(&handle).await.problem(), (409, "conflict"));
    }
}

#[tokio::test]
async fn d6_many_logins_that_finish_the_same_registration_make_one_account() {
    let world = World::new().await;
    let doors = [world.door().await, world.door().await];
    doors[0].register("model").await.expect(201);
    let uid = interrupted(&world, &doors[0], "ada", 0).await;
    let answers = futures::future::join_all((0..8).map(|n| doors[n % 2].login("ada", PASSWORD))).await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(doors[0].claims(answer).uid, uid);
        doors[0].whoami(answer.token()).await.expect(200);
    }
    assert_eq!(world.account_events(uid).await.len(), 1);
}

#[tokio::test]
async fn too_many_registrations_from_one_address_are_rate_limited() {
    let (world, hands) = World::with_hands().await;
    let door = world.door_with(|config| config.registrations_per_address.count = 2.try_into().unwrap()).await;
    door.register("ada").await.expect(201);
    door.register("bob").await.expect(201);
    let answer = door.register("cid").await;
    assert_eq!(answer.problem(), (429, "rate_limited"));
    assert_eq!(answer.body["temporary"], true);
    let wait = answer.body["retry_after_ms"].as_u64().unwrap();
    assert!(answer.headers.contains_key("retry-after") && wait > 0);
    hands.advance(std::time::Duration::from_millis(wait));
    door.register("cid").await.expect(201);
}
