//! Rooms, threads, mentions and pins, as the rules of the protocol say.

use natter_events::{ConversationId, Event, MembershipChange, Record, Role, RoomChange, Uid, Visibility};
use natter_testkit::Database;
use uuid::Uuid;

use super::paper::{Draft, Paper, Person, projected};
use super::tables::{number, rows};

pub fn in_thread(mut record: Record, root: u64) -> Record {
    if let Event::MessageSent(sent) = &mut record.event {
        sent.thread = Some(root);
    }
    record
}

pub fn mentioning(mut record: Record, people: &[Uid]) -> Record {
    if let Event::MessageSent(sent) = &mut record.event {
        sent.mentions = people.to_vec();
    }
    record
}

async fn counters(database: &Database, place: ConversationId, person: &Person) -> (i64, i64) {
    let query =
        format!("select unread, mentions from counters where conversation = '{place}' and uid = '{}'", person.uid);
    rows(database, &query).await[0]
}

#[tokio::test]
async fn evt3_a_room_begins_with_its_members_and_is_what_its_last_event_says() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let room = paper.new_room();
    paper.member(&ada, &ben, room, MembershipChange::Joined, Some(Role::Member));
    paper.member(&ada, &ada, room, MembershipChange::Joined, Some(Role::Owner));
    let mut draft = Draft::new("Größe & Hafen", Visibility::Private, &ada);
    paper.room(&ada, room, RoomChange::Created, &draft);
    draft.topic = Some("boats");
    draft.archived = true;
    paper.room(&ada, room, RoomChange::Settings, &draft);
    for sizes in [[10], [1], [2]] {
        let database = projected(&paper, &sizes).await;
        type Row = (Uuid, Option<String>, Option<String>, String, bool, Vec<Uuid>, i64);
        let found: Vec<Row> =
            rows(&database, "select conversation, name, topic, visibility, archived, owners, changed_seq from rooms")
                .await;
        let (name, topic) = (Some("Größe & Hafen".to_owned()), Some("boats".to_owned()));
        assert_eq!(found, [(room.as_uuid(), name, topic, "private".to_owned(), true, vec![ada.uid.as_uuid()], 4)]);
        let conversation: Vec<(String, i64, i64, i64)> =
            rows(&database, "select kind, created_seq, members, last_change_seq from conversations").await;
        assert_eq!(conversation, [("room".to_owned(), 1, 2, 4)]);
        type Told = (i64, String, Option<String>, Option<String>, Option<String>, bool);
        let changes: Vec<Told> =
            rows(&database, "select seq, kind, change, role, name, archived is true from changes order by seq").await;
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            (1, "member".to_owned(), some("joined"), some("member"), None, false),
            (2, "member".to_owned(), some("joined"), some("owner"), None, false),
            (3, "room".to_owned(), None, None, some("Größe & Hafen"), false),
            (4, "room".to_owned(), None, None, some("Größe & Hafen"), true),
        ];
        assert_eq!(changes, expected);
        assert_eq!(number(&database, "select count(*) from dead_letters").await, 0);
    }
}

#[tokio::test]
async fn d13_a_room_whose_key_is_gone_has_no_name_and_stays_a_room() {
    let ada = Person::new();
    let mut paper = Paper::new(&[&ada]);
    let room = paper.create(&ada, &Draft::new("harbour", Visibility::Public, &ada));
    paper.keys.remove(&(room.as_owner(), room.key_id()));
    let database = projected(&paper, &[10]).await;
    let found: Vec<(Option<String>, String)> = rows(&database, "select name, visibility from rooms").await;
    assert_eq!(found, [(None, "public".to_owned())]);
}

#[tokio::test]
async fn evt_who_comes_has_read_what_was_said_before_and_who_comes_back_too() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let room = paper.create(&ada, &Draft::new("harbour", Visibility::Public, &ada));
    let first = paper.append(&mentioning(ada.says(room, "@ben"), &[ben.uid]));
    paper.joins(&ben, room);
    paper.append(&mentioning(ada.says(room, "@ben"), &[ben.uid]));
    paper.append(&mentioning(in_thread(ada.says(room, "@ben"), first), &[ben.uid]));
    for sizes in [[100], [1]] {
        assert_eq!(counters(&projected(&paper, &sizes).await, room, &ben).await, (1, 2));
    }
    paper.leaves(&ben, room);
    paper.append(&mentioning(ada.says(room, "@ben"), &[ben.uid]));
    paper.joins(&ben, room);
    for sizes in [[100], [1]] {
        let database = projected(&paper, &sizes).await;
        assert_eq!(counters(&database, room, &ben).await, (0, 0));
        assert_eq!(number(&database, "select unread from thread_counters").await, 0);
    }
}

#[tokio::test]
async fn evt_a_thread_is_read_by_itself() {
    let (ada, ben, eve) = (Person::new(), Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben, &eve]);
    let people = [ben.uid, eve.uid];
    let root = paper.append(&ada.says(&people, "root"));
    let rest = [ada.uid, eve.uid];
    let reply = paper.append(&in_thread(ben.says(&rest, "1"), root));
    paper.append(&mentioning(in_thread(ben.says(&rest, "2"), root), &[eve.uid]));
    let place = ConversationId::direct(&[ada.uid, ben.uid, eve.uid]);
    let threads = "select unread from thread_counters where uid = ";
    for sizes in [[100], [1]] {
        let database = projected(&paper, &sizes).await;
        let unread = async |person: &Person| number(&database, &format!("{threads} '{}'", person.uid)).await;
        assert_eq!([unread(&ada).await, unread(&ben).await, unread(&eve).await], [2, 0, 2]);
        assert_eq!(counters(&database, place, &ada).await, (0, 0), "her own");
        assert_eq!(counters(&database, place, &eve).await, (1, 1), "the root, and the mention in the thread");
    }
    paper.append(&ada.reads_in(&people, Some(root), reply));
    paper.append(&eve.reads_in(&[ada.uid, ben.uid], Some(root), 100));
    for sizes in [[100], [1]] {
        let database = projected(&paper, &sizes).await;
        let unread = async |person: &Person| number(&database, &format!("{threads} '{}'", person.uid)).await;
        assert_eq!([unread(&ada).await, unread(&eve).await], [1, 0]);
        assert_eq!(counters(&database, place, &eve).await, (1, 0), "the conversation is not read by that");
        let markers: Vec<(i64, Option<i64>, Option<Uuid>)> =
            rows(&database, "select read, thread, only_for from changes order by seq").await;
        assert_eq!(markers, [(2, Some(1), None), (5, Some(1), None)]);
    }
}

#[tokio::test]
async fn evt_a_marker_in_a_room_is_told_to_its_reader_alone() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let room = paper.create(&ada, &Draft::new("harbour", Visibility::Public, &ada));
    paper.joins(&ben, room);
    let said = paper.append(&ada.says(room, "hi"));
    let marked = paper.append(&ben.reads(room, said));
    let database = projected(&paper, &[10]).await;
    let markers: Vec<(i64, Uuid, Option<Uuid>)> =
        rows(&database, "select seq, conversation, only_for from changes where kind = 'marker'").await;
    assert_eq!(markers, [(marked.cast_signed(), room.as_uuid(), Some(ben.uid.as_uuid()))]);
    assert_eq!(counters(&database, room, &ben).await, (0, 0));
}

#[tokio::test]
async fn evt_mentioning_the_room_is_one_row_however_many_are_there() {
    let ada = Person::new();
    let others: Vec<Person> = (0..50).map(|_| Person::new()).collect();
    let mut paper = Paper::new(&others.iter().chain([&ada]).collect::<Vec<_>>());
    let room = paper.create(&ada, &Draft::new("harbour", Visibility::Public, &ada));
    for other in &others {
        paper.joins(other, room);
    }
    let mut all = mentioning(ada.says(room, "@room @one"), &[others[0].uid]);
    if let Event::MessageSent(sent) = &mut all.event {
        sent.mentions_room = true;
    }
    paper.append(&all);
    let database = projected(&paper, &[1_000]).await;
    assert_eq!(number(&database, "select count(*) from room_mentions").await, 1);
    assert_eq!(number(&database, "select count(*) from mentions").await, 1);
    assert_eq!(number(&database, "select count(*) from counters where mentions = 1").await, 50, "once each");
    assert_eq!(counters(&database, room, &ada).await, (0, 0), "nobody mentions themselves");
    let mut later = paper.clone();
    later.append(&ada.deletes(room, paper.events.len() as u64));
    let database = projected(&later, &[1_000]).await;
    assert_eq!(number(&database, "select count(*) from counters where mentions > 0").await, 0);
    assert_eq!(number(&database, "select count(*) from counters where unread = 1").await, 50, "it is still there");
}

#[tokio::test]
async fn evt_pinning_twice_is_once_and_a_deleted_message_is_pinned_no_more() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let one = paper.append(&ada.says(&[ben.uid], "1"));
    let two = paper.append(&ada.says(&[ben.uid], "2"));
    let elsewhere = paper.append(&ada.says(&[], "3"));
    let first = paper.append(&ben.pins(&[ada.uid], one));
    paper.append(&ada.pins(&[ben.uid], one));
    let second = paper.append(&ada.pins(&[ben.uid], two));
    paper.append(&ada.pins(&[ben.uid], elsewhere));
    paper.append(&ada.pins(&[ben.uid], 100));
    let pins = async |paper: &Paper, sizes: &[usize]| {
        let found: Vec<(i64, i64, Uuid)> =
            rows(&projected(paper, sizes).await, "select message, seq, uid from pins order by seq").await;
        found
            .into_iter()
            .map(|(message, seq, uid)| (message.cast_unsigned(), seq.cast_unsigned(), uid))
            .collect::<Vec<_>>()
    };
    for sizes in [[100], [1], [5]] {
        let (ada_id, ben_id) = (ada.uid.as_uuid(), ben.uid.as_uuid());
        assert_eq!(pins(&paper, &sizes).await, [(one, first, ben_id), (two, second, ada_id)]);
        let mut later = paper.clone();
        later.append(&ada.unpins(&[ben.uid], one));
        let again = later.append(&ada.pins(&[ben.uid], one));
        later.append(&ada.deletes(&[ben.uid], two));
        later.append(&ada.pins(&[ben.uid], two));
        assert_eq!(pins(&later, &sizes).await, [(one, again, ada_id)]);
    }
}

#[tokio::test]
async fn cmd2_of_a_batch_the_event_with_the_command_answers_it() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let room = paper.create(&ada, &Draft::new("harbour", Visibility::Public, &ada));
    let mut draft = Draft::new("harbour", Visibility::Public, &ada);
    draft.bans = vec![ben.uid];
    let mut silent = paper.room_changed(&ada, room, RoomChange::Banned(ben.uid), &draft);
    if let Event::RoomChanged(changed) = &mut silent.event {
        changed.fingerprint = None;
    }
    silent.envelope.id = None;
    paper.append(&silent);
    let banned = paper.member(&ada, &ben, room, MembershipChange::Banned, None);
    draft.bans = vec![];
    let unbanned = paper.room(&ada, room, RoomChange::Unbanned(ben.uid), &draft);
    let database = projected(&paper, &[10]).await;
    let commands: Vec<(i64,)> =
        rows(&database, "select seq from commands where fingerprint is not null order by seq").await;
    assert_eq!(commands, [(1,), (2,), (banned.cast_signed(),), (unbanned.cast_signed(),)]);
    let told: Vec<(i64, String, Uuid, Option<String>, bool)> =
        rows(&database, "select seq, change, target, role, id is not null from changes where seq > 2 order by seq")
            .await;
    let user = ben.uid.as_uuid();
    let expected = [(banned, "banned"), (unbanned, "unbanned")]
        .map(|(seq, change)| (seq.cast_signed(), change.to_owned(), user, None, true));
    assert_eq!(told, expected, "a ban is told once, as a change of the member");
    assert_eq!(number(&database, "select count(*) from stays").await, 0);
}
