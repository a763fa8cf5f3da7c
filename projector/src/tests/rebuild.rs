//! The read models made again: the same rows, whatever happened in between.

use std::collections::BTreeSet;
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

use super::interruptions::Killed;
use super::live::{LONG, Projecting, World, config, projected_seq};
use super::paper::{Draft, JANUARY_MS, Paper, Person, database, writer};
use super::rooms::{in_thread, mentioning};
use super::tables::{connect, everything, execute, number, rows};
use crate::error::{ApplyError, SessionError};
use crate::{Config, Error, Rebuilt, ReplayError, Step, rebuild};

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
pub struct Lived {
    pub world: World,
    pub database: Database,
    pub last: u64,
}

impl Lived {
    pub async fn new() -> Self {
        let (world, database) = (World::new().await, database().await);
        let projector = world.project(small(&database));
        let last = history(&world).await;
        projector.reaches(last).await;
        presence_reaches(&projector, &world).await;
        projector.stop().await;
        Self { world, database, last }
    }

    pub async fn rebuild(&self, config: Config) -> Result<Rebuilt, ReplayError> {
        let shutdown = Shutdown::new(Duration::from_secs(1));
        rebuild(config, self.world.log.clone(), self.world.keys.clone(), |_| {}, &shutdown).await
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
pub fn small(database: &Database) -> Config {
    Config { max_batch_events: 10, max_partition_seqs: 40, ..config(database) }
}

/// Schemas that are not PostgreSQL's own.
pub async fn schemas(database: &Database) -> Vec<String> {
    let names: Vec<(String,)> = rows(
        database,
        "select nspname::text from pg_namespace where nspname !~ '^(pg_|information_schema)' order by 1",
    )
    .await;
    names.into_iter().map(|(name,)| name).collect()
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
        let compared = rebuilt.compared.expect("something to compare");
        assert_eq!((compared.seq, compared.differing().count()), (lived.last, 0), "{compared:?}");
        let again = everything(&lived.database).await;
        for (table, rows) in &live {
            assert_eq!(again[table], *rows, "{table}");
        }
        assert_eq!(schemas(&lived.database).await, ["public"], "nothing is left behind");
    }
    // And it goes on from there.
    let projector = lived.world.project(small(&lived.database));
    let last = lived.world.chatter(&[lived.world.person().await], 5).await;
    projector.reaches(last).await;
}

#[tokio::test]
async fn d9_whatever_the_live_tables_have_become_they_are_made_again_and_what_differed_is_told() {
    let lived = Lived::new().await;
    let live = everything(&lived.database).await;
    execute(&lived.database, "update messages set text = 'forged'; delete from participants").await;
    let rebuilt = lived.rebuild(small(&lived.database)).await.expect("rebuilt");
    let compared = rebuilt.compared.expect("compared");
    let differing: Vec<&str> = compared.differing().map(|table| table.table.as_str()).collect();
    assert_eq!(differing, ["messages", "participants"]);
    assert_eq!(everything(&lived.database).await, live);

    // Tables, views and functions that are not there, and columns.
    execute(
        &lived.database,
        "drop table messages cascade; drop table users; drop function readable; alter table pins drop column uid",
    )
    .await;
    let rebuilt = lived.rebuild(small(&lived.database)).await.expect("rebuilt");
    let lacks: Vec<Vec<String>> = rebuilt.compared.expect("compared").tables.into_iter().map(|one| one.lacks).collect();
    assert_eq!(lacks.concat(), ["messages", "uid", "users"]);
    assert_eq!(everything(&lived.database).await, live);
    execute(&lived.database, "select * from feed, counters; select readable(id, id) from conversations").await;

    // Nor a position.
    execute(&lived.database, "drop table projector").await;
    let rebuilt = lived.rebuild(small(&lived.database)).await.expect("rebuilt");
    assert!(rebuilt.compared.is_none());
    let again = everything(&lived.database).await;
    for (table, rows) in live.iter().filter(|(table, _)| **table != "projector") {
        assert_eq!(again[table], *rows, "{table}");
    }
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
async fn d9_rights_and_what_else_is_in_the_schema_stay() {
    let lived = Lived::new().await;
    let role = format!("reader_of_{}", lived.database.name());
    let statements = format!(
        "create role {role}; grant select on messages, projector, feed to {role}; create table notes (note text); \
         insert into notes values ('mine')"
    );
    execute(&lived.database, &statements).await;
    lived.rebuild(config(&lived.database)).await.expect("rebuilt");
    execute(&lived.database, &format!("set role {role}; select * from messages, projector, feed")).await;
    assert_eq!(number(&lived.database, "select count(*) from notes").await, 1);
    let may = format!(
        "select count(*) from pg_class where has_table_privilege('{role}', oid, 'update') and relname = 'messages'"
    );
    assert_eq!(number(&lived.database, &may).await, 0);

    // What would be left with the old tables is an operator's to decide about.
    let live = everything(&lived.database).await;
    execute(&lived.database, "create view loud as select upper(text) from messages").await;
    let error = lived.rebuild(config(&lived.database)).await.expect_err("a view of theirs");
    assert!(error.to_string().contains("loud"), "{error}");
    assert_eq!(everything(&lived.database).await, live);
    assert_eq!(schemas(&lived.database).await, ["public"]);
    execute(&lived.database, &format!("drop view loud; drop owned by {role}; drop role {role}")).await;
    lived.rebuild(config(&lived.database)).await.expect("rebuilt");
}

#[tokio::test]
async fn d8_beside_an_active_projector_it_switches_and_that_one_goes_on() {
    let lived = Lived::new().await;
    let projector = lived.world.project(small(&lived.database));
    projector.reaches(lived.last).await;
    let person = lived.world.person().await;
    for round in 0..3 {
        // The log grows while it is replayed, compared and switched.
        let (rebuilt, _) = tokio::join!(
            lived.rebuild(small(&lived.database)),
            lived.world.chatter(std::slice::from_ref(&person), 150)
        );
        let rebuilt = rebuilt.expect("rebuilt");
        let compared = rebuilt.compared.expect("compared");
        assert_eq!(compared.differing().count(), 0, "round {round}: {compared:?}");
        let last = lived.world.chatter(std::slice::from_ref(&person), 5).await;
        projector.reaches(last).await;
        presence_reaches(&projector, &lived.world).await;
    }
    projector.stop().await;
    let last = projected_seq(&lived.database).await;
    let fresh = database().await;
    let again = lived.world.project(config(&fresh));
    again.reaches(last).await;
    presence_reaches(&again, &lived.world).await;
    again.stop().await;
    assert_eq!(everything(&lived.database).await, everything(&fresh).await);
}

#[tokio::test]
async fn hst2_readers_with_prepared_statements_never_fail_nor_go_back_while_it_is_rebuilt_under_load() {
    let lived = Lived::new().await;
    let projector = lived.world.project(config(&lived.database));
    let person = lived.world.person().await;
    let done = Shutdown::new(Duration::from_secs(1));
    // As a page of the history API: a position and rows, of one statement that is prepared once.
    let read = async || {
        let mut connection = connect(&lived.database).await;
        let (mut pages, mut seen, mut slowest) = (0_u32, 0, Duration::ZERO);
        while !done.is_requested() {
            let begun = Instant::now();
            let (seq, newest, counted): (i64, i64, i64) = sqlx::query_as(
                "select seq, (select max(last_change_seq) from conversations), (select max(seq) from messages) \
                 from projector where name = 'chat'",
            )
            .fetch_one(&mut connection)
            .await
            .expect("no read fails");
            assert!(seq >= seen, "back from {seen} to {seq}");
            assert!(newest <= seq && counted <= newest, "{newest} and {counted} of {seq}");
            (seen, pages) = (seq, pages + 1);
            slowest = slowest.max(begun.elapsed());
            tokio::task::yield_now().await;
        }
        (pages, slowest)
    };
    let rebuild = async {
        let mut switches = Vec::new();
        for _ in 0..3 {
            switches.push(lived.rebuild(config(&lived.database)).await.expect("rebuilt").switched_in);
        }
        done.request();
        switches
    };
    // It is written all the while, so that what is answered is always close behind what is made.
    let write = async {
        while !done.is_requested() {
            let last = lived.world.chatter(std::slice::from_ref(&person), 3).await;
            projector.reaches(last).await;
        }
    };
    let (switches, one, other, ()) = tokio::join!(rebuild, read(), read(), write);
    println!("switched in {switches:?}, with {one:?} and {other:?} pages and the slowest");
    assert!(switches.iter().all(|took| *took < Duration::from_secs(1)), "{switches:?}");
    assert!(one.1.max(other.1) < Duration::from_secs(2), "{one:?}, {other:?}");
    let last = lived.world.chatter(std::slice::from_ref(&person), 5).await;
    projector.reaches(last).await;
}

#[tokio::test]
async fn d8_who_began_before_the_switch_is_fenced_though_the_position_is_the_same() {
    let lived = Lived::new().await;
    let ada = Person::new();
    let mut paper = Paper::new(&[&ada]);
    paper.append(&ada.says(&[], "one more"));
    paper.events[0].seq = lived.last + 1;
    let before = async || writer(small(&lived.database), Stream::Chat).await;
    let (mut one, mut due) = (before().await, before().await);
    lived.rebuild(small(&lived.database)).await.expect("rebuilt");
    let live = everything(&lived.database).await;
    let partitions = "select count(*) from pg_inherits where inhparent = 'messages'::regclass";
    let cut = number(&lived.database, partitions).await;
    let ended = one.apply(paper.read(Stream::Chat, 0)).await;
    assert!(matches!(ended, Err(SessionError::Apply(ApplyError::Fenced))), "{ended:?}");
    // Nor does it change partitions, of which it knows others than there are.
    paper.now_ms = JANUARY_MS * 2;
    paper.events[0].time_ms = paper.now_ms;
    let ended = due.apply(paper.read(Stream::Chat, 0)).await;
    assert!(matches!(ended, Err(SessionError::Apply(ApplyError::Fenced))), "{ended:?}");
    assert_eq!(everything(&lived.database).await, live);
    assert_eq!(number(&lived.database, partitions).await, cut);
}

#[tokio::test]
async fn d9_somebody_who_reads_for_long_delays_the_switch_and_holds_nobody_up() {
    let lived = Lived::new().await;
    let mut export = connect(&lived.database).await;
    sqlx::raw_sql("begin; select * from pins").execute(&mut export).await.expect("reading");
    let rebuilding = lived.rebuild(config(&lived.database));
    let reading = async {
        eventually("it waits for the switch", LONG, async || {
            let waiting = "select count(*) from pg_stat_activity \
                where datname = current_database() and query like 'lock table%access exclusive%' and wait_event_type = 'Lock'";
            number(&lived.database, waiting).await > 0
        })
        .await;
        let slowest = async |pages: u32| {
            let begun = Instant::now();
            for _ in 0..pages {
                number(&lived.database, "select count(*) from messages").await;
            }
            begun.elapsed() / pages
        };
        let took = slowest(20).await;
        sqlx::raw_sql("rollback").execute(&mut export).await.expect("done reading");
        took
    };
    let (rebuilt, took) = tokio::join!(rebuilding, reading);
    rebuilt.expect("rebuilt");
    assert!(took < Duration::from_millis(500), "{took:?} a page");
}

#[tokio::test]
async fn d9_interrupted_anywhere_the_live_tables_are_whole_and_it_is_run_again() {
    let lived = Lived::new().await;
    let live = everything(&lived.database).await;
    let mut rng = StdRng::seed_from_u64(5);
    let (begun, mut interrupted) = (Instant::now(), 0);
    while interrupted < 25 {
        assert!(begun.elapsed() < LONG * 3, "{interrupted} were killed in the middle");
        let config = Config { max_batch_events: rng.random_range(1..9), ..small(&lived.database) };
        let polls_left = 10 + 20 * interrupted + rng.random_range(0..20);
        let killed = Killed { inner: Box::pin(lived.rebuild(config)), polls_left };
        match killed.await {
            None => interrupted += 1,
            // So many polls are enough.
            Some(ended) => {
                ended.expect("rebuilt");
                break;
            }
        }
        assert_eq!(everything(&lived.database).await, live);
    }
    assert!(interrupted > 5, "{interrupted}");
    lived.rebuild(small(&lived.database)).await.expect("rebuilt, at once");
    assert_eq!(everything(&lived.database).await, live);
    assert_eq!(schemas(&lived.database).await, ["public"], "what the others left is removed");
}

#[tokio::test]
async fn a_stop_leaves_everything_as_it_is_and_nothing_behind() {
    let lived = Lived::new().await;
    let live = everything(&lived.database).await;
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let (log, keys) = (lived.world.log.clone(), lived.world.keys.clone());
    let stop = shutdown.clone();
    let show = |step| {
        if matches!(step, Step::Replaying { at: 1.., .. }) {
            stop.request();
        }
    };
    let config = Config { max_batch_events: 1, ..small(&lived.database) };
    let error = rebuild(config, log, keys, show, &shutdown).await.expect_err("stopped");
    assert!(matches!(error, ReplayError::Stopped), "{error}");
    assert_eq!(everything(&lived.database).await, live);
    assert_eq!(schemas(&lived.database).await, ["public"]);
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
        let error = rebuild(config(&lived.database), log, keys, |_| {}, &shutdown).await.expect_err("another log");
        assert!(matches!(&error, ReplayError::Projector(Error::OtherLog { .. })), "{error}");
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
        rebuild(config(&empty), log, keys, |_| {}, &shutdown).await
    };
    assert_eq!(run().await.expect("rebuilt").events, 0);
    let last = world.chatter(&[world.person().await], 10).await;
    assert_eq!(run().await.expect("rebuilt").events, last);
    assert_eq!(number(&empty, "select count(*) from messages").await, 8);

    let without = Database::empty().await;
    let (log, keys) = (world.log.clone(), world.keys.clone());
    let error = rebuild(config(&without), log, keys, |_| {}, &shutdown).await.expect_err("no schema");
    assert!(error.to_string().contains("run `natter migrate`"), "{error}");
}
