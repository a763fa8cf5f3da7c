//! `natter backup` and `natter restore` as operators run them, and what can go wrong with either.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use natter_events::ContentKey;
use natter_log::{Acceptance, Append, Bucket, KeyRing, Log, ReadError, Settings, Stream};
use natter_testkit::{Broker, eventually, scratch_folder};
use serde_json::json;
use uuid::Uuid;

use crate::alone::Deployment;
use crate::program::{Ended, LONG, Service, Up, natter, natter_up, run, signal};
use crate::story::{Person, Services};

/// The key of `Deployment`, which is proven by this log.
const MASTER_KEY: [u8; 32] = [0x5a; 32];
/// What can't be compressed, and more of it than goes through in a moment.
const LARGE_EVENTS: usize = 150;
const LARGE_BYTES: usize = 200 << 10;

async fn log_of(broker: &Broker) -> Log {
    let settings = Settings { servers: vec![broker.url().to_owned()], ..Settings::default() };
    Log::connect(settings).await.expect("a connection")
}

/// Events of these sizes, and the proof of the master key.
async fn fill(broker: &Broker, sizes: &[usize]) -> Log {
    let log = log_of(broker).await;
    log.declare().await.expect("declared");
    let ring = KeyRing::new(log.bucket(Bucket::Keys), ContentKey::from_bytes(MASTER_KEY), 10);
    ring.check_master_key().await.expect("proven");
    for (n, size) in sizes.iter().enumerate() {
        let noise: Bytes = std::iter::repeat_with(rand::random::<u8>).take(*size).collect();
        let append = Append {
            stream: Stream::Chat,
            subject: "chat.user.u1.message".into(),
            message_id: format!("m{n}"),
            payload: noise,
            expected_last: None,
        };
        log.append(append).await.expect("appended");
    }
    log
}

fn check(folder: &Path) -> Ended {
    let mut command = natter();
    command.arg("backup").arg(folder).arg("--check");
    run(command)
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

fn partial(folder: &Path) -> PathBuf {
    folder.with_extension("partial")
}

async fn is_written(file: &Path) {
    eventually("some of it is written", LONG, async || match fs::metadata(file).map(|file| file.len()) {
        Ok(1..) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn d14_a_deployment_is_restored_into_an_empty_broker_while_none_of_its_services_run() {
    let mut deployment = Deployment::new().await;
    let folder = scratch_folder("backup").join("monday");
    let services = Services::start(&deployment).await;
    let ada = Person::enters(&services, "register", "ada").await;
    let message = |text: &str| Some(json!({"to": {"participants": ["ada"]}, "id": Uuid::now_v7(), "text": text}));
    let kept = ada.does("POST", "/api/messages".to_owned(), message("kept")).await;

    let taken = run(deployment.backup(&folder));
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
    let checked = check(&folder);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    assert!(checked.stdout.contains(" is whole: 2 events ("), "{}", checked.stdout);
    let sums = Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&folder).status();
    assert!(sums.expect("sha256sum runs").success());
    let lost = ada.does("POST", "/api/messages".to_owned(), message("lost")).await;
    ada.reads("/history/direct?participants=ada", &lost["position"]).await;

    let refused = run(deployment.restore(&folder));
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("stop all services of this broker first"), "{}", refused.stderr);
    drop(services);
    eventually("nobody follows the log", LONG, async || {
        let refused = run(deployment.restore(&folder));
        let why = "the broker holds 3 messages in CHAT already";
        if refused.code == Some(4) && refused.stderr.contains(why) { Ok(()) } else { Err(refused.stderr) }
    })
    .await;

    deployment.loses_its_broker().await;
    let restored = run(deployment.restore(&folder));
    assert_eq!(restored.code, Some(0), "{}", restored.stderr);
    assert!(restored.stdout.contains("Restored 2 events, as it was at "), "{}", restored.stdout);
    let ahead = run(deployment.rebuild());
    assert_eq!(ahead.code, Some(10), "the database has what the log has not: {}", ahead.stderr);

    deployment.loses_its_database().await;
    let services = Services::start(&deployment).await;
    let ada = Person::enters(&services, "login", "ada").await;
    let next = ada.does("POST", "/api/messages".to_owned(), message("next")).await;
    let page = ada.reads("/history/direct?participants=ada", &next["position"]).await;
    let texts: Vec<_> = page["items"].as_array().expect("items").iter().map(|item| &item["text"]).collect();
    assert_eq!(texts, ["kept", "next"]);
    assert_eq!(page["items"][0]["seq"], kept["seq"]);
    for arguments in [&[][..], &["--event-log"]] {
        let mut verify = deployment.verify();
        verify.args(arguments);
        let verified = run(verify);
        assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
    }
}

#[tokio::test]
async fn a_data_folder_is_backed_up_also_while_nothing_runs_on_it() {
    let place = scratch_folder("stopped");
    let (data, folder) = (place.join("data"), place.join("backup"));
    let of = |data: &Path| {
        let mut command = natter();
        command.arg("backup").arg(&folder).arg("--data").arg(data);
        run(command)
    };
    let refused = of(&place.join("none"));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(!place.join("none").exists());
    let mut up = Up::up(natter_up(&data));
    up.signal("INT");
    assert!(up.ended(LONG).success());
    let taken = of(&data);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);

    // A folder in which something is already is not restored into.
    let mut restore = natter();
    restore.arg("restore").arg(&folder).arg("--data").arg(&data);
    let again = run(restore);
    assert_eq!(again.code, Some(0), "nobody has said anything in it: {}", again.stderr);
    let mut without = natter();
    without.arg("restore").arg(&folder).arg("--data").arg(place.join("other"));
    let refused = run(without);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("name the master key with --master-key"), "{}", refused.stderr);
    assert!(!place.join("other").exists());
    drop(Up::up(natter_up(&data)));
}

#[tokio::test]
async fn a_backup_that_is_not_as_it_was_written_is_named_and_not_restored() {
    let deployment = Deployment::new().await;
    fill(&deployment.broker, &[2_000, 3_000]).await;
    let place = scratch_folder("bad");
    let whole = place.join("whole");
    assert_eq!(run(deployment.backup(&whole)).code, Some(0));

    let empty = Deployment::new().await;
    let refused = |name: &str, harm: &dyn Fn(&Path), why: &str| {
        let folder = place.join(name);
        fs::create_dir(&folder).expect("made");
        for file in fs::read_dir(&whole).expect("read").flatten() {
            fs::copy(file.path(), folder.join(file.file_name())).expect("copied");
        }
        harm(&folder);
        for ended in [check(&folder), run(empty.restore(&folder))] {
            assert_eq!(ended.code, Some(12), "{name}: {}", ended.stderr);
            assert!(ended.stderr.contains("is not a whole backup") && ended.stderr.contains(why), "{}", ended.stderr);
        }
    };
    let change = |path: PathBuf, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(&path).expect("read");
        change(&mut bytes);
        fs::write(path, bytes).expect("written");
    };
    let truncate = |folder: &Path| change(folder.join("CHAT.copy"), &|bytes| bytes.truncate(bytes.len() - 1));
    refused("truncated", &truncate, "CHAT.copy has ");
    let alter = |folder: &Path| change(folder.join("KV_keys.copy"), &|bytes| bytes[30] ^= 1);
    refused("altered", &alter, "KV_keys.copy is not as it was written");
    let lose = |folder: &Path| fs::remove_file(folder.join("KV_credentials.changes")).expect("removed");
    refused("lost", &lose, "KV_credentials.changes: No such file");
    let lose = |folder: &Path| fs::remove_file(folder.join("SHA256SUMS")).expect("removed");
    refused("unsummed", &lose, "there is no SHA256SUMS in it");
    let lose = |folder: &Path| fs::remove_file(folder.join("manifest.json")).expect("removed");
    refused("unlisted", &lose, "manifest.json: No such file");
    let shorten = |folder: &Path| {
        change(folder.join("manifest.json"), &|bytes| {
            let text = String::from_utf8(bytes.clone()).expect("text");
            *bytes = text.replace("\"last_seq\": 2", "\"last_seq\": 1").into_bytes();
        });
    };
    refused("edited", &shorten, "manifest.json is not as it was written");
    let later = |folder: &Path| {
        change(folder.join("manifest.json"), &|bytes| {
            let text = String::from_utf8(bytes.clone()).expect("text");
            *bytes = text.replace("\"format\": 1", "\"format\": 2").into_bytes();
        });
        let all: Vec<_> = fs::read_dir(folder).expect("read").flatten().map(|file| file.file_name()).collect();
        let summed = all.iter().filter(|name| *name != "SHA256SUMS");
        let sums = Command::new("sha256sum").args(summed).current_dir(folder).output().expect("sha256sum runs");
        fs::write(folder.join("SHA256SUMS"), sums.stdout).expect("written");
    };
    refused("later", &later, "it has the format 2, and this Natter reads 1");
    refused("emptied", &|folder| change(folder.join("SHA256SUMS"), &|sums| sums.clear()), "manifest.json is not as");

    let log = log_of(&empty.broker).await;
    assert!(log.state(Stream::Chat).await.is_err(), "the broker was not touched");
    assert_eq!(run(empty.restore(&whole)).code, Some(0));
    assert_eq!(log.state(Stream::Chat).await.expect("a state").last_seq, 2);
}

#[tokio::test]
async fn a_backup_has_its_name_when_it_is_whole_and_what_an_interrupted_one_left_is_no_backup() {
    let deployment = Deployment::new().await;
    let _log = fill(&deployment.broker, &[LARGE_BYTES; LARGE_EVENTS]).await;
    let place = scratch_folder("interrupted");
    let folder = place.join("backup");

    // Killed: what it left is cleared away by the next one.
    let mut killed = start(deployment.backup(&folder));
    is_written(&partial(&folder).join("CHAT.copy")).await;
    signal(killed.id(), "STOP");
    let other = run(deployment.backup(&folder));
    assert_eq!(other.code, Some(4), "{}", other.stderr);
    assert!(other.stderr.contains("another `natter backup` writes"), "{}", other.stderr);
    signal(killed.id(), "KILL");
    assert_eq!(killed.wait().expect("it ended").signal(), Some(9));
    assert!(!folder.exists());
    assert_eq!(check(&partial(&folder)).code, Some(12), "what it left is no backup");

    // With no room left, or asked to stop: nothing stays.
    let program = deployment.backup(&folder);
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\""]).arg(program.get_program());
    limited.args(program.get_args());
    for (name, value) in program.get_envs() {
        value.map(|value| limited.env(name, value));
    }
    let full = run(limited);
    assert_eq!(full.code, Some(4), "{}", full.stderr);
    assert!(full.stderr.contains("File too large") && full.stderr.contains("there is no backup"), "{}", full.stderr);
    assert!(!folder.exists() && !partial(&folder).exists());
    let mut asked = start(deployment.backup(&folder));
    is_written(&partial(&folder).join("CHAT.copy")).await;
    deployment.broker.pause().await;
    signal(asked.id(), "INT");
    assert_eq!(asked.wait().expect("it ended").code(), Some(1));
    deployment.broker.resume().await;
    assert!(!folder.exists() && !partial(&folder).exists());

    // What is not ours is left alone.
    fs::create_dir(partial(&folder)).expect("made");
    fs::write(partial(&folder).join("thesis.tex"), "dear").expect("written");
    let foreign = run(deployment.backup(&folder));
    assert_eq!(foreign.code, Some(4), "{}", foreign.stderr);
    assert!(partial(&folder).join("thesis.tex").exists());
    fs::remove_dir_all(partial(&folder)).expect("removed");

    // The broker dies.
    let mut cut = start(deployment.backup(&folder));
    is_written(&partial(&folder).join("CHAT.copy")).await;
    deployment.broker.kill().await;
    assert_eq!(cut.wait().expect("it ended").code(), Some(8));
    assert!(!folder.exists() && !partial(&folder).exists());
    deployment.broker.restart().await;

    assert_eq!(run(deployment.backup(&folder)).code, Some(0));
    assert_eq!(check(&folder).code, Some(0));
    let again = run(deployment.backup(&folder));
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
}

#[tokio::test]
async fn a_restore_that_was_killed_lets_nothing_start_and_is_run_again() {
    let deployment = Deployment::new().await;
    let log = fill(&deployment.broker, &[LARGE_BYTES; LARGE_EVENTS]).await;
    let place = scratch_folder("killed");
    let folder = place.join("backup");
    assert_eq!(run(deployment.backup(&folder)).code, Some(0));

    let mut other = Deployment::new().await;
    let there = log_of(&other.broker).await;
    let mut killed = start(other.restore(&folder));
    eventually("a part of it is there", LONG, async || match there.state(Stream::Chat).await {
        Ok(state) if state.last_seq > 0 => Ok(()),
        other => Err(other),
    })
    .await;
    signal(killed.id(), "KILL");
    killed.wait().expect("it ended");
    let half = there.state(Stream::Chat).await.expect("a state").last_seq;
    assert!(half < LARGE_EVENTS as u64, "it was killed in the middle: {half}");

    for service in [other.gateway("http://127.0.0.1:1"), other.projector(), other.backup(&place.join("no"))] {
        let refused = run(service);
        assert_eq!(refused.code, Some(6), "{}", refused.stderr);
        assert!(refused.stderr.contains("a restore was begun on this broker and has not ended"), "{}", refused.stderr);
    }
    let again = run(other.restore(&folder));
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let last = there.get(Stream::Chat, LARGE_EVENTS as u64).await.expect("read").expect("there");
    assert_eq!(Some(last), log.get(Stream::Chat, LARGE_EVENTS as u64).await.expect("read"));
    other.loses_its_database().await;
    drop(Service::start(other.gateway("http://127.0.0.1:1"), "The gateway listens on "));
}

#[tokio::test]
async fn a_password_that_is_changed_while_it_is_copied_is_in_the_backup() {
    let deployment = Deployment::new().await;
    let log = fill(&deployment.broker, &[]).await;
    let credentials = log.bucket(Bucket::Credentials);
    for n in 0..100 {
        let noise: Bytes = std::iter::repeat_with(rand::random::<u8>).take(LARGE_BYTES).collect();
        credentials.put(&format!("user{n}"), noise).await.expect("written");
    }
    let folder = scratch_folder("changed").join("backup");
    let mut taking = start(deployment.backup(&folder));
    is_written(&partial(&folder).join("KV_credentials.copy")).await;
    signal(taking.id(), "STOP");
    credentials.put("user99", Bytes::from_static(b"another password")).await.expect("changed");
    credentials.delete("user98").await.expect("deleted");
    signal(taking.id(), "CONT");
    assert!(taking.wait().expect("it ended").success());
    let changes = fs::read_to_string(folder.join("KV_credentials.changes")).expect("a file");
    assert_eq!(changes.lines().count(), 2, "it was stopped in the middle: {changes}");

    let other = Deployment::new().await;
    let restored = run(other.restore(&folder));
    assert_eq!(restored.code, Some(0), "{}", restored.stderr);
    let credentials = log_of(&other.broker).await.bucket(Bucket::Credentials);
    let entry = credentials.get("user99").await.expect("read").expect("there");
    assert_eq!(entry.value, Bytes::from_static(b"another password"));
    assert_eq!(credentials.get("user98").await, Ok(None));
    assert!(credentials.get("user0").await.expect("read").is_some());
}

#[tokio::test]
async fn a_log_that_is_damaged_on_the_brokers_disk_is_not_backed_up_as_if_it_were_whole() {
    let deployment = Deployment::new().await;
    let log = fill(&deployment.broker, &[20; 200]).await;
    let damaged = log.get(Stream::Chat, 101).await.expect("read").expect("there").payload;
    deployment.broker.stop().await;
    let block = deployment.broker.store_dir().join("jetstream/NATTER/streams/CHAT/msgs/1.blk");
    let mut bytes = fs::read(&block).expect("the log's file");
    let at = bytes.windows(damaged.len()).position(|window| window == damaged).expect("it is in there");
    bytes[at + 3] ^= 1;
    fs::write(&block, bytes).expect("written");
    deployment.broker.restart().await;
    let folder = scratch_folder("damaged").join("backup");
    let refused = run(deployment.backup(&folder));
    assert_eq!(refused.code, Some(11), "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("the log has no event 101"), "{}", refused.stderr);
    assert!(!folder.exists() && !partial(&folder).exists());
}

/// What is lost for good stays so, and what is said after the restore is not among it.
#[tokio::test]
async fn a_log_with_accepted_holes_is_backed_up_and_restored_with_the_record_of_them() {
    let mut deployment = Deployment::new().await;
    fill(&deployment.broker, &[80_000; 300]).await;
    deployment.broker.stop().await;
    let blocks = deployment.broker.blocks("CHAT");
    blocks.flip_payload(150);
    blocks.cut(290);
    deployment.broker.restart().await;
    let log = log_of(&deployment.broker).await;
    let mut accepted = Vec::new();
    let before = loop {
        let (expected, found) = match read(&log).await {
            Ok(seqs) => break seqs,
            Err(ReadError::Hole { expected, found }) => (expected, found),
            Err(error) => panic!("{error}"),
        };
        let refused = run(deployment.backup(&scratch_folder("lossy").join("refused")));
        let why = format!("the log has no event {expected}");
        assert!(refused.code == Some(11) && refused.stderr.contains(&why), "{}", refused.stderr);
        let (by, reason) = ("ann".to_owned(), "a disk failed".to_owned());
        let acceptance = Acceptance { first: expected, last: found - 1, by, reason, at_ms: 1 };
        accepted.push(log.accept_hole(acceptance).await.expect("accepted"));
    };
    assert!(accepted.len() == 2 && accepted[0].first == 150 && accepted[1].last == 300, "{accepted:?}");
    let folder = scratch_folder("lossy").join("taken");
    let taken = run(deployment.backup(&folder));
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);

    deployment.loses_its_broker().await;
    let restored = run(deployment.restore(&folder));
    assert_eq!(restored.code, Some(0), "{}", restored.stderr);
    let log = log_of(&deployment.broker).await;
    log.declare().await.expect("declared");
    assert_eq!(log.holes().await.expect("read").iter().next(), accepted.first());
    assert_eq!(read(&log).await.as_ref(), Ok(&before));
    let append = Append {
        stream: Stream::Chat,
        subject: "chat.user.u1.message".into(),
        message_id: "after".into(),
        payload: "after".into(),
        expected_last: None,
    };
    let after = log.append(append).await.expect("appended");
    let now: Vec<_> = before.into_iter().chain([after.seq]).collect();
    assert_eq!(read(&log).await, Ok(now), "what is said now is read");
    assert_eq!(run(deployment.backup(&scratch_folder("lossy").join("again"))).code, Some(0));
}

/// All events, by seq.
async fn read(log: &Log) -> Result<Vec<u64>, ReadError> {
    let last = log.state(Stream::Chat).await?.last_seq;
    let mut seqs = Vec::new();
    while seqs.last().is_none_or(|seq| *seq < last) {
        let after = seqs.last().copied().unwrap_or(0);
        let events = log.range(Stream::Chat, after, 500, 64 << 20).await?;
        if events.is_empty() {
            return Err(ReadError::Hole { expected: after + 1, found: last + 1 });
        }
        seqs.extend(events.iter().map(|event| event.seq));
    }
    Ok(seqs)
}
