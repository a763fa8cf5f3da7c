//! HRT1-4: heartbeats, readers that are too slow, gateways that stop, tokens that end.

use std::time::Duration;

use natter_protocol::Position;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::rig::{PATIENCE, Rig};
use crate::socket::{Closed, Socket, message, text};

#[tokio::test]
async fn hrt1_the_server_pings_with_a_position_and_a_pong_keeps_the_socket_open() {
    let rig = Rig::start_with(1, |config| {
        (config.heartbeat, config.pong_timeout) = (Duration::from_millis(100), Duration::from_millis(1_500));
    })
    .await;
    let ada = rig.person("ada").await;
    let mut socket = rig.socket(0, &ada).await;
    let ok = socket.send(&["ada"], "hi").await;
    let begun = Instant::now();
    let mut position = String::new();
    // Longer than a pong may take: every one of them was heard.
    while begun.elapsed() < Duration::from_millis(2_500) {
        position = text(&socket.expect("ping").await, "position");
        socket.say(json!({"type": "pong", "position": position})).await;
    }
    assert_eq!(position, text(&ok, "position"), "the session is complete up to there");
    // What a ping says is a position to resume from.
    let mut again = rig.resume(0, &ada, &position).await;
    again.expect("caught_up").await;
}

#[tokio::test]
async fn hrt1_a_ping_is_as_far_as_the_log_though_nothing_is_for_this_user() {
    let rig = Rig::start_with(1, |config| config.heartbeat = Duration::from_millis(50)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut socket = rig.socket(0, &ada).await;
    let ok = rig.socket(0, &bob).await.send(&["bob"], "to myself").await;
    loop {
        let ping: Position = text(&socket.expect("ping").await, "position").parse().unwrap();
        let sent: Position = text(&ok, "position").parse().unwrap();
        socket.say(json!({"type": "pong", "position": ping.to_string()})).await;
        if ping == sent {
            break;
        }
        assert!(ping.seq < sent.seq);
    }
}

#[tokio::test]
async fn hrt1_without_a_pong_the_socket_closes_with_4002() {
    let rig = Rig::start_with(1, |config| {
        (config.heartbeat, config.pong_timeout) = (Duration::from_millis(50), Duration::from_millis(300));
    })
    .await;
    let ada = rig.person("ada").await;
    let mut socket = rig.socket(0, &ada).await;
    socket.expect("ping").await;
    // Anything else is no pong.
    socket.say(message(&["ada"], "still here")).await;
    assert_eq!(socket.closed().await, Closed(Some(4002)));
}

/// A message of nearly the largest text.
fn long(to: &[&str], n: usize) -> Value {
    message(to, &format!("{n} {}", "x".repeat(7_900)))
}

#[tokio::test]
async fn hrt2_who_reads_too_slowly_is_cut_off_with_4001_and_resumes_whole() {
    const MESSAGES: usize = 600;
    let rig = Rig::start_with(1, |config| {
        (config.session_waiting_bytes, config.close_timeout) = (256 << 10, PATIENCE);
    })
    .await;
    let (ada, bob, cy) = (rig.person("ada").await, rig.person("bob").await, rig.person("cy").await);
    let everyone = ["ada", "bob", "cy"];
    let (mut quick, mut sender) = (rig.socket(0, &cy).await, rig.socket(0, &rig.with_rate(&bob, 1_000_000)).await);
    let mut slow = Socket::open_narrow(&rig.gateways[0].address).await;
    slow.say(json!({"type": "hello", "token": ada.token})).await;
    let mut position = text(&slow.expect("welcome").await, "position");
    slow.expect("reset").await;
    for n in 0..MESSAGES {
        sender.say(long(&everyone, n)).await;
        // Others wait for nobody.
        assert!(text(&quick.expect("message").await, "text").starts_with(&format!("{n} ")));
        sender.expect("ok").await;
    }
    let mut seen = Vec::new();
    let number = |frame: &Value| text(frame, "text").split(' ').next().unwrap().parse::<usize>().unwrap();
    let code = loop {
        match slow.next().await {
            Ok(frame) => {
                position = text(&frame, "position");
                seen.push(number(&frame));
            }
            Err(closed) => break closed,
        }
    };
    assert_eq!(code, Closed(Some(4001)));
    assert!(seen.len() < MESSAGES, "it was not slow");
    let mut again = rig.resume(0, &ada, &position).await;
    let mut replayed = again.until("caught_up").await;
    replayed.pop();
    seen.extend(replayed.iter().map(number));
    assert_eq!(seen, (0..MESSAGES).collect::<Vec<_>>());
}

/// What is woken for while a client takes nothing must not be forgotten once it does.
#[tokio::test]
async fn hrt2_what_comes_while_a_client_does_not_read_is_there_when_it_does() {
    const MESSAGES: usize = 400;
    let rig = Rig::start_with(1, |config| {
        (config.session_waiting_bytes, config.heartbeat) = (64 << 20, Duration::from_secs(600));
    })
    .await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut sender = rig.socket(0, &rig.with_rate(&bob, 1_000_000)).await;
    let mut slow = Socket::open_narrow(&rig.gateways[0].address).await;
    slow.say(json!({"type": "hello", "token": ada.token})).await;
    slow.expect("welcome").await;
    slow.expect("reset").await;
    for n in 0..MESSAGES {
        sender.say(long(&["ada", "bob"], n)).await;
        sender.expect("ok").await;
    }
    for n in 0..MESSAGES {
        assert!(text(&slow.expect("message").await, "text").starts_with(&format!("{n} ")));
    }
}

#[tokio::test]
async fn hrt2_a_client_that_takes_nothing_at_all_is_let_go_of() {
    let rig = Rig::start_with(1, |config| {
        (config.session_waiting_bytes, config.pong_timeout) = (64 << 20, Duration::from_millis(500));
        config.close_timeout = PATIENCE;
    })
    .await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut sender = rig.socket(0, &rig.with_rate(&bob, 1_000_000)).await;
    let mut stuck = Socket::open_narrow(&rig.gateways[0].address).await;
    stuck.say(json!({"type": "hello", "token": ada.token})).await;
    stuck.expect("welcome").await;
    let connections = async || {
        let asked = Some(json!({"users": ["ada"]}));
        rig.http(0, "POST", "/api/connections", Some(&bob.token), asked).await.1["ada"].clone()
    };
    assert_eq!(connections().await, 1);
    // Far below what may wait, but more than the system takes for a client that never reads.
    for n in 0..700 {
        sender.say(long(&["ada", "bob"], n)).await;
        sender.expect("ok").await;
    }
    natter_testkit::eventually("the session is let go of", PATIENCE, async || connections().await == 0).await;
    assert_eq!(stuck.closed().await, Closed(Some(4001)));
}

#[tokio::test]
async fn hrt3_a_gateway_that_stops_says_goodbye_serves_on_and_closes_with_4000() {
    let rig = Rig::start_with(2, |config| config.drain = Duration::from_secs(4)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let stopped = Instant::now();
    rig.gateways[0].shutdown.request();
    let goodbye = a.expect("goodbye").await;
    assert!(goodbye["reconnect_after_ms"].as_u64().unwrap() <= 2_000, "{goodbye}");
    let ok = a.send(&["ada", "bob"], "one more thing").await;
    assert_eq!(b.expect("message").await["seq"], ok["seq"]);
    b.send(&["ada", "bob"], "go on").await;
    let last = a.expect("message").await;
    assert_eq!(a.closed().await, Closed(Some(4000)));
    assert!(stopped.elapsed() >= Duration::from_secs(4));
    let mut again = rig.resume(1, &ada, &text(&last, "position")).await;
    again.expect("caught_up").await;
    tokio::time::timeout(PATIENCE, rig.gateways[0].tasks.join()).await.expect("it stops").unwrap();
}

#[tokio::test]
async fn hrt4_when_the_token_ends_the_socket_closes_with_4502_unless_it_was_renewed() {
    let rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let short = || crate::rig::Person { token: rig.token_for(&ada, Duration::from_secs(2)), ..ada.clone() };
    let (mut renewed, mut ended) = (rig.socket(0, &short()).await, rig.socket(0, &short()).await);
    renewed.say(json!({"type": "token", "token": ada.token})).await;
    assert_eq!(ended.closed().await, Closed(Some(4502)));
    renewed.send(&["ada"], "still here").await;
}

#[tokio::test]
async fn hrt4_only_a_good_token_of_the_same_login_renews() {
    let rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let elsewhere = crate::rig::Person { login: natter_events::SessionId::random(), ..ada.clone() };
    for (what, token, code) in [
        ("another user's", bob.token.clone(), 4501),
        ("another login's", rig.token_for(&elsewhere, Duration::from_secs(60)), 4501),
        ("nonsense", "nonsense".to_owned(), 4501),
        ("a forged one", rig.forged_token(&ada), 4501),
        ("one that has ended", rig.expired_token(&ada), 4502),
    ] {
        let mut socket = rig.socket(0, &ada).await;
        socket.say(json!({"type": "token", "token": token})).await;
        assert_eq!(socket.closed().await, Closed(Some(code)), "{what}");
    }
}

#[tokio::test]
async fn hrt4_logging_out_closes_that_logins_sockets_everywhere_and_refuses_its_tokens() {
    let rig = Rig::start(2).await;
    let ada = rig.person("ada").await;
    let other = {
        let url = format!("http://{}/auth/login", rig.gateways[0].address);
        let body = json!({"handle": "ada", "password": "correct horse"});
        let tokens: Value = reqwest::Client::new().post(url).json(&body).send().await.unwrap().json().await.unwrap();
        crate::rig::Person { token: text(&tokens, "access_token"), ..ada.clone() }
    };
    let mut ending = [rig.socket(0, &ada).await, rig.socket(1, &ada).await];
    let mut staying = rig.socket(0, &other).await;
    let logged_out = Instant::now();
    rig.log_out(1, &ada).await;
    for socket in &mut ending {
        assert_eq!(socket.closed().await, Closed(Some(4503)));
    }
    assert!(logged_out.elapsed() < Duration::from_secs(2), "{:?}", logged_out.elapsed());
    for gateway in [0, 1] {
        assert_eq!(rig.hello(gateway, &ada, None).await.closed().await, Closed(Some(4503)));
        let (status, _) = rig.http(gateway, "GET", "/api/online", Some(&ada.token), None).await;
        assert_eq!(status, 401);
    }
    staying.send(&["ada"], "another login of the same user").await;
}
