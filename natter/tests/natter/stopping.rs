//! SIGTERM ends every service inside its grace time, whatever it waits for just then; with nothing half done.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use natter_testkit::{Direction, eventually};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::alone::{Deployment, is_ready};
use crate::program::{LONG, Service, run};

/// How long each may take, and a moment for the process itself.
const GRACE: Duration = Duration::from_millis(9_000);
const GATEWAY: &str = "The gateway listens on ";
const PROJECTOR: &str = "The projector answers about itself on ";
const HISTORY: &str = "The history API listens on ";

/// What a service may be in the middle of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Idle,
    BrokerStandsStill,
    DatabaseIsSilent,
}

/// Ends in order, and in time.
async fn stops(mut service: Service, what: &str) {
    let asked = Instant::now();
    service.signal("TERM");
    let status = service.has_ended(LONG).await;
    let took = asked.elapsed();
    assert!(took < GRACE, "{what}: it took {took:?}: {:#?}", service.log());
    assert!(status.success(), "{what}: {status}: {:#?}", service.log());
}

async fn started(mut command: Command, database: &str, ready: &str) -> Service {
    command.env("NATTER_POSTGRES_URL", database);
    let service = Service::start(command, ready);
    eventually("the service is ready", LONG, async || is_ready(&service.url).await).await;
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_every_service_in_time_whatever_it_waits_for() {
    let deployment = Deployment::new().await;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    let (proxy, database) = deployment.fragile_database().await;
    for when in [When::Idle, When::BrokerStandsStill, When::DatabaseIsSilent] {
        let projector = started(deployment.projector(), &database, PROJECTOR).await;
        let mut history = deployment.history();
        history.env("NATTER_POSTGRES_URL", &database);
        let history = Service::start(history, HISTORY);
        let gateway = started(deployment.gateway(&history.url), &database, GATEWAY).await;
        let (handle, token, asked) = talks(&gateway.url).await;
        match when {
            When::Idle => {}
            When::BrokerStandsStill => deployment.broker.pause().await,
            When::DatabaseIsSilent => proxy.blackhole(Direction::Down),
        }
        // A page, and a message, that can't be answered now.
        let page = reqwest::Client::new().get(format!("{}/history/conversations", history.url)).bearer_auth(&token);
        let page = tokio::spawn(page.send());
        let message = json!({"to": {"participants": [handle]}, "id": Uuid::now_v7(), "text": "still there?"});
        let said = reqwest::Client::new().post(asked).bearer_auth(&token).json(&message);
        let said = tokio::spawn(said.send());
        for (service, what) in [(gateway, "gateway"), (projector, "projector"), (history, "history API")] {
            stops(service, &format!("{what}, {when:?}")).await;
        }
        deployment.broker.resume().await;
        proxy.heal();
        // Whatever became of them, nobody is kept waiting.
        for waiting in [page, said] {
            let _ = tokio::time::timeout(LONG, waiting).await.expect("it has ended").expect("no panic");
        }
    }
}

/// What is acknowledged in each round before a service is told to end, and once it is there again.
const AT_LEAST: usize = 30;
const TALKERS: usize = 3;
/// How long after a command that got no acknowledgement it is given again.
const AGAIN: Duration = Duration::from_millis(50);

/// By seq, the text.
type Acknowledged = Arc<Mutex<BTreeMap<u64, String>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_half_done_by_a_service_that_sigterm_ended_under_load() {
    let deployment = Deployment::new().await;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    let mut projector = started(deployment.projector(), &deployment.database_url(), PROJECTOR).await;
    // All of it is read again and again until nothing is missing.
    let start_history = || {
        let mut command = deployment.history();
        command.args(["--max-queries", "1000000"]);
        Service::start(command, HISTORY)
    };
    let mut history = start_history();
    let start_gateway = async |history: &Service| {
        let mut command = deployment.gateway(&history.url);
        command.args(["--max-messages", "100000"]);
        started(command, "", GATEWAY).await
    };
    let mut gateway = start_gateway(&history).await;
    let (handle, token, asked) = talks(&gateway.url).await;
    let (told, asked) = watch::channel(asked);
    let (acknowledged, done) = (Acknowledged::default(), Arc::new(AtomicBool::new(false)));
    let talkers = (0..TALKERS).map(|talker| {
        let person = (handle.clone(), token.clone());
        tokio::spawn(goes_on_talking(talker, person, asked.clone(), acknowledged.clone(), done.clone()))
    });
    let talkers: Vec<_> = talkers.collect();
    let more = async || {
        let count = || acknowledged.lock().expect("lock").len();
        let enough = count() + AT_LEAST;
        eventually("they talk", LONG, async || if count() >= enough { Ok(()) } else { Err(count()) }).await;
    };

    for what in ["projector", "gateway", "history API"] {
        more().await;
        match what {
            "projector" => {
                stops(projector, what).await;
                projector = started(deployment.projector(), &deployment.database_url(), PROJECTOR).await;
            }
            "gateway" => {
                stops(gateway, what).await;
                gateway = start_gateway(&history).await;
                told.send_replace(format!("{}/api/messages", gateway.url));
            }
            _ => {
                let page = reqwest::Client::new().get(format!("{}/history/conversations", history.url));
                let page = tokio::spawn(page.bearer_auth(&token).send());
                stops(history, what).await;
                let _ = page.await.expect("no panic");
                history = start_history();
            }
        }
        more().await;
        // The projector and everybody else go on meanwhile.
        for arguments in [&[][..], &["--event-log"]] {
            let mut verify = deployment.verify();
            verify.args(arguments);
            let verified = tokio::task::spawn_blocking(|| run(verify)).await.expect("it ran");
            assert_eq!(verified.code, Some(0), "{what}: {}{}", verified.stdout, verified.stderr);
        }
    }
    done.store(true, Ordering::SeqCst);
    for talker in talkers {
        talker.await.expect("all of theirs was acknowledged");
    }
    // Everything was said until it was acknowledged, so it is there, once, where it was acknowledged to be, and nothing else.
    let acknowledged = acknowledged.lock().expect("lock").clone();
    eventually("all of it is in history", LONG, async || {
        let found = in_history(&history.url, &handle, &token).await;
        if found == acknowledged { Ok(()) } else { Err(format!("{} of {}", found.len(), acknowledged.len())) }
    })
    .await;
}

/// Says one thing after the other, each under one id until it is acknowledged.
async fn goes_on_talking(
    talker: usize,
    (handle, token): (String, String),
    mut asked: watch::Receiver<String>,
    acknowledged: Acknowledged,
    done: Arc<AtomicBool>,
) {
    let client = reqwest::Client::new();
    for n in 0.. {
        let text = format!("{n} of {talker}");
        let message = json!({"to": {"participants": [handle]}, "id": Uuid::now_v7(), "text": text});
        let once = async |url: String| {
            let answer = client.post(url).bearer_auth(&token).json(&message).send().await.ok()?;
            answer.json::<Value>().await.ok()?["seq"].as_u64()
        };
        let until = Instant::now() + LONG;
        let seq = loop {
            let url = asked.borrow().clone();
            if let Some(seq) = once(url).await {
                break seq;
            }
            assert!(Instant::now() < until, "it is not acknowledged");
            // Another gateway takes its place, or this one can soon again.
            let _ = tokio::time::timeout(AGAIN, asked.changed()).await;
        };
        let before = acknowledged.lock().expect("lock").insert(seq, text);
        assert_eq!(before, None, "two at {seq}");
        if done.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// All that history has of what was said, by seq.
async fn in_history(url: &str, handle: &str, token: &str) -> BTreeMap<u64, String> {
    let (mut found, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = format!("{url}/history/direct?participants={handle}&limit=100{cursor}");
        let page = reqwest::Client::new().get(page).bearer_auth(token).send().await.expect("answered");
        let page: Value = page.json().await.expect("JSON");
        for item in page["items"].as_array().unwrap_or_else(|| panic!("{page}")) {
            let text = item["text"].as_str().expect("a text").to_owned();
            let twice = found.insert(item["seq"].as_u64().expect("a seq"), text);
            assert_eq!(twice, None, "{item}");
        }
        let Some(next) = page["next"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

/// Neither those who read nothing, nor those who never said who they are, nor half an upgrade.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hrt3_clients_that_do_not_react_do_not_keep_a_gateway_from_ending_well() {
    let deployment = Deployment::new().await;
    let mut command = deployment.gateway("http://127.0.0.1:1");
    command.args(["--drain", "1s"]);
    let gateway = started(command, "", GATEWAY).await;
    let (_, token, _) = talks(&gateway.url).await;
    let address = gateway.url.trim_start_matches("http://").to_owned();
    let mut silent = Vec::new();
    for _ in 0..5 {
        let stream = TcpStream::connect(&address).await.expect("connected");
        let (mut socket, _) = client_async(format!("ws://{address}/ws"), stream).await.expect("upgraded");
        let hello = json!({"type": "hello", "token": token}).to_string();
        socket.send(Message::text(hello)).await.expect("sent");
        socket.next().await.expect("welcomed").expect("welcomed");
        let stream = TcpStream::connect(&address).await.expect("connected");
        let (no_hello, _) = client_async(format!("ws://{address}/ws"), stream).await.expect("upgraded");
        let mut half = TcpStream::connect(&address).await.expect("connected");
        half.write_all(b"GET /ws HTTP/1.1\r\n").await.expect("written");
        silent.push((socket, no_hello, half));
    }
    stops(gateway, "a gateway with silent clients").await;
    for (mut socket, ..) in silent {
        let mut last = Value::Null;
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Text(frame) => last = serde_json::from_str(&frame).expect("JSON"),
                Message::Close(frame) => assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(4000)),
                _ => {}
            }
        }
        assert_eq!(last["type"], "goodbye", "it was told, for when it reads");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_sigterm_does_not_wait_for_the_drain() {
    let deployment = Deployment::new().await;
    let mut command = deployment.gateway("http://127.0.0.1:1");
    command.args(["--drain", "50s"]);
    let mut gateway = started(command, "", GATEWAY).await;
    let address = gateway.url.trim_start_matches("http://").to_owned();
    let (_, token, _) = talks(&gateway.url).await;
    let stream = TcpStream::connect(&address).await.expect("connected");
    let (mut socket, _) = client_async(format!("ws://{address}/ws"), stream).await.expect("upgraded");
    socket.send(Message::text(json!({"type": "hello", "token": token}).to_string())).await.expect("sent");
    gateway.signal("TERM");
    let mut said = String::new();
    while !said.contains("goodbye") {
        said = socket.next().await.expect("it is served on").expect("it is served on").to_string();
    }
    let asked = Instant::now();
    gateway.signal("TERM");
    gateway.has_ended(LONG).await;
    assert!(asked.elapsed() < Duration::from_secs(3), "it took {:?}", asked.elapsed());
}

/// Who says something to themselves: their handle, a token, and where messages go.
async fn talks(url: &str) -> (String, String, String) {
    let handle = format!("user-{}", &Uuid::now_v7().simple().to_string()[20..]);
    let account = json!({"handle": handle, "password": "correct horse battery"});
    let answer = reqwest::Client::new().post(format!("{url}/auth/register")).json(&account).send().await;
    let tokens: Value = answer.expect("answered").json().await.expect("JSON");
    let token = tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
    (handle, token, format!("{url}/api/messages"))
}

/// They wait for their broker at the start, and not for it alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_a_service_that_still_waits_for_its_broker() {
    let deployment = Deployment::new().await;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    deployment.broker.stop().await;
    for (what, mut command) in
        [("gateway", deployment.gateway("http://127.0.0.1:1")), ("projector", deployment.projector())]
    {
        command.args(["--connect-timeout", "60s"]);
        let mut waiting = Service::spawn(command);
        eventually("it waits for the broker", LONG, async || {
            let log = waiting.log();
            if log.iter().any(|line| line.contains("waiting for the broker")) { Ok(()) } else { Err(log) }
        })
        .await;
        let asked = Instant::now();
        waiting.signal("TERM");
        let status = waiting.has_ended(LONG).await;
        assert!(asked.elapsed() < GRACE, "{what}: it took {:?}", asked.elapsed());
        assert!(status.success(), "{what}: {status}: {:#?}", waiting.log());
    }
}
