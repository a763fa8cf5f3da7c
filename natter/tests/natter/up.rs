//! `natter up` through its life: ready, stopped, killed, damaged, started again.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use natter_testkit::{eventually, scratch_folder};

use crate::program::{LONG, Up, alive, descendants, engine, natter_up, signal};

/// What people are promised.
const STOP_LIMIT: Duration = Duration::from_secs(10);

fn stops_in_order(name: &str) {
    let data = scratch_folder("data");
    let mut up = Up::start(natter_up(&data));
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

/// The worst case: nothing reacts any more.
#[test]
fn engines_that_hang_do_not_keep_it_from_stopping_in_time() {
    let mut up = Up::start(natter_up(&scratch_folder("data")));
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

#[test]
fn a_second_ctrl_c_does_not_wait() {
    let mut up = Up::start(natter_up(&scratch_folder("data")));
    for name in ["nats-server", "postgres"] {
        signal(engine(up.pid(), name).expect("it runs"), "STOP");
    }
    up.signal("INT");
    let start = Instant::now();
    up.signal("INT");
    up.ended(LONG);
    assert!(start.elapsed() < Duration::from_secs(4), "it took {:?}", start.elapsed());
}

#[tokio::test]
async fn kill_9_leaves_no_child_and_the_next_start_works() {
    let data = scratch_folder("data");
    let mut up = Up::start(natter_up(&data));
    let children = descendants(up.pid());
    up.signal("KILL");
    up.ended(LONG);
    eventually("all children are gone", STOP_LIMIT, async || match alive(&children) {
        none if none.is_empty() => Ok(()),
        left => Err(left),
    })
    .await;
    assert!(data.join("natter.run").exists(), "nobody could remove it");
    Up::start(natter_up(&data));
}

#[tokio::test]
async fn an_engine_that_dies_is_started_again() {
    let up = Up::start(natter_up(&scratch_folder("data")));
    for (name, source) in [("nats-server", "nats"), ("postgres", "postgres")] {
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
    let up = Up::start(natter_up(&scratch_folder("data")));
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
    Up::start(natter_up(&data));
}

#[test]
fn what_is_secret_is_for_its_owner_only() {
    use std::os::unix::fs::MetadataExt;
    let data = scratch_folder("data");
    let up = Up::start(natter_up(&data));
    for file in
        ["keys/signing.pem", "keys/master.key", "secrets/nats", "secrets/postgres", "nats/nats.conf", "natter.run"]
    {
        let mode = fs::metadata(data.join(file)).unwrap_or_else(|error| panic!("{file}: {error}")).mode();
        assert_eq!(mode & 0o077, 0, "{file} has mode {mode:o}");
    }
    let password = fs::read_to_string(data.join("secrets/postgres")).expect("it is there");
    assert!(!up.log().iter().any(|line| line.contains(&password)), "the log holds a password");
}
