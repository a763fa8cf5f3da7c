//! The account of analytics: that it reads everything, and that the broker refuses it everything else.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, Request, RequestErrorKind};
use bytes::Bytes;
use natter_log::{Append, Bucket, FollowError, Log, Place, ReadOnlyError, ReadOnlyLog, Settings, Stored, Stream};
use natter_testkit::{Broker, eventually};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::*;

async fn analytics(broker: &Broker) -> ReadOnlyLog {
    ReadOnlyLog::connect(&settings(&broker.analytics_url())).await.expect("a connection")
}

fn presence(id: &str) -> Append {
    Append { stream: Stream::Presence, subject: "presence.user.u1".into(), ..message(id) }
}

/// Reads to the end in questions of this size.
async fn read_on(log: &ReadOnlyLog, stream: Stream, mut place: Place, events: usize, bytes: usize) -> Vec<Stored> {
    let mut read = Vec::new();
    loop {
        let more = log.after(stream, place, events, bytes).await.expect("readable");
        let Some(last) = more.last() else { return read };
        place = Place { seq: last.seq, tag: Some(last.tag()) };
        read.extend(more);
    }
}

#[tokio::test]
async fn analytics_reads_every_event_once_and_in_order_however_it_asks() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append_many(&log, "m", 2_500).await;
    let all = read_all(&log).await;
    let natter = ReadOnlyLog::connect(&settings(broker.url())).await.expect("the services may read, too");
    let readers = [analytics(&broker).await, natter];
    let end = Place { seq: 2_500, tag: Some(all[2_499].tag()) };
    for reader in &readers {
        for (events, bytes) in [(10_000, 64 << 20), (999, 1 << 20), (1_000, 1)] {
            let read = read_on(reader, Stream::Chat, Place::default(), events, bytes).await;
            assert_eq!(read, all, "{events} events, {bytes} bytes");
        }
        assert_eq!(reader.head(Stream::Chat).await, Ok(end));
        assert_eq!(reader.after(Stream::Chat, end, 10, 1_000).await, Ok(vec![]));
    }
    append(&log, "later").await;
    for reader in &readers {
        assert_eq!(reader.after(Stream::Chat, end, 10, 1_000).await.map(|events| events[0].seq), Ok(2_501));
    }
}

#[tokio::test]
async fn d14_analytics_notices_another_log_and_one_that_ends_before() {
    let (broker, other) = tokio::join!(Broker::start(), Broker::start());
    let (log, other_log) = tokio::join!(log_on(&broker), log_on(&other));
    append_many(&log, "m", 20).await;
    append_many(&other_log, "n", 10).await;
    let place = |event: &Stored| Place { seq: event.seq, tag: Some(event.tag()) };
    let all = read_all(&log).await;
    let reader = analytics(&other).await;
    let ended = async |place| match reader.after(Stream::Chat, place, 10, 1_000).await {
        Err(ReadOnlyError::Ended(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(ended(place(&all[4])).await, FollowError::OtherLog { position: 5 });
    assert_eq!(ended(place(&all[9])).await, FollowError::OtherLog { position: 10 });
    assert_eq!(ended(place(&all[10])).await, FollowError::LogEndsBefore { position: 11, last: 10 });
}

#[tokio::test]
async fn d7_presence_that_expired_is_passed_over() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    for n in 0..5 {
        log.append(presence(&n.to_string())).await.expect("appended");
    }
    let reader = analytics(&broker).await;
    let all = read_on(&reader, Stream::Presence, Place::default(), 10, 1_000).await;
    assert_eq!(all.len(), 5);
    let stream = raw(&broker).await.get_stream("PRESENCE").await.expect("there");
    stream.purge().sequence(4).await.expect("as if they were old");
    let place = Place { seq: 2, tag: Some(all[1].tag()) };
    assert_eq!(read_on(&reader, Stream::Presence, place, 10, 1_000).await, all[3..]);
    stream.purge().await.expect("as if all were old");
    let head = reader.head(Stream::Presence).await.expect("a head");
    assert_eq!(head, Place { seq: 5, tag: None });
    for place in [place, head, Place { seq: 5, tag: Some(all[4].tag()) }] {
        assert_eq!(reader.after(Stream::Presence, place, 10, 1_000).await, Ok(vec![]), "{place:?}");
    }
    log.append(presence("6")).await.expect("appended");
    assert_eq!(reader.after(Stream::Presence, place, 10, 1_000).await.map(|events| events[0].seq), Ok(6));
}

#[tokio::test]
async fn analytics_finds_the_broker_again() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "before").await;
    let reader = analytics(&broker).await;
    let first = read_on(&reader, Stream::Chat, Place::default(), 10, 1_000).await;
    broker.kill().await;
    broker.restart().await;
    append_until_stored(&log, "after").await;
    let place = Place { seq: 1, tag: Some(first[0].tag()) };
    let found = eventually("it reads on", SOON, async || match reader.after(Stream::Chat, place, 10, 1_000).await {
        Ok(events) if !events.is_empty() => Ok(events),
        other => Err(other),
    })
    .await;
    assert_eq!(found[0].seq, 2);
}

/// A client of the broker that may try anything, and what the broker says to it.
struct Anyone {
    client: Client,
    said: mpsc::UnboundedReceiver<String>,
}

impl Anyone {
    async fn connect(broker: &Broker, (user, password): (&str, &str)) -> Self {
        let (say, said) = mpsc::unbounded_channel();
        let options =
            ConnectOptions::with_user_and_password(user.into(), password.into()).event_callback(move |event| {
                let say = say.clone();
                async move {
                    if let Event::ServerError(error) = event {
                        let _ = say.send(error.to_string());
                    }
                }
            });
        Self { client: options.connect(broker.address()).await.expect("a connection"), said }
    }

    /// The broker refuses the publish itself.
    async fn may_not_publish(&mut self, subject: &str, payload: Value) {
        self.client.publish(subject.to_owned(), payload.to_string().into()).await.expect("sent");
        self.is_refused("publish", subject).await;
    }

    async fn may_not_subscribe(&mut self, subject: &str) {
        let _subscription = self.client.subscribe(subject.to_owned()).await.expect("asked");
        self.is_refused("subscription", subject).await;
    }

    async fn is_refused(&mut self, what: &str, subject: &str) {
        let said = tokio::time::timeout(SOON, self.said.recv()).await;
        let said = said.unwrap_or_else(|_| panic!("{subject}: nothing was refused")).expect("it lives").to_lowercase();
        let expected = format!("permissions violation for {what} to \"{subject}\"").to_lowercase();
        assert!(said.contains(&expected), "{subject}: {said}");
    }

    async fn asks(&self, subject: &str, query: Value) -> Result<Bytes, RequestErrorKind> {
        let request = Request::new().payload(query.to_string().into()).timeout(Some(SOON));
        let answer = self.client.send_request(subject.to_owned(), request).await;
        answer.map(|message| message.payload).map_err(|error| error.kind())
    }

    /// Asks a question whose answer goes to any subject; returns when the broker has dealt with it.
    async fn asks_for(&self, subject: &str, query: Value, answer_to: &str) {
        let query = Bytes::from(query.to_string());
        self.client.publish_with_reply(subject.to_owned(), answer_to.to_owned(), query).await.expect("sent");
    }
}

/// What every stream and bucket holds.
async fn contents(broker: &Broker) -> Vec<(String, u64, u64)> {
    let context = raw(broker).await;
    let mut contents = Vec::new();
    let buckets = ["meta", "directory", "credentials", "sessions", "keys", "conversations"];
    let names = ["CHAT".to_owned(), "PRESENCE".to_owned()].into_iter().chain(buckets.map(|name| format!("KV_{name}")));
    for name in names {
        let state = context.get_stream(&name).await.expect("there").cached_info().state.clone();
        contents.push((name, state.last_sequence, state.messages));
    }
    contents
}

async fn filled(broker: &Broker) -> Log {
    let log = log_on(broker).await;
    append(&log, "m").await;
    log.append(presence("p")).await.expect("appended");
    log.epoch().await.expect("an epoch");
    for bucket in [Bucket::Keys, Bucket::Credentials] {
        log.bucket(bucket).put("k", Bytes::from_static(b"secret")).await.expect("put");
    }
    log
}

#[tokio::test]
async fn analytics_is_refused_everything_but_reading_the_streams() {
    let broker = Broker::start().await;
    let _log = filled(&broker).await;
    let before = contents(&broker).await;
    let mut analytics = Anyone::connect(&broker, broker.analytics()).await;

    for subject in ["chat.user.u1.message", "presence.user.u1", "live.x", "$KV.keys.k", "$KV.meta.epoch"] {
        analytics.may_not_publish(subject, json!("mine")).await;
    }
    for (subject, query) in [
        ("STREAM.PURGE.CHAT", json!({})),
        ("STREAM.PURGE.PRESENCE", json!({})),
        ("STREAM.PURGE.KV_keys", json!({})),
        ("STREAM.DELETE.CHAT", json!({})),
        ("STREAM.MSG.DELETE.CHAT", json!({"seq": 1})),
        ("STREAM.MSG.DELETE.PRESENCE", json!({"seq": 1})),
        ("STREAM.UPDATE.CHAT", json!({"name": "CHAT", "subjects": ["chat.>"]})),
        ("STREAM.CREATE.MINE", json!({"name": "MINE", "subjects": ["live.>"]})),
        ("STREAM.NAMES", json!({})),
        ("STREAM.SNAPSHOT.KV_keys", json!({"deliver_subject": "_INBOX.x"})),
        ("STREAM.MSG.GET.KV_keys", json!({"last_by_subj": "$KV.keys.k"})),
        ("DIRECT.GET.KV_keys", json!({"last_by_subj": "$KV.keys.k"})),
        ("STREAM.INFO.KV_keys", json!({"subjects_filter": ">"})),
        ("CONSUMER.CREATE.KV_keys.c", json!({"stream_name": "KV_keys", "config": {"deliver_subject": "_INBOX.x"}})),
        ("CONSUMER.CREATE.CHAT.c", json!({"stream_name": "CHAT", "config": {"deliver_subject": "_INBOX.x"}})),
        ("CONSUMER.NAMES.CHAT", json!({})),
        ("CONSUMER.DELETE.CHAT.c", json!({})),
        ("INFO", json!({})),
    ] {
        analytics.may_not_publish(&format!("$JS.API.{subject}"), query.clone()).await;
        // Under the name that it may ask, nobody answers.
        let answer = analytics.asks(&format!("natter.log.{subject}"), query).await;
        assert_eq!(answer, Err(RequestErrorKind::NoResponders), "{subject}");
    }
    for subject in [">", "chat.>", "presence.>", "live.>", "$KV.>", "$JS.>", "natter.log.>", "*.>"] {
        analytics.may_not_subscribe(subject).await;
    }
    assert_eq!(contents(&broker).await, before);
    // What it may is answered all the same.
    let answer = analytics.asks("natter.log.STREAM.MSG.GET.CHAT", json!({"seq": 1})).await.expect("answered");
    assert!(String::from_utf8_lossy(&answer).contains("chat.user.u1.message"));
}

/// Whoever may ask JetStream anything in its own account can have the answer stored: the answer goes where they say.
#[tokio::test]
async fn an_answer_to_analytics_is_never_stored_wherever_it_is_sent() {
    let broker = Broker::start().await;
    let _log = filled(&broker).await;
    let targets = ["chat.user.u1.message", "presence.user.u1", "$KV.keys.k", "$KV.credentials.k"];
    let questions = [
        ("DIRECT.GET.CHAT", json!({"seq": 1})),
        ("DIRECT.GET.CHAT", json!({"seq": 1, "next_by_subj": "chat.>", "batch": 10})),
        ("STREAM.MSG.GET.CHAT", json!({"seq": 1})),
        ("STREAM.INFO.PRESENCE", json!({})),
    ];
    let before = contents(&broker).await;
    let analytics = Anyone::connect(&broker, broker.analytics()).await;
    for target in targets {
        for (question, query) in &questions {
            analytics.asks_for(&format!("natter.log.{question}"), query.clone(), target).await;
        }
    }
    // The broker deals with questions of one kind in order.
    for (question, query) in questions {
        analytics.asks(&format!("natter.log.{question}"), query).await.expect("answered");
    }
    assert_eq!(contents(&broker).await, before);

    // The same from inside, to show that this test would notice.
    let natter = Anyone::connect(&broker, (broker.user(), broker.password())).await;
    natter.asks_for("$JS.API.DIRECT.GET.CHAT", json!({"seq": 1}), "$KV.keys.k").await;
    eventually("it is stored", SOON, async || {
        let after = contents(&broker).await;
        if after == before { Err(after) } else { Ok(()) }
    })
    .await;
}

#[tokio::test]
async fn analytics_does_not_hear_what_others_are_answered() {
    let broker = Broker::start().await;
    let log = filled(&broker).await;
    let analytics = Anyone::connect(&broker, broker.analytics()).await;
    let mut inboxes = analytics.client.subscribe("_INBOX.>").await.expect("subscribed");
    analytics.asks("natter.log.STREAM.INFO.CHAT", json!({})).await.expect("the broker has the subscription");
    let secret = log.bucket(Bucket::Keys).get("k").await.expect("read").expect("there");
    assert_eq!(secret.value, Bytes::from_static(b"secret"));
    append(&log, "n").await;
    // Its own answers are all that it hears, and they end with this one.
    analytics.asks("natter.log.STREAM.MSG.GET.CHAT", json!({"seq": 2})).await.expect("answered");
    let mut heard = Vec::new();
    while !heard.iter().any(|message: &String| message.contains("\"seq\":2")) {
        let message = tokio::time::timeout(SOON, futures::StreamExt::next(&mut inboxes)).await.expect("in time");
        heard.push(String::from_utf8_lossy(&message.expect("it lives").payload).into_owned());
    }
    assert!(heard.iter().all(|message| message.contains("io.nats.jetstream.api.v1.stream_")), "{heard:?}");
    let secret = "c2VjcmV0"; // as JSON has it
    assert!(!heard.iter().any(|message| message.contains(secret)), "{heard:?}");
}

#[tokio::test]
async fn nobody_gets_in_with_another_or_no_password() {
    let broker = Broker::start().await;
    let (user, password) = broker.analytics();
    for login in [(user, broker.password()), (user, ""), ("", ""), (broker.user(), password)] {
        let settings = Settings {
            user: Some(login.0.into()),
            password: Some(login.1.into()),
            ..settings(&format!("nats://{}", broker.address()))
        };
        let refused = tokio::time::timeout(Duration::from_secs(10), ReadOnlyLog::connect(&settings)).await;
        assert!(matches!(refused, Ok(Err(natter_log::ConnectError::Refused { .. }))), "{}", login.0);
    }
}
