//! A large room: how fast people join it, and how fast a message reaches those who are there.
//!
//! `cargo run --release -p natter-gateway --example room [-- members online]`. Starts a broker and two gateways of its own;
//! the sockets are clients in this process too, so everything shares the machine.

#![allow(dead_code, clippy::unwrap_used)]

#[path = "../tests/it/rig.rs"]
mod rig;
#[path = "../tests/it/socket.rs"]
mod socket;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt, TryStreamExt, stream};
use natter_platform::rate::Limit;
use rig::{Person, Rig, new_id};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// Requests under way at once.
const AT_ONCE: usize = 64;
const SINGLE_MESSAGES: usize = 100;
const BURST_MESSAGES: usize = 300;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().expect("a number"));
    let (members, online) = (arguments.next().unwrap_or(10_000), arguments.next().unwrap_or(1_000));
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{members} members, {online} online on two gateways, JSON; {cpus} CPUs, shared by all of it and by the clients"
    );
    let rig = rig().await;

    let begun = Instant::now();
    let register = |n: usize| {
        let rig = &rig;
        async move { rig.person(&format!("user-{n}")).await }
    };
    let people: Vec<Person> = stream::iter((0..members).map(register)).buffered(AT_ONCE).collect().await;
    rate("registered", members, begun);

    let room = json!({"id": new_id(), "name": "everybody", "visibility": "public"});
    let (status, ok) = rig.http(0, "POST", "/api/rooms", Some(&people[0].token), Some(room)).await;
    assert_eq!(status, 200, "{ok}");
    let room = ok["conversation"].as_str().unwrap().to_owned();
    let http = reqwest::Client::new();
    let begun = Instant::now();
    let joins = people[1..].iter().enumerate().map(|(n, person)| {
        let url = format!("http://{}/api/rooms/{room}/members/me?id={}", rig.gateways[n % 2].address, new_id());
        let request = http.put(url).bearer_auth(&person.token);
        async move {
            let asked = Instant::now();
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
            asked.elapsed()
        }
    });
    let took: Vec<Duration> = stream::iter(joins).buffer_unordered(AT_ONCE).collect().await;
    rate("joined", members, begun);
    percentiles("a joining", took);

    let (told, mut tells) = mpsc::unbounded_channel();
    let begun = Instant::now();
    stream::iter(people[..online].iter().enumerate().map(Ok::<_, ()>))
        .try_for_each_concurrent(AT_ONCE, |(n, person)| {
            let (address, told) = (rig.gateways[n % 2].address.clone(), told.clone());
            async move {
                listen(address, person.token.clone(), told).await;
                Ok(())
            }
        })
        .await
        .unwrap();
    rate("connected", online, begun);

    let speaker = rig.with_rate(&people[0], 1_000_000);
    let mut voice = rig.socket(0, &speaker).await;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for n in 0..SINGLE_MESSAGES {
        let sent = Instant::now();
        voice.done(say(&room, n)).await;
        let (mut soonest, mut latest) = (Duration::MAX, Duration::ZERO);
        for _ in 0..online {
            let at: Instant = tells.recv().await.unwrap();
            (soonest, latest) = (soonest.min(at - sent), latest.max(at - sent));
        }
        first.push(soonest);
        last.push(latest);
    }
    percentiles("one message, to the first", first);
    percentiles("one message, to the last", last);

    let begun = Instant::now();
    voice.say_all(&(0..BURST_MESSAGES).map(|n| say(&room, n)).collect::<Vec<_>>()).await;
    let mut at = begun;
    for _ in 0..BURST_MESSAGES * online {
        at = at.max(tells.recv().await.unwrap());
    }
    let took = at - begun;
    let deliveries = BURST_MESSAGES * online;
    println!(
        "a burst of {BURST_MESSAGES} messages: {deliveries} deliveries in {:.2} s, {:.0} a second",
        took.as_secs_f64(),
        deliveries as f64 / took.as_secs_f64()
    );
}

async fn rig() -> Rig {
    let no_limit = Limit { count: NonZeroU32::MAX, window: Duration::from_secs(1), max_keys: 100_000 };
    let mut rig = Rig::empty(natter_platform::Clock::system(), natter_platform::tokens::DEFAULT_LIFETIME).await;
    rig.accounts.registrations_per_address = no_limit;
    rig.accounts.max_waiting = 1_000;
    for _ in 0..2 {
        rig.add(|config| {
            config.other_commands = 1_000_000;
            config.room_messages = 1_000_000;
        })
        .await;
    }
    rig
}

/// A socket that counts messages and looks at nothing else.
async fn listen(address: String, token: String, told: mpsc::UnboundedSender<Instant>) {
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    socket.send(Message::text(json!({"type": "hello", "token": token}).to_string())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.to_text().unwrap().contains("\"type\":\"reset\"") {
            break;
        }
    }
    tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            let text = message.to_text().unwrap();
            if text.contains("\"type\":\"ping\"") {
                let ping: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
                let pong = json!({"type": "pong", "position": ping["position"]});
                socket.send(Message::text(pong.to_string())).await.unwrap();
            }
            for _ in text.matches("\"type\":\"message\"") {
                let _ = told.send(Instant::now());
            }
        }
    });
}

fn say(room: &str, n: usize) -> Value {
    json!({"type": "send", "id": new_id(), "ref": n, "to": {"conversation": room}, "text": format!("message {n}")})
}

fn rate(what: &str, count: usize, since: Instant) {
    let took = since.elapsed().as_secs_f64();
    println!("{count} {what} in {took:.1} s, {:.0} a second", count as f64 / took);
}

fn percentiles(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!("{what}: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms", at(0.5), at(0.99), at(1.0));
}
