//! What a gateway does when the broker's files were damaged while it was down (ADR 10).

use std::time::Duration;

use bytes::Bytes;
use natter_events::Subject;
use natter_events::record::is_whole;
use natter_gateway::config::Config;
use natter_log::{Acceptance, Append, Bucket, Stream};
use natter_testkit::eventually;
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig, impatient, new_id};
use crate::socket::{Closed, message, seq, text};

/// Two people, one gateway that nobody damages, and what was said.
async fn said(rig: &Rig, count: usize) -> (Person, Person, Vec<Value>) {
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut socket = rig.socket(0, &rig.with_rate(&ada, 1_000)).await;
    let mut said = Vec::new();
    for n in 0..count {
        said.push(socket.send(&["bob"], &format!("message {n}")).await);
    }
    (ada, bob, said)
}

async fn accept(rig: &Rig, first: u64, last: u64) {
    let (by, reason) = ("ann".to_owned(), "a disk failed".to_owned());
    rig.log().await.accept_hole(Acceptance { first, last, by, reason, at_ms: 0 }).await.expect("accepted");
}

/// A gateway that is started now and finds the damage: it serves nobody, and says why.
async fn stands_still(rig: &mut Rig, hole: &str) -> usize {
    stands_still_with(rig, Config::default().tail_bytes, hole).await
}

/// The same, with a tail of so many bytes.
async fn stands_still_with(rig: &mut Rig, tail_bytes: usize, hole: &str) -> usize {
    rig.begin(impatient(rig.settings()), |config| config.tail_bytes = tail_bytes, async || {}).await;
    let gateway = rig.gateways.len() - 1;
    let report = eventually("the gateway says what is lost", PATIENCE, async || {
        let (status, report) = rig.http(gateway, "GET", "/ready", None, None).await;
        if status == 503 && report.to_string().contains("stopped: the log has no event") {
            Ok(report)
        } else {
            Err(report)
        }
    })
    .await;
    for part in [hole, "natter repair hole", "natter verify --event-log"] {
        assert!(report.to_string().contains(part), "{part}: {report}");
    }
    gateway
}

async fn goes_on(rig: &Rig, gateway: usize) {
    eventually("the gateway is ready", PATIENCE, async || match rig.http(gateway, "GET", "/ready", None, None).await {
        (200, _) => Ok(()),
        not_ready => Err(not_ready),
    })
    .await;
}

/// The texts of the messages that come until the client has caught up.
async fn resumed(rig: &Rig, gateway: usize, person: &Person, from: &Value) -> Vec<String> {
    let mut socket = rig.resume(gateway, person, &text(from, "position")).await;
    let frames = socket.until("caught_up").await;
    frames.iter().filter(|frame| frame["type"] == "message").map(|frame| text(frame, "text")).collect()
}

fn texts(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("message {n}")).collect()
}

#[tokio::test]
async fn evt1_a_gateway_stands_still_before_a_hole_in_its_tail_and_goes_on_when_it_is_accepted() {
    let mut rig = Rig::start(1).await;
    let (ada, bob, said) = said(&rig, 10).await;
    rig.broker.stop().await;
    let lost = seq(&said[4]);
    rig.broker.blocks("CHAT").flip_payload(lost);
    rig.broker.restart().await;
    let gateway = stands_still(&mut rig, &format!("no event {lost}; the next is {}", lost + 1)).await;
    assert_eq!(rig.hello(gateway, &bob, None).await.closed().await, Closed(Some(4003)));
    let (status, problem) =
        rig.http(gateway, "POST", "/api/messages", Some(&ada.token), Some(message(&["bob"], "x"))).await;
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "{problem}");

    accept(&rig, lost, lost).await;
    goes_on(&rig, gateway).await;
    // From before the hole, from what stood in it, and from behind it.
    assert_eq!(resumed(&rig, gateway, &bob, &said[2]).await, texts([3, 5, 6, 7, 8, 9]));
    assert_eq!(resumed(&rig, gateway, &bob, &said[4]).await, texts(5..10));
    assert_eq!(resumed(&rig, gateway, &bob, &said[6]).await, texts(7..10));
    let mut other = rig.socket(gateway, &bob).await;
    let new = rig.socket(0, &rig.with_rate(&ada, 1_000)).await.send(&["bob"], "new").await;
    assert_eq!(other.expect("message").await["seq"], new["seq"]);
}

/// The broker keeps the last sequence, and has nothing to send that would show the hole.
#[tokio::test]
async fn evt1_a_hole_at_the_end_of_the_log_is_found_at_the_start_and_positions_in_it_are_good_once_accepted() {
    let mut rig = Rig::start(1).await;
    let (ada, bob, said) = said(&rig, 10).await;
    rig.broker.stop().await;
    let (first, last) = (seq(&said[6]), seq(&said[9]));
    rig.broker.blocks("CHAT").cut(first);
    rig.broker.restart().await;
    rig.gateways[0].kill();
    let gateway = stands_still(&mut rig, &format!("no event {first}; the next is {}", last + 1)).await;
    accept(&rig, first, last).await;
    goes_on(&rig, gateway).await;
    assert_eq!(resumed(&rig, gateway, &bob, &said[2]).await, texts(3..6));
    for position in [&said[6], &said[9]] {
        assert_eq!(resumed(&rig, gateway, &bob, position).await, texts([]));
    }
    // What comes next stands behind the hole, and reaches those who came back from inside of it.
    let mut from_within = rig.resume(gateway, &bob, &text(&said[8], "position")).await;
    from_within.expect("caught_up").await;
    let new = rig.socket(gateway, &rig.with_rate(&ada, 1_000)).await.send(&["bob"], "new").await;
    assert_eq!(seq(&new), last + 1);
    assert_eq!(from_within.expect("message").await["seq"], new["seq"]);
    assert_eq!(resumed(&rig, gateway, &bob, &said[2]).await, [texts(3..6), vec!["new".to_owned()]].concat());
}

/// A block of the past that was cut: nobody here would read it.
#[tokio::test]
async fn d5_a_hole_far_before_the_tail_that_the_broker_knows_of_stops_the_gateway_too() {
    const FILLER_BYTES: usize = 200_000;
    let mut rig = Rig::start(1).await;
    let (_, bob, said) = said(&rig, 4).await;
    let log = rig.log().await;
    for n in 0..90 {
        let payload = Bytes::from(vec![0; FILLER_BYTES]);
        let (subject, message_id) = ("chat.user.x.message".to_owned(), format!("filler-{n}"));
        let append = Append { stream: Stream::Chat, subject, message_id, payload, expected_last: None };
        log.append(append).await.expect("stored");
    }
    rig.broker.stop().await;
    let blocks = rig.broker.blocks("CHAT");
    let (first, (_, last)) = (seq(&said[1]), blocks.spans()[0]);
    assert!(blocks.spans().len() > 1, "{:?}", blocks.spans());
    blocks.cut(first);
    rig.broker.restart().await;
    let gateway = stands_still_with(&mut rig, 1, &format!("no event {first}; the next is {}", last + 1)).await;
    // One that was there all the time would decide by what is left, too.
    eventually("the other stands still as well", PATIENCE, async || {
        match rig.http(0, "GET", "/ready", None, None).await {
            (503, report) if report.to_string().contains("stopped: the log has no event") => Ok(()),
            ready => Err(ready),
        }
    })
    .await;
    accept(&rig, first, last).await;
    goes_on(&rig, gateway).await;
    goes_on(&rig, 0).await;
    assert_eq!(resumed(&rig, gateway, &bob, &said[0]).await, texts([]));
    rig.socket(gateway, &bob).await.send(&["ada"], "on").await;
}

/// Appends what the last event of a subject says, but for one bit, as if something between a gateway and the broker's disk had failed.
async fn append_damaged(rig: &Rig, subject: String) -> u64 {
    let log = rig.log().await;
    let last = log.last(Stream::Chat, &subject).await.expect("read").expect("there");
    let mut payload = last.payload.to_vec();
    let middle = payload.len() / 2;
    payload[middle] ^= 1;
    let append =
        Append { stream: Stream::Chat, subject, message_id: new_id(), payload: payload.into(), expected_last: None };
    log.append(append).await.expect("stored").seq
}

async fn metric(rig: &Rig, name: &str) -> Option<f64> {
    let url = format!("http://{}/metrics", rig.gateways[0].address);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[tokio::test]
async fn d8_a_damaged_message_reaches_nobody_is_counted_and_the_rest_goes_on() {
    const COUNTER: &str = "natter_gateway_malformed_events_total ";
    let rig = Rig::start(1).await;
    let (ada, bob, said) = said(&rig, 2).await;
    // All gateways of this program count together.
    let before = metric(&rig, COUNTER).await.unwrap_or_default();
    let mut hears = rig.socket(0, &bob).await;
    let damaged = append_damaged(&rig, Subject::Messages(ada.uid).to_string()).await;
    let after = rig.socket(0, &ada).await.send(&["bob"], "message 2").await;
    assert_eq!((seq(&after), hears.expect("message").await["seq"].as_u64()), (damaged + 1, Some(damaged + 1)));
    let counted = metric(&rig, COUNTER).await.unwrap_or_default();
    assert!(counted > before, "{counted}, and {before} before");
    assert_eq!(resumed(&rig, 0, &bob, &said[0]).await, texts(1..3));
}

/// Everybody would decide by the state before it, which may be older than a ban.
#[tokio::test]
async fn d5_a_damaged_state_stops_the_gateway_until_it_is_accepted_as_lost_and_then_the_one_before_it_counts() {
    let rig = Rig::start(1).await;
    let (ada, bob, _) = said(&rig, 1).await;
    let mut socket = rig.socket(0, &ada).await;
    let change = |kind: &str| json!({"type": kind, "id": new_id(), "user": "bob"});
    socket.done(change("block")).await;
    let damaged = append_damaged(&rig, Subject::Account(ada.uid).to_string()).await;
    assert_eq!(socket.closed().await, Closed(Some(4003)));
    let why = format!("stopped: event {damaged} of the log is not what was written");
    eventually("the gateway says what is damaged", PATIENCE, async || {
        let (status, report) = rig.http(0, "GET", "/ready", None, None).await;
        if status == 503 && report.to_string().contains(&why) { Ok(()) } else { Err(report) }
    })
    .await;
    let (by, reason) = ("ann".to_owned(), "bad memory".to_owned());
    let acceptance = Acceptance { first: damaged, last: damaged, by, reason, at_ms: 0 };
    let accepted = rig.log().await.accept_damaged(acceptance, |stored| is_whole(&stored.payload).is_err()).await;
    accepted.expect("accepted");
    goes_on(&rig, 0).await;
    // Ada's blocks are as they were, and she can go on to change them.
    let mut socket = rig.socket(0, &ada).await;
    assert_eq!(rig.socket(0, &bob).await.refused(message(&["ada"], "hear me")).await, "blocked");
    socket.done(change("unblock")).await;
    rig.socket(0, &bob).await.send(&["ada"], "thank you").await;
}

/// What the broker does that was killed: it goes back, and gives the same sequences away again.
#[tokio::test]
async fn d14_a_log_that_lost_its_end_while_everybody_was_away_is_another_log() {
    let mut rig = Rig::start(1).await;
    let (ada, bob, said) = said(&rig, 10).await;
    let log = rig.log().await;
    let noted = async || {
        let entry = log.bucket(Bucket::Integrity).get("head").await.expect("read")?;
        serde_json::from_slice::<Value>(&entry.value).expect("JSON")["seq"].as_u64()
    };
    eventually("how far the log goes is on record", PATIENCE, async || match noted().await {
        Some(noted) if noted >= seq(&said[9]) => Ok(()),
        other => Err(other),
    })
    .await;
    rig.gateways[0].kill();
    rig.broker.kill().await;
    rig.broker.blocks("CHAT").cut(seq(&said[6]));
    rig.broker.restart().await;
    rig.add(|_| {}).await;
    for position in [&said[2], &said[8]] {
        let mut again = rig.resume(1, &bob, &text(position, "position")).await;
        assert_eq!(again.expect("reset").await["reason"], "other_log");
    }
    let new = rig.socket(1, &rig.with_rate(&ada, 1_000)).await.send(&["bob"], "new").await;
    assert_eq!(seq(&new), seq(&said[6]), "the same sequence, in another log");
}

/// The last moments were not on record yet: the client alone knows that there was more.
#[tokio::test]
async fn con4_a_position_that_the_log_does_not_reach_is_of_another_log_and_not_waited_for_for_ever() {
    let mut rig = Rig::start(1).await;
    let (_, bob, said) = said(&rig, 10).await;
    rig.gateways[0].kill();
    let log = rig.log().await;
    log.bucket(Bucket::Integrity).delete("head").await.expect("deleted");
    drop(log);
    rig.broker.kill().await;
    rig.broker.blocks("CHAT").cut(seq(&said[6]));
    rig.broker.restart().await;
    rig.add(|config| config.ahead_timeout = Duration::from_millis(200)).await;
    let mut again = rig.resume(1, &bob, &text(&said[8], "position")).await;
    assert_eq!(again.expect("reset").await["reason"], "other_log");
    // Who was not ahead has lost nothing that they had.
    assert_eq!(resumed(&rig, 1, &bob, &said[2]).await, texts(3..6));
}

/// For the state before it, or for none, would pass what the broker says: and somebody would be in no room any more.
#[tokio::test]
async fn d5_whose_last_state_is_damaged_is_answered_unavailable_and_not_as_one_who_never_was_anywhere() {
    let mut rig = Rig::start(1).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut a = rig.socket(0, &ada).await;
    let here = crate::rooms::room(&mut a, "engines", "public", &["bob"]).await;
    let last = rig.log().await.last(Stream::Chat, &format!("chat.user.{}.rooms", bob.uid)).await.expect("read");
    let place = last.expect("bob is in it").seq;
    a.send(&["ada"], "the end").await;
    rig.broker.stop().await;
    rig.broker.blocks("CHAT").flip_payload(place);
    rig.broker.restart().await;
    // A tail too small to meet the hole.
    rig.add_over(impatient(rig.settings()), |config| config.tail_bytes = 1).await;
    let path = format!("/api/rooms/{here}/members/me?id={}", new_id());
    let (status, problem) = rig.http(1, "DELETE", &path, Some(&bob.token), None).await;
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "{problem}");
}
