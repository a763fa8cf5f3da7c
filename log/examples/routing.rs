//! What it costs to learn where an event goes: from headers, or from the start of its body (ADR 3).
//!
//! `cargo run --release -p natter-log --example routing`. Prints its settings and nanoseconds per event; compare them
//! within one run only.

use std::hint::black_box;
use std::time::Instant;

use async_nats::HeaderMap;
use natter_events::{ClientId, ContentKey, ConversationId, Envelope, Field, Intent, KeyId, MessageSent, Record, Uid};

const EVENTS: usize = 2_000;
const ROUNDS: usize = 200;
const PEOPLE: usize = 2;
const TEXT_BYTES: usize = 120;

fn main() {
    let key = ContentKey::random();
    let records: Vec<_> = (0..EVENTS).map(|_| record(&key)).collect();
    let bytes: usize = records.iter().map(|record| record.encode().len()).sum::<usize>() / EVENTS;
    println!("{EVENTS} events of {bytes} bytes to {PEOPLE} people, {ROUNDS} rounds, one thread");

    let bodies: Vec<_> = records.iter().map(Record::encode).collect();
    report("start of the body: envelope, then each addressee", || {
        for body in &bodies {
            let envelope = Envelope::peek(body).expect("reads");
            for uid in envelope.addressees() {
                black_box(uid);
            }
        }
    });

    let always: Vec<_> = records.iter().map(|record| headers(record, false)).collect();
    report("headers that are there anyway (message id)", || {
        for headers in &always {
            black_box(parse(headers));
        }
    });

    let routed: Vec<_> = records.iter().map(|record| headers(record, true)).collect();
    report("headers with the routing in them, then each addressee", || {
        for headers in &routed {
            let headers = parse(headers);
            for name in ["Natter-Type", "Natter-Version", "Natter-Actor", "Natter-Conversation", "Natter-Id"] {
                black_box(headers.get(name));
            }
            for uid in headers.get("Natter-To").expect("is there").as_str().split(',') {
                black_box(uid.parse::<Uid>().expect("a uid"));
            }
        }
    });

    report("the whole record, checksum and body", || {
        for body in &bodies {
            black_box(Record::decode(body).expect("decodes"));
        }
    });
}

fn report(what: &str, mut round: impl FnMut()) {
    round();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        round();
    }
    let each = begun.elapsed().as_nanos() / (ROUNDS * EVENTS) as u128;
    println!("{each:>6} ns  {what}");
}

/// Headers as the client library reads them: line by line, each name and value into a map.
fn parse(block: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in block.split("\r\n").skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').expect("a header");
        headers.append(name, value.trim_start());
    }
    headers
}

fn record(key: &ContentKey) -> Record {
    let people: Vec<Uid> = (0..PEOPLE).map(|_| Uid::random()).collect();
    let (conversation, id) = (ConversationId::direct(&people), ClientId::at(1_790_000_000_000));
    let text = "x".repeat(TEXT_BYTES);
    let event = MessageSent {
        text: key.seal(people[0], Field::Text, text.as_bytes()),
        reply_to: None,
        thread: None,
        mentions: vec![],
        mentions_room: false,
        metadata: None,
        fingerprint: key.fingerprint(
            conversation,
            id,
            Intent::Send { text: &text, reply_to: None, thread: None, metadata: None },
        ),
    };
    Record::new(people[0], event).to(&people).in_conversation(conversation).answering(id).sealed_with(KeyId::random())
}

fn headers(record: &Record, routed: bool) -> String {
    let envelope = &record.envelope;
    let (actor, id) = (envelope.actor, envelope.id.expect("has one"));
    let mut headers = format!("NATS/1.0\r\nNats-Msg-Id: {actor}:{id}\r\n");
    if routed {
        let to: Vec<_> = envelope.addressees().map(|uid| uid.to_string()).collect();
        let conversation = envelope.conversation.expect("has one");
        headers += &format!("Natter-Type: {}\r\nNatter-Version: {}\r\n", envelope.kind, envelope.version);
        headers += &format!("Natter-Actor: {actor}\r\nNatter-Id: {id}\r\nNatter-Conversation: {conversation}\r\n");
        headers += &format!("Natter-To: {}\r\n", to.join(","));
    }
    headers + "\r\n"
}
