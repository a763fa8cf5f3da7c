//! Rooms from outside: making them, coming and going, roles, and who may do what (PROTOCOL §6, D5, CMD2-6).

use std::collections::BTreeSet;

use futures::future::join_all;
use natter_events::{Event, Record, Role, Subject};
use natter_log::Stream;
use natter_testkit::eventually;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig, new_id};
use crate::socket::{Socket, seq, text};

/// A command about a room, under a new id.
pub fn about(kind: &str, room: &str) -> Value {
    json!({"type": format!("room.{kind}"), "id": new_id(), "conversation": room})
}

/// One about somebody in it.
pub fn about_user(kind: &str, room: &str, user: &str) -> Value {
    let mut command = about(kind, room);
    command["user"] = json!(user);
    command
}

pub fn create(name: &str, visibility: &str, members: &[&str]) -> Value {
    json!({"type": "room.create", "id": new_id(), "name": name, "visibility": visibility, "members": members})
}

pub fn say(room: &str, words: &str) -> Value {
    json!({"type": "send", "id": new_id(), "to": {"conversation": room}, "text": words})
}

/// A new room of the socket's user, by its id.
pub async fn room(socket: &mut Socket, name: &str, visibility: &str, members: &[&str]) -> String {
    let (ok, seen) = socket.ask(create(name, visibility, members)).await;
    assert_eq!((&ok["type"], &ok["refused"]), (&json!("ok"), &json!([])), "{ok}");
    let joined = seen.iter().filter(|frame| frame["conversation"] == ok["conversation"]);
    assert_eq!(joined.count(), members.len() + 1, "who is in it from the beginning: {seen:?}");
    text(&ok, "conversation")
}

/// Asks until the gateway has heard of what happened on another one.
pub async fn refused_soon(socket: &mut Socket, code: &str, command: impl Fn() -> Value) {
    eventually("the gateway knows", PATIENCE, async || {
        let (answer, _) = socket.ask(command()).await;
        if answer["code"] == code { Ok(()) } else { Err(answer) }
    })
    .await;
}

#[tokio::test]
async fn a_room_is_made_with_its_members_and_all_of_them_hear_of_it_on_every_gateway() {
    let rig = Rig::start(2).await;
    let people = [rig.person("ada").await, rig.person("bob").await, rig.person("cy").await];
    let [mut a, mut b, mut c] =
        [rig.socket(0, &people[0]).await, rig.socket(1, &people[1]).await, rig.socket(0, &people[2]).await];
    let mut also_a = rig.socket(1, &people[0]).await;
    let mut command = create("engines", "private", &["bob", "ada", "bob", "nobody"]);
    command["topic"] = json!("analytical ones");
    let (ok, own) = a.ask(command.clone()).await;
    assert_eq!(ok["refused"], json!(["nobody"]), "{ok}");
    let room = &ok["conversation"];
    assert_eq!(own.iter().map(|frame| &frame["user"]).collect::<Vec<_>>(), ["ada", "bob"], "{own:?}");

    let joined = b.expect("member").await;
    let of_room = b.until("room").await.pop().unwrap();
    assert_eq!((&joined["user"], &joined["change"], &joined["by"]), (&json!("bob"), &json!("joined"), &json!("ada")));
    assert_eq!((&joined["role"], &joined["conversation"]), (&json!("member"), room));
    for (field, value) in [("name", "engines"), ("topic", "analytical ones"), ("visibility", "private")] {
        assert_eq!(of_room[field], value, "{of_room}");
    }
    assert_eq!((&of_room["owners"], &of_room["archived"]), (&json!(["ada"]), &json!(false)));
    for field in ["seq", "position", "at"] {
        assert_eq!(of_room[field], ok[field], "{field}");
    }
    let heard = also_a.until("room").await;
    assert_eq!(heard.last(), Some(&of_room), "the owner's other devices hear of it");
    assert_eq!(c.drain().await, Vec::<Value>::new(), "a private room is nobody else's");

    let again = a.done(command.clone()).await;
    assert_eq!((&again["seq"], &again["duplicate"], &again["refused"]), (&ok["seq"], &json!(true), &json!(["nobody"])));
    let again = also_a.done(command.clone()).await;
    assert_eq!((&again["seq"], &again["conversation"]), (&ok["seq"], room));
    command["name"] = json!("others");
    assert_eq!(a.refused(command.clone()).await, "conflict", "CMD2");
    command["name"] = json!("engines");
    command["members"] = json!(["bob"]);
    assert_eq!(a.refused(command).await, "conflict");
}

#[tokio::test]
async fn what_is_said_in_a_room_reaches_its_members_on_every_gateway_and_nobody_else() {
    let rig = Rig::start(2).await;
    let people = [rig.person("ada").await, rig.person("bob").await, rig.person("cy").await];
    let [mut a, mut b, mut c] =
        [rig.socket(0, &people[0]).await, rig.socket(1, &people[1]).await, rig.socket(1, &people[2]).await];
    let here = room(&mut a, "engines", "public", &["bob"]).await;
    b.until("room").await;
    let ok = a.done(say(&here, "hello all")).await;
    let heard = b.expect("message").await;
    assert_eq!(
        (&heard["text"], &heard["seq"], &heard["conversation"]),
        (&json!("hello all"), &ok["seq"], &json!(here))
    );
    assert!(heard.get("participants").is_none(), "a room has members, not participants: {heard}");
    let change = |kind: &str, extra: Value| {
        let mut change = json!({"type": kind, "id": new_id(), "conversation": here, "message": ok["seq"]});
        change.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        change
    };
    a.done(change("edit", json!({"text": "hello everyone"}))).await;
    b.expect("edited").await;
    b.done(change("react", json!({"emoji": "👍", "op": "add"}))).await;
    a.expect("reaction").await;
    a.done(change("pin", json!({"op": "add"}))).await;
    let pin = b.expect("pin").await;
    assert_eq!((&pin["message"], &pin["op"], &pin["by"]), (&ok["seq"], &json!("add"), &json!("ada")));
    b.say(json!({"type": "typing", "conversation": here})).await;
    assert_eq!(a.expect("typing").await["user"], "bob");
    // How far somebody has read in a room is told to their own devices.
    let mut also_b = rig.socket(0, &people[1]).await;
    b.done(json!({"type": "mark", "id": new_id(), "conversation": here, "read": ok["seq"]})).await;
    assert_eq!(also_b.expect("marker").await["read"], ok["seq"]);
    assert_eq!(a.drain().await, Vec::<Value>::new());
    assert_eq!(c.drain().await, Vec::<Value>::new(), "cy is not in it");
    assert_eq!(b.refused(change("pin", json!({"op": "remove"}))).await, "forbidden");
    assert_eq!(b.refused(change("delete", json!({}))).await, "forbidden");
}

#[tokio::test]
async fn cmd6_a_private_room_does_not_exist_for_others_and_a_public_one_is_not_theirs() {
    let rig = Rig::start(2).await;
    let (ada, cy) = (rig.person("ada").await, rig.person("cy").await);
    let (mut a, mut c) = (rig.socket(0, &ada).await, rig.socket(1, &cy).await);
    let private = room(&mut a, "secrets", "private", &[]).await;
    let public = room(&mut a, "square", "public", &[]).await;
    let said = a.done(say(&private, "psst")).await;
    let missing = "019f0000-0000-7000-8000-000000000001";
    let commands = |room: &str| {
        let mut update = about("update", room);
        update["name"] = json!("mine");
        let mut role = about_user("role", room, "ada");
        role["role"] = json!("member");
        let edit = json!({"type": "edit", "id": new_id(), "conversation": room, "message": said["seq"], "text": "x"});
        let mark = json!({"type": "mark", "id": new_id(), "conversation": room, "read": 1});
        let typing = json!({"type": "typing", "conversation": room});
        let others = ["add", "remove", "ban", "unban"].map(|kind| about_user(kind, room, "ada"));
        let all = [say(room, "hi"), edit, mark, typing, update, role, about("leave", room), about("archive", room)];
        all.into_iter().chain(others).collect::<Vec<_>>()
    };
    // Until the gateway has heard of the public one.
    refused_soon(&mut c, "not_member", || say(&public, "hi")).await;
    for ((missing, private), public) in commands(missing).into_iter().zip(commands(&private)).zip(commands(&public)) {
        let kind = private["type"].clone();
        let (of_missing, _) = c.ask(missing).await;
        let (of_private, _) = c.ask(private).await;
        assert_eq!(
            (&of_private["code"], &of_private["message"]),
            (&of_missing["code"], &of_missing["message"]),
            "{kind}"
        );
        assert_eq!(of_private["code"], "not_found", "{kind}");
        assert_eq!(c.refused(public).await, "not_member", "{kind}");
    }
    for room in [missing, &private] {
        let mut update = about("update", room);
        update["name"] = json!("");
        assert_eq!(c.refused(update).await, "invalid", "whether there is such a room or not");
    }
    assert_eq!(c.refused(about("join", &private)).await, "not_found");
    assert_eq!(c.refused(about("join", missing)).await, "not_found");
    assert_eq!(c.refused(about("join", &said["conversation"].as_str().unwrap().replace('7', "5"))).await, "not_found");
    c.done(about("join", &public)).await;
    assert_eq!(a.until("member").await.pop().unwrap()["user"], "cy");
    c.done(say(&public, "here I am")).await;
}

#[tokio::test]
async fn members_come_and_go_and_each_is_told_how() {
    let rig = Rig::start(2).await;
    let people = [rig.person("ada").await, rig.person("bob").await];
    let (mut a, mut b) = (rig.socket(0, &people[0]).await, rig.socket(1, &people[1]).await);
    let here = room(&mut a, "engines", "public", &[]).await;
    refused_soon(&mut b, "not_member", || say(&here, "hm")).await;
    let told = async |frame: Value| {
        let of = |field: &str| frame[field].as_str().unwrap_or("-").to_owned();
        [of("user"), of("change"), of("role"), of("by")].join(" ")
    };
    let join = about("join", &here);
    let ok = b.done(join.clone()).await;
    assert_eq!(told(a.expect("member").await).await, "bob joined member bob");
    let again = b.done(about("join", &here)).await;
    assert_eq!(again["seq"], ok["seq"], "who is in it is in it");
    assert_eq!(b.done(join).await["duplicate"], true, "CMD2");
    b.done(about("leave", &here)).await;
    assert_eq!(told(a.expect("member").await).await, "bob left - bob");
    assert_eq!(b.refused(say(&here, "still there?")).await, "not_member");
    assert_eq!(b.refused(about("leave", &here)).await, "not_member");
    a.done(about_user("add", &here, "bob")).await;
    assert_eq!(told(b.expect("member").await).await, "bob joined member ada");
    b.done(say(&here, "thanks")).await;
    a.expect("message").await;
    a.done(about_user("remove", &here, "bob")).await;
    assert_eq!(told(b.expect("member").await).await, "bob removed - ada");
    a.done(about_user("ban", &here, "bob")).await;
    refused_soon(&mut b, "forbidden", || about("join", &here)).await;
    assert_eq!(a.refused(about_user("add", &here, "bob")).await, "forbidden");
    let ban = about_user("ban", &here, "bob");
    a.done(ban).await;
    a.done(about_user("unban", &here, "bob")).await;
    eventually("bob may come back", PATIENCE, async || {
        let (answer, _) = b.ask(about("join", &here)).await;
        if answer["type"] == "ok" { Ok(()) } else { Err(answer) }
    })
    .await;
    assert_eq!(told(a.expect("member").await).await, "bob joined member bob");
    for (command, code) in [
        (about_user("remove", &here, "nobody"), "unknown_user"),
        (about_user("remove", &here, "ada"), "invalid"),
        (about_user("ban", &here, "ada"), "invalid"),
        (about("leave", &here), "forbidden"),
    ] {
        assert_eq!(a.refused(command.clone()).await, code, "{command}");
    }
}

#[tokio::test]
async fn roles_decide_who_may_and_the_last_owner_hands_over_first() {
    let rig = Rig::start(1).await;
    let people = [rig.person("ada").await, rig.person("bob").await, rig.person("cy").await];
    let [mut a, mut b, mut c] =
        [rig.socket(0, &people[0]).await, rig.socket(0, &people[1]).await, rig.socket(0, &people[2]).await];
    let here = room(&mut a, "engines", "private", &["bob", "cy"]).await;
    let role = |user: &str, role: &str| {
        let mut command = about_user("role", &here, user);
        command["role"] = json!(role);
        command
    };
    let rename = |name: &str| {
        let mut command = about("update", &here);
        command["name"] = json!(name);
        command
    };
    let said = c.done(say(&here, "@room, hello")).await;
    let delete = json!({"type": "delete", "id": new_id(), "conversation": here, "message": said["seq"]});
    for command in [rename("x"), role("cy", "member"), about_user("remove", &here, "cy"), delete.clone()] {
        assert_eq!(b.refused(command).await, "forbidden");
    }
    a.done(role("bob", "moderator")).await;
    b.done(rename("better engines")).await;
    b.done(delete).await;
    assert_eq!(c.until("room").await.pop().unwrap()["name"], "better engines");
    assert_eq!(c.until("deleted").await.pop().unwrap()["by"], "bob");
    assert_eq!(b.refused(role("cy", "moderator")).await, "forbidden");
    assert_eq!(b.refused(about_user("remove", &here, "ada")).await, "forbidden");
    assert_eq!(b.refused(about("archive", &here)).await, "forbidden");
    assert_eq!(a.refused(role("ada", "member")).await, "forbidden");
    a.done(role("bob", "owner")).await;
    let owners = c.until("room").await.pop().unwrap();
    assert_eq!(owners["owners"], json!(["ada", "bob"]), "{owners}");
    a.done(about("leave", &here)).await;
    assert_eq!(c.until("room").await.pop().unwrap()["owners"], json!(["bob"]));
    assert_eq!(a.refused(rename("mine")).await, "not_found", "who has left a private room does not know it");
    b.done(about("archive", &here)).await;
    assert_eq!(c.until("room").await.pop().unwrap()["archived"], true);
    assert_eq!(c.refused(say(&here, "hm")).await, "archived");
    assert_eq!(b.refused(rename("x")).await, "archived");
    assert_eq!(b.refused(about_user("add", &here, "ada")).await, "archived");
    let mut back = about("update", &here);
    back["archived"] = json!(false);
    b.done(back).await;
    c.done(say(&here, "back")).await;
}

#[tokio::test]
async fn what_a_room_is_called_is_checked_and_sealed() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let mut a = rig.socket(0, &ada).await;
    for (name, code) in [("", "invalid"), ("  ", "invalid"), ("a\nb", "invalid"), (&*"x".repeat(81), "too_large")] {
        assert_eq!(a.refused(create(name, "public", &[])).await, code, "{name:?}");
    }
    let many: Vec<_> = (0..101).map(|n| format!("user-{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(a.refused(create("x", "public", &many)).await, "invalid");
    assert_eq!(a.refused(create("x", "secret", &[])).await, "invalid");
    assert_eq!(a.refused(create("x", "public", &["Not A Handle"])).await, "invalid");
    let here = room(&mut a, "the treasure", "public", &[]).await;
    assert_eq!(a.refused(about("update", &here)).await, "invalid", "nothing is to be changed");
    let mut topic = about("update", &here);
    topic["topic"] = json!("where it lies");
    let ok = a.done(topic).await;
    let log = rig.log().await;
    for at in 1..=seq(&ok) {
        let stored = log.get(Stream::Chat, at).await.unwrap().unwrap();
        for secret in ["treasure", "where it lies"] {
            assert!(!stored.payload.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret} at {at}");
        }
    }
    let mut none = about("update", &here);
    none["topic"] = json!("");
    a.done(none).await;
    let (_, seen) = a.ask(about("join", &here)).await;
    assert_eq!(seen, Vec::<Value>::new());
}

#[tokio::test]
async fn cmd7_nobody_is_added_by_whom_they_have_blocked() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(0, &bob).await);
    b.done(json!({"type": "block", "id": new_id(), "user": "ada"})).await;
    let (ok, _) = a.ask(create("come", "public", &["bob"])).await;
    assert_eq!(ok["refused"], json!(["bob"]), "{ok}");
    let here = text(&ok, "conversation");
    assert_eq!(a.refused(about_user("add", &here, "bob")).await, "blocked");
    b.done(about("join", &here)).await;
}

/// What the log says now: who is in a room as what, and who owns it.
async fn in_the_log(rig: &Rig, room: &str, people: &[Person]) -> (Vec<Option<Role>>, BTreeSet<natter_events::Uid>) {
    let (log, room) = (rig.log().await, room.parse().unwrap());
    let mut roles = Vec::new();
    for person in people {
        let last = log.last(Stream::Chat, &Subject::Rooms(person.uid).to_string()).await.unwrap();
        roles.push(last.and_then(|last| match Record::decode(&last.payload).unwrap().event {
            Event::MembershipChanged(changed) => changed.role_in(room),
            other => panic!("{other:?}"),
        }));
    }
    let last = log.last(Stream::Chat, &Subject::Room(room).to_string()).await.unwrap().unwrap();
    let Event::RoomChanged(changed) = Record::decode(&last.payload).unwrap().event else { panic!("no room") };
    (roles, changed.room.owners.into_iter().collect())
}

#[tokio::test]
async fn d5_of_owners_who_leave_at_once_on_two_gateways_one_stays() {
    let rig = Rig::start(2).await;
    for round in 0..10 {
        let people = [rig.person(&format!("ada-{round}")).await, rig.person(&format!("bob-{round}")).await];
        let mut a = rig.socket(0, &people[0]).await;
        let here = room(&mut a, "ours", "private", &[&people[1].handle]).await;
        let mut role = about_user("role", &here, &people[1].handle);
        role["role"] = json!("owner");
        a.done(role).await;
        let leave = async |gateway: usize, person: &Person| {
            // The other gateway may not have heard of it yet: then it is asked again, under the same id.
            let path = format!("/api/rooms/{here}/members/me?id={}", new_id());
            eventually("it is decided", PATIENCE, async || {
                match rig.http(gateway, "DELETE", &path, Some(&person.token), None).await {
                    (200, _) => Ok(true),
                    (403, problem) if problem["code"] == "forbidden" => Ok(false),
                    other => Err(other),
                }
            })
            .await
        };
        let left = tokio::join!(leave(0, &people[0]), leave(1, &people[1]));
        assert!(left.0 != left.1, "one of them: {left:?}");
        let (roles, owners) = in_the_log(&rig, &here, &people).await;
        let stays = usize::from(left.0);
        assert_eq!((roles[stays], roles[1 - stays]), (Some(Role::Owner), None));
        assert_eq!(owners, BTreeSet::from([people[stays].uid]));
    }
}

#[tokio::test]
async fn d5_racing_moderators_on_two_gateways_lose_no_change() {
    const PEOPLE: usize = 12;
    let rig = Rig::start_with(2, |config| config.other_commands = 1_000).await;
    let ada = rig.person("ada").await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(rig.person(&format!("user-{n}")).await);
    }
    let mut a = rig.socket(0, &ada).await;
    let handles: Vec<_> = people.iter().map(|person| &*person.handle).collect();
    let here = room(&mut a, "busy", "public", &handles).await;
    let change = async |gateway: usize, method: &str, path: String, body: Option<Value>| {
        eventually("it is stored", PATIENCE, async || {
            match rig.http(gateway, method, &path, Some(&ada.token), body.clone()).await {
                (200, ok) => Ok(seq(&ok)),
                other @ (503 | 403 | 404, _) => Err(other),
                other => panic!("{other:?}"),
            }
        })
        .await
    };
    // Each is made an owner, a third of them is banned at the same time, and the room gets new names: all through one subject.
    let owners = people.iter().enumerate().filter(|(n, _)| n % 3 != 0).map(|(n, person)| {
        let path = format!("/api/rooms/{here}/members/{}/role", person.handle);
        change(n % 2, "PUT", path, Some(json!({"id": new_id(), "role": "owner"})))
    });
    let bans = people.iter().enumerate().filter(|(n, _)| n % 3 == 0).map(|(n, person)| {
        change((n + 1) % 2, "PUT", format!("/api/rooms/{here}/bans/{}?id={}", person.handle, new_id()), None)
    });
    let names = (0..6).map(|n| {
        change(n % 2, "PATCH", format!("/api/rooms/{here}"), Some(json!({"id": new_id(), "name": format!("name {n}")})))
    });
    let (of_owners, of_bans, of_names) = tokio::join!(join_all(owners), join_all(bans), join_all(names));
    let all: BTreeSet<u64> = [of_owners, of_bans, of_names].concat().into_iter().collect();
    assert_eq!(all.len(), PEOPLE + 6, "an event each");
    let (roles, owners) = in_the_log(&rig, &here, &people).await;
    for (n, role) in roles.iter().enumerate() {
        assert_eq!(*role, (n % 3 != 0).then_some(Role::Owner), "{n}");
    }
    let expected = people.iter().enumerate().filter(|(n, _)| n % 3 != 0).map(|(_, person)| person.uid);
    assert_eq!(owners, expected.chain([ada.uid]).collect());
    for gateway in [0, 1] {
        let (status, problem) = rig
            .http(
                gateway,
                "PUT",
                &format!("/api/rooms/{here}/members/me?id={}", new_id()),
                Some(&people[0].token),
                None,
            )
            .await;
        assert_eq!((status, &problem["code"]), (403, &json!("forbidden")), "who is banned stays out: {problem}");
    }
}

#[tokio::test]
async fn d5_a_joining_never_comes_behind_the_ban_that_it_raced_with() {
    let rig = Rig::start(2).await;
    let ada = rig.person("ada").await;
    let mut a = rig.socket(0, &ada).await;
    for round in 0..10 {
        let bob = rig.person(&format!("bob-{round}")).await;
        let here = room(&mut a, "gate", "public", &[]).await;
        let join = format!("/api/rooms/{here}/members/me?id={}", new_id());
        let ban = format!("/api/rooms/{here}/bans/{}?id={}", bob.handle, new_id());
        let (joined, (banned, answer)) = tokio::join!(
            rig.http(1, "PUT", &join, Some(&bob.token), None),
            rig.http(0, "PUT", &ban, Some(&ada.token), None)
        );
        assert_eq!(banned, 200, "{answer}");
        assert!(matches!(joined.0, 200 | 403 | 404), "{joined:?}");
        let (roles, _) = in_the_log(&rig, &here, &[bob]).await;
        assert_eq!(roles, [None]);
    }
}

#[tokio::test]
async fn the_http_twins_do_the_same_in_rooms() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let ask = async |method: &str, path: String, token: &str, body: Option<Value>| {
        rig.http(0, method, &path, Some(token), body).await
    };
    let body = json!({"id": new_id(), "name": "engines", "visibility": "public", "members": ["nobody"]});
    let (status, ok) = ask("POST", "/api/rooms".into(), &ada.token, Some(body.clone())).await;
    assert_eq!((status, &ok["refused"]), (200, &json!(["nobody"])), "{ok}");
    let again = ask("POST", "/api/rooms".into(), &ada.token, Some(body)).await.1;
    assert_eq!((&again["seq"], &again["duplicate"]), (&ok["seq"], &json!(true)));
    let here = text(&ok, "conversation");
    let path = |rest: &str| format!("/api/rooms/{here}{rest}");
    let with_id = |rest: &str| format!("/api/rooms/{here}{rest}?id={}", new_id());
    for (method, path, token, body) in [
        ("PUT", with_id("/members/me"), &bob.token, None),
        ("DELETE", with_id("/members/me"), &bob.token, None),
        ("PUT", with_id("/members/bob"), &ada.token, None),
        ("PUT", path("/members/bob/role"), &ada.token, Some(json!({"id": new_id(), "role": "moderator"}))),
        ("PATCH", path(""), &bob.token, Some(json!({"id": new_id(), "topic": "steam"}))),
        ("DELETE", with_id("/members/bob"), &ada.token, None),
        ("PUT", with_id("/bans/bob"), &ada.token, None),
        ("DELETE", with_id("/bans/bob"), &ada.token, None),
        ("DELETE", with_id(""), &ada.token, None),
    ] {
        let (status, ok) = ask(method, path.clone(), token, body).await;
        assert_eq!((status, ok["seq"].is_u64()), (200, true), "{method} {path}: {ok}");
    }
    for (method, path, body, expected) in [
        ("PUT", path("/members/me"), None, 400),
        ("PUT", "/api/rooms/x/members/me?id=1".into(), None, 404),
        ("PUT", with_id("/members/Not%20A%20Handle"), None, 404),
        ("PUT", path("/members/bob/role"), Some(json!({"id": new_id(), "role": "king"})), 400),
        ("PUT", with_id("/members/bob"), None, 409),
        ("PATCH", path(""), Some(json!({"id": new_id()})), 400),
    ] {
        let (status, problem) = ask(method, path.clone(), &ada.token, body).await;
        assert_eq!(status, expected, "{method} {path}: {problem}");
    }
    let (status, _) = rig.http(0, "DELETE", &with_id(""), None, None).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn cmd5_a_room_has_a_budget_of_its_own_over_all_gateways() {
    let rig = Rig::start_with(2, |config| config.room_messages = 3).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let here = room(&mut a, "busy", "private", &["bob"]).await;
    b.until("room").await;
    for n in 0..3 {
        a.done(say(&here, &format!("{n}"))).await;
        b.expect("message").await;
    }
    for socket in [&mut a, &mut b] {
        let (refused, _) = socket.ask(say(&here, "more")).await;
        assert_eq!((&refused["code"], &refused["temporary"]), (&json!("rate_limited"), &json!(true)), "{refused}");
        socket.send(&["ada"], "elsewhere it goes on").await;
    }
}
