//! What is in a database.

use std::collections::BTreeMap;

use natter_testkit::Database;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection};

/// Everything that a projector writes.
const TABLES: [&str; 26] = [
    "bans",
    "blocks",
    "changes",
    "changes_kept",
    "commands",
    "conversations",
    "days",
    "dead_letters",
    "held_conversations",
    "mentions",
    "messages",
    "participants",
    "pins",
    "preferences",
    "presence",
    "projector",
    "public_spans",
    "reactions",
    "revocations",
    "room_mentions",
    "rooms",
    "stays",
    "thread_readers",
    "threads",
    "users",
    "versions",
];

pub async fn connect(database: &Database) -> PgConnection {
    PgConnection::connect(&database.url()).await.expect("a connection")
}

/// Every row of every table, but for when the position was written, and for a position at the beginning: whether one that has
/// nothing to apply has said so yet is a question of time.
pub async fn everything(database: &Database) -> BTreeMap<&'static str, Vec<String>> {
    let mut connection = connect(database).await;
    let mut tables = BTreeMap::new();
    for table in TABLES {
        let only = if table == "projector" { "where seq > 0" } else { "" };
        let query = format!("select (to_jsonb(t) - 'updated_at')::text from {table} t {only} order by 1");
        let rows = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut connection).await.expect(table);
        tables.insert(table, rows);
    }
    tables
}

#[tokio::test]
async fn every_table_is_compared() {
    let database = super::paper::database().await;
    let found: Vec<(String,)> = rows(
        &database,
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') \
         and not relispartition and relname not in ('_sqlx_migrations', 'skipped_events') order by 1",
    )
    .await;
    assert_eq!(found.into_iter().map(|(name,)| name).collect::<Vec<_>>(), TABLES);
}

/// The rows of a query.
pub async fn rows<T>(database: &Database, query: &str) -> Vec<T>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let query = AssertSqlSafe(query.to_owned());
    sqlx::query_as(query).fetch_all(&mut connect(database).await).await.expect("the query")
}

/// The one number that a query gives.
pub async fn number(database: &Database, query: &str) -> i64 {
    let query = AssertSqlSafe(query.to_owned());
    sqlx::query_scalar(query).fetch_one(&mut connect(database).await).await.expect("the query")
}

/// Runs statements.
pub async fn execute(database: &Database, statements: &str) {
    let statements = AssertSqlSafe(statements.to_owned());
    sqlx::raw_sql(statements).execute(&mut connect(database).await).await.expect("the statements");
}
