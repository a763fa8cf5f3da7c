//! Brings a database to this program's schema.

use std::time::Duration;

use sqlx::migrate::MigrateError as ChangeError;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use crate::standing::{Standing, check};
use crate::{MIGRATOR, newest_version};

/// Longest that another program's migration is waited for.
const LOCK_LIMIT: Duration = Duration::from_secs(120);
const LOCK_RETRY: Duration = Duration::from_millis(50);
/// How often a change is tried that readers and it keep from going on: PostgreSQL notices such a deadlock after a second, and
/// turns away one of them.
const DEADLOCKED_TRIES: u32 = 10;
/// SQLSTATE deadlock_detected.
const DEADLOCK: &str = "40P01";
/// "natt" and "migr": whoever holds this advisory lock migrates.
const LOCK: i64 = 0x6e61_7474_6d69_6772;

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version before; 0 for a new database.
    pub from: i64,
    /// The version now.
    pub to: i64,
}

/// Why a database could not be migrated or checked.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// PostgreSQL could not be asked.
    #[error("PostgreSQL could not be asked")]
    Database(#[from] sqlx::Error),
    /// A change did not go through; the database is as it was before that change.
    #[error("a change of the schema did not go through")]
    Change(#[source] ChangeError),
    /// The database has changes that this program's contradict.
    #[error("{0}")]
    Different(Standing),
    /// Someone else migrates and does not come to an end.
    #[error("another program has been migrating this database for over {} s; end it, then try again", LOCK_LIMIT.as_secs())]
    Locked,
}

/// Brings the database at `url` to this program's schema, or finds it there already. Any number of programs may do this at
/// once: one does the work, the others wait for it. A database of a later program is left as it is.
pub async fn migrate(url: &str) -> Result<Migrated, MigrateError> {
    let mut connection = PgConnection::connect(url).await?;
    // Most starts find nothing to do, and need no lock to see it.
    let mut standing = check(&mut connection).await?;
    if let Standing::Behind { .. } = standing {
        lock(&mut connection).await?;
        standing = check(&mut connection).await?;
    }
    let migrated = match standing {
        Standing::Behind { version, .. } => {
            run(&mut connection).await?;
            tracing::info!(from = version, to = newest_version(), "the schema was migrated");
            Migrated { from: version, to: newest_version() }
        }
        Standing::Current { version } | Standing::Ahead { version, .. } => Migrated { from: version, to: version },
        Standing::Different { .. } => return Err(MigrateError::Different(standing)),
    };
    // The lock ends with its connection.
    connection.close().await?;
    Ok(migrated)
}

/// Makes this program's schema where this connection makes things, which has to be empty, and whose use is the caller's
/// alone.
pub async fn make(connection: &mut PgConnection) -> Result<(), MigrateError> {
    run(connection).await
}

async fn run(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut migrator =
        sqlx::migrate::Migrator { migrations: MIGRATOR.migrations.clone(), ..sqlx::migrate::Migrator::DEFAULT };
    // Its own lock waits inside PostgreSQL, where waiting holds a snapshot that concurrent index builds wait for in turn.
    migrator.set_locking(false);
    let mut tries = 1;
    loop {
        match migrator.run_direct(None, connection, false).await {
            // Each change is one transaction, so that nothing of it is left.
            Err(error) if is_deadlock(&error) && tries < DEADLOCKED_TRIES => {
                tries += 1;
                tracing::info!(error = %error, "the schema is read meanwhile; the change is tried again");
            }
            done => return done.map_err(MigrateError::Change),
        }
    }
}

fn is_deadlock(error: &ChangeError) -> bool {
    let (ChangeError::Execute(error) | ChangeError::ExecuteMigration(error, _)) = error else { return false };
    error.as_database_error().and_then(|refusal| refusal.code()).as_deref() == Some(DEADLOCK)
}

async fn lock(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let deadline = Instant::now() + LOCK_LIMIT;
    loop {
        let locked: bool =
            sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut *connection).await?;
        if locked {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(MigrateError::Locked);
        }
        tokio::time::sleep(LOCK_RETRY).await;
    }
}

#[cfg(test)]
mod tests {
    use natter_testkit::{Database, eventually};

    use super::*;
    use crate::check_url;

    async fn connect(database: &Database) -> PgConnection {
        PgConnection::connect(&database.url()).await.expect("a connection")
    }

    #[tokio::test]
    async fn a_database_is_migrated_once_and_found_so_afterwards() {
        let database = Database::empty().await;
        let newest = newest_version();
        assert_eq!(check_url(&database.url()).await.expect("checked"), Standing::Behind { version: 0, needed: newest });
        assert_eq!(migrate(&database.url()).await.expect("migrated"), Migrated { from: 0, to: newest });
        assert_eq!(migrate(&database.url()).await.expect("again"), Migrated { from: newest, to: newest });
        assert_eq!(check_url(&database.url()).await.expect("checked"), Standing::Current { version: newest });
    }

    #[tokio::test]
    async fn programs_that_migrate_at_the_same_time_all_succeed() {
        let database = Database::empty().await;
        let url = database.url();
        let results = futures::future::join_all((0..8).map(|_| migrate(&url))).await;
        let did_it = results.into_iter().map(|result| result.expect("migrated")).filter(|done| done.from == 0).count();
        assert_eq!(did_it, 1);
        let mut connection = connect(&database).await;
        let locks: i64 = sqlx::query_scalar("select count(*) from pg_locks where locktype = 'advisory'")
            .fetch_one(&mut connection)
            .await
            .expect("locks");
        assert_eq!(locks, 0, "nobody holds the lock any more");
    }

    #[tokio::test]
    async fn a_change_that_a_reader_is_in_the_way_of_is_tried_again() {
        let database = Database::empty().await;
        let mut connection = connect(&database).await;
        let migrations = MIGRATOR.iter().filter(|change| change.version < 4).cloned().collect::<Vec<_>>().into();
        let before = sqlx::migrate::Migrator { migrations, ..sqlx::migrate::Migrator::DEFAULT };
        before.run_direct(None, &mut connection, false).await.expect("the changes before");
        // The fourth change wants conversations and then participants, the reader participants and then conversations.
        let mut reader = connect(&database).await;
        let mut reader = reader.begin().await.expect("a transaction");
        sqlx::raw_sql("select from participants").execute(&mut *reader).await.expect("read");
        let url = database.url();
        let reads = async {
            let waiting = "select count(*) from pg_locks where not granted and relation = 'participants'::regclass";
            eventually("the change waits", Duration::from_secs(20), async || {
                let count: i64 = sqlx::query_scalar(waiting).fetch_one(&mut connection).await.expect("the locks");
                if count == 1 { Ok(()) } else { Err(count) }
            })
            .await;
            sqlx::raw_sql("select from conversations").execute(&mut *reader).await.expect("the reader goes on");
            reader.commit().await.expect("committed");
        };
        let (migrated, ()) = tokio::join!(migrate(&url), reads);
        assert_eq!(migrated.expect("migrated").to, newest_version());
    }

    #[tokio::test]
    async fn a_database_of_a_later_or_another_program_is_left_as_it_is() {
        let database = Database::empty().await;
        migrate(&database.url()).await.expect("migrated");
        let mut connection = connect(&database).await;
        let later = newest_version() + 1;
        sqlx::query("insert into _sqlx_migrations values ($1, 'later', now(), true, '\\x00', 0)")
            .bind(later)
            .execute(&mut connection)
            .await
            .expect("inserted");
        assert_eq!(migrate(&database.url()).await.expect("left alone"), Migrated { from: later, to: later });
        assert!(check(&mut connection).await.expect("checked").is_usable());

        sqlx::query("update _sqlx_migrations set checksum = '\\x00' where version = 1")
            .execute(&mut connection)
            .await
            .expect("updated");
        let error = migrate(&database.url()).await.expect_err("another program's");
        assert!(error.to_string().contains("another build"), "{error}");
    }

    #[tokio::test]
    async fn every_table_and_column_says_what_it_is() {
        let database = Database::empty().await;
        migrate(&database.url()).await.expect("migrated");
        let silent: Vec<String> = sqlx::query_scalar(
            "select c.relname || coalesce('.' || a.attname, '') from pg_class c \
             left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition \
               and c.relname <> '_sqlx_migrations' \
               and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)",
        )
        .fetch_all(&mut connect(&database).await)
        .await
        .expect("the catalogue");
        assert_eq!(silent, Vec::<String>::new());
    }

    #[tokio::test]
    async fn conversations_of_an_earlier_program_know_their_first_event_as_if_made_anew() {
        let database = Database::empty().await;
        let mut connection = connect(&database).await;
        let mut run = async |statements: &str| {
            let statements = sqlx::AssertSqlSafe(statements.to_owned());
            sqlx::raw_sql(statements).execute(&mut connection).await.expect("the statements");
        };
        let (before, rooms): (Vec<_>, Vec<_>) =
            MIGRATOR.iter().filter(|change| change.version <= 4).partition(|change| change.version < 4);
        for change in before {
            run(change.sql.as_str()).await;
        }
        // One in which two messages were said, and one in which somebody read and nothing was said.
        run("insert into conversations select id, 'direct', now(), last_seq, 2, now(), last_change_seq \
             from (values ('00000000-0000-5000-8000-000000000001'::uuid, 9, 12), \
                          ('00000000-0000-5000-8000-000000000002'::uuid, 0, 7)) v(id, last_seq, last_change_seq); \
             insert into messages (seq, at, ordinal, conversation, sender, id) \
             select seq, now(), seq, '00000000-0000-5000-8000-000000000001', gen_random_uuid(), gen_random_uuid() \
             from unnest(array[5, 9]) seq")
        .await;
        run(rooms[0].sql.as_str()).await;
        let first: Vec<i64> = sqlx::query_scalar("select created_seq from conversations order by id")
            .fetch_all(&mut connection)
            .await
            .expect("the conversations");
        assert_eq!(first, [5, 7]);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_an_error_and_not_a_wait() {
        let error = migrate("postgres://nobody@127.0.0.1:1/none").await.expect_err("nobody is there");
        assert!(matches!(error, MigrateError::Database(_)), "{error}");
    }
}
