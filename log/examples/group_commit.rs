//! How fast the log takes appends and hands out events on this machine, with the settings it was measured with.
//!
//! `cargo run --release -p natter-log --example group_commit [-- seconds per rate]`. Starts a broker of its own,
//! configured as Natter ships it: synced before it is acknowledged. Client and broker share the machine, and on a busy one
//! the CPU time per event says more than the rate.

use std::time::{Duration, Instant};

use bytes::Bytes;
use natter_log::{Append, Counts, Log, Settings, Stream};
use natter_testkit::{Broker, BrokerOptions};
use tokio::task::JoinSet;

const PAYLOAD_BYTES: usize = 300;
const SUBJECTS: usize = 1_000;
const RATES: [u64; 5] = [500, 3_000, 10_000, 20_000, 40_000];
const FOLLOWED: u64 = 1_000_000;

/// CPU time of this process and of the broker's.
struct Cpu {
    broker: u32,
    since: (f64, f64),
}

impl Cpu {
    async fn start(broker: &Broker) -> Cpu {
        let mut cpu = Cpu { broker: broker.pid().await, since: (0.0, 0.0) };
        cpu.since = cpu.now();
        cpu
    }

    fn now(&self) -> (f64, f64) {
        (cpu_seconds(std::process::id()), cpu_seconds(self.broker))
    }

    fn per(&self, events: u64) -> String {
        let (us, broker) = self.now();
        let per = |seconds: f64| seconds * 1e6 / events as f64;
        format!("CPU per event: {:.2} µs here, {:.2} µs broker", per(us - self.since.0), per(broker - self.since.1))
    }
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // User and system time in ticks of 10 ms.
    (fields[11].parse::<f64>().expect("a number") + fields[12].parse::<f64>().expect("a number")) / 100.0
}

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(10, |seconds| seconds.parse().expect("seconds per rate"));
    let options = BrokerOptions::default();
    println!("broker: {options:?}");
    println!("{:?}, {PAYLOAD_BYTES} byte payloads, {SUBJECTS} subjects", Settings::default());
    println!("{} CPUs, shared by client and broker\n", std::thread::available_parallelism().map_or(0, usize::from));
    let broker = Broker::start_with(options).await;
    let settings = Settings { servers: vec![broker.url().to_owned()], ..Settings::default() };
    let log = Log::connect(settings).await.expect("a connection");
    assert_eq!(log.declare().await.expect("declared"), []);

    println!(
        "{:>12} {:>12} {:>10} {:>10} {:>10} {:>10}",
        "offered/s", "stored/s", "p50 ms", "p99 ms", "max ms", "per batch"
    );
    let mut number = 0;
    for rate in RATES {
        offer(&log, rate, Duration::from_secs(seconds), &mut number).await;
    }
    let cpu = Cpu::start(&broker).await;
    saturate(&log, 100_000, &mut number).await;
    println!("{}", cpu.per(100_000));
    live_latency(&log, &mut number).await;
    let mut last = log.state(Stream::Chat).await.expect("the state").last_seq;
    while last < FOLLOWED {
        last = fill(&log, (FOLLOWED - last).min(20_000), &mut number).await;
    }
    follow(&log, &broker).await;
    range(&log, &broker).await;
}

fn event(number: &mut usize) -> Append {
    *number += 1;
    Append {
        stream: Stream::Chat,
        subject: format!("chat.user.{:032x}.message", *number % SUBJECTS),
        message_id: format!("{:032x}:{number:036}", *number % SUBJECTS),
        payload: Bytes::from_static(&[b'x'; PAYLOAD_BYTES]),
        expected_last: None,
    }
}

/// Appends at a steady rate, whether answers come or not.
async fn offer(log: &Log, rate: u64, duration: Duration, number: &mut usize) {
    let before = log.counts();
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    let mut offered = 0;
    while begun.elapsed() < duration {
        ticks.tick().await;
        let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
        while offered < due {
            offered += 1;
            let called = Instant::now();
            let pending = log.append(event(number));
            tasks.spawn(async move { pending.await.map(|_| called.elapsed()) });
        }
    }
    let results = tasks.join_all().await;
    report(&rate.to_string(), begun.elapsed(), results, before, log.counts());
}

/// As many as the queue takes, all the time.
async fn saturate(log: &Log, count: usize, number: &mut usize) {
    let before = log.counts();
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    let mut results = Vec::with_capacity(count);
    for _ in 0..count {
        if tasks.len() >= 8_000 {
            results.extend(tasks.join_next().await.map(|result| result.expect("no panic")));
        }
        let called = Instant::now();
        let pending = log.append(event(number));
        tasks.spawn(async move { pending.await.map(|_| called.elapsed()) });
    }
    results.extend(tasks.join_all().await);
    report("max", begun.elapsed(), results, before, log.counts());
}

fn report(
    offered: &str,
    took: Duration,
    results: Vec<Result<Duration, natter_log::AppendError>>,
    before: Counts,
    after: Counts,
) {
    let failed = results.iter().filter(|result| result.is_err()).count();
    let mut latencies: Vec<Duration> = results.into_iter().flatten().collect();
    latencies.sort_unstable();
    let batches = after.batches - before.batches;
    let groups = batches + after.appends_plain - before.appends_plain;
    println!(
        "{offered:>12} {:>12.0} {:>10.2} {:>10.2} {:>10.2} {:>10.1}{}",
        latencies.len() as f64 / took.as_secs_f64(),
        at(&latencies, 0.5),
        at(&latencies, 0.99),
        at(&latencies, 1.0),
        latencies.len() as f64 / groups as f64,
        if failed > 0 { format!("   {failed} failed") } else { String::new() },
    );
}

fn at(sorted: &[Duration], quantile: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * quantile) as usize).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
}

/// From the call of append to a follower having the event, at 500 a second.
async fn live_latency(log: &Log, number: &mut usize) {
    const EVENTS: usize = 2_500;
    let mut follower = log.follow(Stream::Chat, log.state(Stream::Chat).await.expect("the state").last_seq);
    let (called_tx, mut called_rx) = tokio::sync::mpsc::unbounded_channel::<Instant>();
    let follow = tokio::spawn(async move {
        let mut latencies = Vec::with_capacity(EVENTS);
        while latencies.len() < EVENTS {
            follower.next().await.expect("an event");
            latencies.push(called_rx.recv().await.expect("the time of its call").elapsed());
        }
        latencies.sort_unstable();
        latencies
    });
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    for _ in 0..EVENTS {
        ticks.tick().await;
        called_tx.send(Instant::now()).expect("the follower lives");
        drop(log.append(event(number)));
    }
    let latencies = follow.await.expect("no panic");
    println!("\nappend to follower at 500/s: p50 {:.2} ms, p99 {:.2} ms", at(&latencies, 0.5), at(&latencies, 0.99));
}

async fn fill(log: &Log, count: u64, number: &mut usize) -> u64 {
    let pending: Vec<_> = (0..count).map(|_| log.append(event(number))).collect();
    let mut last = 0;
    for pending in pending {
        last = pending.await.expect("stored").seq;
    }
    last
}

async fn follow(log: &Log, broker: &Broker) {
    for round in 0..3 {
        let cpu = Cpu::start(broker).await;
        let begun = Instant::now();
        let mut follower = log.follow(Stream::Chat, 0);
        let mut batches = 0;
        while follower.position() < FOLLOWED {
            follower.next_batch(1_000).await.expect("events");
            batches += 1;
        }
        let rate = follower.position() as f64 / begun.elapsed().as_secs_f64();
        println!(
            "follow {round}: {rate:.0} events/s, {} per batch; {}",
            follower.position() / batches,
            cpu.per(FOLLOWED)
        );
    }
}

async fn range(log: &Log, broker: &Broker) {
    let cpu = Cpu::start(broker).await;
    let begun = Instant::now();
    let mut position = 0;
    while position < FOLLOWED / 4 {
        let events = log.range(Stream::Chat, position, 1_000, 8 << 20).await.expect("events");
        position = events.last().expect("there are more").seq;
    }
    let rate = position as f64 / begun.elapsed().as_secs_f64();
    println!("range by 1,000, one at a time: {rate:.0} events/s; {}", cpu.per(position));
    println!("counts: {:?}", log.counts());
}
