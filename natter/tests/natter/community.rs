//! A community over all services: rooms with people who come and go, threads, mentions, pins, profiles and preferences. What
//! history tells each of them is what their sockets tell, before and after everything is started again, and made again from
//! the log alone.

use std::collections::BTreeMap;

use natter_client::{Client, Event, Position};
use natter_testkit::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::alone::Deployment;
use crate::program::LONG;
use crate::story::{Person, Services};

async fn says(person: &Person, room: &str, text: &str, extra: Value) -> u64 {
    let mut message = json!({"to": {"conversation": room}, "id": Uuid::now_v7(), "text": text});
    message.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    let ok = person.does("POST", "/api/messages".to_owned(), Some(message)).await;
    ok["seq"].as_u64().expect("a seq")
}

fn texts(page: &Value) -> Vec<&str> {
    page.as_array().expect("items").iter().map(|item| item["text"].as_str().expect("a text")).collect()
}

/// What history tells somebody, without what is of the moment: by path, the answer or its status.
async fn told(person: &Person, room: &str, root: u64, since: &str, upto: &Value) -> BTreeMap<String, Value> {
    let of_room = |rest: &str| format!("/history/conversations/{room}{rest}");
    let paths = [
        "/history/conversations".to_owned(),
        of_room(""),
        of_room("/messages?limit=200"),
        of_room(&format!("/messages?thread={root}")),
        of_room(&format!("/messages/{root}/versions")),
        of_room("/members"),
        of_room("/threads"),
        of_room("/pins"),
        of_room("/bans"),
        format!("/history/rooms/{room}"),
        "/history/rooms?q=engine".to_owned(),
        "/history/search?q=CY".to_owned(),
        format!("/history/search?q=tha+abo&from=bob&conversation={room}"),
        "/history/users/ada".to_owned(),
        format!("/history/changes?after={since}&limit=200"),
    ];
    let mut told = BTreeMap::new();
    for path in paths {
        let (status, mut answer) = person.ask("GET", &path, Some(upto), None).await;
        if let Some(object) = answer.as_object_mut() {
            object.remove("position");
            object.remove("last_seen");
        }
        told.insert(path, if status == 200 { answer } else { json!({"status": status, "code": answer["code"]}) });
    }
    told
}

/// Types and sequences of what a socket tells somebody who comes back after `since`.
async fn heard(person: &Person, since: &str) -> Vec<(String, u64)> {
    let since: Position = since.parse().expect("a position");
    let (client, mut events) = Client::builder(&person.gateway)
        .history_url(&person.history)
        .token(person.token.as_str())
        .resume_from(since)
        .connect()
        .await
        .expect("connected");
    let mut heard = Vec::new();
    while let Some(event) = events.next().await {
        match &event {
            Event::CaughtUp { .. } => break,
            Event::Reset { reason, .. } => panic!("reset: {reason:?}"),
            _ => {}
        }
        let name = format!("{event:?}");
        let kind = name.split(['(', ' ']).next().expect("a name").to_lowercase();
        if let Some(position) = event.position() {
            heard.push((kind, position.seq));
        }
    }
    drop(client);
    heard
}

#[tokio::test]
async fn evt3_a_community_is_told_the_same_by_sockets_and_history_after_a_restart_and_from_the_log_alone() {
    let mut deployment = Deployment::new().await;
    let services = Services::start(&deployment).await;
    let names = ["ada", "bob", "cy", "dave"];
    let mut people = Vec::new();
    for name in names {
        people.push(Person::enters(&services, "register", name).await);
    }
    let [ada, bob, cy, dave] = &people[..] else { panic!("four people") };
    let note = json!({"to": {"participants": ["ada"]}, "id": Uuid::now_v7(), "text": "a note"});
    let start = ada.does("POST", "/api/messages".to_owned(), Some(note)).await;
    let since = start["position"].as_str().expect("a position").to_owned();

    let new = json!({"id": Uuid::now_v7(), "name": "Engine room", "topic": "steam", "visibility": "private",
                     "members": ["bob"]});
    let made = ada.does("POST", "/api/rooms".to_owned(), Some(new)).await;
    let room = made["conversation"].as_str().expect("a room").to_owned();
    let at = |rest: &str| format!("/api/rooms/{room}{rest}");
    let on = |seq: u64, rest: &str| format!("/api/conversations/{room}/messages/{seq}{rest}");
    let root = says(ada, &room, "before cy", json!({})).await;
    let id = || Uuid::now_v7();
    ada.does("PUT", at("/members/cy"), None).await;
    ada.does("PUT", at("/members/bob/role"), Some(json!({"id": id(), "role": "moderator"}))).await;
    let first = says(bob, &room, "@cy, welcome! @room: this is cy", json!({})).await;
    says(cy, &room, "hello", json!({"reply_to": first})).await;
    let reply = says(bob, &room, "about that, @ada", json!({"thread": root})).await;
    says(ada, &room, "yes?", json!({"thread": root})).await;
    ada.does("PATCH", on(root, ""), Some(json!({"id": id(), "text": "before cy came"}))).await;
    bob.does("PUT", on(first, "/pin"), None).await;
    bob.does("PUT", on(root, "/pin"), None).await;
    bob.does("DELETE", on(root, "/pin"), None).await;
    cy.does("PUT", on(first, "/reactions/👋"), None).await;
    bob.does("DELETE", at("/members/cy"), None).await;
    let unseen = says(bob, &room, "cy does not see this", json!({})).await;
    bob.does("PUT", at("/members/cy"), None).await;
    says(ada, &room, "cy sees this again, @cy", json!({})).await;
    bob.does("PUT", at("/bans/dave"), None).await;
    ada.does("PATCH", at(""), Some(json!({"id": id(), "visibility": "public", "topic": ""}))).await;
    let public = says(ada, &room, "for everybody", json!({})).await;
    bob.does("DELETE", at("/bans/dave"), None).await;
    dave.does("PUT", at("/members/me"), None).await;
    says(dave, &room, "hi", json!({})).await;
    cy.does("DELETE", at("/members/me"), None).await;
    says(ada, &room, "cy has left", json!({})).await;
    ada.does("PUT", at("/members/dave/role"), Some(json!({"id": id(), "role": "owner"}))).await;
    ada.does("DELETE", at("/members/me"), None).await;
    let marker = |read: u64, thread: Value| Some(json!({"id": id(), "read": read, "thread": thread}));
    let path = format!("/api/conversations/{room}/marker");
    dave.does("PUT", path.clone(), marker(public, Value::Null)).await;
    bob.does("PUT", path, marker(reply, json!(root))).await;
    let muted = json!({"id": id(), "muted": true, "notify": "mentions"});
    bob.does("PUT", format!("/api/conversations/{room}/preferences"), Some(muted)).await;
    ada.does("PATCH", "/api/profile".to_owned(), Some(json!({"id": id(), "display_name": "Ada Lovelace"}))).await;
    let end = json!({"to": {"participants": ["ada"]}, "id": Uuid::now_v7(), "text": "the end"});
    let end = &ada.does("POST", "/api/messages".to_owned(), Some(end)).await["position"];

    let mut before = Vec::new();
    for person in &people {
        before.push(told(person, &room, root, &since, end).await);
    }
    let of = |person: usize, path: &str| before[person][&format!("/history/conversations/{room}{path}")].clone();
    let messages = "/messages?limit=200";
    assert_eq!(
        texts(&of(1, messages)["items"]),
        [
            "before cy came",
            "@cy, welcome! @room: this is cy",
            "hello",
            "cy does not see this",
            "cy sees this again, @cy",
            "for everybody",
            "hi",
            "cy has left"
        ]
    );
    assert_eq!(
        texts(&of(2, messages)["items"]),
        ["@cy, welcome! @room: this is cy", "hello", "cy sees this again, @cy", "for everybody", "hi"],
        "cy: two stays"
    );
    assert_eq!(texts(&of(3, messages)["items"]), ["for everybody", "hi", "cy has left"], "dave: since it was public");
    assert_eq!(texts(&of(0, messages)["items"]).len(), 8, "ada has left since, and was there for all of it");
    let shown = &of(1, messages)["items"];
    assert_eq!(shown[1]["pinned"], true, "{shown}");
    assert_eq!((&shown[2]["reply"]["seq"], &shown[2]["reply"]["sender"]), (&json!(first), &json!("bob")), "{shown}");
    assert_eq!(shown[0]["replies"]["count"], 2, "{shown}");
    assert_eq!(texts(&of(1, &format!("/messages?thread={root}"))["items"]), ["about that, @ada", "yes?"]);
    let found = |person: usize, path: &str| before[person][path]["items"].clone();
    assert_eq!(
        texts(&found(1, "/history/search?q=CY")),
        [
            "cy has left",
            "cy sees this again, @cy",
            "cy does not see this",
            "@cy, welcome! @room: this is cy",
            "before cy came"
        ]
    );
    let of_cy = ["cy sees this again, @cy", "@cy, welcome! @room: this is cy"];
    assert_eq!(texts(&found(2, "/history/search?q=CY")), of_cy, "cy: two stays");
    let in_thread = format!("/history/search?q=tha+abo&from=bob&conversation={room}");
    assert_eq!(texts(&found(0, &in_thread)), ["about that, @ada"], "ada has left since, and was there for it");
    let of_bob = &of(1, "");
    assert_eq!((&of_bob["room"]["name"], &of_bob["room"]["members"]), (&json!("Engine room"), &json!(2)), "{of_bob}");
    assert_eq!((&of_bob["room"]["owners"], &of_bob["room"]["role"]), (&json!(["dave"]), &json!("moderator")));
    assert_eq!(of_bob["preferences"]["muted"], true, "{of_bob}");
    assert_eq!(of_bob["unread"], 4, "what was said since bob said something: {of_bob}");
    assert_eq!(of(3, "")["unread"], 1, "dave has said hi, and then ada said something");
    let roles = of(1, "/members");
    let roles: Vec<_> =
        roles["items"].as_array().expect("items").iter().map(|item| (&item["user"], &item["role"])).collect();
    assert_eq!(roles.len(), 2, "{roles:?}");
    assert!(
        roles.contains(&(&json!("bob"), &json!("moderator"))) && roles.contains(&(&json!("dave"), &json!("owner")))
    );
    assert_eq!(of(0, "")["code"], "not_member", "ada is not in it any more, and it is public");
    assert_eq!(before[0]["/history/rooms?q=engine"]["items"][0]["name"], "Engine room");
    assert_eq!(before[1]["/history/users/ada"]["display_name"], "Ada Lovelace");
    assert!(!json!(before[3]).to_string().contains("cy does not see this"), "said while it was private");
    assert!(!json!(before[2]).to_string().contains(&format!("\"seq\":{unseen},")), "cy was not there");

    for (person, told) in people.iter().zip(&before) {
        let changes = &told[&format!("/history/changes?after={since}&limit=200")]["items"];
        let changes: Vec<_> = changes
            .as_array()
            .expect("changes")
            .iter()
            .map(|frame| (frame["type"].as_str().expect("a type").to_owned(), frame["seq"].as_u64().expect("a seq")))
            .collect();
        assert!(changes.len() > 5, "{changes:?}");
        assert_eq!(heard(person, &since).await, changes, "a socket and history tell the same");
    }

    drop(services);
    let services = Services::start(&deployment).await;
    for (name, told_before) in names.iter().zip(&before) {
        let person = Person::enters(&services, "login", name).await;
        assert_eq!(&told(&person, &room, root, &since, end).await, told_before, "{name}, after a restart");
    }

    drop(services);
    deployment.loses_its_database().await;
    let services = Services::start(&deployment).await;
    for (name, told_before) in names.iter().zip(&before) {
        let person = Person::enters(&services, "login", name).await;
        eventually("the read model is there again", LONG, async || {
            match person.ask("GET", "/history/conversations", Some(end), None).await {
                (200, _) => Ok(()),
                other => Err(other),
            }
        })
        .await;
        assert_eq!(&told(&person, &room, root, &since, end).await, told_before, "{name}, made again from the log");
    }
}

#[tokio::test]
async fn a_room_has_about_as_many_members_as_it_may() {
    let deployment = Deployment::new().await;
    let services = Services::start_with(&deployment, |gateway| _ = gateway.args(["--max-room-members", "2"])).await;
    let mut people = Vec::new();
    for name in ["ada", "bob", "cy"] {
        people.push(Person::enters(&services, "register", name).await);
    }
    let new = json!({"id": Uuid::now_v7(), "name": "for two", "visibility": "public"});
    let made = people[0].does("POST", "/api/rooms".to_owned(), Some(new)).await;
    let room = made["conversation"].as_str().expect("a room");
    let members = format!("/api/rooms/{room}/members");
    let joined = people[1].does("PUT", format!("{members}/me"), None).await;
    people[1].reads(&format!("/history/rooms/{room}"), &joined["position"]).await;
    eventually("it is full", LONG, async || {
        let path = format!("{members}/me?id={}", Uuid::now_v7());
        match people[2].ask("PUT", &path, None, None).await {
            (409, problem) if problem["code"] == "full" => Ok(()),
            // What was counted a moment ago is believed: then cy leaves again, and tries once more.
            (200, _) => {
                people[2].does("DELETE", format!("{members}/me"), None).await;
                Err("let in".to_owned())
            }
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let added = people[0].ask("PUT", &format!("{members}/cy?id={}", Uuid::now_v7()), None, None).await;
    assert_eq!((added.0, &added.1["code"]), (409, &json!("full")));
    people[1].does("DELETE", format!("{members}/me"), None).await;
    eventually("there is room again", LONG, async || {
        let path = format!("{members}/me?id={}", Uuid::now_v7());
        match people[2].ask("PUT", &path, None, None).await {
            (200, _) => Ok(()),
            other => Err(other),
        }
    })
    .await;
}
