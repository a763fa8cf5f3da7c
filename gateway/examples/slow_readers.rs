//! Sockets that stop reading beside some that go on (HRT2): when they are let go of, what they cost, and what the others notice.
//!
//! `cargo run --release -p natter-gateway --example slow_readers [-- slow readers rounds]`. Starts a broker and a gateway of
//! its own; the sockets are clients in this process too, so everything shares the machine. Each round measures three times:
//! without those that will stop, with them while they read like everybody, and from when they stop until they are gone, so that
//! what the machine does otherwise falls on all three.

#![allow(dead_code, clippy::unwrap_used)]

#[path = "../tests/it/rig.rs"]
mod rig;
#[path = "../tests/it/socket.rs"]
mod socket;

use std::borrow::BorrowMut;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use natter_platform::Clock;
use natter_platform::rate::Limit;
use natter_platform::tokens::DEFAULT_LIFETIME;
use rig::{Person, Rig, new_id};
use serde_json::{Value, json};
use socket::Socket;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async};

/// Between two messages.
const EVERY: Duration = Duration::from_millis(50);
const TEXT_CHARS: usize = 4_000;
/// What a socket that will stop has room for, so that it is soon full.
const NARROW_BYTES: u32 = 32 << 10;
/// Messages of a measurement without slow readers; with them it lasts until they are gone, and at least as long.
const MESSAGES: usize = 200;
/// Sockets of one user.
const SOCKETS_PER_USER: usize = 25;
/// In which they have to be gone.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().expect("a number"));
    let (slow, readers) = (arguments.next().unwrap_or(500), arguments.next().unwrap_or(200));
    let rounds = arguments.next().unwrap_or(3);
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{slow} sockets that stop reading beside {readers} that go on, in one room; a message of {TEXT_CHARS} bytes every \
         {EVERY:?}; {cpus} CPUs, shared with the clients"
    );
    let no_limit = Limit { count: NonZeroU32::MAX, window: Duration::from_secs(1), max_keys: 1_000 };
    let mut rig = Rig::empty(Clock::system(), DEFAULT_LIFETIME).await;
    rig.accounts.registrations_per_address = no_limit;
    rig.add(|config| {
        (config.other_commands, config.room_messages) = (1_000_000, 1_000_000);
        config.sockets_per_user = 2 * SOCKETS_PER_USER;
    })
    .await;
    let mut users = Vec::new();
    for n in 0..slow.max(readers).div_ceil(SOCKETS_PER_USER) {
        users.push(rig.person(&format!("user-{n}")).await);
    }
    let speaker = rig.with_rate(&rig.person("speaker").await, 1_000_000);
    let handles: Vec<_> = users.iter().map(|user| &user.handle).collect();
    let room = json!({"id": new_id(), "name": "everybody", "visibility": "public", "members": handles});
    let (_, ok) = rig.http(0, "POST", "/api/rooms", Some(&speaker.token), Some(room)).await;
    let room = ok["conversation"].as_str().unwrap().to_owned();
    let mut voice = rig.socket(0, &speaker).await;
    let (told, mut tells) = mpsc::unbounded_channel();
    for n in 0..readers {
        let socket = connect(&rig, &users[n / SOCKETS_PER_USER], None).await;
        tokio::spawn(listen(socket, Some(told.clone())));
    }
    let (mut without, mut before, mut stopped) = (Vec::new(), Vec::new(), Vec::new());
    let (mut evicted, mut grown) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (took, _) = talk(&mut voice, &room, &mut tells, readers, async || false).await;
        without.push(p99(took));
        let (stop, _) = watch::channel(());
        let mut tasks = Vec::new();
        // Each user has room for as many again.
        for n in 0..slow {
            let socket = connect(&rig, &users[n / SOCKETS_PER_USER], Some(NARROW_BYTES)).await;
            let mut stopped = stop.subscribe();
            tasks.push(tokio::spawn(async move {
                let socket = tokio::sync::Mutex::new(socket);
                let reading = async { listen(&mut *socket.lock().await, None).await };
                tokio::select! { biased; _ = stopped.changed() => {}, () = reading => {} }
                // It stays open, and nobody reads.
                std::future::pending::<()>().await;
                drop(socket);
            }));
        }
        let (took, _) = talk(&mut voice, &room, &mut tells, readers, async || false).await;
        before.push(p99(took));
        let resident = resident_bytes();
        stop.send_replace(());
        let (took, lasted) =
            talk(&mut voice, &room, &mut tells, readers, async || open(&rig).await > readers + 1).await;
        stopped.push(p99(took));
        evicted.push(lasted.0);
        grown.push(lasted.1.saturating_sub(resident));
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
    println!(
        "the others' p99 without them: {without:?}; while they read: {before:?}; when they have stopped: {stopped:?}"
    );
    let stopped = median(&mut stopped).as_secs_f64();
    let ratio = |to: &mut [Duration]| stopped / median(to).as_secs_f64();
    println!(
        "ratio of the medians: {:.2} to while they read, {:.2} to without them",
        ratio(&mut before),
        ratio(&mut without)
    );
    println!("all are let go of after: {evicted:?}");
    let mib = grown.iter().map(|bytes| bytes >> 20).collect::<Vec<_>>();
    println!("resident memory grew by at most, in MiB: {mib:?}, clients in it");
}

/// Says messages, one after the other, and at least so many, for as long as that holds. Gives how long each took to each who
/// reads; and how long it all took, and the most memory that was resident.
async fn talk(
    voice: &mut Socket,
    room: &str,
    tells: &mut mpsc::UnboundedReceiver<Instant>,
    readers: usize,
    goes_on: impl AsyncFn() -> bool,
) -> (Vec<Duration>, (Duration, u64)) {
    let (begun, mut took, mut lasted, mut most) = (Instant::now(), Vec::new(), None, 0);
    let mut next = tokio::time::interval(EVERY);
    for n in 0.. {
        next.tick().await;
        let sent = Instant::now();
        voice.done(say(room, n)).await;
        for _ in 0..readers {
            took.push(tells.recv().await.unwrap() - sent);
        }
        most = most.max(resident_bytes());
        if lasted.is_none() && !goes_on().await {
            lasted = Some(begun.elapsed());
        }
        assert!(begun.elapsed() < LIMIT, "they are not let go of");
        if let Some(lasted) = lasted.filter(|_| n + 1 >= MESSAGES) {
            return (took, (lasted, most));
        }
    }
    unreachable!("it is bounded by time")
}

type Raw = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A socket that has said hello and been told where the log is; perhaps one for which little fits into the kernel.
async fn connect(rig: &Rig, person: &Person, receive_bytes: Option<u32>) -> Raw {
    let address = &rig.gateways[0].address;
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(bytes) = receive_bytes {
        socket.set_recv_buffer_size(bytes).unwrap();
    }
    let stream = MaybeTlsStream::Plain(socket.connect(address.parse().unwrap()).await.unwrap());
    let (mut socket, _) = client_async(format!("ws://{address}/ws"), stream).await.unwrap();
    socket.send(Message::text(json!({"type": "hello", "token": person.token}).to_string())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.to_text().unwrap().contains("\"type\":\"reset\"") {
            break;
        }
    }
    socket
}

/// Reads, tells when a message comes if anybody wants to know, and looks at nothing else.
async fn listen(mut socket: impl BorrowMut<Raw>, told: Option<mpsc::UnboundedSender<Instant>>) {
    let socket = socket.borrow_mut();
    while let Some(Ok(message)) = socket.next().await {
        let Ok(text) = message.to_text() else { continue };
        if text.contains("\"type\":\"ping\"") {
            let ping: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
            let pong = json!({"type": "pong", "position": ping["position"]});
            if socket.send(Message::text(pong.to_string())).await.is_err() {
                return;
            }
        }
        if let Some(told) = &told {
            for _ in text.matches("\"type\":\"message\"") {
                let _ = told.send(Instant::now());
            }
        }
    }
}

/// How many sockets the gateway has.
async fn open(rig: &Rig) -> usize {
    let metrics =
        reqwest::get(format!("http://{}/metrics", rig.gateways[0].address)).await.unwrap().text().await.unwrap();
    let line = metrics.lines().find_map(|line| line.strip_prefix("natter_gateway_sockets ")).unwrap();
    line.parse::<f64>().unwrap() as usize
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn say(room: &str, n: usize) -> Value {
    let text = format!("{n} {}", "x".repeat(TEXT_CHARS));
    json!({"type": "send", "id": new_id(), "to": {"conversation": room}, "text": text})
}

fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[(took.len() - 1) * 99 / 100]
}

fn median(of: &mut [Duration]) -> Duration {
    of.sort_unstable();
    of[of.len() / 2]
}
