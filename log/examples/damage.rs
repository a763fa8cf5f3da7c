//! What the broker does when a file of its log is damaged while it is down (ADR 10).
//!
//! `cargo run -p natter-log --example damage`. Each case has a broker of its own: events are appended over several
//! blocks, the broker is ended, a byte is flipped or a block is cut, and it is started again. Printed is what it then says.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::consumer::push;
use bytes::Bytes;
use futures::StreamExt;
use natter_log::{Append, Log, Settings, Stored, Stream};
use natter_testkit::{Broker, BrokerOptions};

const EVENTS: u64 = 300;
/// Blocks of the broker are 8 MB: this makes three of them.
const PAYLOAD_BYTES: usize = 80_000;
const LOG_BYTES: i64 = 1 << 30;
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
enum End {
    Stopped,
    Killed,
    /// Ended in order, and `index.db` is gone.
    WithoutIndex,
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    /// A byte of a payload.
    Payload,
    /// A byte of a record's length.
    Length,
    /// The file ends in the middle of the record.
    Cut,
    /// The file is gone.
    Gone,
}

#[tokio::main]
async fn main() {
    for end in [End::Stopped, End::Killed, End::WithoutIndex] {
        for (place, seq) in [
            ("first block", 50),
            ("first record of a block", 0),
            ("middle", 150),
            ("last block", 280),
            ("last record", EVENTS),
        ] {
            for damage in [Damage::Payload, Damage::Length, Damage::Cut, Damage::Gone] {
                println!("{end:?}, {damage:?} at {seq} ({place}): {}", case(end, damage, seq).await);
            }
        }
    }
}

async fn case(end: End, damage: Damage, seq: u64) -> String {
    let broker = Broker::start_with(BrokerOptions { sync_interval: "10s".into(), ..BrokerOptions::default() }).await;
    let settings = Settings { max_chat_bytes: LOG_BYTES, ..settings(&broker) };
    let log = Log::connect(settings.clone()).await.expect("connected");
    log.declare().await.expect("declared");
    let pending: Vec<_> = (1..=EVENTS).map(|n| log.append(event(n))).collect();
    for pending in pending {
        pending.await.expect("stored");
    }
    drop(log);
    match end {
        End::Killed => broker.kill().await,
        End::Stopped | End::WithoutIndex => broker.stop().await,
    }
    let blocks = broker.blocks("CHAT");
    let spans = blocks.spans();
    // Told as 0: the first of the second block.
    let seq = if seq == 0 { spans[1].0 } else { seq };
    match damage {
        Damage::Payload => blocks.flip_payload(seq),
        Damage::Length => blocks.flip_length(seq),
        Damage::Cut => blocks.cut(seq),
        Damage::Gone => blocks.remove(seq),
    }
    if let End::WithoutIndex = end {
        blocks.forget_index();
    }
    broker.restart().await;
    let Ok(log) = Log::connect(settings).await else { return "nothing answers".into() };
    let mut report = format!("blocks {spans:?}; ");
    report += &match log.state(Stream::Chat).await {
        Ok(state) => format!("{}..{}, {} messages", state.first_seq, state.last_seq, state.messages),
        Err(error) => format!("state: {error}"),
    };
    let mut gets = BTreeMap::<String, Vec<u64>>::new();
    for n in 1..=EVENTS {
        let got = match log.get(Stream::Chat, n).await {
            Ok(Some(stored)) if is_whole(&stored) => continue,
            Ok(Some(_)) => "other bytes".into(),
            Ok(None) => "not found".into(),
            Err(error) => error.to_string(),
        };
        gets.entry(got).or_default().push(n);
    }
    for (what, seqs) in gets {
        report += &format!("; get {what}: {}", ranges(&seqs));
    }
    report += &format!("; range: {}", by_range(&log).await);
    report += &format!("; consumer: {}", by_consumer(&broker).await);
    report += &match log.append(event(9_999)).await {
        Ok(appended) => format!("; next append {}", appended.seq),
        Err(error) => format!("; append: {error}"),
    };
    report
}

async fn by_range(log: &Log) -> String {
    let mut missing = Vec::new();
    let mut bad = Vec::new();
    let mut after = 0;
    loop {
        match log.range(Stream::Chat, after, 500, 1 << 20).await {
            Ok(events) if events.is_empty() => break,
            Ok(events) => {
                bad.extend(events.iter().filter(|event| !is_whole(event)).map(|event| event.seq));
                after = events.last().map_or(after, |event| event.seq);
            }
            Err(natter_log::ReadError::Hole { expected, found }) => {
                missing.extend(expected..found);
                after = found - 1;
            }
            Err(error) => return format!("after {after}: {error}, missing {}", ranges(&missing)),
        }
    }
    format!("to {after}, missing {}, other bytes {}", ranges(&missing), ranges(&bad))
}

/// What the library's ordered consumer makes of it: whether it says anything.
async fn by_consumer(broker: &Broker) -> String {
    let options = async_nats::ConnectOptions::with_user_and_password(broker.user().into(), broker.password().into());
    let client = options.connect(broker.address()).await.expect("a client");
    let stream = async_nats::jetstream::new(client.clone()).get_stream("CHAT").await;
    let Ok(stream) = stream else { return "no stream".into() };
    let config = push::OrderedConfig { deliver_subject: client.new_inbox(), ..push::OrderedConfig::default() };
    let consumer = stream.create_consumer(config).await.expect("a consumer");
    let mut messages = consumer.messages().await.expect("messages");
    let (mut last, mut missing, mut bad) = (0, Vec::new(), Vec::new());
    loop {
        match tokio::time::timeout(PATIENCE, messages.next()).await {
            Err(_) | Ok(None) => break,
            Ok(Some(Err(error))) => return format!("error after {last}: {error}"),
            Ok(Some(Ok(message))) => {
                let info = message.info().expect("a delivery");
                let seq = info.stream_sequence;
                missing.extend(last + 1..seq);
                last = seq;
                if message.payload != payload(seq) {
                    bad.push(seq);
                }
                if info.pending == 0 {
                    break;
                }
            }
        }
    }
    format!("to {last}, silently without {}, other bytes {}", ranges(&missing), ranges(&bad))
}

fn is_whole(stored: &Stored) -> bool {
    stored.payload == payload(stored.seq)
}

fn ranges(seqs: &[u64]) -> String {
    let mut shown: Vec<(u64, u64)> = Vec::new();
    for seq in seqs {
        match shown.last_mut() {
            Some((_, last)) if *last + 1 == *seq => *last = *seq,
            _ => shown.push((*seq, *seq)),
        }
    }
    if shown.is_empty() {
        return "none".into();
    }
    shown.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") }).collect::<Vec<_>>().join(",")
}

fn payload(n: u64) -> Bytes {
    format!("{n:0PAYLOAD_BYTES$}").into()
}

fn event(n: u64) -> Append {
    Append {
        stream: Stream::Chat,
        subject: "chat.user.u1.message".into(),
        message_id: format!("id-{n}"),
        payload: payload(n),
        expected_last: None,
    }
}

fn settings(broker: &Broker) -> Settings {
    Settings { servers: vec![broker.url().to_owned()], ..Settings::default() }
}
