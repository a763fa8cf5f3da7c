//! `natter up` through its life: ready, stopped, killed, damaged, started again.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use natter_testkit::{eventually, scratch_folder};
use serde_json::{Value, json};

use crate::program::{LONG, Up, alive, descendants, engine, natter, natter_up, run, signal};

/// What people are promised.
const STOP_LIMIT: Duration = Duration::from_secs(10);

fn stops_in_order(name: &str) {
    let data = scratch_folder("data");
    let mut up = Up::up(natter_up(&data));
    let children = descendants(up.pid());
    assert!(children.len() >= 2, "{children:?}");
    let start = Instant::now();
    up.signal(name);
    let status = up.ended(LONG);
    assert!(start.elapsed() < STOP_LIMIT, "it took {:?}", start.elapsed());
    assert!(status.success(), "{status}");
    assert_eq!(alive(&children), [], "nothing is left");
    let log = up.log();
    let place =
        |what: &str| log.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("no `{what}`: {log:#?}"));
    assert!(place("postgres    | stopped") < place("nats        | stopped"), "{log:#?}");
    assert!(!data.join("natter.run").exists());
}

#[test]
fn ctrl_c_stops_everything_in_order() {
    stops_in_order("INT");
}

#[test]
fn sigterm_stops_everything_in_order() {
    stops_in_order("TERM");
}

async fn post(url: String, token: Option<&str>, body: Value) -> Value {
    let mut request = reqwest::Client::new().post(&url).json(&body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.expect("answered");
    let status = answer.status();
    let body: Value = answer.json().await.expect("JSON");
    assert!(status.is_success(), "{url}: {status} {body}");
    body
}

async fn messages(url: &str, token: &str) -> Result<Vec<String>, Value> {
    let url = format!("{url}/history/direct?participants=alice,bob");
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.expect("answered");
    let page: Value = answer.json().await.expect("JSON");
    let Some(items) = page["items"].as_array() else { return Err(page) };
    Ok(items.iter().map(|item| item["text"].as_str().unwrap_or_default().to_owned()).collect())
}

/// Register, write, read it in history; kill everything; start again; log in, and it is all there.
#[tokio::test]
async fn what_was_acknowledged_is_there_at_the_next_start_even_after_kill_9() {
    let data = scratch_folder("data");
    let password = "correct horse battery";
    let mut up = Up::up(natter_up(&data));
    for handle in ["alice", "bob"] {
        post(format!("{}/auth/register", up.url), None, json!({"handle": handle, "password": password})).await;
    }
    let login = |url: String| post(url + "/auth/login", None, json!({"handle": "alice", "password": password}));
    let token = login(up.url.clone()).await["access_token"].as_str().expect("a token").to_owned();
    for text in ["one", "two", "three"] {
        let message = json!({"to": {"participants": ["bob"]}, "id": uuid::Uuid::now_v7(), "text": text});
        post(format!("{}/api/messages", up.url), Some(&token), message).await;
    }
    up.signal("KILL");
    up.ended(LONG);

    let up = Up::up(natter_up(&data));
    let token = login(up.url.clone()).await["access_token"].as_str().expect("a token").to_owned();
    let found = eventually("all of it is in history", LONG, async || match messages(&up.url, &token).await {
        Ok(texts) if texts.len() == 3 => Ok(texts),
        other => Err(other),
    })
    .await;
    assert!(["one", "two", "three"].iter().all(|text| found.contains(&(*text).to_owned())), "{found:?}");
}

/// The folder's name is all that tells it from one of today.
#[tokio::test]
async fn the_log_of_a_folder_from_before_the_broker_had_accounts_is_there() {
    let data = scratch_folder("data");
    let account = json!({"handle": "alice", "password": "correct horse battery"});
    let mut up = Up::up(natter_up(&data));
    post(format!("{}/auth/register", up.url), None, account.clone()).await;
    up.signal("INT");
    assert!(up.ended(LONG).success());
    let streams = data.join("nats/store/jetstream");
    fs::rename(streams.join("NATTER"), streams.join("$G")).expect("renamed");

    let up = Up::up(natter_up(&data));
    post(format!("{}/auth/login", up.url), None, account).await;
    assert!(!streams.join("$G").exists());
}

#[test]
fn doctor_finds_a_running_natter_well_and_says_when_there_is_none() {
    let data = scratch_folder("data");
    let doctor = || {
        let mut command = natter();
        command.arg("doctor").arg("--data").arg(&data);
        run(command)
    };
    let ended = doctor();
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(ended.stdout.contains("FAIL  natter up") && ended.stdout.contains("start `natter up`"), "{}", ended.stdout);

    let _up = Up::up(natter_up(&data));
    let ended = doctor();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    for what in ["signing key", "master key", "broker", "JetStream", "stream CHAT", "streams", "PostgreSQL", "schema"] {
        assert!(ended.stdout.contains(&format!("ok    {what}")), "{what}: {}", ended.stdout);
    }
    for what in ["clock", "feed", "projection", "postgresql", "ready"] {
        assert!(ended.stdout.contains(&format!("ok    natter: {what}")), "{what}: {}", ended.stdout);
    }
}

/// A deployment with nothing behind its addresses.
#[test]
fn doctor_names_each_part_that_does_not_answer() {
    let mut command = natter();
    command.args([
        "doctor",
        "--nats-url",
        "nats://127.0.0.1:1",
        "--postgres-url",
        "postgres://natter:hunter2@127.0.0.1:1/natter",
    ]);
    command.args(["--gateway-url", "http://127.0.0.1:1", "--history-url", "http://127.0.0.1:1"]);
    command.args(["--signing-key", "/no/such/key.pem", "--connect-timeout", "1s"]);
    let ended = run(command);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    for what in ["signing key", "broker", "PostgreSQL", "gateway", "history"] {
        assert!(ended.stdout.contains(&format!("FAIL  {what}")), "{what}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("hunter2") && !ended.stderr.contains("hunter2"));
}

/// The worst case: nothing reacts any more.
#[test]
fn engines_that_hang_do_not_keep_it_from_stopping_in_time() {
    let mut up = Up::up(natter_up(&scratch_folder("data")));
    let children = descendants(up.pid());
    for (pid, _) in &children {
        signal(*pid, "STOP");
    }
    let start = Instant::now();
    up.signal("INT");
    up.ended(LONG);
    assert!(start.elapsed() < STOP_LIMIT, "it took {:?}", start.elapsed());
    // What PostgreSQL itself has started was stopped too, and ends as soon as it runs again.
    for (pid, _) in alive(&children) {
        signal(pid, "CONT");
    }
    let deadline = Instant::now() + STOP_LIMIT;
    while !alive(&children).is_empty() {
        assert!(Instant::now() < deadline, "still there: {:?}", alive(&children));
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_second_ctrl_c_does_not_wait() {
    let mut up = Up::up(natter_up(&scratch_folder("data")));
    // Of PostgreSQL, whose turn comes first, only the parent: it would be waited for.
    signal(engine(up.pid(), "postgres").expect("it runs"), "STOP");
    up.signal("INT");
    let said = |what: &str| up.log().iter().any(|line| line.contains(what));
    eventually("the services have stopped", LONG, async || said("projector   | stopped")).await;
    let start = Instant::now();
    up.signal("INT");
    up.ended(LONG);
    assert!(start.elapsed() < Duration::from_millis(1500), "it took {:?}", start.elapsed());
}

#[tokio::test]
async fn kill_9_leaves_no_child_and_the_next_start_works() {
    let data = scratch_folder("data");
    let mut up = Up::up(natter_up(&data));
    let children = descendants(up.pid());
    up.signal("KILL");
    up.ended(LONG);
    eventually("all children are gone", STOP_LIMIT, async || match alive(&children) {
        none if none.is_empty() => Ok(()),
        left => Err(left),
    })
    .await;
    assert!(data.join("natter.run").exists(), "nobody could remove it");
    Up::up(natter_up(&data));
}

#[tokio::test]
async fn an_engine_that_dies_is_started_again() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    for (name, source) in [("postgres", "postgres"), ("nats-server", "nats")] {
        let old = engine(up.pid(), name).expect("it runs");
        signal(old, "KILL");
        eventually("another one runs in its place", LONG, async || match engine(up.pid(), name) {
            Some(new)
                if new != old && up.log().iter().any(|line| line.contains(source) && line.contains("runs again")) =>
            {
                Ok(())
            }
            other => Err((other, up.log())),
        })
        .await;
    }
}

#[test]
fn port_0_takes_a_free_port_and_says_which() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let port = up.url.strip_prefix("http://localhost:").expect("an address to click on");
    assert_ne!(port, "0");
    TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens there");
}

#[test]
fn ctrl_c_while_it_starts_stops_what_has_started() {
    let data = scratch_folder("data");
    let mut command = natter_up(&data);
    let mut child =
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().expect("started");
    let deadline = Instant::now() + LONG;
    let children = loop {
        let children = descendants(child.id());
        if !children.is_empty() {
            break children;
        }
        assert!(Instant::now() < deadline, "it starts no engine");
        std::thread::yield_now();
    };
    signal(child.id(), "INT");
    let start = Instant::now();
    let status = child.wait().expect("it ends");
    assert!(status.success() && start.elapsed() < STOP_LIMIT, "{status} after {:?}", start.elapsed());
    assert_eq!(alive(&children), []);
    Up::up(natter_up(&data));
}

#[test]
fn what_is_secret_is_for_its_owner_only() {
    use std::os::unix::fs::MetadataExt;
    let data = scratch_folder("data");
    let up = Up::up(natter_up(&data));
    for file in [
        "keys/signing.pem",
        "keys/master.key",
        "secrets/nats",
        "secrets/postgres",
        "secrets/nats-analytics",
        "nats/nats.conf",
        "natter.run",
    ] {
        let mode = fs::metadata(data.join(file)).unwrap_or_else(|error| panic!("{file}: {error}")).mode();
        assert_eq!(mode & 0o077, 0, "{file} has mode {mode:o}");
    }
    for folder in ["keys", "secrets", "nats", "nats/store", "postgres"] {
        let mode = fs::metadata(data.join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}")).mode();
        assert_eq!(mode & 0o077, 0, "{folder} has mode {mode:o}");
    }
    let password = fs::read_to_string(data.join("secrets/postgres")).expect("it is there");
    assert!(!up.log().iter().any(|line| line.contains(&password)), "the log holds a password");
}
