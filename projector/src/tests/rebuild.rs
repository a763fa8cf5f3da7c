//! The read models made again: the same rows, whatever happened in between.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use natter_events::event::CATALOGUE;
use natter_events::{
    ConversationId, Envelope, Event, MembershipChange, PresenceChanged, PresenceStatus, ReceivedUpTo, Record,
    Revocation, RevokedSessions, RoomChange, SessionId, Subject, Visibility,
};
use natter_log::Stream;
use natter_platform::Shutdown;
use natter_testkit::{Database, eventually};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::OffsetDateTime;
use tokio::sync::oneshot;

use super::interruptions::Killed;
use super::live::{LONG, Projecting, World, config, projected_seq};
use super::paper::{Draft, JANUARY_MS, Paper, Person, database};
use super::rooms::{in_thread, mentioning};
use super::tables::{everything, execute, number};
use crate::{Config, Error, RebuildError, Rebuilt, Role, rebuild};

/// Everything that can happen, with things that can't be applied among it. The last seq of CHAT.
async fn history(world: &World) -> u64 {
    let (ada, ben, eve) = (Person::new(), Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben, &eve]);
    for (person, handle) in [(&ada, "ada"), (&ben, "ben"), (&eve, "eve")] {
        paper.append(&person.registered(handle, JANUARY_MS));
    }
    between_two(&mut paper, &ada, &ben);
    accounts(&mut paper, &ada, &ben, &eve);
    in_a_room(&mut paper, &ada, &ben, &eve);
    // One that can't be applied, on a subject that is not its actor's, and what waits behind it.
    let misplaced = eve.says(&[ada.uid], "lost");
    paper.append_bytes(&Subject::Messages(ben.uid).to_string(), misplaced.encode());
    paper.append(&eve.says(&[ada.uid], "behind it"));

    // On paper and in the log, an event has the same seq.
    for ((owner, id), key) in &paper.keys {
        world.keys.create(*owner, *id, key).await.expect("a key");
    }
    for stored in paper.events {
        assert_eq!(world.append_bytes(&stored.subject, stored.payload).await, stored.seq);
    }
    world.append(&Record::new(ada.uid, ReceivedUpTo { seq: 5 })).await;
    for status in [PresenceStatus::Online, PresenceStatus::Away] {
        world.append(&Record::new(ben.uid, PresenceChanged { status, text: None, gateway: "g".into() })).await;
    }
    world.append_bytes(&Subject::Presence(eve.uid).to_string(), bytes::Bytes::from_static(b"damaged")).await;
    world.chatter(&[ada, ben, eve], 120).await
}

fn between_two(paper: &mut Paper, ada: &Person, ben: &Person) {
    let hello = paper.append(&ada.says(&[ben.uid], "hello"));
    let typo = paper.append(&ben.says(&[ada.uid], "helo"));
    paper.append(&ben.edits(&[ada.uid], typo, "hello, too"));
    paper.append(&ada.reacts(&[ben.uid], typo, "👍"));
    paper.append(&ada.reacts(&[ben.uid], typo, "🎈"));
    paper.append(&ada.unreacts(&[ben.uid], typo, "👍"));
    paper.append(&ada.deletes(&[ben.uid], hello));
    paper.append(&ben.reads(&[ada.uid], typo));
    paper.append(&ben.prefers(ConversationId::direct(&[ada.uid, ben.uid]), r#"{"muted":true}"#));
}

fn accounts(paper: &mut Paper, ada: &Person, ben: &Person, eve: &Person) {
    paper.append(&ada.blocks("ada", &[eve.uid, ben.uid], ben.uid, true));
    paper.append(&ada.blocks("ada", &[eve.uid], ben.uid, false));
    paper.append(&ben.is_called("ben", Some("Ben of the harbour")));
    // Those from before today are let go of.
    let now_ms = i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).expect("a time");
    let revocation = Revocation { at_ms: now_ms, which: RevokedSessions::AllBut(SessionId::random()) };
    paper.append(&eve.revoked("eve", JANUARY_MS, vec![revocation]));
}

fn in_a_room(paper: &mut Paper, ada: &Person, ben: &Person, eve: &Person) {
    let mut draft = Draft::new("harbour", Visibility::Public, ada);
    let room = paper.create(ada, &draft);
    paper.joins(ben, room);
    paper.joins(eve, room);
    let root = paper.append(&ada.says(room, "who has a boat?"));
    let reply = paper.append(&in_thread(ben.says(room, "I have"), root));
    paper.append(&mentioning(ada.says(room, "@ben, come"), &[ben.uid]));
    let mut all = ada.says(room, "@room, come");
    if let Event::MessageSent(sent) = &mut all.event {
        sent.mentions_room = true;
    }
    paper.append(&all);
    for message in [root, reply] {
        paper.append(&ada.pins(room, message));
    }
    paper.append(&ada.unpins(room, reply));
    paper.leaves(ben, room);
    paper.append(&eve.says(room, "without ben"));
    paper.joins(ben, room);
    paper.append(&mentioning(ada.says(room, "@ben, again"), &[ben.uid]));
    paper.member(ada, eve, room, MembershipChange::Banned, None);
    draft.bans.push(eve.uid);
    paper.room(ada, room, RoomChange::Banned(eve.uid), &draft);
    draft.visibility = Visibility::Private;
    paper.room(ada, room, RoomChange::Settings, &draft);
}

/// The types of all events in the log.
async fn types(world: &World) -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for stream in Stream::ALL {
        let events = world.log.range(stream, 0, 10_000, 64 << 20).await.expect("readable");
        let envelopes = events.iter().filter_map(|stored| Envelope::peek(&stored.payload).ok());
        types.extend(envelopes.map(|envelope| envelope.kind.into_owned()));
    }
    types
}

/// A log, and the database in which a projector has written all of it.
struct Lived {
    world: World,
    database: Database,
    last: u64,
}

impl Lived {
    async fn new() -> Self {
        let (world, database) = (World::new().await, database().await);
        let projector = world.project(small(&database));
        let last = history(&world).await;
        projector.reaches(last).await;
        presence_reaches(&projector, &world).await;
        projector.stop().await;
        Self { world, database, last }
    }

    async fn rebuild(&self, config: Config) -> Result<Rebuilt, RebuildError> {
        let shutdown = Shutdown::new(Duration::from_secs(1));
        rebuild(config, self.world.log.clone(), self.world.keys.clone(), |_, _| {}, &shutdown).await
    }
}

async fn presence_reaches(projector: &Projecting, world: &World) {
    let last = world.log.state(Stream::Presence).await.expect("a state").last_seq;
    eventually("presence is projected", LONG, async || match projector.status.of(Stream::Presence).seq {
        seq if seq >= last => Ok(()),
        seq => Err(seq),
    })
    .await;
}

/// With several partitions, and several batches.
fn small(database: &Database) -> Config {
    Config { max_batch_events: 10, max_partition_seqs: 40, ..config(database) }
}

#[tokio::test]
async fn d9_of_a_history_with_every_event_type_the_rebuilt_rows_are_the_live_ones() {
    let lived = Lived::new().await;
    let happened = types(&lived.world).await;
    let missing: Vec<_> = CATALOGUE.iter().filter(|(kind, _)| !happened.contains(*kind)).collect();
    assert!(missing.is_empty(), "the history lacks {missing:?}");
    let live = everything(&lived.database).await;
    for (table, rows) in &live {
        assert!(!rows.is_empty(), "nothing is in {table}, so nothing is compared");
    }

    for batch in [7, 4_000] {
        let config = Config { max_batch_events: batch, ..small(&lived.database) };
        let rebuilt = lived.rebuild(config).await.expect("rebuilt");
        assert_eq!(rebuilt.events, lived.last);
        let again = everything(&lived.database).await;
        for (table, rows) in &live {
            assert_eq!(again[table], *rows, "{table}");
        }
    }
    // What was in it before does not matter.
    execute(&lived.database, "update messages set text = 'forged'; delete from participants").await;
    lived.rebuild(small(&lived.database)).await.expect("rebuilt");
    assert_eq!(everything(&lived.database).await, live);
    // And it goes on from there.
    let projector = lived.world.project(small(&lived.database));
    let last = lived.world.chatter(&[lived.world.person().await], 5).await;
    projector.reaches(last).await;
}

#[tokio::test]
async fn d9_what_is_not_made_from_chat_is_carried_over() {
    let lived = Lived::new().await;
    let live = everything(&lived.database).await;
    // Last seen is known, though PRESENCE has forgotten.
    execute(&lived.database, "update presence set last_seen = '2020-01-01' where last_seen is not null").await;
    lived.rebuild(config(&lived.database)).await.expect("rebuilt");
    assert_eq!(number(&lived.database, "select count(*) from presence where last_seen = '2020-01-01'").await, 1);
    assert_eq!(number(&lived.database, "select count(*) from dead_letters where stream = 'presence'").await, 1);
    let again = everything(&lived.database).await;
    assert_eq!(again["projector"], live["projector"], "the position in PRESENCE, too");
}

#[tokio::test]
async fn d8_a_rebuild_refuses_beside_an_active_projector_and_changes_nothing() {
    let lived = Lived::new().await;
    let live = everything(&lived.database).await;
    let projector = lived.world.project(config(&lived.database));
    projector.reaches(lived.last).await;
    let error = lived.rebuild(config(&lived.database)).await.expect_err("one is active");
    assert!(matches!(error, RebuildError::Active), "{error}");
    assert_eq!(everything(&lived.database).await, live);
    projector.stop().await;
    lived.rebuild(config(&lived.database)).await.expect("rebuilt");
}

#[tokio::test]
async fn d8_a_projector_that_is_started_meanwhile_stands_by_and_takes_over() {
    let lived = Lived::new().await;
    let live = everything(&lived.database).await;
    let (say, begun) = oneshot::channel();
    let mut say = Some(say);
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let show = |_, _| {
        if let Some(say) = say.take() {
            say.send(()).expect("somebody waits");
        }
    };
    let (log, keys) = (lived.world.log.clone(), lived.world.keys.clone());
    let mut rebuilding = pin!(rebuild(small(&lived.database), log, keys, show, &shutdown));
    tokio::select! {
        ended = &mut rebuilding => panic!("{ended:?}"),
        _ = begun => {}
    }
    // It is in the middle now, for as long as nobody looks at it.
    let projector = lived.world.project(config(&lived.database));
    eventually("it stands by", LONG, async || match projector.status.of(Stream::Chat).role {
        Role::Standby => Ok(()),
        other => Err(other),
    })
    .await;
    rebuilding.await.expect("rebuilt");
    projector.reaches(lived.last).await;
    projector.stop().await;
    assert_eq!(everything(&lived.database).await, live);
}

#[tokio::test]
async fn d9_interrupted_anywhere_it_is_run_again_or_a_projector_goes_on() {
    let lived = Lived::new().await;
    let live = everything(&lived.database).await;
    let mut rng = StdRng::seed_from_u64(5);
    let (begun, mut halfway, mut lives) = (Instant::now(), 0, 0);
    while halfway < 6 || lives < 15 {
        assert!(begun.elapsed() < LONG * 3, "{halfway} of {lives} were killed in the middle");
        let config = Config { max_batch_events: rng.random_range(1..9), ..small(&lived.database) };
        let killed = Killed { inner: Box::pin(lived.rebuild(config)), polls_left: rng.random_range(5..80) };
        killed.await;
        let at = projected_seq(&lived.database).await;
        halfway += u32::from(0 < at && at < lived.last);
        if lives % 3 == 0 {
            let projector = lived.world.project(small(&lived.database));
            projector.reaches(lived.last).await;
            projector.stop().await;
            assert_eq!(everything(&lived.database).await, live, "life {lives}");
        }
        lives += 1;
    }
    // The connection of the one that was killed last may not be gone yet.
    eventually("it is rebuilt", LONG, async || lived.rebuild(small(&lived.database)).await).await;
    assert_eq!(everything(&lived.database).await, live);
}

#[tokio::test]
async fn a_stop_ends_it_where_it_is_and_says_so() {
    let lived = Lived::new().await;
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let (log, keys) = (lived.world.log.clone(), lived.world.keys.clone());
    let stop = shutdown.clone();
    let show = |at: u64, _| {
        if at > 0 {
            stop.request();
        }
    };
    let config = Config { max_batch_events: 1, ..small(&lived.database) };
    let error = rebuild(config, log, keys, show, &shutdown).await.expect_err("stopped");
    let RebuildError::Stopped { at, of } = error else { panic!("{error}") };
    assert!(0 < at && at < of && of == lived.last, "{at} of {of}");
    assert_eq!(projected_seq(&lived.database).await, at);
}

#[tokio::test]
async fn d14_a_rebuild_from_another_log_is_refused_and_changes_nothing() {
    let (lived, other) = (Lived::new().await, World::new().await);
    let live = everything(&lived.database).await;
    let someone = other.person().await;
    for (events, why) in [(3, "ends before event"), (300, "another one")] {
        other.chatter(std::slice::from_ref(&someone), events).await;
        let shutdown = Shutdown::new(Duration::from_secs(1));
        let (log, keys) = (other.log.clone(), other.keys.clone());
        let error = rebuild(config(&lived.database), log, keys, |_, _| {}, &shutdown).await.expect_err("another log");
        assert!(matches!(&error, RebuildError::Projector(Error::OtherLog { .. })), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(everything(&lived.database).await, live);
    }
}

#[tokio::test]
async fn a_log_or_a_database_with_nothing_in_it_is_rebuilt_too() {
    let (world, empty) = (World::new().await, database().await);
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let run = async || {
        let (log, keys) = (world.log.clone(), world.keys.clone());
        rebuild(config(&empty), log, keys, |_, _| {}, &shutdown).await
    };
    assert_eq!(run().await.expect("rebuilt").events, 0);
    let last = world.chatter(&[world.person().await], 10).await;
    assert_eq!(run().await.expect("rebuilt").events, last);
    assert_eq!(number(&empty, "select count(*) from messages").await, 8);

    let without = Database::empty().await;
    let (log, keys) = (world.log.clone(), world.keys.clone());
    let error = rebuild(config(&without), log, keys, |_, _| {}, &shutdown).await.expect_err("no schema");
    assert!(error.to_string().contains("run `natter migrate`"), "{error}");
}
