//! What is true while the broker dies, stands still, comes back, or comes back with another log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use natter_testkit::{Proxy, eventually};
use serde_json::{Value, json};

use crate::rig::{PATIENCE, Person, Rig, impatient, new_id};
use crate::socket::{Closed, message, seq, text};

/// What a gateway says of itself.
async fn door(rig: &Rig, gateway: usize, path: &str) -> (u16, Value) {
    rig.http(gateway, "GET", path, None, None).await
}

async fn is_ready(rig: &Rig, gateway: usize) {
    eventually("the gateway is ready", PATIENCE, async || match door(rig, gateway, "/ready").await {
        (200, _) => Ok(()),
        not_ready => Err(not_ready),
    })
    .await;
}

/// A client as the protocol wants it: it keeps what is not acknowledged and sends it again, in order, under the same ids.
async fn say_all(rig: &Rig, gateway: usize, person: &Person, count: u64, acknowledged: &AtomicU64) -> BTreeSet<u64> {
    const AT_ONCE: usize = 25;
    let person = rig.with_rate(person, 1_000_000);
    let mut waiting: BTreeMap<u64, String> = (0..count).map(|n| (n, new_id())).collect();
    let mut socket = rig.socket(gateway, &person).await;
    let mut seqs = BTreeSet::new();
    while !waiting.is_empty() {
        let commands: Vec<Value> = waiting
            .iter()
            .take(AT_ONCE)
            .map(|(n, id)| {
                let (to, text) = (json!({"participants": ["ada", "bob", "cy"]}), format!("{} {n}", person.handle));
                json!({"type": "send", "ref": n, "id": id, "to": to, "text": text})
            })
            .collect();
        socket.say_all(&commands).await;
        let mut left = commands.len();
        let mut refused = false;
        while left > 0 {
            let frame = match socket.next_but_pings().await {
                Ok(frame) => frame,
                Err(Closed(code)) => panic!("{} was closed: {code:?}", person.handle),
            };
            match frame["type"].as_str() {
                Some("ok") => {
                    waiting.remove(&frame["ref"].as_u64().unwrap());
                    assert!(seqs.insert(seq(&frame)), "two commands have one place: {frame}");
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                Some("error") => {
                    assert_eq!((&frame["code"], &frame["temporary"]), (&json!("unavailable"), &json!(true)), "{frame}");
                    refused = true;
                }
                Some("message") => continue,
                other => panic!("{other:?}: {frame}"),
            }
            left -= 1;
        }
        if refused {
            // Sooner than it is asked to: the broker comes back at any moment of it.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    seqs
}

#[tokio::test]
async fn cmd1_frm5_through_kills_and_pauses_of_the_broker_every_message_is_there_once_and_in_order() {
    const EACH: u64 = 400;
    let mut rig = Rig::empty(natter_platform::Clock::system(), Duration::from_secs(900)).await;
    for _ in 0..2 {
        let settings = impatient(rig.settings());
        rig.add_over(settings, |_| {}).await;
    }
    let (ada, bob, cy) = (rig.person("ada").await, rig.person("bob").await, rig.person("cy").await);
    let mut reader = rig.socket(1, &cy).await;
    let said = AtomicU64::new(0);
    let faults = async {
        for (at, kill) in [(100, true), (250, false), (400, true), (600, true)] {
            eventually("enough is said", PATIENCE, async || match said.load(Ordering::SeqCst) {
                now if now >= at => Ok(()),
                now => Err(now),
            })
            .await;
            if kill {
                rig.broker.kill().await;
                rig.broker.restart().await;
            } else {
                rig.broker.pause().await;
                // Longer than an acknowledgement is waited for: what is under way is unknown.
                tokio::time::sleep(Duration::from_millis(1_500)).await;
                rig.broker.resume().await;
            }
        }
    };
    let ((), by_ada, by_bob) =
        tokio::join!(faults, say_all(&rig, 0, &ada, EACH, &said), say_all(&rig, 1, &bob, EACH, &said));
    let mut seen = Vec::new();
    while seen.len() < 2 * EACH as usize {
        seen.push(reader.expect("message").await);
    }
    let seqs: Vec<u64> = seen.iter().map(seq).collect();
    assert!(seqs.is_sorted_by(|one, next| one < next), "in the log's order, none twice");
    assert_eq!(
        seqs.iter().copied().collect::<BTreeSet<_>>(),
        by_ada.union(&by_bob).copied().collect(),
        "as acknowledged"
    );
    for person in ["ada", "bob"] {
        let own = seen.iter().filter(|event| event["sender"] == person);
        let number = |event: &Value| text(event, "text").split(' ').nth(1).unwrap().parse::<u64>().unwrap();
        let own: Vec<(u64, u64)> = own.map(|event| (number(event), seq(event))).collect();
        let order = own.iter().map(|(number, _)| *number);
        assert!(order.eq(0..EACH), "what {person} said is not in the order in which it was said: {own:?}");
    }
    assert_eq!(reader.drain().await, Vec::<Value>::new());
    // On both, and for those who come later.
    for gateway in [0, 1] {
        let mut late = rig.socket(gateway, &cy).await;
        let last = rig.socket(1 - gateway, &rig.with_rate(&ada, 1_000_000)).await.send(&["cy"], "last").await;
        assert_eq!(late.expect("message").await["seq"], last["seq"]);
        reader.expect("message").await;
    }
}

#[tokio::test]
async fn while_the_broker_is_away_sockets_stay_and_commands_are_unavailable_at_once() {
    let mut rig = Rig::empty(natter_platform::Clock::system(), Duration::from_secs(900)).await;
    let settings = impatient(rig.settings());
    rig.add_over(settings, |_| {}).await;
    let ada = rig.person("ada").await;
    let mut socket = rig.socket(0, &ada).await;
    let before = socket.send(&["ada"], "before").await;
    rig.broker.kill().await;
    let down = eventually("the gateway says what it misses", PATIENCE, async || match door(&rig, 0, "/ready").await {
        (503, report) => Ok(report),
        other => Err(other),
    })
    .await;
    assert!(down.to_string().contains("broker"), "{down}");
    let (status, health) = door(&rig, 0, "/health").await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    let command = message(&["ada"], "meanwhile");
    let (refused, _) = socket.ask(command.clone()).await;
    assert_eq!((&refused["code"], &refused["temporary"]), (&json!("unavailable"), &json!(true)));
    assert!(refused["retry_after_ms"].is_u64(), "{refused}");
    let (status, problem) = rig.http(0, "POST", "/api/messages", Some(&ada.token), Some(command.clone())).await;
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")));
    // What is in memory is still served.
    rig.resume(0, &ada, &text(&before, "position")).await.expect("caught_up").await;
    rig.broker.restart().await;
    is_ready(&rig, 0).await;
    let ok = eventually("it goes on", PATIENCE, async || {
        let (answer, _) = socket.ask(command.clone()).await;
        if answer["type"] == "ok" { Ok(answer) } else { Err(answer) }
    })
    .await;
    assert_eq!(seq(&ok), seq(&before) + 1, "neither refusal left anything");
}

#[tokio::test]
async fn a_gateway_without_its_log_lives_but_is_not_ready_and_takes_no_sockets_until_it_is() {
    let mut rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let ok = rig.socket(0, &ada).await.send(&["ada"], "before").await;
    let proxy = Proxy::to(rig.broker.address()).await;
    let settings = impatient(rig.settings_through(&proxy));
    rig.begin(
        settings,
        |_| {},
        async || {
            proxy.refuse();
            proxy.cut();
        },
    )
    .await;
    let (status, health) = door(&rig, 1, "/health").await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    let (status, report) = door(&rig, 1, "/ready").await;
    assert_eq!(status, 503, "{report}");
    for check in ["broker", "feed"] {
        assert!(report.to_string().contains(check), "{check}: {report}");
    }
    assert_eq!(rig.hello(1, &ada, None).await.closed().await, Closed(Some(4003)));
    proxy.heal();
    is_ready(&rig, 1).await;
    rig.resume(1, &ada, &text(&ok, "position")).await.expect("caught_up").await;
    // Its ears are open, too.
    let (mut here, mut there) = (rig.socket(0, &ada).await, rig.socket(1, &ada).await);
    let sent = here.send(&["ada"], "after").await;
    assert_eq!(there.expect("message").await["seq"], sent["seq"]);
}

/// Only ids that are not fresh wait for it, so nobody is sent to another gateway, which could not reach it either.
#[tokio::test]
async fn a_gateway_that_can_not_reach_history_is_ready_and_says_so() {
    let mut rig = Rig::start(1).await;
    let ada = rig.person("ada").await;
    let says = async |rig: &Rig, degraded: bool| {
        let gauge = format!("natter_degraded{{check=\"history\"}} {}", u8::from(degraded));
        // The gateways of other tests write the same gauge.
        let report = eventually("it is noticed", PATIENCE, async || {
            let (status, report) = door(rig, 1, "/ready").await;
            let url = format!("http://{}/metrics", rig.gateways[1].address);
            let metrics = reqwest::get(url).await.unwrap().text().await.unwrap();
            let told = status == 200 && report["degraded"].as_bool().unwrap_or(false) == degraded;
            if told && metrics.contains(&gauge) { Ok(report) } else { Err((report, metrics)) }
        })
        .await;
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "history").unwrap();
        assert_eq!((&report["ready"], check["degraded"].as_bool().unwrap_or(false)), (&json!(true), degraded));
    };
    // Whoever answers at `/health` is there; here that is the other gateway.
    let proxy = Proxy::to(rig.gateways[0].address.clone()).await;
    let url = format!("http://{}", proxy.address());
    rig.add(|config| config.history_url = Some(url.clone())).await;
    says(&rig, false).await;
    proxy.refuse();
    proxy.cut();
    says(&rig, true).await;
    rig.socket(1, &ada).await.send(&["ada"], "all the same").await;
    proxy.heal();
    says(&rig, false).await;
    // It stands still: what is asked is not answered.
    proxy.blackhole(natter_testkit::Direction::Down);
    says(&rig, true).await;
    proxy.cut();
    proxy.heal();
    says(&rig, false).await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The broker's files, as they were at some moment.
struct Backup(std::path::PathBuf);

impl Backup {
    async fn take(rig: &Rig) -> Self {
        rig.broker.stop().await;
        let folder = natter_testkit::scratch_folder("backup");
        copy(rig.broker.store_dir(), &folder);
        rig.broker.restart().await;
        Self(folder)
    }

    async fn restore(&self, rig: &Rig) {
        rig.broker.stop().await;
        std::fs::remove_dir_all(rig.broker.store_dir()).unwrap();
        copy(&self.0, rig.broker.store_dir());
        rig.broker.restart().await;
    }
}

#[tokio::test]
async fn con3_when_the_log_was_restored_from_a_backup_sockets_close_with_4003_and_positions_are_of_another_log() {
    let mut rig = Rig::empty(natter_platform::Clock::system(), Duration::from_secs(900)).await;
    for _ in 0..2 {
        let settings = impatient(rig.settings());
        rig.add_over(settings, |_| {}).await;
    }
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    rig.person("cy").await;
    let kept = rig.socket(0, &ada).await.send(&["bob"], "kept").await;
    let backup = Backup::take(&rig).await;
    for gateway in [0, 1] {
        is_ready(&rig, gateway).await;
    }
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let lost = eventually("the broker is back", PATIENCE, async || {
        let (answer, _) = a.ask(message(&["bob"], "lost")).await;
        if answer["type"] == "ok" { Ok(answer) } else { Err(answer) }
    })
    .await;
    b.expect("message").await;
    a.send(&["cy"], "hello").await;
    backup.restore(&rig).await;
    for socket in [&mut a, &mut b] {
        assert_eq!(socket.closed().await, Closed(Some(4003)));
    }
    for gateway in [0, 1] {
        is_ready(&rig, gateway).await;
        for position in [&kept, &lost] {
            let mut again = rig.resume(gateway, &ada, &text(position, "position")).await;
            assert_eq!(again.expect("reset").await["reason"], "other_log");
        }
    }
    // They agree on the new one, which goes on where the backup ended.
    let mut a = rig.socket(0, &ada).await;
    let new = a.send(&["bob"], "new").await;
    assert_eq!(seq(&new), seq(&kept) + 1);
    let mut other = rig.resume(1, &bob, &text(&new, "position")).await;
    other.expect("caught_up").await;
    // What was lost can be said again under its id: this log has never heard of it.
    assert!(seq(&other.send(&["ada"], "an answer").await) > seq(&new));
    // A conversation that began in what was lost begins again, for everybody.
    let again = a.send(&["cy"], "hello again").await;
    let edit = json!({"type": "edit", "id": new_id(), "conversation": text(&again, "conversation"),
                      "message": seq(&again), "text": "hello"});
    rig.socket(1, &ada).await.done(edit).await;
}

/// It reads on where it was, and sees nothing of what the others have.
#[tokio::test]
async fn con3_a_gateway_that_was_away_while_the_log_was_rolled_back_learns_that_it_is_another_one() {
    let mut rig = Rig::empty(natter_platform::Clock::system(), Duration::from_secs(900)).await;
    let proxy = Proxy::to(rig.broker.address()).await;
    for settings in [rig.settings(), rig.settings_through(&proxy)] {
        rig.add_over(impatient(settings), |_| {}).await;
    }
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let kept = rig.socket(0, &ada).await.send(&["bob"], "kept").await;
    let backup = Backup::take(&rig).await;
    for gateway in [0, 1] {
        is_ready(&rig, gateway).await;
    }
    let mut there = rig.resume(1, &bob, &text(&kept, "position")).await;
    there.expect("caught_up").await;
    proxy.refuse();
    proxy.cut();
    let mut a = rig.socket(0, &ada).await;
    eventually("the broker is back", PATIENCE, async || {
        let (answer, _) = a.ask(message(&["bob"], "lost")).await;
        if answer["type"] == "ok" { Ok(()) } else { Err(answer) }
    })
    .await;
    backup.restore(&rig).await;
    assert_eq!(a.closed().await, Closed(Some(4003)));
    is_ready(&rig, 0).await;
    proxy.heal();
    assert_eq!(there.closed().await, Closed(Some(4003)));
    is_ready(&rig, 1).await;
    let mut again = rig.resume(1, &bob, &text(&kept, "position")).await;
    assert_eq!(again.expect("reset").await["reason"], "other_log");
    // Both are of the same one.
    let new = eventually("the broker is back", PATIENCE, async || {
        let (answer, _) = rig.socket(0, &ada).await.ask(message(&["bob"], "new")).await;
        if answer["type"] == "ok" { Ok(answer) } else { Err(answer) }
    })
    .await;
    rig.resume(1, &bob, &text(&new, "position")).await.expect("caught_up").await;
}

#[tokio::test]
async fn d5_who_came_into_a_room_in_a_log_that_was_lost_is_not_in_it() {
    let mut rig = Rig::empty(natter_platform::Clock::system(), Duration::from_secs(900)).await;
    for _ in 0..2 {
        let settings = impatient(rig.settings());
        rig.add_over(settings, |_| {}).await;
    }
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut a = rig.socket(0, &ada).await;
    let here = crate::rooms::room(&mut a, "engines", "private", &[]).await;
    let backup = Backup::take(&rig).await;
    for gateway in [0, 1] {
        is_ready(&rig, gateway).await;
    }
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    eventually("the broker is back", PATIENCE, async || {
        let (answer, _) = a.ask(crate::rooms::about_user("add", &here, "bob")).await;
        if answer["type"] == "ok" { Ok(()) } else { Err(answer) }
    })
    .await;
    b.until("member").await;
    b.done(crate::rooms::say(&here, "here I am")).await;
    backup.restore(&rig).await;
    // Until they have seen that it is another log, they say that they are ready.
    for socket in [&mut a, &mut b] {
        assert_eq!(socket.closed().await, Closed(Some(4003)));
    }
    for gateway in [0, 1] {
        is_ready(&rig, gateway).await;
    }
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    eventually("the broker is back", PATIENCE, async || {
        let (answer, _) = a.ask(crate::rooms::say(&here, "is bob here?")).await;
        if answer["type"] == "ok" { Ok(()) } else { Err(answer) }
    })
    .await;
    a.send(&["bob"], "the end").await;
    let heard = b.until("message").await;
    assert_eq!((heard.len(), &heard[0]["text"]), (1, &json!("the end")), "{heard:?}");
    assert_eq!(b.refused(crate::rooms::say(&here, "am I not?")).await, "not_found");
    // And what changes from now on counts, though the log that was lost was longer.
    a.done(crate::rooms::about_user("add", &here, "bob")).await;
    b.until("member").await;
    b.done(crate::rooms::say(&here, "again")).await;
}

#[tokio::test]
async fn cmd3_a_change_of_a_room_whose_answer_was_lost_is_not_refused_because_it_was_done() {
    let mut rig = Rig::start(1).await;
    let proxy = Proxy::to(rig.broker.address()).await;
    let settings = impatient(rig.settings_through(&proxy));
    rig.add_over(settings, |_| {}).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let mut a = rig.socket(0, &ada).await;
    let here = crate::rooms::room(&mut a, "engines", "public", &["bob"]).await;
    let members = format!("/api/rooms/{here}/members/me");
    // What it decides by, this gateway has from now on.
    rig.socket(1, &bob).await.done(crate::rooms::say(&here, "hello")).await;
    a.until("message").await;
    for round in 0..4 {
        let (method, done) = if round % 2 == 0 { ("DELETE", "left") } else { ("PUT", "joined") };
        let path = format!("{members}?id={}", new_id());
        // Stored, and the gateway does not hear of it.
        proxy.blackhole(natter_testkit::Direction::Down);
        let lost = rig.http(1, method, &path, Some(&bob.token), None);
        let told = async {
            let frame = a.expect("member").await;
            assert_eq!((&frame["change"], &frame["user"]), (&json!(done), &json!("bob")));
            frame
        };
        let ((status, _), frame) = tokio::join!(lost, told);
        assert_eq!(status, 503);
        proxy.heal();
        proxy.cut();
        let again = eventually("it is known", PATIENCE, async || {
            match rig.http(1, method, &path, Some(&bob.token), None).await {
                (200, ok) => Ok(ok),
                (503, problem) => Err(problem),
                other => panic!("{other:?}"),
            }
        })
        .await;
        assert_eq!((&again["seq"], &again["duplicate"]), (&frame["seq"], &json!(true)), "{again}");
    }
    assert_eq!(a.drain().await, Vec::<Value>::new(), "each was done once");
}

#[tokio::test]
async fn frm5_a_marker_that_waits_its_time_holds_nothing_back_when_the_connection_is_another_one() {
    let mut rig = Rig::start(0).await;
    let proxy = Proxy::to(rig.broker.address()).await;
    let settings = impatient(rig.settings_through(&proxy));
    rig.add_over(settings, |config| config.marker_interval = Duration::from_secs(3_600)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &rig.with_rate(&ada, 1_000_000)).await, rig.socket(0, &bob).await);
    for words in ["one", "two"] {
        let said = b.send(&["ada"], words).await;
        a.until("message").await;
        a.say(json!({"type": "mark", "id": new_id(), "conversation": said["conversation"], "read": said["seq"]})).await;
    }
    // Both were taken.
    a.drain().await;
    proxy.cut();
    eventually("something is stored again", PATIENCE, async || {
        let (answer, _) = a.ask(message(&["ada"], "3")).await;
        if answer["type"] == "ok" { Ok(()) } else { Err(answer) }
    })
    .await;
}

/// By the time this gateway hears of its broker again, the other log is longer than its own was: only the events differ.
#[tokio::test]
async fn con3_a_log_that_has_grown_past_the_old_one_is_another_log_all_the_same() {
    let mut rig = Rig::start(1).await;
    let proxy = Proxy::to(rig.broker.address()).await;
    let settings = impatient(rig.settings_through(&proxy));
    rig.add_over(settings, |_| {}).await;
    let ada = rig.person("ada").await;
    let ada = rig.with_rate(&ada, 1_000);
    rig.socket(0, &ada).await.send(&["ada"], "kept").await;
    let backup = Backup::take(&rig).await;
    is_ready(&rig, 0).await;
    is_ready(&rig, 1).await;
    let mut there = rig.socket(1, &ada).await;
    let lost = eventually("the broker is back", PATIENCE, async || {
        let (answer, _) = there.ask(message(&["ada"], "lost")).await;
        if answer["type"] == "ok" { Ok(answer) } else { Err(answer) }
    })
    .await;
    proxy.refuse();
    proxy.cut();
    rig.gateways[0].kill();
    backup.restore(&rig).await;
    // A gateway that knows nothing of what was lost goes on under the epoch of the backup.
    rig.add(|_| {}).await;
    let mut here = rig.socket(2, &ada).await;
    for _ in 0..10 {
        here.send(&["ada"], "another story").await;
    }
    proxy.heal();
    assert_eq!(there.closed().await, Closed(Some(4003)));
    is_ready(&rig, 1).await;
    let mut again = rig.resume(1, &ada, &text(&lost, "position")).await;
    assert_eq!(again.expect("reset").await["reason"], "other_log");
    let ok = again.send(&["ada"], "one story again").await;
    assert_eq!(seq(&ok), seq(&lost) + 10);
}

#[tokio::test]
async fn con4_a_feed_that_does_not_bring_what_the_broker_stored_closes_with_4003_and_nothing_is_lost() {
    let mut rig = Rig::start(1).await;
    let proxy = Proxy::to(rig.broker.address()).await;
    let settings = rig.settings_through(&proxy);
    rig.add_over(settings, |config| config.ahead_timeout = Duration::from_millis(300)).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let (mut a, mut b) = (rig.socket(0, &ada).await, rig.socket(1, &bob).await);
    let first = a.send(&["bob"], "first").await;
    let seen = b.expect("message").await;
    proxy.blackhole(natter_testkit::Direction::Down);
    let second = a.send(&["bob"], "second").await;
    // Whoever comes from a gateway that has more finds nothing missing without being told: not here, not now.
    let mut early = rig.hello(1, &bob, Some(&text(&second, "position"))).await;
    assert_eq!(early.closed().await, Closed(Some(4003)));
    proxy.heal();
    assert_eq!(b.expect("message").await["seq"], second["seq"]);
    let mut again = rig.resume(1, &bob, &text(&seen, "position")).await;
    assert_eq!(again.expect("message").await["seq"], second["seq"]);
    assert!(seq(&second) > seq(&first));
}
