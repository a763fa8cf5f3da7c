//! CON1, CON2 and the handshake: who may open a socket, and what it says first.

use std::time::Duration;

use natter_testkit::eventually;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::rig::{PATIENCE, Rig};
use crate::socket::{Closed, JSON, MSGPACK, Refused, Socket, message};

#[tokio::test]
async fn con1_without_hello_the_socket_closes() {
    let rig = Rig::start_with(1, |config| config.hello_timeout = Duration::from_millis(100)).await;
    let mut silent = Socket::open(&rig.gateways[0].address).await;
    assert_eq!(silent.closed().await, Closed(Some(4501)));
}

#[tokio::test]
async fn con1_the_first_frame_is_hello_and_there_is_one() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    for first in [message(&["ada"], "hi"), json!({"type": "pong"}), json!({"type": "hello", "resume": "nonsense"})] {
        let mut socket = Socket::open(&rig.gateways[0].address).await;
        socket.say(first.clone()).await;
        assert_eq!(socket.closed().await, Closed(Some(4500)), "{first}");
    }
    let mut socket = rig.socket(0, &ada).await;
    socket.say(json!({"type": "hello", "token": ada.token})).await;
    assert_eq!(socket.closed().await, Closed(Some(4500)), "a second hello");
}

#[tokio::test]
async fn con1_tokens_that_are_not_good_are_refused_with_their_code() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    rig.log_out(0, &bob).await;
    let of_nobody = crate::rig::Person { uid: natter_events::Uid::random(), ..ada.clone() };
    for (token, code) in [
        (json!(null), 4501),
        (json!(""), 4501),
        (json!("garbage"), 4501),
        (json!(format!("{}x", ada.token)), 4501),
        (json!(rig.forged_token(&ada)), 4501),
        (json!(rig.token_for(&of_nobody, Duration::from_secs(60))), 4501),
        (json!("x".repeat(10_000)), 4501),
        (json!(rig.expired_token(&ada)), 4502),
        (json!(bob.token), 4503),
    ] {
        let mut socket = Socket::open(&rig.gateways[0].address).await;
        socket.say(json!({"type": "hello", "token": token})).await;
        assert_eq!(socket.closed().await, Closed(Some(code)), "{token}");
    }
    let mut socket = Socket::open(&rig.gateways[0].address).await;
    socket.say(json!({"type": "hello"})).await;
    assert_eq!(socket.closed().await, Closed(Some(4501)), "no token at all");
}

#[tokio::test]
async fn con1_the_upgrade_may_carry_the_token_but_never_the_url() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let address = &rig.gateways[0].address;
    let bearer = format!("Bearer {}", ada.token);
    let (mut socket, _) = Socket::try_open(address, "/ws", &[("authorization", &bearer)]).await.unwrap();
    socket.say(json!({"type": "hello"})).await;
    assert_eq!(socket.expect("welcome").await["user"], "ada");
    let refused = Socket::try_open(address, "/ws", &[("authorization", "Basic YTpi")]).await;
    assert_eq!(refused.err(), Some(Refused(401)));
    for name in ["token", "access_token"] {
        let path = format!("/ws?{name}={}", ada.token);
        assert_eq!(Socket::try_open(address, &path, &[]).await.err(), Some(Refused(401)), "{name}");
    }
}

#[tokio::test]
async fn con1_subprotocols_are_negotiated() {
    let rig = Rig::start(1).await;
    let address = &rig.gateways[0].address;
    for (asked, chosen) in [
        (None, None),
        (Some(JSON.to_owned()), Some(JSON)),
        (Some(MSGPACK.to_owned()), Some(MSGPACK)),
        (Some(format!("other, {MSGPACK}, {JSON}")), Some(MSGPACK)),
        (Some(format!("{JSON}, {MSGPACK}")), Some(JSON)),
    ] {
        let headers: Vec<_> = asked.iter().map(|asked| ("sec-websocket-protocol", asked.as_str())).collect();
        let (_, answer) = Socket::try_open(address, "/ws", &headers).await.unwrap();
        let answer = answer.get("sec-websocket-protocol").map(|value| value.to_str().unwrap());
        assert_eq!(answer, chosen, "{asked:?}");
    }
    for asked in ["natter.v2.json", "chat", ""] {
        let refused = Socket::try_open(address, "/ws", &[("sec-websocket-protocol", asked)]).await;
        assert_eq!(refused.err(), Some(Refused(400)), "{asked:?}");
    }
}

#[tokio::test]
async fn con2_pages_of_other_origins_are_refused() {
    let rig = Rig::start_with(1, |config| config.allowed_origins = vec!["https://chat.example.org".into()]).await;
    let address = &rig.gateways[0].address;
    for (origin, allowed) in [
        (format!("http://{address}"), true),
        ("https://chat.example.org".to_owned(), true),
        ("https://evil.example".to_owned(), false),
        ("null".to_owned(), false),
    ] {
        let opened = Socket::try_open(address, "/ws", &[("origin", &origin)]).await;
        let expected = if allowed { None } else { Some(Refused(403)) };
        assert_eq!(opened.err(), expected, "{origin}");
    }
}

#[tokio::test]
async fn con3_welcome_says_who_where_and_what_is_allowed() {
    let rig = Rig::start_with(1, |config| config.heartbeat = Duration::from_millis(7_000)).await;
    let ada = rig.person("ada").await;
    let mut socket = rig.hello(0, &rig.with_rate(&ada, 77), None).await;
    let welcome = socket.expect("welcome").await;
    let limits = json!({
        "frame_bytes": 131072, "text_chars": 8000, "metadata_bytes": 4096, "participants": 32,
        "watched_users": 500, "messages": 77, "messages_window_ms": 10000,
    });
    assert_eq!((&welcome["limits"], &welcome["heartbeat_ms"]), (&limits, &json!(7000)), "{welcome}");
    assert_eq!((&welcome["user"], &welcome["gateway"]), (&json!("ada"), &json!("g0")));
    assert_eq!(welcome["session"], ada.login.to_string());
    let reset = socket.expect("reset").await;
    assert_eq!((&reset["reason"], &reset["position"]), (&json!("fresh"), &welcome["position"]));
}

#[tokio::test]
async fn sockets_per_user_are_bounded() {
    let rig = Rig::start_with(1, |config| config.sockets_per_user = 2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut one, _two) = (rig.socket(0, &ada).await, rig.socket(0, &ada).await);
    assert_eq!(rig.hello(0, &ada, None).await.closed().await, Closed(Some(4504)));
    rig.socket(0, &bob).await;
    one.close().await;
    eventually("there is room again", PATIENCE, async || {
        let mut socket = rig.hello(0, &ada, None).await;
        socket.next().await.map(|welcome| welcome["type"] == "welcome").unwrap_or(false)
    })
    .await;
}

#[tokio::test]
async fn a_client_that_closes_is_answered_as_websockets_do() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let mut socket = rig.socket(0, &ada).await;
    socket.say_raw(Message::Close(None)).await;
    // Without the server's own close frame this would be a broken connection.
    let end: Result<Value, Closed> = socket.next().await;
    assert_eq!(end, Err(Closed(None)));
    assert!(socket.ended_well().await);
}
