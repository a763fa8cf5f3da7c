//! Random histories: whatever was said, read, edited, deleted and reacted to in whatever order, in batches of whatever size,
//! the rows equal what follows from the log by the rules of folding (PROTOCOL §4), worked out from scratch.

use std::collections::{BTreeMap, HashMap};

use natter_events::{ContentKey, ConversationId, Event, Field, Record, Sealed, Uid};
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
    texts: BTreeMap<(ConversationId, u64), Message>,
    keys: HashMap<Uid, ContentKey>,
}

/// A message as it stands, and how it came to that.
struct Message {
    sender: Uid,
    /// What it said, and by which event; none once it is deleted.
    versions: Vec<(u64, String)>,
    /// Emoji in their order, and who reacts with each in theirs, by which event.
    reactions: Vec<(String, Vec<(Uid, u64)>)>,
}

impl Expected {
    fn add(&mut self, seq: u64, record: &Record) {
        let conversation = record.envelope.conversation.expect("a conversation");
        for uid in record.envelope.addressees() {
            self.read.entry((conversation, uid)).or_default();
        }
        let read = self.read.entry((conversation, record.envelope.actor)).or_default();
        match &record.event {
            Event::MessageSent(sent) => {
                self.messages.entry(conversation).or_default().push(seq);
                *read = seq;
                let versions = vec![(seq, self.open(record, Field::Text, &sent.text))];
                let message = Message { sender: record.envelope.actor, versions, reactions: Vec::new() };
                self.texts.insert((conversation, seq), message);
            }
            Event::ReadMarkerMoved(moved) => *read = (*read).max(moved.read.min(seq)),
            _ => self.change(seq, record, conversation),
        }
    }

    fn change(&mut self, seq: u64, record: &Record, conversation: ConversationId) {
        let (actor, message, field, sealed) = match &record.event {
            Event::MessageEdited(event) => (record.envelope.actor, event.message, Field::Text, Some(&event.text)),
            Event::ReactionAdded(event) => (record.envelope.actor, event.message, Field::Emoji, Some(&event.emoji)),
            Event::ReactionRemoved(event) => (record.envelope.actor, event.message, Field::Emoji, Some(&event.emoji)),
            Event::MessageDeleted(event) => (record.envelope.actor, event.message, Field::Text, None),
            other => panic!("{other:?}"),
        };
        let said = sealed.map(|sealed| self.open(record, field, sealed)).unwrap_or_default();
        let Some(message) = self.texts.get_mut(&(conversation, message)) else { return };
        let deleted = message.versions.is_empty();
        match &record.event {
            Event::MessageDeleted(_) => {
                message.versions.clear();
                message.reactions.clear();
            }
            Event::MessageEdited(_) if !deleted && message.sender == actor => message.versions.push((seq, said)),
            Event::ReactionAdded(_) if !deleted => {
                let there = message.reactions.iter_mut().find(|(emoji, _)| *emoji == said);
                match there {
                    Some((_, people)) if people.iter().any(|(uid, _)| *uid == actor) => {}
                    Some((_, people)) => people.push((actor, seq)),
                    None => message.reactions.push((said, vec![(actor, seq)])),
                }
            }
            Event::ReactionRemoved(_) => {
                if let Some((_, people)) = message.reactions.iter_mut().find(|(emoji, _)| *emoji == said) {
                    people.retain(|(uid, _)| *uid != actor);
                }
                message.reactions.retain(|(_, people)| !people.is_empty());
            }
            _ => {}
        }
    }

    fn open(&self, record: &Record, field: Field, sealed: &Sealed) -> String {
        let author = record.envelope.actor;
        self.keys[&author].open_text(author, field, sealed).expect("it opens")
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
    let keys = people.iter().map(|person| (person.uid, person.key.clone())).collect();
    let mut expected = Expected { keys, ..Expected::default() };
    let mut tick = 0;
    while paper.events.len() < EVENTS as usize {
        let actor = &people[rng.random_range(0..people.len())];
        let others: Vec<Uid> = people.iter().map(|person| person.uid).filter(|_| rng.random_bool(0.4)).collect();
        tick += 1;
        let emoji = ["👍", "🎈"][rng.random_range(0..2)];
        let record = match rng.random_range(0..20) {
            // Much is done to few messages; some are not there, or elsewhere.
            action @ 0..10 => {
                let mut last: Vec<_> = expected.texts.keys().collect();
                last.sort_by_key(|(_, seq)| std::cmp::Reverse(*seq));
                let (actor, others, message) = match last.get(rng.random_range(0..5)) {
                    Some((conversation, message)) if rng.random_bool(0.9) => {
                        let members = expected.read.keys().filter(|(of, _)| of == conversation).map(|(_, uid)| *uid);
                        let members: Vec<Uid> = members.collect();
                        let actor = members[rng.random_range(0..members.len())];
                        let actor = people.iter().find(|person| person.uid == actor).expect("one of them");
                        (actor, members, *message)
                    }
                    _ => (actor, others, rng.random_range(0..EVENTS)),
                };
                match action {
                    0..3 => actor.edits(&others, message, &format!("edit {tick}")),
                    3 if rng.random_bool(0.3) => actor.deletes(&others, message),
                    3..7 => actor.reacts(&others, message, emoji),
                    _ => actor.unreacts(&others, message, emoji),
                }
            }
            10..16 => actor.says(&others, &format!("message {tick}")),
            // Anywhere: long before the conversation began, at a message, between two, in the future.
            16..19 => actor.reads(&others, rng.random_range(0..EVENTS + 20)),
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
async fn evt_edits_deletions_and_reactions_equal_what_is_folded_from_scratch() {
    type Row = (Uuid, i64, Option<String>, Option<i64>, bool);
    for seed in 0..HISTORIES {
        let mut rng = StdRng::seed_from_u64(seed);
        let (paper, expected) = history(&mut rng);
        let sizes: Vec<usize> = (0..20).map(|_| rng.random_range(1..40)).collect();
        let database = projected(&paper, &sizes).await;
        let mut found: Vec<Row> =
            rows(&database, "select conversation, seq, text, edited_seq, deleted_seq is not null from messages").await;
        found.sort_unstable();
        let messages = expected.texts.iter().map(|((conversation, seq), message)| {
            let edited = message.versions.last().map(|(version, _)| *version).filter(|version| version != seq);
            let text = message.versions.last().map(|(_, text)| text.clone());
            let deleted = message.versions.is_empty();
            (conversation.as_uuid(), seq.cast_signed(), text, edited.map(u64::cast_signed), deleted)
        });
        let mut messages: Vec<Row> = messages.collect();
        messages.sort_unstable();
        assert_eq!(found, messages, "seed {seed}");

        let mut found: Vec<(Uuid, i64, i64, Option<String>)> =
            rows(&database, "select conversation, message, seq, text from versions").await;
        found.sort_unstable();
        let edited = expected.texts.iter().filter(|(_, message)| message.versions.len() > 1);
        let versions = edited.flat_map(|((conversation, seq), message)| {
            message.versions.iter().map(|(version, text)| {
                (conversation.as_uuid(), seq.cast_signed(), version.cast_signed(), Some(text.clone()))
            })
        });
        let mut versions: Vec<_> = versions.collect();
        versions.sort_unstable();
        assert_eq!(found, versions, "seed {seed}");

        let found: Vec<(Uuid, i64, String, Uuid, i64)> = rows(
            &database,
            "select conversation, message, emoji, uid, seq from reactions order by conversation, message, since, seq",
        )
        .await;
        let reactions = expected.texts.iter().flat_map(|((conversation, seq), message)| {
            message.reactions.iter().flat_map(|(emoji, people)| {
                people.iter().map(|(uid, added)| {
                    (conversation.as_uuid(), seq.cast_signed(), emoji.clone(), uid.as_uuid(), added.cast_signed())
                })
            })
        });
        let mut reactions: Vec<_> = reactions.collect();
        reactions.sort_by_key(|(conversation, message, ..)| (*conversation, *message));
        assert_eq!(found, reactions, "seed {seed}");
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
