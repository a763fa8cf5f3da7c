//! Conversations, messages, markers and commands, as the rules of the protocol say.

use natter_events::{ClientId, ConversationId, Field};
use natter_log::Stream;

use super::paper::{JANUARY_MS, Paper, Person, projected};
use super::tables::{connect, number, rows};

#[tokio::test]
async fn d8_a_conversation_its_messages_and_its_people_are_projected() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let mut record = ada.says(&[ben.uid], "hallo, größe 🎈");
    if let natter_events::Event::MessageSent(sent) = &mut record.event {
        sent.metadata = Some(ada.key.seal(ada.uid, Field::Metadata, br#"{"a": [1, 1.0]}"#));
    }
    paper.append(&record);
    let mut answer = ben.says(&[ada.uid], "ja");
    if let natter_events::Event::MessageSent(sent) = &mut answer.event {
        sent.reply_to = Some(1);
    }
    paper.append(&answer);
    let database = projected(&paper, &[10]).await;

    type Row = (i64, i64, Option<String>, Option<String>, Option<i64>, uuid::Uuid);
    let messages: Vec<Row> =
        rows(&database, "select seq, ordinal, text, metadata, reply_to, sender from messages order by seq").await;
    let first = Some("hallo, größe 🎈".to_owned());
    assert_eq!(messages[0], (1, 1, first, Some(r#"{"a": [1, 1.0]}"#.to_owned()), None, ada.uid.as_uuid()));
    assert_eq!(messages[1], (2, 2, Some("ja".to_owned()), None, Some(1), ben.uid.as_uuid()));

    let conversation = ConversationId::direct(&[ada.uid, ben.uid]).as_uuid();
    let conversations: Vec<(uuid::Uuid, String, i64, i64, i64)> =
        rows(&database, "select id, kind, last_seq, last_ordinal, last_change_seq from conversations").await;
    assert_eq!(conversations, [(conversation, "direct".to_owned(), 2, 2, 2)]);
    let ms = number(&database, "select (extract(epoch from last_at) * 1000)::int8 from conversations").await;
    assert_eq!(ms, JANUARY_MS + 2_000, "the broker's time, to the millisecond");
    assert_eq!(number(&database, "select count(*) from participants").await, 2);
    assert_eq!(number(&database, "select seq from projector where name = 'chat'").await, 2);
}

#[tokio::test]
async fn evt_sending_reads_up_to_itself_and_a_marker_never_goes_back() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    for text in ["1", "2", "3", "4"] {
        paper.append(&ada.says(&[ben.uid], text));
    }
    let of_ben = "select read_seq, read_ordinal from participants where uid = ";
    let ben_has_read = async |paper: &Paper| {
        let database = projected(paper, &[3, 1, 2]).await;
        let read: Vec<(i64, i64)> = rows(&database, &format!("{of_ben} '{}'", ben.uid.as_uuid())).await;
        read[0]
    };
    assert_eq!(ben_has_read(&paper).await, (0, 0));
    paper.append(&ben.reads(&[ada.uid], 3));
    assert_eq!(ben_has_read(&paper).await, (3, 3));
    paper.append(&ben.reads(&[ada.uid], 2));
    assert_eq!(ben_has_read(&paper).await, (3, 3), "back");
    paper.append(&ben.says(&[ada.uid], "5"));
    assert_eq!(ben_has_read(&paper).await, (7, 5), "by sending");
    paper.append(&ben.reads(&[ada.uid], 1 << 50));
    paper.append(&ada.says(&[ben.uid], "6"));
    assert_eq!(ben_has_read(&paper).await, (8, 5), "nobody has read what is not there yet");
}

#[tokio::test]
async fn cmd2_every_command_is_kept_with_its_first_event() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let id = ClientId::at(1_000);
    let record = ada.says_as(id, &[ben.uid], "once");
    for record in [&record, &ben.says_as(id, &[ada.uid], "another's"), &record] {
        paper.append(record);
    }
    paper.append(&ben.reads(&[ada.uid], 1));
    for sizes in [[10], [1]] {
        let database = projected(&paper, &sizes).await;
        let commands: Vec<(uuid::Uuid, i64, Option<Vec<u8>>)> =
            rows(&database, "select sender, seq, fingerprint from commands order by seq").await;
        let natter_events::Event::MessageSent(sent) = &record.event else { panic!("a message") };
        assert_eq!(commands[0], (ada.uid.as_uuid(), 1, Some(sent.fingerprint.as_bytes().to_vec())));
        assert_eq!((commands[1].0, commands[1].1), (ben.uid.as_uuid(), 2));
        assert_eq!(commands[2], (ben.uid.as_uuid(), 4, None), "a marker's command has no fingerprint");
        assert_eq!(commands.len(), 3);
    }
}

#[tokio::test]
async fn d13_what_an_erased_person_said_is_known_to_be_said_and_nothing_else() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    paper.append(&ada.registered("ada", JANUARY_MS));
    paper.append(&ada.says(&[ben.uid], "forget me"));
    paper.append(&ben.says(&[ada.uid], "not me"));
    paper.erase(&ada);
    let database = projected(&paper, &[10]).await;
    let texts: Vec<(Option<String>,)> = rows(&database, "select text from messages order by seq").await;
    assert_eq!(texts, [(None,), (Some("not me".to_owned()),)]);
    let users: Vec<(Option<String>, Option<String>, bool)> =
        rows(&database, "select handle, display_name, erased from users").await;
    assert_eq!(users, [(None, None, true)]);
    assert_eq!(number(&database, "select count(*) from dead_letters").await, 0);
}

#[tokio::test]
async fn the_feed_of_a_conversation_is_in_order_and_read_by_index() {
    let (ada, ben, eve) = (Person::new(), Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben, &eve]);
    for n in 0..40 {
        paper.append(&ada.says(&[ben.uid], "to ben"));
        paper.append(&ada.says(&[eve.uid], "to eve"));
        paper.append(&ben.reads(&[ada.uid], n));
    }
    let database = projected(&paper, &[7]).await;
    let conversation = ConversationId::direct(&[ada.uid, ben.uid]).as_uuid();
    let feed = format!(
        "from feed where conversation = '{conversation}' and seq > 3 and only_for is null order by seq limit 50"
    );
    let kinds: Vec<(i64, String, Option<i64>, Option<String>)> =
        rows(&database, &format!("select seq, kind, read, text {feed}")).await;
    let expected: Vec<u64> = (4..=120).filter(|seq| seq % 3 != 2).take(50).collect();
    assert_eq!(kinds.iter().map(|row| row.0.cast_unsigned()).collect::<Vec<_>>(), expected);
    assert_eq!((kinds[0].1.as_str(), kinds[0].3.as_deref()), ("message", Some("to ben")));
    assert_eq!((kinds[1].1.as_str(), kinds[1].2, kinds[1].3.as_deref()), ("marker", Some(1), None));

    // Tables this small are rightly read whole; what matters is whether they could be read in order at all.
    let mut connection = connect(&database).await;
    sqlx::raw_sql("set enable_seqscan = off; set enable_bitmapscan = off").execute(&mut connection).await.expect("set");
    let plan: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(format!("explain (costs off) select * {feed}")))
        .fetch_all(&mut connection)
        .await
        .expect("a plan");
    let plan = plan.into_iter().map(|line| line.0).collect::<Vec<_>>().join("\n");
    assert!(plan.contains("Merge Append") && plan.contains("changes_of_conversation"), "{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("Sort  ") && !plan.contains("->  Sort"), "{plan}");
}

#[tokio::test]
async fn d8_events_that_are_applied_already_are_passed_over() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    for n in 0..6 {
        paper.append(&ada.says(&[ben.uid], &n.to_string()));
    }
    let once = projected(&paper, &[6]).await;
    let again = super::paper::database().await;
    let mut writer = super::paper::writer(crate::Config::new(again.url()), Stream::Chat).await;
    for upto in [2, 4, 3, 6, 6] {
        let mut events = paper.read(Stream::Chat, 0);
        events.truncate(upto);
        writer.apply(events).await.expect("applied");
    }
    assert_eq!(super::tables::everything(&again).await, super::tables::everything(&once).await);
}
