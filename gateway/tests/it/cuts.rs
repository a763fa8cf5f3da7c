//! CON3, CON4, EVT1, EVT3: whatever a client's connection is cut in the middle of, and wherever it comes back, what it has
//! seen in all is what the log says that it may see: complete, in order, nothing twice; while it comes into rooms and is
//! removed and banned from them.
//!
//! `NATTER_CUTS` says how many cuts there are, `NATTER_CUTS_SEED` how they fall.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{SinkExt, StreamExt};
use natter_events::{ConversationId, Event, Record, RoomChange, Uid};
use natter_log::{Log, Stream};
use natter_protocol::Position;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::rig::{Person, Rig, new_id};
use crate::socket::{seq, text};

/// In every run; more are asked for.
const CUTS: usize = 600;
const READERS: usize = 10;
const WRITERS: usize = 2;
const ROOMS: usize = 3;
/// A tail that a client falls behind at once: then the broker is read.
const SHORT_TAIL_BYTES: usize = 60_000;
/// What a connection may bring before it is cut is drawn from these powers of two: from the upgrade, over the middle of a
/// replay, to live events after it.
const BYTES: std::ops::Range<u32> = 6..17;
/// How many steps a client goes back at most.
const FURTHEST: usize = 500;
/// A connection that has not brought that much by then is cut too.
const LONGEST: Duration = Duration::from_secs(2);
/// Often enough that clients resume from heartbeats, too.
const HEARTBEAT: Duration = Duration::from_millis(20);

/// What is told of an event, and of which kind it is.
type Told = (u64, &'static str);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn con3_con4_evt3_whatever_is_cut_when_and_wherever_it_comes_back_a_client_has_seen_all_that_it_may_see() {
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cuts = asked("NATTER_CUTS").map_or(CUTS, |cuts| usize::try_from(cuts).unwrap());
    let seed = asked("NATTER_CUTS_SEED").unwrap_or_else(|| rand::rng().random());
    // It is shown when the test fails.
    println!("NATTER_CUTS={cuts} NATTER_CUTS_SEED={seed}");
    let (mut rig, begun) = (Rig::start_with(1, configured).await, Instant::now());
    let short = |config: &mut natter_gateway::config::Config| {
        configured(config);
        config.tail_bytes = SHORT_TAIL_BYTES;
    };
    rig.add(short).await;
    let story = Story::new(&rig).await;
    let left = AtomicUsize::new(cuts);
    let is_over = AtomicBool::new(false);
    let random = |who: usize| StdRng::seed_from_u64(seed.wrapping_add(who as u64));
    let talk = join_all((0..WRITERS).map(|n| story.talks(n, random(n), &is_over)));
    let moves = story.moves(random(WRITERS), &is_over);
    let readers = async {
        let reads = (0..READERS).map(|n| story.reads(n, random(WRITERS + 1 + n), &left));
        let seen = join_all(reads).await;
        is_over.store(true, Ordering::SeqCst);
        seen
    };
    let (_, (), mut readers) = tokio::join!(talk, moves, readers);
    // Now that nothing more is said, each reads to the end.
    let log = rig.log().await;
    let end = log.state(Stream::Chat).await.unwrap().last_seq;
    let events = events(&log).await;
    let mut told = 0;
    for (n, reader) in readers.iter_mut().enumerate() {
        story.reads_on(reader, n % 2, &story.readers[n], end).await;
        let expected = may_see(&events, story.readers[n].uid, reader.from);
        if let Some(at) =
            (0..expected.len().max(reader.seen.len())).find(|at| expected.get(*at) != reader.seen.get(*at))
        {
            let around = |told: &[Told]| told.iter().skip(at.saturating_sub(2)).take(5).copied().collect::<Vec<_>>();
            panic!("reader {n} saw {:?} where there is {:?}", around(&reader.seen), around(&expected));
        }
        for (from, forgotten) in &reader.forgotten {
            let there = expected.get(*from..from + forgotten.len());
            assert_eq!(there, Some(&forgotten[..]), "what reader {n} saw before it went back");
        }
        for (claimed, count) in &reader.complete {
            let there = expected.partition_point(|(seq, _)| seq <= claimed);
            assert_eq!(there, *count, "reader {n} was told that it has everything up to {claimed}");
        }
        told += expected.len();
    }
    let resumed: usize = readers.iter().map(|reader| reader.resumed).sum();
    let kinds: HashSet<_> = readers.iter().flat_map(|reader| &reader.seen).map(|(_, kind)| *kind).collect();
    println!(
        "{cuts} cuts in {:.1} s: {resumed} replays came to their end, {told} events told, of {} in the log",
        begun.elapsed().as_secs_f32(),
        events.len()
    );
    assert!(resumed > cuts / 200, "too few cuts fall behind a replay: {resumed}");
    assert!(kinds.len() >= 5, "{kinds:?}");
}

fn configured(config: &mut natter_gateway::config::Config) {
    config.heartbeat = HEARTBEAT;
    (config.other_commands, config.room_messages) = (1_000_000, 1_000_000);
}

/// Who there is, and where they meet.
struct Story<'a> {
    rig: &'a Rig,
    /// They come into rooms and are removed from them, and their connections are cut.
    readers: Vec<Person>,
    writers: Vec<Person>,
    rooms: Vec<String>,
}

/// What a client has of the log.
struct Reader {
    /// Where it began.
    from: u64,
    position: String,
    seen: Vec<Told>,
    /// Up to where it was told that it has everything, and how much that was.
    complete: Vec<(u64, usize)>,
    resumed: usize,
    /// Every position that it had, and how much it had seen there.
    trail: Vec<(String, usize)>,
    /// What it saw before it went back, from where on.
    forgotten: Vec<(usize, Vec<Told>)>,
}

impl<'a> Story<'a> {
    async fn new(rig: &'a Rig) -> Self {
        let mut people = Vec::new();
        for n in 0..READERS + WRITERS {
            let person = rig.person(&format!("user-{n}")).await;
            people.push(rig.with_rate(&person, 1_000_000));
        }
        let writers = people.split_off(READERS);
        let members: Vec<_> = people.iter().chain(&writers[1..]).map(|person| person.handle.clone()).collect();
        let mut rooms = Vec::new();
        for _ in 0..ROOMS {
            let room = json!({"id": new_id(), "name": "room", "visibility": "private", "members": members});
            let (_, ok) = rig.http(0, "POST", "/api/rooms", Some(&writers[0].token), Some(room)).await;
            rooms.push(text(&ok, "conversation"));
        }
        Self { rig, readers: people, writers, rooms }
    }

    /// Says things, in rooms and to people, changes some of them, and never stops.
    async fn talks(&self, n: usize, mut random: StdRng, is_over: &AtomicBool) {
        // Where the tail is long: from a short one, whoever has to wait for this machine is cut off as too slow.
        let mut socket = self.rig.socket(0, &self.writers[n]).await;
        let mut last = Value::Null;
        while !is_over.load(Ordering::SeqCst) {
            let room = &self.rooms[random.random_range(0..ROOMS)];
            let to = match random.random_range(0..3) {
                0 => json!({"participants": [self.readers[random.random_range(0..READERS)].handle]}),
                _ => json!({"conversation": room}),
            };
            let said = "x".repeat(random.random_range(1..400));
            let command = match random.random_range(0..10) {
                0 if !last.is_null() => json!({"type": "edit", "conversation": last["conversation"],
                    "message": last["seq"], "id": new_id(), "text": said}),
                1 if !last.is_null() => json!({"type": "react", "conversation": last["conversation"],
                    "message": last["seq"], "id": new_id(), "emoji": "🎉", "op": "add"}),
                2 => json!({"type": "room.update", "conversation": room, "id": new_id(), "topic": said}),
                _ => json!({"type": "send", "id": new_id(), "to": to, "text": said}),
            };
            let is_message = command["type"] == "send";
            let (answer, _) = socket.ask(command).await;
            if is_message {
                last = answer;
            }
        }
    }

    /// Lets readers into rooms and removes them from there, and never stops.
    async fn moves(&self, mut random: StdRng, is_over: &AtomicBool) {
        while !is_over.load(Ordering::SeqCst) {
            let (room, who) = (&self.rooms[random.random_range(0..ROOMS)], random.random_range(0..READERS));
            let (reader, owner) = (&self.readers[who], &self.writers[0]);
            let member = format!("/api/rooms/{room}/members/{}?id={}", reader.handle, new_id());
            let ban = format!("/api/rooms/{room}/bans/{}?id={}", reader.handle, new_id());
            let me = format!("/api/rooms/{room}/members/me?id={}", new_id());
            let (method, path, by) = match random.random_range(0..8) {
                0..4 => ("PUT", &member, owner),
                4 => ("DELETE", &member, owner),
                5 => ("PUT", &ban, owner),
                6 => ("DELETE", &ban, owner),
                _ => ("DELETE", &me, reader),
            };
            // What is refused changes nothing.
            self.rig.http(random.random_range(0..2), method, path, Some(&by.token), None).await;
        }
    }

    /// Reads, is cut off, and comes back, until there were enough cuts.
    async fn reads(&self, n: usize, mut random: StdRng, left: &AtomicUsize) -> Reader {
        let person = &self.readers[n];
        let position = text(&self.rig.hello(0, person, None).await.until("reset").await[1], "position");
        let from = position.parse::<Position>().unwrap().seq;
        let (trail, forgotten) = (vec![(position.clone(), 0)], vec![]);
        let mut reader = Reader { from, position, seen: vec![], complete: vec![], resumed: 0, trail, forgotten };
        let another = |left: usize| left.checked_sub(1);
        while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, another).is_ok() {
            let (gateway, power) = (random.random_range(0..2), random.random_range(BYTES));
            let bytes = random.random_range(0..1 << power);
            // One in eight is cut before it has read anything: its hello is on the way, or half of it.
            let half = random.random_range(0..16);
            if random.random_range(0..6) == 0 {
                let last = reader.trail.len();
                reader.goes_back(random.random_range(last.saturating_sub(FURTHEST)..last));
            }
            let say = random.random_range(0..4) == 0;
            let connection = self.connects(&mut reader, gateway, person, (bytes, half, say));
            // When little is said it takes long until so much was brought.
            let _ = tokio::time::timeout(LONGEST, connection).await;
        }
        reader
    }

    /// One connection, which is cut when it has brought so many bytes.
    async fn connects(&self, reader: &mut Reader, gateway: usize, person: &Person, plan: (u64, u32, bool)) {
        let (bytes, half, say) = plan;
        let address = &self.rig.gateways[gateway].address;
        let (read, write) = TcpStream::connect(address).await.unwrap().into_split();
        let stream = tokio::io::join(read.take(bytes), write);
        let Ok((mut socket, _)) = client_async(format!("ws://{address}/ws"), stream).await else { return };
        let hello = json!({"type": "hello", "token": person.token, "resume": reader.position}).to_string();
        if half == 0 {
            // The first part of a message that has two, and no more.
            let part = hello.as_bytes()[..hello.len() / 2].to_vec();
            let frame = Frame::message(part, OpCode::Data(Data::Text), false);
            let _ = socket.send(Message::Frame(frame)).await;
            return;
        }
        if socket.send(Message::text(hello)).await.is_err() || half == 1 {
            return;
        }
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(frames) = message else { break };
            for frame in frames.split('\n') {
                let frame: Value = serde_json::from_str(frame).unwrap();
                let is_caught_up = frame["type"] == "caught_up";
                reader.takes(&frame);
                if is_caught_up && say {
                    let to = json!({"participants": [self.writers[0].handle]});
                    let said = json!({"type": "send", "ref": 1, "id": new_id(), "to": to, "text": "back again"});
                    let _ = socket.send(Message::text(said.to_string())).await;
                }
            }
        }
    }

    /// Reads until a client has everything up to `end`.
    async fn reads_on(&self, reader: &mut Reader, gateway: usize, person: &Person, end: u64) {
        let has_all = |reader: &Reader| reader.complete.last().is_some_and(|(seq, _)| *seq >= end);
        while !has_all(reader) {
            let mut socket = self.rig.resume(gateway, person, &reader.position.clone()).await;
            while !has_all(reader)
                && let Ok(frame) = socket.next().await
            {
                reader.takes(&frame);
            }
        }
    }
}

impl Reader {
    /// It is an earlier one of itself: a device that was away for longer, or comes back from a backup.
    fn goes_back(&mut self, to: usize) {
        let (position, count) = self.trail[to].clone();
        self.trail.truncate(to + 1);
        self.forgotten.push((count, self.seen.split_off(count)));
        self.position = position;
    }

    fn moves_to(&mut self, frame: &Value) -> u64 {
        self.position = text(frame, "position");
        self.position.parse::<Position>().unwrap().seq
    }

    fn takes(&mut self, frame: &Value) {
        let kind = match frame["type"].as_str().unwrap() {
            "welcome" => return,
            "reset" => panic!("what is not too old is replayed: {frame}"),
            "error" if frame["temporary"] == true => return,
            "caught_up" | "ping" => {
                let seq = self.moves_to(frame);
                self.complete.push((seq, self.seen.len()));
                self.trail.push((self.position.clone(), self.seen.len()));
                self.resumed += usize::from(frame["type"] == "caught_up");
                return;
            }
            // In the event's place (EVT2).
            "ok" | "message" => "message",
            "edited" => "edited",
            "reaction" => "reaction",
            "member" => "member",
            "room" => "room",
            other => panic!("{other}: {frame}"),
        };
        assert_eq!(self.moves_to(frame), seq(frame), "{frame}");
        self.seen.push((seq(frame), kind));
        self.trail.push((self.position.clone(), self.seen.len()));
    }
}

/// All that is in the log.
async fn events(log: &Log) -> Vec<(u64, Record)> {
    let mut events: Vec<(u64, Record)> = Vec::new();
    loop {
        let after = events.last().map_or(0, |(seq, _)| *seq);
        let more = log.range(Stream::Chat, after, 4_096, 8 << 20).await.unwrap();
        if more.is_empty() {
            return events;
        }
        events.extend(more.iter().map(|stored| (stored.seq, Record::decode(&stored.payload).unwrap())));
    }
}

/// What somebody may see of the log, from its first event on: what is addressed to them, and what happens in rooms while they
/// are in them (EVT3). Which rooms those are, is what the last event says that carries them.
fn may_see(events: &[(u64, Record)], user: Uid, after: u64) -> Vec<Told> {
    let (mut rooms, mut seen) = (HashSet::<ConversationId>::new(), Vec::new());
    for (seq, record) in events {
        let envelope = &record.envelope;
        let is_addressed = envelope.addressees().any(|uid| uid == user);
        let is_there = envelope.conversation.is_some_and(|room| rooms.contains(&room));
        if let Event::MembershipChanged(changed) = &record.event
            && is_addressed
        {
            rooms = changed.rooms.iter().map(|membership| membership.room).collect();
        }
        if *seq > after && (is_addressed || is_there) {
            seen.extend(kind(&record.event).map(|kind| (*seq, kind)));
        }
    }
    seen
}

/// As what an event is told, if it is.
fn kind(event: &Event) -> Option<&'static str> {
    match event {
        Event::MessageSent(_) => Some("message"),
        Event::MessageEdited(_) => Some("edited"),
        Event::ReactionAdded(_) => Some("reaction"),
        Event::MembershipChanged(_) => Some("member"),
        Event::RoomChanged(changed) => match changed.change {
            // That of the banned one's place in the room tells it.
            RoomChange::Banned(_) => None,
            RoomChange::Unbanned(_) => Some("member"),
            _ => Some("room"),
        },
        other => panic!("nobody does that here: {other:?}"),
    }
}
