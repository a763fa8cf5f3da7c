//! The doors of HTTP: the twins of the socket's commands, which answer as it does, and what only HTTP has.

use std::time::Duration;

use natter_testkit::eventually;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig, new_id};
use crate::socket::{message, seq, text};

/// Every door that wants a token, with something that it takes.
fn doors(conversation: &str) -> [(&'static str, String, Option<Value>); 9] {
    let (message_1, thumb, id) = (format!("/api/conversations/{conversation}/messages/1"), "%F0%9F%91%8D", new_id());
    [
        ("PATCH", message_1.clone(), Some(json!({"id": id, "text": "hi"}))),
        ("DELETE", format!("{message_1}?id={id}"), None),
        ("PUT", format!("{message_1}/reactions/{thumb}?id={id}"), None),
        ("DELETE", format!("{message_1}/reactions/{thumb}?id={id}"), None),
        ("POST", "/api/messages".into(), Some(message(&["ada"], "hi"))),
        ("PUT", format!("/api/conversations/{conversation}/marker"), Some(json!({"id": new_id(), "read": 1}))),
        ("PUT", "/api/presence".into(), Some(json!({"status": "busy"}))),
        ("POST", "/api/connections".into(), Some(json!({"users": ["ada"]}))),
        ("GET", "/api/online".into(), None),
    ]
}

/// Sends bytes of the test's own to a door.
async fn raw(
    rig: &Rig,
    method: &str,
    path: &str,
    token: &str,
    kind: &str,
    body: impl Into<reqwest::Body>,
) -> (u16, Value) {
    let url = format!("http://{}{path}", rig.gateways[0].address);
    let request = reqwest::Client::new().request(method.parse().unwrap(), url).bearer_auth(token);
    let response = request.header("content-type", kind).body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn without_a_good_token_every_door_is_shut() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    rig.log_out(0, &bob).await;
    let bad = [
        None,
        Some(String::new()),
        Some("garbage".into()),
        Some(rig.forged_token(&ada)),
        Some(rig.expired_token(&ada)),
        Some(bob.token.clone()),
    ];
    for (method, path, body) in doors(&new_id()) {
        for token in &bad {
            let (status, problem) = rig.http(0, method, &path, token.as_deref(), body.clone()).await;
            assert_eq!((status, &problem["code"]), (401, &json!("unauthenticated")), "{method} {path} {token:?}");
            assert_eq!((&problem["status"], &problem["temporary"]), (&json!(401), &json!(false)));
        }
        let and = if path.contains('?') { '&' } else { '?' };
        let in_url = format!("{path}{and}access_token={}", ada.token);
        for token in [None, Some(&*ada.token)] {
            let (status, _) = rig.http(0, method, &in_url, token, body.clone()).await;
            assert_eq!(status, 401, "{method} {path} with a token in its URL");
        }
    }
    let log = rig.log().await;
    let last = log.state(natter_log::Stream::Chat).await.unwrap().last_seq;
    assert_eq!(last, 3, "two accounts and a logout");
}

#[tokio::test]
async fn what_is_malformed_or_too_large_is_a_problem_document() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let ok = rig.socket(0, &ada).await.send(&["ada"], "x").await;
    for (method, path, body) in doors(&text(&ok, "conversation")) {
        if body.is_none() {
            continue;
        }
        for (kind, bytes, status, code) in [
            ("application/json", "{oops".to_owned(), 400, "invalid"),
            ("application/json", String::new(), 400, "invalid"),
            ("application/json", "[]".to_owned(), 400, "invalid"),
            ("application/json", "{}".to_owned(), 400, "invalid"),
            ("application/json", "\u{0}".to_owned(), 400, "invalid"),
            ("application/json", "[".repeat(100_000), 400, "invalid"),
            ("application/json", format!("{{\"x\":{}1", "[".repeat(100_000)), 400, "invalid"),
            ("text/plain", "{}".to_owned(), 415, "invalid"),
            ("application/json", format!("{{\"x\":\"{}\"}}", "x".repeat(128 * 1024)), 413, "too_large"),
        ] {
            let start: String = bytes.chars().take(20).collect();
            let (answered, problem) = raw(&rig, method, &path, &ada.token, kind, bytes).await;
            assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{method} {path} {start}: {problem}");
            assert_eq!(problem["status"], status);
        }
    }
    for path in ["/api/conversations/nonsense/marker", "/api/conversations//marker", "/api/nothing"] {
        let body = Some(json!({"id": new_id(), "read": 1}));
        let (status, problem) = rig.http(0, "PUT", path, Some(&ada.token), body).await;
        assert_eq!((status, &problem["code"]), (404, &json!("not_found")), "{path}");
    }
    let (status, problem) = rig.http(0, "DELETE", "/api/messages", Some(&ada.token), None).await;
    assert_eq!(status, 405, "{problem}");
}

#[tokio::test]
async fn cmd1_a_message_by_http_is_one_by_socket() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut b = rig.socket(1, &bob).await;
    let mut command = message(&["bob"], "by HTTP");
    (command["ref"], command["metadata"]) = (json!(7), json!({"bot": true}));
    let (status, ok) = rig.http(0, "POST", "/api/messages", Some(&ada.token), Some(command.clone())).await;
    assert_eq!((status, &ok["ref"]), (200, &json!(7)), "{ok}");
    let event = b.expect("message").await;
    for field in ["seq", "position", "conversation", "at"] {
        assert_eq!(ok[field], event[field], "{field}");
    }
    assert_eq!((&event["id"], &event["metadata"]), (&command["id"], &command["metadata"]));
    // Its position is one to resume from.
    rig.resume(1, &ada, &text(&ok, "position")).await.expect("caught_up").await;
}

#[tokio::test]
async fn cmd4_http_refuses_what_the_socket_refuses_with_the_same_code() {
    let rig = Rig::start(1).await;
    let (ada, eve) = (rig.person("ada").await, rig.person("eve").await);
    let secret = rig.socket(0, &eve).await.send(&["eve"], "secret").await;
    let mut socket = rig.socket(0, &ada).await;
    let own = text(&socket.send(&["ada"], "x").await, "conversation");
    let of_eve = text(&secret, "conversation");
    let send = |field: &str, value: Value| {
        let mut command = message(&["ada"], "hi");
        command[field] = value;
        command
    };
    let mut asked = vec![
        send("text", json!(" ")),
        send("text", json!("x".repeat(8_001))),
        send("metadata", json!("x".repeat(4_095))),
        send("to", json!({"participants": ["nobody"]})),
        send("to", json!({"participants": []})),
        send("to", json!({"conversation": of_eve})),
        send("reply_to", secret["seq"].clone()),
        send("id", json!(uuid::Uuid::nil())),
        send("id", json!("nonsense")),
        json!({"type": "presence", "status": "asleep"}),
        json!({"type": "presence", "status": "busy", "text": "x".repeat(101)}),
        json!({"type": "presence", "status": "busy", "text": "two\nlines"}),
        json!({"type": "presence", "status": "busy", "text": ""}),
    ];
    for (conversation, read) in [(&of_eve, 1), (&new_id(), 1), (&own, 1_000_000)] {
        asked.push(json!({"type": "mark", "id": new_id(), "conversation": conversation, "read": read}));
    }
    for command in asked {
        let code = socket.refused(command.clone()).await;
        let (method, path) = match text(&command, "type").as_str() {
            "send" => ("POST", "/api/messages".to_owned()),
            "presence" => ("PUT", "/api/presence".to_owned()),
            _ => ("PUT", format!("/api/conversations/{}/marker", text(&command, "conversation"))),
        };
        let (status, problem) = rig.http(0, method, &path, Some(&ada.token), Some(command.clone())).await;
        assert_eq!(problem["code"], code, "{command}: {problem}");
        let table = [("invalid", 400), ("too_large", 413), ("unknown_user", 404), ("not_found", 404)];
        assert!(table.contains(&(&code, status)), "{command}: {code} is not {status}");
    }
}

#[tokio::test]
async fn a_marker_by_http_is_one_by_socket() {
    let rig = Rig::start_with(2, |config| config.marker_interval = Duration::from_millis(500)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut a = rig.socket(0, &ada).await;
    let sent = [a.send(&["bob"], "1").await, a.send(&["bob"], "2").await];
    let path = format!("/api/conversations/{}/marker", text(&sent[0], "conversation"));
    let put = async |read: u64| {
        let body = Some(json!({"id": new_id(), "read": read}));
        let (status, ok) = rig.http(1, "PUT", &path, Some(&bob.token), body).await;
        assert_eq!(status, 200, "{ok}");
        ok
    };
    let first = put(seq(&sent[0])).await;
    let marker = a.expect("marker").await;
    assert_eq!(
        (&marker["seq"], &marker["position"], &marker["read"]),
        (&first["seq"], &first["position"], &sent[0]["seq"])
    );
    // Two that wait for the interval are one event.
    let (one, two) = tokio::join!(put(seq(&sent[1])), put(seq(&sent[1])));
    let marker = a.expect("marker").await;
    assert_eq!((&one["seq"], &two["seq"], &marker["read"]), (&marker["seq"], &marker["seq"], &sent[1]["seq"]));
    assert_eq!(put(seq(&sent[0])).await["seq"], marker["seq"], "covered");
    assert_eq!(a.drain().await, Vec::<Value>::new());
}

#[tokio::test]
async fn live_sockets_are_counted_over_all_gateways() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let counts = async |gateway: usize, users: &[&str]| {
        let asked = Some(json!({"users": users}));
        let (status, counts) = rig.http(gateway, "POST", "/api/connections", Some(&ada.token), asked).await;
        assert_eq!(status, 200, "{counts}");
        counts
    };
    assert_eq!(counts(0, &[]).await, json!({}));
    assert_eq!(counts(0, &["ada", "bob", "nobody"]).await, json!({"ada": 0, "bob": 0, "nobody": 0}));
    let mut sockets = vec![rig.socket(0, &bob).await, rig.socket(1, &bob).await, rig.socket(1, &bob).await];
    for expected in (0..=3).rev() {
        for gateway in [0, 1] {
            let what = format!("{expected} sockets of bob are seen from {gateway}");
            eventually(&what, PATIENCE, async || match counts(gateway, &["bob", "ada", "nobody", "bob"]).await {
                seen if seen == json!({"ada": 0, "bob": expected, "nobody": 0}) => Ok(()),
                seen => Err(seen),
            })
            .await;
        }
        if let Some(mut socket) = sockets.pop() {
            socket.close().await;
        }
    }
    let many: Vec<String> = (0..501).map(|n| format!("u{n}")).collect();
    let asked = |count: usize| Some(json!({"users": many[..count]}));
    assert_eq!(rig.http(0, "POST", "/api/connections", Some(&ada.token), asked(500)).await.0, 200);
    let (status, problem) = rig.http(0, "POST", "/api/connections", Some(&ada.token), asked(501)).await;
    assert_eq!((status, &problem["code"]), (400, &json!("invalid")));
    let (status, _) =
        rig.http(0, "POST", "/api/connections", Some(&ada.token), Some(json!({"users": ["Not One"]}))).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn who_is_online_is_paged_without_holes_and_gateways_are_for_operators() {
    let rig = Rig::start(2).await;
    let mut people: Vec<Person> = Vec::new();
    let mut sockets = Vec::new();
    for n in 0..5 {
        people.push(rig.person(&format!("user{n}")).await);
        sockets.push(rig.socket(n % 2, &people[n]).await);
    }
    sockets.push(rig.socket(0, &people[1]).await);
    sockets[0].done(json!({"type": "presence", "status": "busy", "text": "at work"})).await;
    sockets[4].done(json!({"type": "presence", "status": "invisible"})).await;
    let page = async |gateway: usize, query: &str, token: &str| {
        rig.http(gateway, "GET", &format!("/api/online{query}"), Some(token), None).await
    };
    let expected: Vec<String> = (0..4).map(|n| format!("user{n}")).collect();
    for gateway in [0, 1] {
        eventually("everyone who shows themselves is seen", PATIENCE, async || {
            let (_, whole) = page(gateway, "", &people[0].token).await;
            let items = whole["items"].as_array().unwrap();
            let mut users: Vec<String> = items.iter().map(|item| text(item, "user")).collect();
            users.sort();
            let busy = items.iter().any(|item| item["user"] == "user0" && item["text"] == "at work");
            if users == expected && busy { Ok(()) } else { Err(whole) }
        })
        .await;
        let (mut seen, mut query) = (Vec::new(), "?limit=1".to_owned());
        loop {
            let (status, page) = page(gateway, &query, &people[0].token).await;
            assert_eq!(status, 200);
            for item in page["items"].as_array().unwrap() {
                assert!(item.get("gateways").is_none(), "not for users: {item}");
                assert_eq!(item["status"], if item["user"] == "user0" { "busy" } else { "online" });
                seen.push(text(item, "user"));
            }
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=1&cursor={next}");
        }
        seen.sort();
        assert_eq!(seen, expected);
    }
    let (_, whole) = page(0, "?limit=200", &rig.as_operator(&people[2]).token).await;
    let gateways = |user: &str| {
        whole["items"].as_array().unwrap().iter().find(|item| item["user"] == user).unwrap()["gateways"].clone()
    };
    assert_eq!((gateways("user0"), gateways("user1")), (json!(["g0"]), json!(["g0", "g1"])));
    for query in ["?limit=0", "?limit=201", "?limit=-1", "?limit=x", "?cursor=nonsense"] {
        let (status, problem) = page(0, query, &people[0].token).await;
        assert_eq!((status, &problem["code"]), (400, &json!("invalid")), "{query}");
    }
}
