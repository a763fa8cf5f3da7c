//! Who is seen online, over two gateways: through comings, goings, choices, and gateways that die.

use std::time::Duration;

use natter_events::{Event, PresenceStatus, Record, Subject};
use natter_log::Stream;
use natter_testkit::eventually;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig};
use crate::socket::{Socket, message, text};

async fn watch(socket: &mut Socket, users: &[&str]) -> Vec<Value> {
    let before = socket.drain().await;
    assert!(before.is_empty(), "{before:?}");
    socket.done(json!({"type": "watch", "users": users})).await;
    let mut now = Vec::new();
    for _ in users {
        now.push(socket.expect("presence").await);
    }
    now
}

/// Reads presences up to and with the one that says this. What changes while someone begins to watch may be told twice.
async fn until(socket: &mut Socket, user: &str, status: &str) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let frame = socket.expect("presence").await;
        let found = frame["user"] == user && frame["status"] == status;
        told.push(frame);
        if found {
            return told;
        }
    }
}

/// The presence that says this; others may come before it.
async fn sees(socket: &mut Socket, user: &str, status: &str) -> Value {
    until(socket, user, status).await.pop().unwrap()
}

/// What was put on record of someone.
async fn on_record(rig: &Rig, person: &Person) -> Vec<PresenceStatus> {
    let events = rig.log().await.range(Stream::Presence, 0, 1_000, 1 << 20).await.unwrap();
    let own = events.iter().filter(|stored| *stored.subject == Subject::Presence(person.uid).to_string());
    let changes = own.filter_map(|stored| match Record::decode(&stored.payload).unwrap().event {
        Event::PresenceChanged(change) => Some(change.status),
        _ => None,
    });
    changes.collect()
}

#[tokio::test]
async fn evt4_who_comes_and_goes_anywhere_is_seen_by_who_watches_anywhere() {
    let rig = Rig::start_with(2, |config| config.offline_after = Duration::from_millis(50)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut watchers = [rig.socket(0, &ada).await, rig.socket(1, &ada).await];
    for watcher in &mut watchers {
        let now = watch(watcher, &["bob"]).await;
        assert_eq!((&now[0]["status"], &now[0]["last_seen"]), (&json!("offline"), &Value::Null));
    }
    let mut here = rig.socket(0, &bob).await;
    for watcher in &mut watchers {
        sees(watcher, "bob", "online").await;
    }
    // Seen from anywhere, someone with one socket left is still here.
    let mut there = rig.socket(1, &bob).await;
    eventually("the first gateway knows of the other socket", PATIENCE, async || {
        let asked = Some(json!({"users": ["bob"]}));
        rig.http(0, "POST", "/api/connections", Some(&ada.token), asked).await.1["bob"] == 2
    })
    .await;
    here.close().await;
    there.done(json!({"type": "presence", "status": "away", "text": "at lunch"})).await;
    for watcher in &mut watchers {
        let away = watcher.expect("presence").await;
        assert_eq!((&away["status"], &away["text"]), (&json!("away"), &json!("at lunch")), "nothing else came before");
    }
    there.close().await;
    for watcher in &mut watchers {
        let gone = watcher.expect("presence").await;
        assert_eq!(gone["status"], "offline");
        assert!(gone.get("text").is_none() && gone["last_seen"].is_string(), "{gone}");
    }
    let expected = [PresenceStatus::Online, PresenceStatus::Away, PresenceStatus::Offline];
    eventually("it is on record, each change once", PATIENCE, async || match on_record(&rig, &bob).await {
        seen if seen == expected => Ok(()),
        seen => Err(seen),
    })
    .await;
}

#[tokio::test]
async fn a_reload_is_no_departure() {
    let rig = Rig::start_with(2, |config| config.offline_after = PATIENCE).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut b = rig.socket(0, &bob).await;
    let mut watcher = rig.socket(1, &ada).await;
    eventually("bob is online", PATIENCE, async || {
        watcher.done(json!({"type": "watch", "users": ["bob"]})).await;
        watcher.expect("presence").await["status"] == "online"
    })
    .await;
    b.close().await;
    let mut b = rig.socket(1, &bob).await;
    b.done(json!({"type": "presence", "status": "busy"})).await;
    let told = until(&mut watcher, "bob", "busy").await;
    assert!(told.iter().all(|frame| frame["status"] != "offline"), "{told:?}");
}

#[tokio::test]
async fn who_is_invisible_looks_offline_and_still_gets_everything() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut b = rig.socket(0, &bob).await;
    b.done(json!({"type": "presence", "status": "invisible"})).await;
    let mut a = rig.socket(1, &ada).await;
    // Another device, on a gateway that was told of the choice by the first one.
    let counts =
        async || rig.http(1, "POST", "/api/connections", Some(&ada.token), Some(json!({"users": ["bob"]}))).await.1;
    eventually("the other gateway knows of bob", PATIENCE, async || counts().await["bob"] == 1).await;
    eventually("bob does not show", PATIENCE, async || {
        a.done(json!({"type": "watch", "users": ["bob"]})).await;
        a.expect("presence").await["status"] == "offline"
    })
    .await;
    let mut also_b = rig.socket(1, &bob).await;
    let (sent, mut told) = a.ask(message(&["bob"], "are you there?")).await;
    for socket in [&mut b, &mut also_b] {
        assert_eq!(socket.expect("message").await["seq"], sent["seq"]);
    }
    // Over HTTP, on a gateway or the other.
    let (status, _) = rig.http(1, "PUT", "/api/presence", Some(&bob.token), Some(json!({"status": "online"}))).await;
    assert_eq!(status, 200);
    told.extend(until(&mut a, "bob", "online").await);
    told.pop();
    assert!(told.iter().all(|frame| frame["status"] == "offline"), "{told:?}");
}

#[tokio::test]
async fn a_gateway_that_dies_takes_its_users_along_when_its_lease_ends() {
    let mut rig = Rig::start_with(2, |config| {
        (config.lease_interval, config.lease) = (Duration::from_millis(200), Duration::from_secs(2));
    })
    .await;
    let (ada, bob, cy) = (rig.person("ada").await, rig.person("bob").await, rig.person("cy").await);
    let (mut a, _b, mut c) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await, rig.socket(1, &cy).await);
    let mut also_c = rig.socket(0, &cy).await;
    c.done(json!({"type": "presence", "status": "busy"})).await;
    a.done(json!({"type": "watch", "users": ["bob", "cy"]})).await;
    let mut seen = std::collections::BTreeMap::new();
    while seen != [("bob".to_owned(), "online".to_owned()), ("cy".to_owned(), "busy".to_owned())].into() {
        let frame = a.expect("presence").await;
        seen.insert(text(&frame, "user"), text(&frame, "status"));
    }
    let counts = async |rig: &Rig| {
        let asked = Some(json!({"users": ["bob", "cy"]}));
        rig.http(0, "POST", "/api/connections", Some(&ada.token), asked).await.1
    };
    eventually("all sockets are known", PATIENCE, async || counts(&rig).await == json!({"bob": 1, "cy": 2})).await;
    rig.gateways[1].kill();
    let mut told = until(&mut a, "bob", "offline").await;
    assert_eq!(counts(&rig).await, json!({"bob": 0, "cy": 1}), "cy has a socket here");
    also_c.done(json!({"type": "presence", "status": "away"})).await;
    told.extend(until(&mut a, "cy", "away").await);
    let cy_left = |frame: &Value| frame["user"] == "cy" && frame["status"] == "offline";
    assert!(!told.iter().any(cy_left), "{told:?}");
    eventually("bob's departure is on record", PATIENCE, async || match on_record(&rig, &bob).await {
        seen if seen == [PresenceStatus::Online, PresenceStatus::Offline] => Ok(()),
        seen => Err(seen),
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_joins_late_learns_who_is_there() {
    let mut rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut b = rig.socket(0, &bob).await;
    b.done(json!({"type": "presence", "status": "busy", "text": "since before"})).await;
    rig.add(|_| {}).await;
    let mut a = rig.socket(1, &ada).await;
    a.done(json!({"type": "watch", "users": ["bob"]})).await;
    let busy = sees(&mut a, "bob", "busy").await;
    assert_eq!(busy["text"], "since before");
}

#[tokio::test]
async fn watch_is_bounded_replaces_the_last_one_and_knows_whom_it_names() {
    let rig = Rig::start_with(1, |config| config.offline_after = Duration::ZERO).await;
    let (ada, bob, cy) = (rig.person("ada").await, rig.person("bob").await, rig.person("cy").await);
    let mut a = rig.socket(0, &ada).await;
    let handles = |count: usize| (0..count).map(|n| format!("u{n}")).collect::<Vec<_>>();
    assert_eq!(a.refused(json!({"type": "watch", "users": handles(501)})).await, "invalid");
    assert_eq!(a.refused(json!({"type": "watch", "users": handles(500)})).await, "unknown_user");
    assert_eq!(a.refused(json!({"type": "watch", "users": ["bob", "nobody"]})).await, "unknown_user");
    a.done(json!({"type": "watch", "users": ["bob", "bob"]})).await;
    assert_eq!(a.expect("presence").await["user"], "bob");
    assert_eq!(a.drain().await, Vec::<Value>::new(), "named twice, told once");
    // One that is refused leaves the last one as it was.
    assert_eq!(a.refused(json!({"type": "watch", "users": ["nobody"]})).await, "unknown_user");
    let mut b = rig.socket(0, &bob).await;
    sees(&mut a, "bob", "online").await;
    assert_eq!(watch(&mut a, &["cy"]).await[0]["status"], "offline");
    b.done(json!({"type": "presence", "status": "busy"})).await;
    let mut c = rig.socket(0, &cy).await;
    let next = a.expect("presence").await;
    assert_eq!((&next["user"], &next["status"]), (&json!("cy"), &json!("online")), "nothing of bob any more");
    a.done(json!({"type": "watch", "users": []})).await;
    c.done(json!({"type": "presence", "status": "busy"})).await;
    c.send(&["ada"], "that should have been told before this").await;
    a.expect("message").await;
    assert_eq!(a.drain().await, Vec::<Value>::new());
}
