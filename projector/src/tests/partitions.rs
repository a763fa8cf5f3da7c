//! Partitions of messages: cut where a month begins and by size, in order, whoever reads.

use natter_log::Stream;
use sqlx::Connection;

use super::paper::{DAY_MS, Paper, Person, database, project, projected, writer};
use super::tables::{connect, execute, number, rows};
use crate::config::Config;

const BOUNDS: &str = "select c.relname::text, pg_get_expr(c.relpartbound, c.oid), \
   (select count(*) from pg_constraint k where k.conrelid = c.oid and k.contype = 'c') \
   from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'messages'::regclass order by c.oid";

async fn bounds(database: &natter_testkit::Database) -> Vec<(String, String)> {
    let rows: Vec<(String, String, i64)> = rows(database, BOUNDS).await;
    assert!(rows.iter().all(|row| row.2 == 0), "no constraint is left behind: {rows:?}");
    rows.into_iter().map(|(name, bound, _)| (name, bound)).collect()
}

/// Twelve messages, ten days apart: 2026-01-15 to 2026-05-05.
fn paper() -> Paper {
    let ada = Person::new();
    let mut paper = Paper::new(&[&ada]);
    for n in 0..12 {
        paper.now_ms += 10 * DAY_MS;
        paper.append(&ada.says(&[], &n.to_string()));
    }
    paper
}

#[tokio::test]
async fn d12_a_partition_is_cut_where_a_month_begins() {
    let paper = paper();
    for sizes in [[1_000], [5], [1]] {
        let database = projected(&paper, &sizes).await;
        // 15, 25 January | 4, 14, 24 February | 6, 16, 26 March | 5, 15, 25 April | 5 May
        let expected = [
            ("messages_from_0", "FOR VALUES FROM (MINVALUE) TO ('3')"),
            ("messages_from_3", "FOR VALUES FROM ('3') TO ('6')"),
            ("messages_from_6", "FOR VALUES FROM ('6') TO ('9')"),
            ("messages_from_9", "FOR VALUES FROM ('9') TO ('12')"),
            ("messages_from_12", "FOR VALUES FROM ('12') TO (MAXVALUE)"),
        ];
        assert_eq!(bounds(&database).await, expected.map(|(name, bound)| (name.to_owned(), bound.to_owned())));
        let per_partition: Vec<(String, i64, i64)> =
            rows(&database, "select tableoid::regclass::text, min(seq), max(seq) from messages group by 1 order by 2")
                .await;
        let spans: Vec<(i64, i64)> = per_partition.iter().map(|row| (row.1, row.2)).collect();
        assert_eq!(spans, [(1, 2), (3, 5), (6, 8), (9, 11), (12, 12)]);
    }
}

#[tokio::test]
async fn d12_a_page_of_a_conversation_is_read_partition_after_partition() {
    let database = projected(&paper(), &[1_000]).await;
    let mut connection = connect(&database).await;
    sqlx::raw_sql("set enable_seqscan = off; set enable_bitmapscan = off").execute(&mut connection).await.expect("set");
    let plan: Vec<(String,)> = sqlx::query_as(
        "explain (costs off) select * from messages where conversation = (select id from conversations) \
         and seq < 10 order by seq desc limit 50",
    )
    .fetch_all(&mut connection)
    .await
    .expect("a plan");
    let plan = plan.into_iter().map(|line| line.0).collect::<Vec<_>>().join("\n");
    assert!(plan.contains("Append") && !plan.contains("Merge Append") && !plan.contains("Sort"), "{plan}");
    assert!(!plan.contains("messages_from_12"), "what is after the page is left out: {plan}");
}

#[tokio::test]
async fn a_partition_that_has_grown_is_cut_over_restarts_too() {
    let ada = Person::new();
    let mut paper = Paper::new(&[&ada]);
    let database = database().await;
    let config = Config { max_partition_seqs: 10, ..Config::new(database.url()) };
    for n in 0..45 {
        paper.append(&ada.says(&[], &n.to_string()));
        if n % 4 == 0 {
            // A projector that starts here.
            project(&paper, config.clone(), &[1_000]).await.expect("applied");
        }
    }
    let bounds = bounds(&database).await;
    assert!(bounds.len() >= 4, "{bounds:?}");
    assert_eq!(number(&database, "select count(*) from messages").await, 45);
    let dense = number(&database, "select count(*) from (select ordinal from messages order by seq) m").await;
    assert_eq!(dense, number(&database, "select last_ordinal from conversations").await);
}

#[tokio::test]
async fn a_long_reader_delays_a_cut_and_nothing_else() {
    let paper = paper();
    let database = database().await;
    let mut reader = connect(&database).await;
    let mut export = reader.begin().await.expect("a transaction");
    sqlx::query("select * from messages").fetch_all(&mut *export).await.expect("reading");

    project(&paper, Config::new(database.url()), &[1_000]).await.expect("applied, with an export under way");
    assert_eq!(number(&database, "select count(*) from messages").await, 12);
    assert_eq!(bounds_with_leftovers(&database).await, 1, "nothing was cut");

    export.rollback().await.expect("the export ends");
    let mut writer = writer(Config::new(database.url()), Stream::Chat).await;
    let mut later = paper.clone();
    later.now_ms += 40 * DAY_MS;
    later.append(&Person::new().reads(&[], 3));
    writer.apply(later.read(Stream::Chat, 12)).await.expect("applied");
    let names: Vec<String> = bounds(&database).await.into_iter().map(|bound| bound.0).collect();
    assert_eq!(names, ["messages_from_0", "messages_from_13"], "cut as soon as it could be");
}

#[tokio::test]
async fn a_cut_that_fails_half_way_refuses_no_message() {
    let paper = paper();
    let database = database().await;
    let mut reader = connect(&database).await;
    // Somebody who came when the constraint of the partition was there already, and reads on.
    let mut export = reader.begin().await.expect("a transaction");
    sqlx::query("lock table only messages in access share mode").execute(&mut *export).await.expect("locked");
    project(&paper, Config::new(database.url()), &[1_000]).await.expect("applied");
    assert_eq!(number(&database, "select count(*) from dead_letters").await, 0);
    assert_eq!(number(&database, "select count(*) from messages").await, 12);
    export.rollback().await.expect("the export ends");

    let mut later = paper.clone();
    let ada = Person::new();
    later.keys.insert((ada.uid, ada.key_id), ada.key.clone());
    later.append(&ada.says(&[], "in a partition of its own"));
    project(&later, Config::new(database.url()), &[1_000]).await.expect("applied");
    assert_eq!(bounds(&database).await.len(), 2);
    // One that was killed there.
    let left = "alter table messages_from_13 add constraint messages_from_13_ends check (seq < 14) not valid";
    execute(&database, left).await;
    later.append(&ada.says(&[], "after"));
    project(&later, Config::new(database.url()), &[1_000]).await.expect("applied");
    assert_eq!(number(&database, "select count(*) from dead_letters").await, 0);
    assert_eq!(bounds(&database).await.len(), 2);
}

async fn bounds_with_leftovers(database: &natter_testkit::Database) -> usize {
    rows::<(String, String, i64)>(database, BOUNDS).await.len()
}
