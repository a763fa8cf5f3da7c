//! Events that can't be applied: each class of them goes to the dead letters with its reason, what follows in its
//! conversation waits there, and nothing else does.

use bytes::Bytes;
use natter_events::{
    ClientId, ContentKey, ConversationId, Event, Field, Fingerprint, Membership, MembershipChange, MembershipChanged,
    PresenceChanged, PresenceStatus, ReadMarkerMoved, Record, Role, RoomChange, Sealed, Subject, Uid, Visibility,
};
use natter_log::Stream;
use uuid::Uuid;

use super::paper::{Draft, JANUARY_MS, Paper, Person, database, project, projected, subject, writer};
use super::tables::{execute, number, rows};
use crate::config::Config;

fn message(record: &mut Record) -> &mut natter_events::MessageSent {
    match &mut record.event {
        Event::MessageSent(sent) => sent,
        other => panic!("{other:?}"),
    }
}

/// Everything that can be wrong with an event: its bytes on its subject, and the reason that is given.
fn malformed(ada: &Person, ben: &Person) -> Vec<(&'static str, String, Bytes, &'static str)> {
    let people = [ben.uid];
    let good = || ada.says(&people, "good");
    let account = |change: &dyn Fn(&mut natter_events::Account)| {
        let mut account = ada.account("ada", JANUARY_MS, vec![]);
        change(&mut account);
        Record::new(ada.uid, natter_events::UserRegistered { account }).sealed_with(ada.key_id)
    };
    let with = |change: &dyn Fn(&mut Record)| {
        let mut record = good();
        change(&mut record);
        record
    };
    let sealed = |field, text: &[u8]| ada.key.seal(ada.uid, field, text);
    let mine = subject(&good()).to_string();
    let on = |record: Record| (subject(&record).to_string(), record.encode());
    let room = ConversationId::from(Uuid::now_v7());
    let other = ConversationId::from(Uuid::now_v7());
    let mut paper = Paper::new(&[]);
    for id in [room, other] {
        paper.keys.insert((id.as_owner(), id.key_id()), ContentKey::random());
    }
    let changed = paper.room_changed(ada, room, RoomChange::Created, &Draft::new("harbour", Visibility::Public, ada));
    let rooms = Subject::Rooms(ada.uid).to_string();
    let other_room = Subject::Room(other).to_string();
    let ada_is = |conversation: Option<ConversationId>, encode: fn(Record) -> Bytes| {
        let rooms = vec![Membership { room, role: Role::Owner, since: None }];
        let mut record =
            Record::new(ada.uid, MembershipChanged { change: MembershipChange::Joined, rooms, fingerprint: None });
        record.envelope.conversation = conversation;
        encode(record)
    };
    let flipped = {
        let mut bytes = good().encode().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        Bytes::from(bytes)
    };
    let cases: Vec<(&'static str, (String, Bytes), &'static str)> = vec![
        ("no bytes", (mine.clone(), Bytes::new()), "malformed record"),
        ("other bytes", (mine.clone(), Bytes::from_static(b"\x00hello")), "not an array of three"),
        ("a flipped bit", (mine.clone(), flipped), "checksum"),
        ("cut short", (mine.clone(), good().encode().slice(..40)), "cut short"),
        ("too long", (mine.clone(), Bytes::from(vec![0x93; 300 * 1024])), "longer than a record can be"),
        ("no version 0", on(with(&|r| r.envelope.version = 0)), "versions begin at 1"),
        ("a foreign subject", ("chat.user.x.message".into(), good().encode()), "the subject is none of Natter's"),
        ("another's subject", (subject(&ben.says(&[], "")).to_string(), good().encode()), "whose subject it is"),
        (
            "on an account's subject",
            (subject(&ada.registered("ada", 1)).to_string(), good().encode()),
            "does not belong on this subject",
        ),
        (
            "presence in CHAT",
            {
                let status = PresenceStatus::Away;
                let gateway = "g".into();
                (mine, Record::new(ada.uid, PresenceChanged { status, text: None, gateway }).encode())
            },
            "does not belong on this subject",
        ),
        ("no conversation", on(with(&|r| r.envelope.conversation = None)), "names no conversation"),
        ("not among its people", on(good().to(&[ben.uid])), "not one of the addressees"),
        (
            "another conversation",
            on(good().in_conversation(ConversationId::direct(&[ben.uid]))),
            "not the one of the addressees",
        ),
        ("no command", on(with(&|r| r.envelope.id = None)), "names no command"),
        ("no key", on(with(&|r| r.envelope.key = None)), "names no key"),
        (
            "sealed with another key",
            on(with(&|r| message(r).text = ContentKey::random().seal(ada.uid, Field::Text, b"x"))),
            "does not open",
        ),
        (
            "sealed by another",
            on(with(&|r| message(r).text = ada.key.seal(ben.uid, Field::Text, b"x"))),
            "does not open",
        ),
        ("sealed for another field", on(with(&|r| message(r).text = sealed(Field::Metadata, b"x"))), "does not open"),
        ("not sealed", on(with(&|r| message(r).text = Sealed::from_bytes(b"open".to_vec()))), "does not open"),
        ("not UTF-8", on(with(&|r| message(r).text = sealed(Field::Text, b"\xff"))), "does not open"),
        ("a zero", on(with(&|r| message(r).text = sealed(Field::Text, b"a\0b"))), "zero character"),
        (
            "metadata that is not JSON",
            on(with(&|r| message(r).metadata = Some(sealed(Field::Metadata, b"{")))),
            "not JSON",
        ),
        ("an answer to beyond", on(with(&|r| message(r).reply_to = Some(u64::MAX))), "beyond any log"),
        ("a marker beyond", on(ada.reads(&people, u64::MAX)), "beyond any log"),
        (
            "a marker in no conversation",
            on(Record::new(ada.uid, ReadMarkerMoved { read: 1, thread: None })),
            "names no conversation",
        ),
        ("a thread beyond", on(with(&|r| message(r).thread = Some(u64::MAX))), "beyond any log"),
        ("a thread of no message", on(with(&|r| message(r).thread = Some(0))), "a thread is of no message"),
        ("a message to some in a room", on(good().in_conversation(room)), "addressed to nobody"),
        ("a reaction to one in a room", on(ada.reacts(room, 1, "x").to(&[ada.uid])), "addressed to nobody"),
        (
            "preferences that others hear of",
            on(ada.prefers(room, "{}").to(&[ada.uid, ben.uid])),
            "addressed to whose they are",
        ),
        ("preferences that are not JSON", on(ada.prefers(room, "{")), "not JSON"),
        ("a marker in a room to nobody", on(ada.reads(room, 1).to(&[])), "addressed to its reader"),
        ("a marker in a room to others", on(ada.reads(room, 1).to(&[ada.uid, ben.uid])), "addressed to its reader"),
        ("a place in no room", (rooms.clone(), ada_is(None, |r| r.encode())), "names no conversation"),
        (
            "a place in a direct conversation",
            (rooms.clone(), ada_is(Some(ConversationId::direct(&[ada.uid, ben.uid])), |r| r.encode())),
            "not a room",
        ),
        (
            "a place, addressed to another",
            (rooms, ada_is(Some(room), |r| r.to(&[Uid::from_bytes([9; 16])]).encode())),
            "addressed to whose it is",
        ),
        (
            "a place on another's subject",
            (subject(&good()).to_string(), ada_is(Some(room), |r| r.encode())),
            "does not belong on this subject",
        ),
        ("a room on another's subject", (other_room.clone(), changed.encode()), "not the room whose subject it is"),
        (
            "a room on a conversation's subject",
            {
                let direct = ConversationId::direct(&[ada.uid]);
                (format!("chat.room.{direct}"), changed.clone().in_conversation(direct).encode())
            },
            "not the room whose subject it is",
        ),
        ("a room, addressed", on(changed.clone().to(&[ada.uid])), "addressed to nobody"),
        ("a room without a key", on(Record::new(ada.uid, changed.event.clone()).in_conversation(room)), "names no key"),
        (
            "a place that answers no command",
            (Subject::Rooms(ada.uid).to_string(), {
                let fingerprint = Some(Fingerprint::from_bytes([0; 16]));
                let left = MembershipChanged { change: MembershipChange::Left, rooms: vec![], fingerprint };
                Record::new(ada.uid, left).in_conversation(room).encode()
            }),
            "names no command",
        ),
        ("a handle that is none", on(account(&|a| a.handle = sealed(Field::Handle, b"Ada!"))), "the handle is none"),
        ("a calendar that is none", on(account(&|a| a.registered_at_ms = i64::MAX)), "beyond any calendar"),
    ];
    cases.into_iter().map(|(name, (subject, payload), reason)| (name, subject, payload, reason)).collect()
}

#[tokio::test]
async fn d8_each_class_of_malformed_events_is_a_dead_letter_with_its_bytes_and_reason() {
    let (ada, ben, eve) = (Person::new(), Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben, &eve]);
    let cases = malformed(&ada, &ben);
    for (_, subject, payload, _) in &cases {
        paper.append_bytes(subject, payload.clone());
    }
    let after = paper.append(&eve.says(&[], "alone and well"));
    for sizes in [[1_000], [1]] {
        let database = projected(&paper, &sizes).await;
        type Letter = (i64, String, String, Vec<u8>, Option<i64>);
        let letters: Vec<Letter> =
            rows(&database, "select seq, subject, reason, payload, waits_for from dead_letters order by seq").await;
        assert_eq!(letters.len(), cases.len());
        for ((seq, at, why, bytes, waits_for), (name, subject, payload, reason)) in letters.iter().zip(&cases) {
            assert!(why.contains(reason), "{name} ({seq}): {why}");
            assert_eq!((at, &bytes[..], waits_for), (subject, &payload[..], &None), "{name}");
        }
        assert_eq!(number(&database, "select seq from messages").await, after.cast_signed());
        assert_eq!(number(&database, "select count(*) from users").await, 0);
    }
}

#[tokio::test]
async fn d8_what_follows_in_the_conversation_waits_and_the_rest_goes_on() {
    let (ada, ben, eve) = (Person::new(), Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben, &eve]);
    paper.append(&ada.says(&[ben.uid], "before"));
    let mut broken = ada.says(&[ben.uid], "broken");
    message(&mut broken).text = Sealed::from_bytes(vec![]);
    let broken = paper.append(&broken);
    paper.append(&ada.says(&[eve.uid], "elsewhere"));
    let waiting = [paper.append(&ben.says(&[ada.uid], "after")), paper.append(&ada.reads(&[ben.uid], 4))];
    paper.append(&ada.registered("ada", JANUARY_MS));
    for sizes in [[1_000], [1]] {
        let database = projected(&paper, &sizes).await;
        let letters: Vec<(i64, Option<Uuid>, Option<i64>)> =
            rows(&database, "select seq, conversation, waits_for from dead_letters order by seq").await;
        let conversation = Some(ConversationId::direct(&[ada.uid, ben.uid]).as_uuid());
        let expected = [(broken, None), (waiting[0], Some(broken)), (waiting[1], Some(broken))]
            .map(|(seq, since)| (seq.cast_signed(), conversation, since.map(u64::cast_signed)));
        assert_eq!(letters, expected);
        let texts: Vec<(String,)> = rows(&database, "select text from messages order by seq").await;
        assert_eq!(texts, [("before".to_owned(),), ("elsewhere".to_owned(),)]);
        assert_eq!(number(&database, "select count(*) from users").await, 1);
        assert_eq!(number(&database, "select seq from projector where name = 'chat'").await, 6);
    }
}

#[tokio::test]
async fn d8_a_value_that_postgresql_refuses_is_found_and_only_it_is_a_dead_letter() {
    let people: Vec<Person> = (0..8).map(|_| Person::new()).collect();
    let mut paper = Paper::new(&people.iter().collect::<Vec<_>>());
    for n in 0..64 {
        let text = if n == 37 || n == 50 { "refused" } else { "fine" };
        paper.append(&people[n % 8].says(&[], text));
    }
    let database = database().await;
    execute(&database, "alter table messages add constraint whim check (text <> 'refused')").await;
    project(&paper, Config::new(database.url()), &[1_000]).await.expect("applied");
    let letters: Vec<(i64, String)> =
        rows(&database, "select seq, reason from dead_letters where waits_for is null order by seq").await;
    assert_eq!(letters.iter().map(|letter| letter.0).collect::<Vec<_>>(), [38, 51]);
    assert!(letters[0].1.contains("PostgreSQL refuses it") && letters[0].1.contains("whim"), "{}", letters[0].1);
    let waiting = number(&database, "select count(*) from dead_letters where waits_for is not null").await;
    // Each person writes to themselves: n = 45, 53, 61 and 58 follow one that was refused.
    assert_eq!(waiting, 4);
    assert_eq!(number(&database, "select count(*) from messages").await, 64 - 6);
}

#[tokio::test]
async fn d8_a_malformed_presence_event_is_a_dead_letter_of_its_own_stream() {
    let ada = Person::new();
    let mut paper = Paper::new(&[&ada]);
    let subject = natter_events::Subject::Presence(ada.uid).to_string();
    paper.append_bytes(&subject, Bytes::from_static(b"?"));
    let changed = PresenceChanged { status: PresenceStatus::Busy, text: None, gateway: "g".into() };
    paper.append(&Record::new(ada.uid, changed).answering(ClientId::at(1)));
    let database = database().await;
    let mut writer = writer(Config::new(database.url()), Stream::Presence).await;
    writer.apply(paper.read(Stream::Presence, 0)).await.expect("applied");
    let letters: Vec<(String, i64)> = rows(&database, "select stream, seq from dead_letters").await;
    assert_eq!(letters, [("presence".to_owned(), 1)]);
    let statuses: Vec<(String,)> = rows(&database, "select status from presence").await;
    assert_eq!(statuses, [("busy".to_owned(),)]);
}

#[tokio::test]
async fn d8_a_malformed_event_of_a_room_holds_that_room_and_no_other() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let harbour = Draft::new("harbour", Visibility::Public, &ada);
    let (room, other) = (paper.create(&ada, &harbour), paper.create(&ada, &harbour));
    // Damaged beyond reading, on the room's own subject.
    let damaged = paper.append_bytes(&Subject::Room(room).to_string(), Bytes::from_static(b"damaged"));
    let waiting = [paper.joins(&ben, room), paper.append(&ada.says(room, "to nobody"))];
    paper.joins(&ben, other);
    paper.append(&ben.says(other, "well"));
    for sizes in [[1_000], [1]] {
        let database = projected(&paper, &sizes).await;
        let letters: Vec<(i64, Option<Uuid>, Option<i64>)> =
            rows(&database, "select seq, conversation, waits_for from dead_letters order by seq").await;
        let since = Some(damaged.cast_signed());
        let expected = [(damaged, None), (waiting[0], since), (waiting[1], since)];
        assert_eq!(letters, expected.map(|(seq, since)| (seq.cast_signed(), Some(room.as_uuid()), since)));
        let members: Vec<(Uuid, i64)> = rows(&database, "select id, members from conversations order by members").await;
        assert_eq!(members, [(room.as_uuid(), 1), (other.as_uuid(), 2)]);
    }
}
