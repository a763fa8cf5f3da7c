//! The machine loses power: what was acknowledged is on disk, and with the broker's own default it is not.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use natter_log::{Append, Bucket, KeyValue, Log, Stream};
use natter_testkit::{Broker, BrokerOptions, Disk, Names, eventually, not_tested, scratch_folder};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::*;

/// Cuts of one log, each after it was started on what the one before had left.
const CUTS: u64 = 6;
/// A cut comes after a random number of acknowledgements of this round, up to this.
const MOST_ACKNOWLEDGED: usize = 600;
/// Those who append one event after the other, those who append so many at once, and those who write to buckets.
const SINGLE_WRITERS: usize = 4;
const GROUP_WRITERS: usize = 2;
const GROUP: usize = 60;
/// So large that the log goes on in a new block file between two cuts: the broker's hold 8 MB.
const GROUPED_BYTES: usize = 32 << 10;
const BUCKET_WRITERS: usize = 2;
/// Longer than all that takes where each write waits for a busy disk.
const WRITTEN_WITHIN: Duration = Duration::from_secs(120);

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// By message id.
    events: BTreeMap<String, u64>,
    /// By bucket and key: the number that was acknowledged last.
    entries: HashMap<(Bucket, String), u64>,
    count: AtomicUsize,
}

type Book = Arc<Mutex<Acknowledged>>;

struct Machine {
    disk: Disk,
    broker: Broker,
    acknowledged: Book,
    round: u64,
}

impl Machine {
    /// None, and in words why, where there can be no such disk.
    async fn start(names: Names, sync_interval: &str) -> Option<Machine> {
        let disk = match Disk::mount(names) {
            Ok(disk) => disk,
            Err(why) => {
                not_tested(&format!("power loss, for {why}; what strace shows of the broker's calls is all there is"));
                return None;
            }
        };
        let folder = Some(disk.path().join("nats"));
        let options = BrokerOptions { sync_interval: sync_interval.to_owned(), folder, ..BrokerOptions::default() };
        let broker = Broker::start_with(options).await;
        Some(Machine { disk, broker, acknowledged: Book::default(), round: 0 })
    }

    /// People write until the power is cut, at some moment when the log is in so many files; then the machine starts again.
    async fn lives_until_the_power_is_cut(&mut self, rng: &mut StdRng, torn: Option<u64>, files: usize) {
        self.round += 1;
        let log = connect(settings(self.broker.url())).await;
        log.epoch().await.expect("an epoch");
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for writer in 0..SINGLE_WRITERS + GROUP_WRITERS {
            let group = if writer < SINGLE_WRITERS { 1 } else { GROUP };
            let prefix = format!("r{}.w{writer}", self.round);
            writers.push(tokio::spawn(append_groups(
                log.clone(),
                prefix,
                group,
                self.acknowledged.clone(),
                stop.clone(),
            )));
        }
        for writer in 0..BUCKET_WRITERS {
            for bucket in [Bucket::Credentials, Bucket::Keys] {
                let round = self.round;
                let kv = log.bucket(bucket);
                let (book, stop) = (self.acknowledged.clone(), stop.clone());
                writers.push(tokio::spawn(write_entries(kv, bucket, format!("w{writer}"), round, book, stop)));
            }
        }
        let count = || self.acknowledged.lock().count.load(Ordering::SeqCst);
        let enough = count() + rng.random_range(1..MOST_ACKNOWLEDGED);
        eventually("they write", WRITTEN_WITHIN, async || {
            let written = (count(), block_files(self.broker.store_dir()));
            if written.0 >= enough && written.1 >= files { Ok(()) } else { Err(written) }
        })
        .await;
        self.disk.cut_power(torn);
        self.broker.kill().await;
        stop.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.await.expect("it ends at its first error");
        }
        self.disk.power_on().await;
        self.broker.restart().await;
    }

    /// The ids of acknowledged events that are not where they were acknowledged to be, and keys that went back.
    async fn lost(&self) -> Vec<String> {
        let log = connect(settings(self.broker.url())).await;
        let last = log.state(Stream::Chat).await.expect("a state").last_seq;
        let events = match last {
            0 => Vec::new(),
            _ => take(&mut log.follow(Stream::Chat, 0), usize::try_from(last).expect("a small log")).await,
        };
        assert_contiguous(&events, 1);
        let mut places = BTreeMap::new();
        for event in &events {
            let id = id(event).to_owned();
            assert_eq!(event.payload, payload(&id), "{id} is what was written");
            assert_eq!(places.insert(id.clone(), event.seq), None, "{id} is there once");
        }
        let (acknowledged, entries) = {
            let book = self.acknowledged.lock();
            (book.events.clone(), book.entries.clone())
        };
        let mut lost: Vec<String> = acknowledged
            .iter()
            .filter(|(id, seq)| places.get(*id) != Some(seq))
            .map(|(id, seq)| format!("{id} at {seq}"))
            .collect();
        for ((bucket, key), number) in entries {
            let entry = log.bucket(bucket).get(&key).await.expect("read");
            let found = entry.and_then(|entry| std::str::from_utf8(&entry.value).ok()?.parse::<u64>().ok());
            // One more may have been written whose acknowledgement did not come.
            if found.is_none_or(|found| found < number) {
                lost.push(format!("{bucket:?} {key}: {number} and has {found:?}"));
            }
        }
        lost
    }
}

async fn append_groups(log: Log, prefix: String, group: usize, book: Book, stop: Arc<AtomicBool>) {
    for n in 0.. {
        let ids: Vec<_> = (0..group).map(|i| format!("{prefix}.{n}.{i}")).collect();
        let append = |id: &String| {
            let subject = format!("chat.user.{prefix}.message");
            log.append(Append { subject, payload: payload(id), ..message(id) })
        };
        let pending: Vec<_> = ids.iter().map(append).collect();
        let mut before = 0;
        for (id, pending) in ids.into_iter().zip(pending) {
            let Ok(appended) = pending.await else { return };
            assert!(appended.seq > before, "in the order of the calls");
            before = appended.seq;
            let mut book = book.lock();
            book.events.insert(id, appended.seq);
            book.count.fetch_add(1, Ordering::SeqCst);
        }
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// What an event says follows from its id; those of a group are large.
fn payload(id: &str) -> Bytes {
    let is_of_group = |writer: usize| id.contains(&format!(".w{writer}."));
    let large = (SINGLE_WRITERS..SINGLE_WRITERS + GROUP_WRITERS).any(is_of_group);
    let mut payload = format!("payload of {id} ").into_bytes();
    let filler = id.bytes().cycle().take(if large { GROUPED_BYTES } else { 0 });
    payload.extend(filler);
    payload.into()
}

/// New entries, and one that is written again and again.
async fn write_entries(kv: KeyValue, bucket: Bucket, writer: String, round: u64, book: Book, stop: Arc<AtomicBool>) {
    for n in 0.. {
        let number = round * 1_000_000 + n;
        for key in [format!("{writer}.{number}"), writer.clone()] {
            if kv.put(&key, Bytes::from(number.to_string())).await.is_err() {
                return;
            }
            let mut book = book.lock();
            book.entries.insert((bucket, key), number);
            book.count.fetch_add(1, Ordering::SeqCst);
        }
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cmd1_what_was_acknowledged_survives_power_cuts() {
    let Some(mut machine) = Machine::start(Names::Journaled, "always").await else { return };
    let mut epoch = None;
    for seed in 0..CUTS {
        // Everything that was not synced is gone, or some of it.
        let torn = (seed % 2 == 1).then_some(seed);
        // However little a slow machine writes, half of the cuts come when the log has gone on in a new file.
        let files = if seed < CUTS / 2 { 1 } else { 2 };
        machine.lives_until_the_power_is_cut(&mut StdRng::seed_from_u64(seed), torn, files).await;
        assert_eq!(machine.lost().await, [""; 0], "seed {seed}: acknowledged, and lost with the power");
        let found = connect(settings(machine.broker.url())).await.epoch().await.expect("an epoch");
        assert_eq!(*epoch.get_or_insert(found), found, "seed {seed}: it is the same log");
    }
    let acknowledged = machine.acknowledged.lock().count.load(Ordering::SeqCst);
    let files = block_files(machine.broker.store_dir());
    eprintln!("{acknowledged} acknowledged over {CUTS} power cuts in {files} block files, none lost");
}

/// How many files the log is in.
fn block_files(store: &Path) -> usize {
    walk(store).filter(|path| path.contains("/CHAT/msgs/") && path.ends_with(".blk")).count()
}

/// The files in a folder. One that goes meanwhile has none.
fn walk(folder: &Path) -> Box<dyn Iterator<Item = String>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    Box::new(entries.flat_map(|path| -> Box<dyn Iterator<Item = String>> {
        if path.is_dir() { walk(&path) } else { Box::new(std::iter::once(path.display().to_string())) }
    }))
}

/// The control: the same run, but for how the broker syncs. If nothing were lost here, the test above would show nothing.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_brokers_default_interval_a_power_cut_loses_what_was_acknowledged() {
    let Some(mut machine) = Machine::start(Names::Journaled, "2m").await else { return };
    machine.lives_until_the_power_is_cut(&mut StdRng::seed_from_u64(0), None, 1).await;
    let lost = machine.lost().await;
    let acknowledged = machine.acknowledged.lock().count.load(Ordering::SeqCst);
    eprintln!("{} of {acknowledged} acknowledged were lost with one power cut", lost.len());
    assert!(!lost.is_empty(), "nothing was lost of {acknowledged}: the disk does not lose what was not synced");
}

/// What the broker leaves to the file system: it syncs a new block file, and not the folder that names it. ext4, XFS and btrfs
/// make the name durable with the file. Where only POSIX is kept, acknowledged events go with the name: README says so.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_synced_file_is_not_a_synced_name_a_power_cut_loses_what_was_acknowledged() {
    let Some(mut machine) = Machine::start(Names::Bare, "always").await else { return };
    machine.lives_until_the_power_is_cut(&mut StdRng::seed_from_u64(0), None, 1).await;
    assert!(!machine.lost().await.is_empty(), "the broker syncs its folders now: say so in README");
}

/// The other witness, which needs no file system of ours: the broker's own calls. It syncs the file that an event is in after
/// writing it and before it acknowledges.
#[tokio::test(flavor = "multi_thread")]
async fn the_broker_syncs_the_file_of_an_event_before_it_acknowledges() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "first").await;
    let trace = scratch_folder("trace").join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "4096", "-e", "trace=write,writev,pwrite64,fsync,fdatasync", "-p"]);
    strace.arg(broker.pid().await.to_string()).arg("-o").arg(&trace).stdout(Stdio::null()).stderr(Stdio::null());
    let mut strace = match strace.spawn() {
        Ok(strace) => strace,
        Err(why) => return eprintln!("NOT TESTED: the order of the broker's calls, for there is no strace ({why})"),
    };
    let mut looks = 0;
    let ready = eventually("strace sees the broker", SOON, async || {
        if let Ok(Some(ended)) = strace.try_wait() {
            return Ok(Err(ended));
        }
        looks += 1;
        append(&log, &format!("awaited{looks}")).await;
        let seen = std::fs::read_to_string(&trace).unwrap_or_default().contains("awaited");
        if seen { Ok(Ok(())) } else { Err("nothing yet") }
    })
    .await;
    if let Err(ended) = ready {
        return eprintln!("NOT TESTED: the order of the broker's calls, for strace may not look at it ({ended})");
    }
    let mut seqs = Vec::new();
    for n in 0..20 {
        let id = format!("traced-{n:02}.");
        seqs.push((append(&log, &id).await.seq, id));
    }
    let _ = strace.kill();
    let _ = strace.wait();
    let calls = std::fs::read_to_string(&trace).expect("what it saw");
    for (seq, id) in seqs {
        let line = |what: &str, is: &dyn Fn(&str) -> bool| {
            calls.lines().position(is).unwrap_or_else(|| panic!("{id}: strace saw no {what}"))
        };
        let written = line("write to the log's file", &|call| call.contains("/CHAT/msgs/") && call.contains(&id));
        let acknowledged = line("acknowledgement", &|call| {
            call.contains("socket:") && call.contains(&format!("\\\"seq\\\":{seq}}}")) && call.contains("CHAT")
        });
        let synced = calls.lines().enumerate().skip(written + 1).take_while(|(at, _)| *at < acknowledged);
        // A call that another thread's comes in between of ends in a line of its own, without the file's name.
        let is_sync =
            |call: &str| call.contains("fsync resumed") || call.contains("sync(") && call.contains("/CHAT/msgs/");
        let synced = synced.filter(|(_, call)| is_sync(call) && call.trim_end().ends_with("= 0")).count();
        assert!(written < acknowledged && synced > 0, "{id}: written {written}, acknowledged {acknowledged}: {synced}");
    }
}
