//! How people want to be shown, and how they want conversations to be treated.

use natter_log::Stream;
use serde_json::{Value, json};

use crate::rig::{Rig, new_id};
use crate::rooms::{about_user, room};
use crate::socket::{seq, text};

fn profile(name: &str) -> Value {
    json!({"type": "profile", "id": new_id(), "display_name": name})
}

fn prefer(conversation: &Value) -> Value {
    json!({"type": "prefer", "id": new_id(), "conversation": conversation, "muted": true, "notify": "mentions"})
}

#[tokio::test]
async fn a_profile_is_told_to_its_owners_devices_and_to_those_who_watch_them() {
    let rig = Rig::start(2).await;
    let people = [rig.person("ada").await, rig.person("bob").await, rig.person("cy").await];
    let [mut a, mut b, mut c] =
        [rig.socket(0, &people[0]).await, rig.socket(1, &people[1]).await, rig.socket(1, &people[2]).await];
    let mut also_a = rig.socket(1, &people[0]).await;
    let start = text(&a.send(&["ada"], "a note").await, "position");
    also_a.expect("message").await;
    b.done(json!({"type": "watch", "users": ["ada"]})).await;
    b.until("presence").await;
    let command = profile("Ada Lovelace");
    let ok = a.done(command.clone()).await;
    let own = also_a.expect("profile").await;
    for field in ["seq", "position", "at"] {
        assert_eq!(own[field], ok[field], "{field}: {own}");
    }
    assert_eq!((&own["user"], &own["display_name"]), (&json!("ada"), &json!("Ada Lovelace")));
    let seen = b.until("profile").await.pop().unwrap();
    assert_eq!((&seen["user"], &seen["display_name"]), (&json!("ada"), &json!("Ada Lovelace")));
    assert!(seen.get("seq").is_none() && seen.get("position").is_none(), "EVT4: of the moment: {seen}");
    assert_eq!(c.drain().await, Vec::<Value>::new());
    let mut again = rig.resume(0, &people[0], &start).await;
    assert_eq!(again.expect("profile").await, own);
    assert_eq!(a.done(command.clone()).await["duplicate"], true, "CMD2");
    let mut other = command;
    other["display_name"] = json!("Somebody else");
    assert_eq!(also_a.refused(other).await, "conflict");
    a.done(profile("")).await;
    assert_eq!(also_a.expect("profile").await["display_name"], "ada", "by the handle again");
    for (name, code) in [(" ", "invalid"), ("a\nb", "invalid"), (&*"x".repeat(65), "too_large")] {
        assert_eq!(a.refused(profile(name)).await, code);
    }
    let stored = rig.log().await.get(Stream::Chat, seq(&ok)).await.unwrap().unwrap();
    assert!(!stored.payload.windows(8).any(|bytes| bytes == b"Lovelace"), "D13");
}

#[tokio::test]
async fn preferences_are_sealed_and_nobody_elses() {
    let rig = Rig::start(2).await;
    let people = [rig.person("ada").await, rig.person("bob").await];
    let (mut a, mut b) = (rig.socket(0, &people[0]).await, rig.socket(1, &people[1]).await);
    let mut also_a = rig.socket(1, &people[0]).await;
    let here = json!(room(&mut a, "engines", "private", &["bob"]).await);
    b.until("room").await;
    let start = text(also_a.until("room").await.last().unwrap(), "position");
    let command = prefer(&here);
    let ok = a.done(command.clone()).await;
    let told = also_a.expect("preferences").await;
    for (field, value) in [("muted", json!(true)), ("starred", json!(false)), ("notify", json!("mentions"))] {
        assert_eq!(told[field], value, "{told}");
    }
    assert_eq!((&told["seq"], &told["conversation"], &told["id"]), (&ok["seq"], &here, &command["id"]));
    assert_eq!(b.drain().await, Vec::<Value>::new());
    let mut again = rig.resume(0, &people[0], &start).await;
    assert_eq!(again.expect("preferences").await, told);
    assert_eq!(a.done(command.clone()).await["duplicate"], true);
    let mut other = command.clone();
    other["starred"] = json!(true);
    assert_eq!(a.refused(other).await, "conflict");
    let mut garbage = prefer(&here);
    garbage["notify"] = json!("sometimes");
    assert_eq!(a.refused(garbage).await, "invalid");
    let stored = rig.log().await.get(Stream::Chat, seq(&ok)).await.unwrap().unwrap();
    assert!(!stored.payload.windows(8).any(|bytes| bytes == b"mentions"), "D13");
    a.done(about_user("remove", here.as_str().unwrap(), "bob")).await;
    b.until("member").await;
    assert_eq!(b.refused(prefer(&here)).await, "not_found", "CMD6");

    let path = format!("/api/conversations/{}/preferences", here.as_str().unwrap());
    let body = json!({"id": new_id(), "hidden": true});
    let (status, ok) = rig.http(0, "PUT", &path, Some(&people[0].token), Some(body)).await;
    assert_eq!(status, 200, "{ok}");
    assert_eq!(also_a.until("preferences").await.pop().unwrap()["hidden"], true);
    let body = json!({"id": new_id(), "display_name": "Ada"});
    let (status, _) = rig.http(0, "PATCH", "/api/profile", Some(&people[0].token), Some(body)).await;
    assert_eq!(status, 200);
    let (status, _) = rig.http(0, "PATCH", "/api/profile", None, Some(json!({}))).await;
    assert_eq!(status, 401);
}
