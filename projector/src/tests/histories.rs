//! Random histories: whatever was said and read in whatever order, in batches of whatever size, the counters equal what is
//! counted from scratch.

use std::collections::{BTreeMap, HashMap};

use natter_events::{ConversationId, Event, Record, Uid};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::paper::{Paper, Person, projected};
use super::tables::{everything, rows};

const HISTORIES: u64 = 24;
const EVENTS: u64 = 150;

/// What people said and read, and what follows from it by definition.
#[derive(Default)]
struct Expected {
    messages: HashMap<ConversationId, Vec<u64>>,
    read: BTreeMap<(ConversationId, Uid), u64>,
}

impl Expected {
    fn add(&mut self, seq: u64, record: &Record) {
        let conversation = record.envelope.conversation.expect("a conversation");
        for uid in record.envelope.addressees() {
            self.read.entry((conversation, uid)).or_default();
        }
        let read = self.read.entry((conversation, record.envelope.actor)).or_default();
        match &record.event {
            Event::MessageSent(_) => {
                self.messages.entry(conversation).or_default().push(seq);
                *read = seq;
            }
            Event::ReadMarkerMoved(moved) => *read = (*read).max(moved.read.min(seq)),
            other => panic!("{other:?}"),
        }
    }

    /// Messages after what they have read.
    fn unread(&self) -> BTreeMap<(Uuid, Uuid), (i64, i64)> {
        let unread = |conversation, read: u64| {
            let messages = self.messages.get(conversation).map_or(&[][..], Vec::as_slice);
            messages.iter().filter(|seq| **seq > read).count() as i64
        };
        let readers = self.read.iter().map(|((conversation, uid), read)| {
            let key = (conversation.as_uuid(), uid.as_uuid());
            (key, (read.cast_signed(), unread(conversation, *read)))
        });
        readers.collect()
    }
}

fn history(rng: &mut StdRng) -> (Paper, Expected) {
    let people: Vec<Person> = (0..4).map(|_| Person::new()).collect();
    let mut paper = Paper::new(&people.iter().collect::<Vec<_>>());
    let mut expected = Expected::default();
    let mut tick = 0;
    while paper.events.len() < EVENTS as usize {
        let actor = &people[rng.random_range(0..people.len())];
        let others: Vec<Uid> = people.iter().map(|person| person.uid).filter(|_| rng.random_bool(0.4)).collect();
        tick += 1;
        let record = match rng.random_range(0..10) {
            0..6 => actor.says(&others, &format!("message {tick}")),
            // Anywhere: long before the conversation began, at a message, between two, in the future.
            6..9 => actor.reads(&others, rng.random_range(0..EVENTS + 20)),
            _ => actor.reads(&others, paper.events.len() as u64),
        };
        let seq = paper.append(&record);
        expected.add(seq, &record);
    }
    (paper, expected)
}

#[tokio::test]
async fn unread_counters_equal_what_is_counted_from_scratch() {
    for seed in 0..HISTORIES {
        let mut rng = StdRng::seed_from_u64(seed);
        let (paper, expected) = history(&mut rng);
        let sizes: Vec<usize> = (0..20).map(|_| rng.random_range(1..40)).collect();
        let database = projected(&paper, &sizes).await;

        let counters: Vec<(Uuid, Uuid, i64, i64)> = rows(
            &database,
            "select p.conversation, p.uid, p.read_seq, c.last_ordinal - p.read_ordinal \
             from participants p join conversations c on c.id = p.conversation",
        )
        .await;
        let found = counters.into_iter().map(|(conversation, uid, read, unread)| ((conversation, uid), (read, unread)));
        assert_eq!(found.collect::<BTreeMap<_, _>>(), expected.unread(), "seed {seed}");

        let holes: Vec<(Uuid,)> = rows(
            &database,
            "select conversation from (select conversation, ordinal, \
               row_number() over (partition by conversation order by seq) as counted from messages) m \
             where ordinal <> counted",
        )
        .await;
        assert_eq!(holes, [], "seed {seed}: ordinals are dense and in order");
    }
}

#[tokio::test]
async fn d8_batches_of_any_size_give_the_same_rows() {
    for seed in 100..100 + HISTORIES / 3 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut paper, _) = history(&mut rng);
        let damaged = rng.random_range(0..paper.events.len());
        paper.events[damaged].payload = bytes::Bytes::from_static(b"damaged");
        let mislaid = rng.random_range(0..paper.events.len());
        paper.events[mislaid].subject = "chat.user.nobody.message".into();
        let whole = everything(&projected(&paper, &[10_000]).await).await;
        let sizes: Vec<usize> = (0..20).map(|_| rng.random_range(1..30)).collect();
        let pieces = everything(&projected(&paper, &sizes).await).await;
        for (table, expected) in whole {
            assert_eq!(pieces[table], expected, "seed {seed}, {table}");
        }
    }
}
