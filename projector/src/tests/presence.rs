//! Last seen and received: the same whatever is applied again.

use natter_events::{PresenceChanged, PresenceStatus, ReceivedUpTo, Record, Uid};
use natter_log::Stream;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::paper::{JANUARY_MS, Paper, database, writer};
use super::tables::rows;
use crate::config::Config;

type Row = (Uuid, Option<i64>, Option<String>, i64);
const ROWS: &str = "select uid, (extract(epoch from last_seen) * 1000)::int8, status, received_seq \
                    from presence order by uid";

fn changed(uid: Uid, status: PresenceStatus) -> Record {
    Record::new(uid, PresenceChanged { status, text: None, gateway: "g".into() })
}

#[tokio::test]
async fn d7_last_seen_and_received_are_the_latest() {
    let (ada, ben) = (Uid::from_bytes([1; 16]), Uid::from_bytes([2; 16]));
    let mut paper = Paper::new(&[]);
    paper.append(&changed(ada, PresenceStatus::Online));
    paper.append(&Record::new(ada, ReceivedUpTo { seq: 70 }));
    paper.append(&changed(ada, PresenceStatus::Offline));
    paper.append(&Record::new(ada, ReceivedUpTo { seq: 60 }));
    paper.append(&Record::new(ben, ReceivedUpTo { seq: 5 }));
    let database = database().await;
    let mut writer = writer(Config::new(database.url()), Stream::Presence).await;
    writer.apply(paper.read(Stream::Presence, 0)).await.expect("applied");
    let found: Vec<Row> = rows(&database, ROWS).await;
    let expected =
        [(ada.as_uuid(), Some(JANUARY_MS + 3_000), Some("offline".to_owned()), 70), (ben.as_uuid(), None, None, 5)];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn d7_of_several_changes_in_one_moment_the_last_counts() {
    use PresenceStatus::{Busy, Offline, Online};
    let ada = Uid::from_bytes([1; 16]);
    for statuses in [[Online, Offline], [Offline, Online], [Online, Busy]] {
        for batches in [1, 2] {
            let mut paper = Paper::new(&[]);
            for status in statuses {
                paper.append(&changed(ada, status));
                paper.now_ms -= 1_000;
            }
            let database = database().await;
            let mut writer = writer(Config::new(database.url()), Stream::Presence).await;
            if batches == 2 {
                let first = Paper { events: paper.events[..1].to_vec(), ..paper.clone() };
                writer.apply(first.read(Stream::Presence, 0)).await.expect("applied");
            }
            let done = batches - 1;
            writer.apply(paper.read(Stream::Presence, done)).await.expect("applied");
            let found: Vec<Row> = rows(&database, ROWS).await;
            let expected = format!("{:?}", statuses[1]).to_lowercase();
            assert_eq!(found[0].2.as_deref(), Some(expected.as_str()), "{batches} batches");
        }
    }
}

#[tokio::test]
async fn d7_presence_read_again_from_its_beginning_is_the_same() {
    let mut rng = StdRng::seed_from_u64(7);
    let people: Vec<Uid> = (0..5).map(|_| Uid::random()).collect();
    let statuses = [PresenceStatus::Online, PresenceStatus::Away, PresenceStatus::Busy, PresenceStatus::Offline];
    let mut paper = Paper::new(&[]);
    for _ in 0..200 {
        let uid = people[rng.random_range(0..people.len())];
        if rng.random_bool(0.5) {
            paper.append(&changed(uid, statuses[rng.random_range(0..4)]));
        } else {
            paper.append(&Record::new(uid, ReceivedUpTo { seq: rng.random_range(0..1_000) }));
        }
        // Several events of one moment.
        paper.now_ms -= i64::from(rng.random_bool(0.5)) * 1_000;
    }
    let mut first: Option<Vec<Row>> = None;
    for rounds in 0..4 {
        let database = database().await;
        let mut writer = writer(Config::new(database.url()), Stream::Presence).await;
        for _ in 0..rounds {
            let events = paper.events[..rng.random_range(1..paper.events.len())].to_vec();
            let beginning = Paper { events, ..paper.clone() };
            writer.apply(beginning.read(Stream::Presence, 0)).await.expect("applied");
            writer.start_over().await.expect("started over");
        }
        writer.apply(paper.read(Stream::Presence, 0)).await.expect("applied");
        let found: Vec<Row> = rows(&database, ROWS).await;
        assert_eq!(found.len(), people.len());
        assert_eq!(first.get_or_insert(found.clone()), &found);
    }
}
