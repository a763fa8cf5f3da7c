//! Last seen and received: the same whatever is applied again, and in whatever order.

use natter_events::{PresenceChanged, PresenceStatus, ReceivedUpTo, Record, Uid};
use natter_log::Stream;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
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
async fn d7_presence_applied_again_and_in_any_order_is_the_same() {
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
    for _ in 0..4 {
        let database = database().await;
        let mut writer = writer(Config::new(database.url()), Stream::Presence).await;
        for _ in 0..3 {
            let mut events: Vec<_> = paper.events.clone();
            events.shuffle(&mut rng);
            events.truncate(150);
            events.extend(paper.events.iter().cloned());
            for (event, seq) in events.iter_mut().zip(1..) {
                event.seq = seq;
            }
            writer.start_over().await.expect("started over");
            let shuffled = Paper { events, ..paper.clone() };
            writer.apply(shuffled.read(Stream::Presence, 0)).await.expect("applied");
        }
        let found: Vec<Row> = rows(&database, ROWS).await;
        assert_eq!(found.len(), people.len());
        assert_eq!(first.get_or_insert(found.clone()), &found);
    }
}
