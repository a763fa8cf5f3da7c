//! HRT3: both gateways are restarted one after the other while people talk, and nobody loses anything by it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{SinkExt, StreamExt};
use natter_events::{ClientId, Event, Record, Uid};
use natter_log::{Log, Settings, Stream};
use natter_protocol::Position;
use natter_testkit::eventually;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::alone::{Deployment, is_ready};
use crate::program::{LONG, Service};

const PEOPLE: usize = 12;
const ROUNDS: usize = 2;
/// Between two messages of one person.
const PAUSE: Duration = Duration::from_millis(40);
/// For which the gateways serve on.
const DRAIN: Duration = Duration::from_millis(2_500);
/// For whatever comes after the drain.
const LAST_WORDS: Duration = Duration::from_millis(1_500);
/// In which people are back.
const BACK: Duration = Duration::from_secs(5);

/// Sends connections to the gateways in turn, and to another one where one does not answer.
struct Balancer {
    address: String,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Balancer {
    async fn start(targets: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("bound").to_string();
        let targets = Arc::new(Mutex::new(targets));
        let (next, all) = (AtomicUsize::new(0), targets.clone());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let all = all.lock().expect("lock").clone();
                let first = next.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    for n in 0..all.len() {
                        if let Ok(mut far) = TcpStream::connect(&all[(first + n) % all.len()]).await {
                            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                            return;
                        }
                    }
                });
            }
        });
        Self { address, targets }
    }
}

/// Somebody who talks, and what they know of it.
struct Talker {
    handle: String,
    token: String,
    position: Option<String>,
    from: u64,
    seen: Vec<u64>,
    acknowledged: Vec<(ClientId, u64)>,
    most_tries: usize,
    tries: usize,
    /// What has no answer yet.
    pending: Option<Value>,
    /// How long they were away, each time: from goodbye, or from the end of the connection, to having caught up.
    away: Vec<Duration>,
    left: Option<Instant>,
    goodbyes: usize,
}

type Socket = WebSocketStream<TcpStream>;

impl Talker {
    /// Talks until it is over, then reads to the end.
    async fn talks(&mut self, balancer: &str, to: &str, is_over: &AtomicBool, end: &AtomicUsize) {
        while !self.has_all(end) {
            if let Ok(stream) = TcpStream::connect(balancer).await
                && let Ok((socket, _)) = client_async(format!("ws://{balancer}/ws"), stream).await
            {
                self.serves(socket, to, is_over, end).await;
                self.left.get_or_insert_with(Instant::now);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One connection, until it ends or is left.
    async fn serves(&mut self, mut socket: Socket, to: &str, is_over: &AtomicBool, end: &AtomicUsize) {
        let hello = json!({"type": "hello", "token": self.token, "resume": self.position});
        let (mut is_there, mut leaves_at) = (false, None::<Instant>);
        if socket.send(Message::text(hello.to_string())).await.is_err() {
            return;
        }
        let mut next_say = tokio::time::interval(PAUSE);
        let mut is_asked = false;
        loop {
            tokio::select! {
                message = socket.next() => {
                    let Some(Ok(Message::Text(frames))) = message else { return };
                    for frame in frames.split('\n') {
                        let frame: Value = serde_json::from_str(frame).expect("JSON");
                        match frame["type"].as_str().expect("a type") {
                            "caught_up" | "reset" => is_there = true,
                            "ok" | "error" => is_asked = false,
                            "goodbye" => {
                                let wait = frame["reconnect_after_ms"].as_u64().expect("a number");
                                leaves_at = Some(Instant::now() + Duration::from_millis(wait));
                                self.goodbyes += 1;
                                self.left = Some(Instant::now());
                            }
                            "ping" => {
                                let pong = json!({"type": "pong", "position": frame["position"]}).to_string();
                                let _ = socket.send(Message::text(pong)).await;
                            }
                            _ => {}
                        }
                        self.hears(&frame);
                    }
                }
                _ = next_say.tick() => {
                    if leaves_at.is_some_and(|at| at <= Instant::now()) || self.has_all(end) {
                        return;
                    }
                    if is_there && !is_asked && (self.pending.is_some() || !is_over.load(Ordering::SeqCst)) {
                        let said = self.says(to).to_string();
                        is_asked = socket.send(Message::text(said)).await.is_ok();
                    }
                }
            }
        }
    }

    /// What has no answer yet, again; or something new.
    fn says(&mut self, to: &str) -> Value {
        self.tries += 1;
        self.most_tries = self.most_tries.max(self.tries);
        let now_ms = natter_platform::Clock::system().now_ms();
        let new = || json!({"type": "send", "ref": 1, "id": ClientId::at(now_ms), "to": {"participants": [to]}, "text": "on"});
        self.pending.get_or_insert_with(new).clone()
    }

    fn hears(&mut self, frame: &Value) {
        let seq = |frame: &Value| frame["seq"].as_u64().expect("a number");
        let kind = frame["type"].as_str().expect("a type");
        if kind == "reset" {
            assert_eq!(frame["reason"], "fresh", "whoever has a position resumes");
            self.from = frame["position"].as_str().expect("text").parse::<Position>().expect("a position").seq;
        }
        if kind == "ok" {
            let pending = self.pending.take().expect("it was asked for");
            self.acknowledged.push((pending["id"].as_str().expect("text").parse().expect("an id"), seq(frame)));
            self.tries = 0;
        }
        if kind == "error" {
            assert_eq!(frame["temporary"], true, "{frame}");
        }
        if let Some(position) = frame["position"].as_str().filter(|_| kind != "welcome") {
            self.position = Some(position.to_owned());
            if kind == "message" || kind == "ok" {
                self.seen.push(seq(frame));
            }
        }
        if kind == "caught_up" {
            self.away.extend(self.left.take().map(|left| left.elapsed()));
        }
    }

    fn has_all(&self, end: &AtomicUsize) -> bool {
        let end = end.load(Ordering::SeqCst);
        let position = self.position.as_ref().and_then(|text| text.parse::<Position>().ok());
        end > 0 && self.pending.is_none() && position.is_some_and(|position| position.seq >= end as u64)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hrt3_gateways_are_restarted_in_turn_while_people_talk_and_nobody_loses_anything() {
    let deployment = Deployment::new().await;
    let start = || {
        let mut command = deployment.gateway("http://127.0.0.1:1");
        command.args(["--max-messages", "100000", "--drain", &format!("{}ms", DRAIN.as_millis())]);
        Service::start(command, "The gateway listens on ")
    };
    let mut gateways = [start(), start()];
    for gateway in &gateways {
        eventually("the gateway is ready", LONG, async || is_ready(&gateway.url).await).await;
    }
    let address = |service: &Service| service.url.trim_start_matches("http://").to_owned();
    let balancer = Balancer::start(gateways.iter().map(address).collect()).await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(enters(&gateways[0].url, &format!("user-{n}")).await);
    }
    let handles: Vec<_> = people.iter().map(|person| person.handle.clone()).collect();
    let (is_over, end) = (AtomicBool::new(false), AtomicUsize::new(0));
    let talk = people.iter_mut().enumerate().map(|(n, person)| {
        let to = &handles[(n + 1) % PEOPLE];
        person.talks(&balancer.address, to, &is_over, &end)
    });
    let restarts = async {
        for n in (0..2).cycle().take(2 * ROUNDS) {
            let gateway = &mut gateways[n];
            let stopped = Instant::now();
            gateway.signal("TERM");
            // Nothing new is sent there: the next one is asked at once.
            let old = address(gateway);
            eventually("it takes no connections any more", LONG, async || {
                TcpStream::connect(&old).await.map_or(Ok(()), |_| Err("it does"))
            })
            .await;
            let status = gateway.has_ended(LONG).await;
            assert!(status.success(), "{status}");
            assert!(stopped.elapsed() < DRAIN + LAST_WORDS, "it took {:?}", stopped.elapsed());
            *gateway = start();
            balancer.targets.lock().expect("lock")[n] = address(gateway);
            eventually("it is ready again", LONG, async || is_ready(&gateway.url).await).await;
        }
        is_over.store(true, Ordering::SeqCst);
        // What is on its way is answered by then, or asked again.
        let log = deployment_log(&deployment).await;
        tokio::time::sleep(PAUSE * 5).await;
        let last = log.state(Stream::Chat).await.expect("read").last_seq;
        end.store(usize::try_from(last).expect("small"), Ordering::SeqCst);
        log
    };
    let (log, _) = tokio::join!(restarts, join_all(talk));

    let stored = stored(&log).await;
    let mut away: Vec<Duration> = people.iter().flat_map(|person| person.away.clone()).collect();
    away.sort_unstable();
    for person in &people {
        assert!(person.most_tries <= 2, "{}: a message was sent {} times", person.handle, person.most_tries);
        let uid = stored.whose[&person.acknowledged[0].0];
        for (id, seq) in &person.acknowledged {
            assert_eq!(stored.of.get(id), Some(&vec![*seq]), "{}: it is there once", person.handle);
        }
        let (from, last) = (person.from, end.load(Ordering::SeqCst) as u64);
        let may = |(seq, to): &(u64, HashSet<Uid>)| (*seq > from && *seq <= last && to.contains(&uid)).then_some(*seq);
        let expected: Vec<u64> = stored.messages.iter().filter_map(may).collect();
        let seen: Vec<u64> = person.seen.iter().copied().filter(|seq| *seq <= last).collect();
        assert_eq!(seen, expected, "{} has seen all of it in order", person.handle);
        assert!(person.acknowledged.len() > 20, "{} said little", person.handle);
    }
    let goodbyes: usize = people.iter().map(|person| person.goodbyes).sum();
    let said: usize = people.iter().map(|person| person.acknowledged.len()).sum();
    let late = away[away.len() * 99 / 100];
    println!(
        "{said} messages, {goodbyes} goodbyes, {} times away, p50 {:?}, p99 {late:?}",
        away.len(),
        away[away.len() / 2]
    );
    assert!(goodbyes >= PEOPLE, "{goodbyes}");
    assert!(late < BACK, "{late:?}");
}

async fn enters(url: &str, handle: &str) -> Talker {
    let account = json!({"handle": handle, "password": "correct horse battery"});
    let answer = reqwest::Client::new().post(format!("{url}/auth/register")).json(&account).send().await;
    let tokens: Value = answer.expect("answered").json().await.expect("JSON");
    let token = tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
    Talker {
        handle: handle.to_owned(),
        token,
        position: None,
        from: 0,
        seen: Vec::new(),
        acknowledged: Vec::new(),
        most_tries: 0,
        tries: 0,
        pending: None,
        away: Vec::new(),
        left: None,
        goodbyes: 0,
    }
}

async fn deployment_log(deployment: &Deployment) -> Log {
    let settings = Settings {
        servers: vec![deployment.broker.url().to_owned()],
        user: Some(deployment.broker.user().to_owned()),
        password: Some(deployment.broker.password().to_owned()),
        ..Settings::default()
    };
    Log::connect(settings).await.expect("connected")
}

/// What the log has.
#[derive(Default)]
struct Said {
    /// Where each command stands: once, if all is well.
    of: HashMap<ClientId, Vec<u64>>,
    whose: HashMap<ClientId, Uid>,
    messages: Vec<(u64, HashSet<Uid>)>,
}

async fn stored(log: &Log) -> Said {
    let (mut said, mut after) = (Said::default(), 0);
    loop {
        let more = log.range(Stream::Chat, after, 4_096, 8 << 20).await.expect("read");
        let Some(last) = more.last() else { return said };
        after = last.seq;
        for stored in more {
            let record = Record::decode(&stored.payload).expect("an event");
            if matches!(record.event, Event::MessageSent(_)) {
                let id = record.envelope.id.expect("of a command");
                said.of.entry(id).or_default().push(stored.seq);
                said.whose.insert(id, record.envelope.actor);
                said.messages.push((stored.seq, record.envelope.addressees().collect()));
            }
        }
    }
}
