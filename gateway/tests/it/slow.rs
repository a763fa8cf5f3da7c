//! HRT2: who reads nothing is let go of, and takes nothing away from those who read.

use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig};
use crate::socket::{Closed, Socket, seq, text};

const SLOW: usize = 10;
const READERS: usize = 5;
/// More than what may wait and what the system takes for one that reads nothing; each has about 8 KB.
const MOST_MESSAGES: usize = 200;
const WAITING_BYTES: usize = 256 << 10;
const LAST: &str = "the last";

/// Reads until the last message: what it has seen.
async fn reads(mut socket: Socket) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let frame = socket.next_but_pings().await.unwrap_or_else(|closed| panic!("a reader was closed: {closed:?}"));
        seen.push(seq(&frame));
        if frame["text"] == LAST {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hrt2_many_who_read_nothing_are_let_go_of_and_resume_whole_and_nobody_else_notices() {
    let rig = Rig::start_with(1, |config| {
        (config.session_waiting_bytes, config.sockets_per_user) = (WAITING_BYTES, 100);
        // The bound is what lets go of them, and they are told.
        (config.pong_timeout, config.close_timeout) = (20 * PATIENCE, PATIENCE);
    })
    .await;
    let (speaker, slow, reader) = (rig.person("speaker").await, rig.person("slow").await, rig.person("reader").await);
    let mut voice = rig.socket(0, &rig.with_rate(&speaker, 1_000_000)).await;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(tokio::spawn(reads(rig.socket(0, &reader).await)));
    }
    let mut stuck = Vec::new();
    for _ in 0..SLOW {
        let mut socket = Socket::open_narrow(&rig.gateways[0].address).await;
        socket.say(json!({"type": "hello", "token": slow.token})).await;
        socket.expect("welcome").await;
        stuck.push((text(&socket.expect("reset").await, "position"), socket));
    }
    assert_eq!(connections(&rig, &reader, "slow").await, SLOW);
    let mut said = Vec::new();
    while connections(&rig, &reader, "slow").await > 0 {
        assert!(said.len() < MOST_MESSAGES, "they are not let go of");
        for _ in 0..20 {
            let long = format!("{} {}", said.len(), "x".repeat(7_900));
            said.push(seq(&voice.send(&["slow", "reader"], &long).await));
        }
    }
    said.push(seq(&voice.send(&["slow", "reader"], LAST).await));
    for reader in readers {
        assert_eq!(reader.await.unwrap(), said, "who reads has everything");
    }
    for (position, mut socket) in stuck {
        let (mut position, mut seen) = (position, Vec::new());
        let closed = loop {
            match socket.next().await {
                Ok(frame) if frame["type"] == "message" => {
                    seen.push(seq(&frame));
                    position = text(&frame, "position");
                }
                Ok(frame) => assert_eq!(frame["type"], "ping"),
                Err(closed) => break closed,
            }
        };
        assert_eq!(closed, Closed(Some(4001)));
        assert!(seen.len() < said.len(), "it was let go of before the end");
        let mut again = rig.resume(0, &slow, &position).await;
        let rest = again.until("caught_up").await;
        seen.extend(rest.iter().filter(|frame| frame["type"] == "message").map(seq));
        assert_eq!(seen, said, "what it has in all is whole");
    }
}

async fn connections(rig: &Rig, person: &Person, of: &str) -> usize {
    let asked = Some(json!({"users": [of]}));
    let (_, answer): (u16, Value) = rig.http(0, "POST", "/api/connections", Some(&person.token), asked).await;
    usize::try_from(answer[of].as_u64().unwrap()).unwrap()
}
