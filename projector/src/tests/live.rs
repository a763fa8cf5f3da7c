//! Following a real broker, as in service.

use std::time::Duration;

use natter_events::{ContentKey, PresenceChanged, PresenceStatus, Record, Subject, Uid};
use natter_log::{Append, Bucket, KeyRing, Log, Settings, Stream};
use natter_platform::Shutdown;
use natter_testkit::{Broker, Database, eventually};
use tokio::task::JoinHandle;

use super::paper::{JANUARY_MS, Person, database, subject};
use super::tables::{execute, number, rows};
use crate::{Config, Error, Role, Status};

pub const LONG: Duration = Duration::from_secs(30);

/// A broker with a log in it.
pub struct World {
    pub broker: Broker,
    pub log: Log,
    pub keys: KeyRing,
    pub master: ContentKey,
}

impl World {
    pub async fn new() -> Self {
        let broker = Broker::start().await;
        let settings = Settings { servers: vec![broker.url().to_owned()], ..Settings::default() };
        let log = Log::connect(settings).await.expect("the log");
        assert_eq!(log.declare().await.expect("declared"), []);
        let master = ContentKey::random();
        let keys = KeyRing::new(log.bucket(Bucket::Keys), master.clone(), 1_000);
        Self { broker, log, keys, master }
    }

    /// Someone whose key is in the bucket.
    pub async fn person(&self) -> Person {
        let person = Person::new();
        self.keys.create(person.uid, person.key_id, &person.key).await.expect("a key");
        person
    }

    pub async fn append(&self, record: &Record) -> u64 {
        self.append_bytes(&subject(record).to_string(), record.encode()).await
    }

    pub async fn append_bytes(&self, subject: &str, payload: bytes::Bytes) -> u64 {
        let stream = if subject.starts_with("presence.") { Stream::Presence } else { Stream::Chat };
        let message_id = format!("{:032x}", rand::random::<u128>());
        let append = Append { stream, subject: subject.to_owned(), message_id, payload, expected_last: None };
        self.log.append(append).await.expect("appended").seq
    }

    /// As many things as are asked for, said and read among some people; the last seq.
    pub async fn chatter(&self, people: &[Person], events: usize) -> u64 {
        let mut last: u64 = 0;
        for n in 0..events {
            let (actor, other) = (&people[n % people.len()], &people[(n * 7 + n / 5) % people.len()]);
            let record = match n % 5 {
                4 => actor.reads(&[other.uid], last.saturating_sub(n as u64 % 9)),
                _ => actor.says(&[other.uid], &format!("message {n}")),
            };
            last = self.append(&record).await;
        }
        last
    }

    /// Starts a projector.
    pub fn project(&self, config: Config) -> Projecting {
        let (status, shutdown) = (Status::default(), Shutdown::new(Duration::from_secs(5)));
        let run = crate::run(config, self.log.clone(), self.keys.clone(), status.clone(), shutdown.clone());
        Projecting { task: Some(tokio::spawn(run)), status, shutdown }
    }
}

/// A running projector. It is killed when this is dropped.
pub struct Projecting {
    task: Option<JoinHandle<Result<(), Error>>>,
    pub status: Status,
    pub shutdown: Shutdown,
}

impl Projecting {
    /// Waits until it says that everything up to `seq` is projected.
    pub async fn reaches(&self, seq: u64) {
        eventually("the projector has caught up", LONG, async || {
            let status = self.status.of(Stream::Chat);
            if status.role == Role::Active && status.seq >= seq { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
    }

    /// Waits until it ends.
    pub async fn ends(mut self) -> Result<(), Error> {
        let task = self.task.take().expect("it runs");
        tokio::time::timeout(LONG, task).await.expect("it did not end").expect("it panicked")
    }

    /// Ends it in order.
    pub async fn stop(self) {
        self.shutdown.request();
        self.ends().await.expect("a stop is no failure");
    }
}

impl Drop for Projecting {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Short waits, as the tests want them.
pub fn config(database: &Database) -> Config {
    Config { standby_poll: Duration::from_millis(20), ..Config::new(database.url()) }
}

pub async fn projected_seq(database: &Database) -> u64 {
    number(database, "select coalesce(max(seq), 0) from projector where name = 'chat'").await.cast_unsigned()
}

#[tokio::test]
async fn d8_the_log_is_projected_as_it_grows() {
    let (world, database) = (World::new().await, database().await);
    let (ada, ben) = (world.person().await, world.person().await);
    world.append(&ada.registered("ada", JANUARY_MS)).await;
    let projector = world.project(config(&database));
    let before = world.append(&ada.says(&[ben.uid], "hallo")).await;
    projector.reaches(before).await;
    assert_eq!(number(&database, "select count(*) from users where handle = 'ada'").await, 1);
    let after = world.chatter(&[ada, ben], 50).await;
    projector.reaches(after).await;
    assert_eq!(number(&database, "select count(*) from messages").await, 41);
    assert_eq!(projected_seq(&database).await, after);
    let line = eventually("it is ready", LONG, async || projector.status.check()).await;
    assert!(
        line.starts_with(&format!("chat: active at {after}, 0 events and 0 ms behind; presence: active")),
        "{line}"
    );
    projector.stop().await;
}

/// Whoever reads PostgreSQL only (the history API) tells one that has nothing to do from one that is away by this.
#[tokio::test]
async fn an_active_projector_that_has_nothing_to_write_says_in_the_database_that_it_is_there() {
    let (world, database) = (World::new().await, database().await);
    let ada = world.person().await;
    let last = world.chatter(&[ada], 5).await;
    let projector = world.project(config(&database));
    projector.reaches(last).await;
    for stream in ["chat", "presence"] {
        execute(&database, &format!("update projector set updated_at = 'epoch' where name = '{stream}'")).await;
        let recent = format!(
            "select count(*) from projector where name = '{stream}' and updated_at > now() - interval '5 seconds'"
        );
        eventually("it is confirmed", LONG, async || match number(&database, &recent).await {
            1 => Ok(()),
            none => Err(none),
        })
        .await;
    }
    projector.stop().await;
    assert_eq!(projected_seq(&database).await, last);
}

#[tokio::test]
async fn d7_presence_is_projected_from_a_position_of_its_own() {
    let (world, database) = (World::new().await, database().await);
    let uid = Uid::random();
    let changed = |status| Record::new(uid, PresenceChanged { status, text: None, gateway: "g".into() });
    world.append(&changed(PresenceStatus::Online)).await;
    let projector = world.project(config(&database));
    let last = world.append(&changed(PresenceStatus::Offline)).await;
    eventually("presence is projected", LONG, async || {
        let status = projector.status.of(Stream::Presence);
        if status.seq >= last { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    let statuses: Vec<(String,)> = rows(&database, "select status from presence").await;
    assert_eq!(statuses, [("offline".to_owned(),)]);
    assert_eq!(number(&database, "select seq from projector where name = 'presence'").await.cast_unsigned(), last);
    assert_eq!(projected_seq(&database).await, 0);
}

#[tokio::test]
async fn d8_an_event_of_a_later_version_stops_the_projector_loudly() {
    let (world, database) = (World::new().await, database().await);
    let ada = world.person().await;
    world.chatter(std::slice::from_ref(&ada), 10).await;
    let mut later = ada.says(&[], "from the future");
    later.envelope.version = 9;
    let later = world.append(&later).await;
    world.append(&ada.says(&[], "behind it")).await;

    for _ in 0..2 {
        let error = world.project(config(&database)).ends().await.expect_err("a later version");
        let Error::LaterVersion { stream, seq, ref kind, version } = error else { panic!("{error}") };
        assert_eq!((stream, seq, kind.as_str(), version), ("CHAT", later, "MessageSent", 9));
        assert!(error.to_string().contains("until this program is upgraded"), "{error}");
        assert_eq!(projected_seq(&database).await, later - 1, "what came before is applied, nothing after");
    }
    assert_eq!(number(&database, "select count(*) from dead_letters").await, 0);
}

#[tokio::test]
async fn d13_another_master_key_stops_the_projector() {
    let (world, database) = (World::new().await, database().await);
    let ada = world.person().await;
    world.append(&ada.says(&[], "sealed")).await;
    let wrong = KeyRing::new(world.log.bucket(Bucket::Keys), ContentKey::random(), 10);
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let run = crate::run(config(&database), world.log.clone(), wrong, Status::default(), shutdown);
    let error = tokio::time::timeout(LONG, run).await.expect("it ends").expect_err("another key");
    assert!(matches!(error, Error::Keys(_)), "{error}");
    assert_eq!(projected_seq(&database).await, 0);

    let right = KeyRing::new(world.log.bucket(Bucket::Keys), world.master.clone(), 10);
    let world = World { keys: right, ..world };
    world.project(config(&database)).reaches(1).await;
}

#[tokio::test]
async fn a_database_without_the_schema_or_of_another_build_stops_the_projector() {
    let world = World::new().await;
    let empty = Database::empty().await;
    let error = world.project(config(&empty)).ends().await.expect_err("no schema");
    assert!(error.to_string().contains("run `natter migrate`"), "{error}");

    let other = database().await;
    execute(&other, "update _sqlx_migrations set checksum = 'x'").await;
    let error = world.project(config(&other)).ends().await.expect_err("another schema");
    assert!(error.to_string().contains("another build"), "{error}");

    for address in ["mysql://nobody@host/there", "postgres://[", ""] {
        let error = world.project(Config::new(address)).ends().await.expect_err("no address");
        assert!(matches!(error, Error::DatabaseUrl(_)), "{address}: {error}");
    }
}

#[tokio::test]
async fn d8_malformed_bytes_in_the_broker_do_not_stop_the_rest() {
    let (world, database) = (World::new().await, database().await);
    let ada = world.person().await;
    let subject = Subject::Messages(ada.uid).to_string();
    world.append_bytes(&subject, bytes::Bytes::from_static(b"not a record")).await;
    let last = world.chatter(&[ada], 5).await;
    let projector = world.project(config(&database));
    projector.reaches(last).await;
    let letters: Vec<(i64, Vec<u8>)> = rows(&database, "select seq, payload from dead_letters").await;
    assert_eq!(letters, [(1, b"not a record".to_vec())]);
    assert_eq!(number(&database, "select count(*) from messages").await, 4);
}
