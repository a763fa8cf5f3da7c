//! Declaring: what is missing is made, what differs is told and left alone.

use async_nats::jetstream::stream::{Config, DiscardPolicy, PersistenceMode};
use natter_log::{Bucket, DeclareError, Log, Settings, Stream};
use natter_testkit::{Broker, BrokerOptions};

use crate::support::*;

#[tokio::test]
async fn what_was_declared_is_what_the_broker_has() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    assert_eq!(log.declare().await.expect("again"), []);
    let context = raw(&broker).await;
    let chat = context.get_stream("CHAT").await.expect("there").cached_info().config.clone();
    assert_eq!(chat.subjects, ["chat.>"]);
    assert_eq!(chat.max_consumers, 256, "2.15 has a default that -1 does not lift");
    assert!(chat.allow_atomic_publish && chat.allow_direct && chat.deny_delete && chat.deny_purge);
    assert_eq!(chat.discard, DiscardPolicy::New);
    let presence = context.get_stream("PRESENCE").await.expect("there").cached_info().config.clone();
    assert_eq!(presence.persist_mode, Some(PersistenceMode::Async));
    assert!(!presence.allow_atomic_publish);
    for bucket in Bucket::ALL {
        context.get_key_value(bucket.name()).await.unwrap_or_else(|error| panic!("{}: {error}", bucket.name()));
    }
}

#[tokio::test]
async fn every_field_that_differs_is_reported_and_none_is_changed() {
    let broker = Broker::start().await;
    let found = Config {
        name: "CHAT".into(),
        subjects: vec!["chat.>".into()],
        max_bytes: 1 << 20,
        discard: DiscardPolicy::Old,
        allow_direct: true,
        ..Config::default()
    };
    raw(&broker).await.create_stream(found).await.expect("created");
    let log = Log::connect(settings(broker.url())).await.expect("a connection");
    for _ in 0..2 {
        let differences = log.declare().await.expect("compared");
        assert!(differences.iter().all(|difference| difference.stream == "CHAT"), "{differences:?}");
        let fields: Vec<&str> = differences.iter().map(|difference| difference.field.as_str()).collect();
        for field in
            ["allow_atomic", "deny_delete", "deny_purge", "discard", "max_bytes", "max_consumers", "max_msg_size"]
        {
            assert!(fields.contains(&field), "{field} in {fields:?}");
        }
        assert!(!fields.contains(&"subjects") && !fields.contains(&"allow_direct"), "{fields:?}");
        let discard = differences.iter().find(|difference| difference.field == "discard").expect("named");
        assert_eq!(discard.to_string(), r#"CHAT: discard is "old", declared "new""#);
    }
    // It is reported, and it works.
    append(&log, "a").await;
}

#[tokio::test]
async fn all_may_declare_at_the_same_time() {
    let broker = Broker::start().await;
    let logs = futures::future::join_all((0..4).map(|_| Log::connect(settings(broker.url())))).await;
    let logs: Vec<Log> = logs.into_iter().map(|log| log.expect("a connection")).collect();
    for declared in futures::future::join_all(logs.iter().map(Log::declare)).await {
        assert_eq!(declared.expect("declared"), []);
    }
}

#[tokio::test]
async fn a_broker_without_room_says_which_stream_has_none() {
    let broker = Broker::start_with(BrokerOptions { max_file_store_bytes: 10 << 20, ..BrokerOptions::default() }).await;
    let log = Log::connect(settings(broker.url())).await.expect("a connection");
    let error = log.declare().await.expect_err("no room");
    assert!(matches!(&error, DeclareError::NoRoom { stream, .. } if stream == "CHAT"), "{error:?}");
}

#[tokio::test]
async fn the_limits_are_the_settings() {
    let broker = Broker::start().await;
    let log = connect(Settings { max_chat_bytes: 5 << 20, max_consumers: 7, ..settings(broker.url()) }).await;
    let chat = raw(&broker).await.get_stream(Stream::Chat.name()).await.expect("there").cached_info().config.clone();
    assert_eq!((chat.max_bytes, chat.max_consumers), (5 << 20, 7));
    // Declared with other limits, the difference is told.
    let other = Log::connect(Settings { max_chat_bytes: 6 << 20, max_consumers: 7, ..settings(broker.url()) }).await;
    let differences = other.expect("a connection").declare().await.expect("compared");
    assert_eq!(differences.len(), 1, "{differences:?}");
    drop(log);
}
