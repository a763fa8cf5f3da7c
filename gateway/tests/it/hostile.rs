//! What nobody means well with. Whatever is sent, the gateway stays up and nobody else notices.

use std::time::Duration;

use natter_platform::Clock;
use natter_platform::http::ServeOptions;
use natter_testkit::eventually;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::rig::{PATIENCE, Person, Rig};
use crate::socket::{Closed, JSON, MSGPACK, Refused, Socket, message, seq};

/// Two people who talk, before and after.
struct Bystanders {
    ada: Socket,
    bob: Socket,
}

impl Bystanders {
    async fn new(rig: &Rig) -> Self {
        let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
        Self { ada: rig.socket(0, &rig.with_rate(&ada, 1_000)).await, bob: rig.socket(0, &bob).await }
    }

    async fn talk(&mut self) {
        let ok = self.ada.send(&["bob"], "all is well").await;
        assert_eq!(seq(&self.bob.expect("message").await), seq(&ok));
    }
}

/// Reads until the other side ends the connection.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it is closed in time");
    answer
}

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// An upgraded connection without anything that would keep to the rules.
async fn upgraded(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

#[tokio::test]
async fn bytes_that_are_no_http_end_the_connection() {
    let rig = Rig::start(1).await;
    let mut bystanders = Bystanders::new(&rig).await;
    let mut random = rand::rngs::StdRng::seed_from_u64(3);
    let mut noise = vec![0; 50_000];
    random.fill(&mut noise[..]);
    let long_header = format!("GET /ws HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    let many_headers = format!("GET /ws HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    let huge_body = b"POST /api/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n".to_vec();
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    for bytes in
        [noise, long_header.into_bytes(), many_headers.into_bytes(), huge_body, tls, b"\r\n\0\r\n\r\n".to_vec()]
    {
        let mut stream = TcpStream::connect(&rig.gateways[0].address).await.unwrap();
        // It may be closed before all of it is written.
        let _ = stream.write_all(&bytes).await;
        let answer = until_closed(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
        bystanders.talk().await;
    }
}

#[tokio::test]
async fn frm4_frames_that_break_the_rules_of_websockets_end_the_connection() {
    let rig = Rig::start(1).await;
    let mut bystanders = Bystanders::new(&rig).await;
    let mut random = rand::rngs::StdRng::seed_from_u64(4);
    let mut noise = vec![0xff; 20_000];
    random.fill(&mut noise[2..]);
    let huge = [&[0x81, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    let unmasked = [&[0x81, 0x02][..], b"{}"].concat();
    let reserved = vec![0xf1, 0x80, 0, 0, 0, 0];
    let long_ping = [&[0x89, 0xfe, 0x10, 0x00][..], &[0; 4_100]].concat();
    let continued = vec![0x80, 0x80, 0, 0, 0, 0];
    let bad_close = vec![0x88, 0x81, 0, 0, 0, 0, 0];
    for bytes in [noise, huge, unmasked, reserved, long_ping, continued, bad_close] {
        let mut stream = upgraded(&rig.gateways[0].address).await;
        let _ = stream.write_all(&bytes).await;
        until_closed(&mut stream).await;
        bystanders.talk().await;
    }
}

#[tokio::test]
async fn frm4_what_is_nested_deeply_or_claims_to_be_huge_costs_nothing() {
    let rig = Rig::start(1).await;
    let mut bystanders = Bystanders::new(&rig).await;
    let eve = rig.person("eve").await;
    let nested = |open: &str| format!("{{\"type\":\"send\",\"metadata\":{}", open.repeat(60_000));
    for text in [nested("["), nested("{\"a\":"), "[".repeat(130_000), "\"".repeat(130_000)] {
        let mut socket = rig.socket(0, &eve).await;
        socket.say_raw(Message::text(text)).await;
        let answer = socket.next().await;
        assert_eq!(answer.err(), Some(Closed(Some(4500))));
        bystanders.talk().await;
    }
    // What is well-formed is answered. A field that nobody knows may be as deep as it likes.
    let mut socket = rig.socket(0, &eve).await;
    for field in ["metadata", "text", "unknown"] {
        let (open, close) = ("[".repeat(60_000), "]".repeat(60_000));
        socket.say_raw(Message::text(format!("{{\"type\":\"send\",\"{field}\":{open}{close}}}"))).await;
        assert_eq!(socket.next_but_pings().await.unwrap()["code"], "invalid", "{field}");
    }
    let map = |value: &[u8]| [&[0x82, 0xa4][..], b"type", &[0xa4], b"send", &[0xa8], b"metadata", value].concat();
    for bytes in [
        map(&[0x91; 100_000]),
        map(&[0x81; 100_000]),
        map(&[0xdd, 0xff, 0xff, 0xff, 0xff]),
        map(&[0xdf, 0xff, 0xff, 0xff, 0xff]),
        map(&[0xdb, 0xff, 0xff, 0xff, 0xff]),
        map(&[0xc6, 0xff, 0xff, 0xff, 0xff]),
        vec![0xdf, 0xff, 0xff, 0xff, 0xff],
        vec![0xc1; 100_000],
    ] {
        let mut socket = Socket::open_as(&rig.gateways[0].address, MSGPACK).await;
        socket.say(json!({"type": "hello", "token": eve.token})).await;
        socket.expect("welcome").await;
        socket.expect("reset").await;
        socket.say_raw(Message::binary(bytes)).await;
        assert_eq!(socket.next().await.err(), Some(Closed(Some(4500))));
        bystanders.talk().await;
    }
}

/// What one reader could not take would be lost to them for ever, and what is around it with it.
#[tokio::test]
async fn cmd4_metadata_is_nested_so_deep_at_most_that_every_reader_can_take_it() {
    let rig = Rig::start(1).await;
    let (eve, bob) = (rig.person("eve").await, rig.person("bob").await);
    let eve = rig.with_rate(&eve, 1_000);
    let open = async |protocol: &str, person: &Person| {
        let mut socket = Socket::open_as(&rig.gateways[0].address, protocol).await;
        socket.say(json!({"type": "hello", "token": person.token})).await;
        socket.expect("welcome").await;
        socket.expect("reset").await;
        socket
    };
    let mut readers = [open(JSON, &bob).await, open(MSGPACK, &bob).await];
    let nested = |levels: usize| {
        let mut command = message(&["bob"], "deep");
        command["metadata"] =
            (1..levels).fold(json!([]), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({"a": inner}) });
        command
    };
    for protocol in [JSON, MSGPACK] {
        let mut socket = open(protocol, &eve).await;
        let deepest = nested(32);
        socket.done(deepest.clone()).await;
        for reader in &mut readers {
            assert_eq!(reader.expect("message").await["metadata"], deepest["metadata"]);
        }
        assert_eq!(socket.refused(nested(33)).await, "invalid", "{protocol}");
        assert_eq!(socket.refused(nested(60)).await, "invalid", "{protocol}");
    }
}

#[tokio::test]
async fn frm2_a_message_full_of_frames_is_answered_frame_by_frame_and_holds_nobody_up() {
    let rig = Rig::start(1).await;
    let mut bystanders = Bystanders::new(&rig).await;
    let eve = rig.person("eve").await;
    let mut socket = rig.socket(0, &eve).await;
    const FRAMES: usize = 40_000;
    socket.say_raw(Message::text(vec!["{}"; FRAMES].join("\n"))).await;
    let answers = async {
        for _ in 0..FRAMES {
            assert_eq!(socket.next_but_pings().await.unwrap()["code"], "invalid");
        }
    };
    let talk = async {
        for _ in 0..20 {
            bystanders.talk().await;
        }
    };
    tokio::join!(answers, talk);
    socket.send(&["eve"], "still here").await;
}

/// It asks without end and never reads an answer.
#[tokio::test]
async fn hrt2_who_asks_and_never_reads_is_let_go_of() {
    let rig = Rig::start_with(1, |config| config.pong_timeout = Duration::from_millis(500)).await;
    let mut bystanders = Bystanders::new(&rig).await;
    let eve = rig.person("eve").await;
    let mut socket = Socket::open_narrow(&rig.gateways[0].address).await;
    socket.say(json!({"type": "hello", "token": eve.token})).await;
    let full = vec!["{}"; 40_000].join("\n");
    let asking = async {
        loop {
            socket.try_say_raw(Message::text(full.clone())).await;
        }
    };
    let gone = eventually("the socket is let go of", PATIENCE, async || {
        let asked = Some(json!({"users": ["eve"]}));
        let (_, counts) = rig.http(0, "POST", "/api/connections", Some(&eve.token), asked).await;
        bystanders.talk().await;
        if counts["eve"] == 0 { Ok(()) } else { Err(counts) }
    });
    tokio::select! {
        () = asking => {}
        () = gone => {}
    }
}

#[tokio::test]
async fn con1_connections_past_the_limit_are_refused_and_there_is_room_again_afterwards() {
    let mut rig = Rig::empty(Clock::system(), Duration::from_secs(900)).await;
    rig.serve = ServeOptions { max_connections: 40, ..ServeOptions::default() };
    rig.add(|config| (config.sockets, config.hello_timeout) = (10, Duration::from_millis(1_500))).await;
    let mut bystanders = Bystanders::new(&rig).await;
    let address = rig.gateways[0].address.clone();
    // Those who say nothing count until they have to have said hello.
    let mut silent = Vec::new();
    let refused = loop {
        match Socket::try_open(&address, "/ws", &[]).await {
            Ok((socket, _)) => silent.push(socket),
            Err(refused) => break refused,
        }
        assert!(silent.len() <= 40);
    };
    assert_eq!(refused, Refused(503));
    bystanders.talk().await;
    for mut socket in silent {
        assert_eq!(socket.closed().await, Closed(Some(4501)));
    }
    let eve = eventually("there is room again", PATIENCE, async || {
        let body = json!({"handle": "eve", "password": "correct horse"});
        let answer = reqwest::Client::new().post(format!("http://{address}/auth/register")).json(&body).send().await;
        let tokens: Value =
            answer.map_err(|error| error.to_string())?.json().await.map_err(|error| error.to_string())?;
        tokens["access_token"].as_str().map(str::to_owned).ok_or(tokens.to_string())
    })
    .await;
    // Those who did say hello are bounded by themselves: eight more, the bystanders are two.
    let mut sockets = Vec::new();
    for n in 0..10 {
        let mut socket = Socket::open(&address).await;
        socket.say(json!({"type": "hello", "token": eve})).await;
        if n < 8 {
            socket.expect("welcome").await;
            sockets.push(socket);
        } else {
            assert_eq!(socket.closed().await, Closed(Some(4504)));
        }
    }
    bystanders.talk().await;
}

#[tokio::test]
async fn who_sends_slowly_is_not_waited_for() {
    let mut rig = Rig::empty(Clock::system(), Duration::from_secs(900)).await;
    rig.serve = ServeOptions { header_read_timeout: Duration::from_secs(1), ..ServeOptions::default() };
    rig.add(|config| {
        config.hello_timeout = Duration::from_secs(1);
        (config.heartbeat, config.pong_timeout) = (Duration::from_millis(500), Duration::from_secs(1));
    })
    .await;
    let eve: Person = rig.person("eve").await;
    let address = &rig.gateways[0].address;
    // A head that never ends, byte by byte.
    let mut head = TcpStream::connect(address).await.unwrap();
    let dripping = async {
        for byte in UPGRADE.bytes().cycle().filter(|byte| *byte != b'\r' && *byte != b'\n') {
            if head.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, dripping).await.expect("a slow head is cut off");
    // The beginning of a frame with hello in it, and of one later on.
    let mut frame = upgraded(address).await;
    frame.write_all(&[0x81, 0xfe, 0x01]).await.unwrap();
    until_closed(&mut frame).await;
    let hello = json!({"type": "hello", "token": eve.token}).to_string();
    let mut later = upgraded(address).await;
    let masked = [&[0x81, 0xfe][..], &u16::try_from(hello.len()).unwrap().to_be_bytes(), &[0; 4], hello.as_bytes()];
    later.write_all(&masked.concat()).await.unwrap();
    later.write_all(&[0x81, 0xfe, 0x01]).await.unwrap();
    let said = until_closed(&mut later).await;
    assert!(String::from_utf8_lossy(&said).contains("\"welcome\""));
    // Its end is told: no pong in time.
    assert!(said.windows(2).any(|code| code == 4002_u16.to_be_bytes()));
}
