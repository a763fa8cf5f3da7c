//! Measures the projector against a real broker and a real PostgreSQL, both with the durability that Natter ships.
//!
//! ```text
//! cargo run --release -p natter-projector --example catch_up -- [messages] [a second] [seconds]
//! ```
//!
//! First it fills a log and lets a projector catch up with it from zero; then it appends at a steady rate and measures how
//! long each event takes from its acknowledgement until a reader of PostgreSQL can see it; at last it rebuilds all of it.
//! Nothing is tuned for it.

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use natter_engines::{ClusterOptions, Postgres, PostgresOptions, RunAs, discard_lines, ensure_cluster, random_secret};
use natter_events::{
    ClientId, ContentKey, ConversationId, Field, Intent, KeyId, MessageSent, ReadMarkerMoved, Record, Subject, Uid,
};
use natter_log::{Append, AppendError, Bucket, KeyRing, Log, Pending, Settings, Stream};
use natter_platform::Shutdown;
use natter_projector::{Config, Rebuilt, Status};
use natter_testkit::{Broker, scratch_folder, tools};
use rand::RngExt;

const PEOPLE: usize = 500;
/// Most appends on their way.
const WINDOW: usize = 8_000;
const TEXT: &str = "Let us meet at the harbour at seven, and bring the map that we drew last summer, will you?";

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let mut next = |default| arguments.next().unwrap_or(Ok(default));
    let (messages, rate, seconds) = (next(300_000)?, next(2_000)?, next(15)?);

    let broker = Broker::start().await;
    let log = Log::connect(Settings { servers: vec![broker.url().to_owned()], ..Settings::default() }).await?;
    log.declare().await?;
    let keys = KeyRing::new(log.bucket(Bucket::Keys), ContentKey::random(), 10_000);
    let postgres = postgres().await?;
    natter_migrations::migrate(&postgres.url()).await?;
    let mut people = People::new(&keys).await?;

    let begun = Instant::now();
    let last = fill(&log, &mut people, messages).await?;
    println!("filled:    {messages} events in {:.1} s", begun.elapsed().as_secs_f64());

    let (status, shutdown) = (Status::default(), Shutdown::new(Duration::from_secs(10)));
    let config = Config::new(postgres.url());
    println!(
        "settings:  {PEOPLE} people, 1 marker to 9 messages of {} bytes; batches of up to {} events; {} cores shared by all",
        TEXT.len(),
        config.max_batch_events,
        std::thread::available_parallelism()?
    );
    let before = [cpu(std::process::id()), children_cpu(postgres.process().pid()), cpu(broker.pid().await)];
    let begun = Instant::now();
    let project = natter_projector::run(config.clone(), log.clone(), keys.clone(), status.clone(), shutdown.clone());
    let projector = tokio::spawn(project);
    reach(&status, last).await;
    let took = begun.elapsed().as_secs_f64();
    let after = [cpu(std::process::id()), children_cpu(postgres.process().pid()), cpu(broker.pid().await)];
    println!("catch-up:  {messages} events in {took:.2} s, {:.0} a second", messages as f64 / took);
    for (name, n) in [("projector", 0), ("postgresql", 1), ("broker", 2)] {
        println!("           {name}: {:.2} CPU-seconds", after[n] - before[n]);
    }

    if rate > 0 {
        let mut lags = steady(&log, &mut people, &status, rate, seconds).await?;
        lags.sort_unstable();
        let at = |share: f64| lags[((lags.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
        println!(
            "lag:       {rate} a second for {seconds} s: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms ({} events)",
            at(0.5),
            at(0.99),
            at(1.0),
            lags.len()
        );
    }
    shutdown.request();
    projector.await??;
    let shutdown = Shutdown::new(Duration::from_secs(10));
    let Rebuilt { events, took, .. } = natter_projector::rebuild(config, log, keys, |_| {}, &shutdown).await?;
    let took = took.as_secs_f64();
    println!("rebuild:   {events} events in {took:.2} s, {:.0} a second", events as f64 / took);
    postgres.stop(Duration::from_secs(10)).await;
    Ok(())
}

async fn postgres() -> Result<Postgres, Failure> {
    let folder = scratch_folder("catch-up");
    let run_as = RunAs::for_engine("PostgreSQL", &folder, &tools().postgres())?;
    run_as.give(&folder)?;
    let (cluster, password) = (folder.join("cluster"), random_secret());
    let options = ClusterOptions { password: password.clone(), sync: false, wal_segment_mib: 16 };
    ensure_cluster(tools(), &cluster, &run_as, &options, discard_lines()).await?;
    Ok(Postgres::start(tools(), PostgresOptions::new(cluster, password), run_as, discard_lines()).await?)
}

struct People {
    people: Vec<(Uid, KeyId, ContentKey)>,
    said: u64,
}

impl People {
    async fn new(keys: &KeyRing) -> Result<Self, Failure> {
        let people: Vec<_> = (0..PEOPLE).map(|_| (Uid::random(), KeyId::random(), ContentKey::random())).collect();
        for (uid, id, key) in &people {
            keys.create(*uid, *id, key).await?;
        }
        Ok(Self { people, said: 0 })
    }

    fn event(&mut self) -> Append {
        self.said += 1;
        let mut rng = rand::rng();
        let (uid, key_id, key) = &self.people[rng.random_range(0..PEOPLE)];
        // Everyone talks to twenty others.
        let other = self.people[(uid.as_bytes()[0] as usize + 7 * rng.random_range(0..20)) % PEOPLE].0;
        let people = [*uid, other];
        let conversation = ConversationId::direct(&people);
        let id = ClientId::at(1_790_000_000_000 + self.said);
        let record = if self.said.is_multiple_of(10) {
            Record::new(*uid, ReadMarkerMoved { read: self.said, thread: None })
        } else {
            let text = key.seal(*uid, Field::Text, TEXT.as_bytes());
            let fingerprint = key.fingerprint(
                conversation,
                id,
                Intent::Send { text: TEXT, reply_to: None, thread: None, metadata: None },
            );
            Record::new(
                *uid,
                MessageSent {
                    text,
                    reply_to: None,
                    thread: None,
                    mentions: vec![],
                    mentions_room: false,
                    metadata: None,
                    fingerprint,
                },
            )
            .sealed_with(*key_id)
        };
        Append {
            stream: Stream::Chat,
            subject: Subject::Messages(*uid).to_string(),
            message_id: format!("{uid}:{id}"),
            payload: record.to(&people).in_conversation(conversation).answering(id).encode(),
            expected_last: None,
        }
    }
}

async fn fill(log: &Log, people: &mut People, events: usize) -> Result<u64, AppendError> {
    let (mut pending, mut last) = (FuturesUnordered::<Pending>::new(), 0);
    for _ in 0..events {
        if pending.len() >= WINDOW {
            last = last.max(pending.next().await.ok_or(AppendError::Unknown)??.seq);
        }
        pending.push(log.append(people.event()));
    }
    while let Some(appended) = pending.next().await {
        last = last.max(appended?.seq);
    }
    Ok(last)
}

async fn reach(status: &Status, seq: u64) {
    while status.of(Stream::Chat).seq < seq {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How long after its acknowledgement each event was in PostgreSQL.
async fn steady(
    log: &Log,
    people: &mut People,
    status: &Status,
    rate: usize,
    seconds: usize,
) -> Result<Vec<Duration>, Failure> {
    let (acknowledged, mut waiting) = tokio::sync::mpsc::unbounded_channel::<(u64, Instant)>();
    let status = status.clone();
    let measuring = tokio::spawn(async move {
        let mut lags = Vec::new();
        while let Some((seq, at)) = waiting.recv().await {
            reach(&status, seq).await;
            lags.push(at.elapsed());
        }
        lags
    });
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    let (begun, mut sent) = (Instant::now(), 0);
    while begun.elapsed().as_secs() < seconds as u64 {
        ticks.tick().await;
        while (sent as f64) < begun.elapsed().as_secs_f64() * rate as f64 {
            sent += 1;
            let (pending, acknowledged) = (log.append(people.event()), acknowledged.clone());
            tokio::spawn(async move {
                if let Ok(appended) = pending.await {
                    let _ = acknowledged.send((appended.seq, Instant::now()));
                }
            });
        }
    }
    drop(acknowledged);
    Ok(measuring.await?)
}

/// What a process has used so far, in CPU-seconds.
fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    ticks.iter().sum::<f64>() / 100.0
}

/// What the children of a process have used so far.
fn children_cpu(pid: u32) -> f64 {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    cpu(pid) + listed.split_whitespace().filter_map(|child| child.parse().ok()).map(cpu).sum::<f64>()
}
