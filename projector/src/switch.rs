//! The replayed read models take the place of the live ones (D9), in one transaction.
//!
//! Tables, views and functions change places, not schemas: rights, settings and what else an operator has in the live schema
//! stay. What readers have prepared is planned again by PostgreSQL, which sees that the names mean other tables now.
//!
//! First writers are kept out, so that the replay can be brought to where the live read models are: no reader ever sees less
//! than was answered before. Then everything live is locked at once, for as long as renaming takes: so no statement sees
//! some tables from before and some from after. Whoever reads for long is not waited for, since others would queue behind
//! us: it is tried again. The active projector finds that its position is another table's, is fenced, and begins again
//! from there.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::error::ReplayError;
use crate::replay::Replay;
use crate::shadow::{Shadow, quoted};
use crate::verify::CLOSE_EVENTS;

/// Tables that stay: PRESENCE's, which is made from another stream, what operators decided, and the record of the schema's
/// changes.
const KEPT: [&str; 3] = ["_sqlx_migrations", "presence", "skipped_events"];
/// Longest that a projector's transaction is waited for.
const WRITERS_TIMEOUT_MS: u32 = 5_000;
/// Longest that readers may have to queue behind us while we wait for others.
const READERS_TIMEOUT_MS: u32 = 300;
/// Longest that changing places may take once everything is locked; it takes some tens of milliseconds.
const MOVES_TIMEOUT_MS: u32 = 5_000;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest that is tried.
const LIMIT: Duration = Duration::from_secs(600);

/// Tries until it is done. Says how long nobody could read.
pub(crate) async fn switch(
    shadow: &mut Shadow,
    live: &mut PgConnection,
    replay: &mut Replay,
) -> Result<Duration, ReplayError> {
    let begun = Instant::now();
    loop {
        match try_switch(shadow, live, replay).await {
            Err(Failed::Locked) if begun.elapsed() < LIMIT => {
                tracing::info!("the read models are in use and are switched a little later");
                tokio::time::sleep(PAUSE).await;
            }
            Err(Failed::Behind { to }) => replay.to(to, |_| {}).await?,
            Err(Failed::Locked) => return Err(ReplayError::InUse { secs: LIMIT.as_secs() }),
            Err(Failed::Replay(error)) => return Err(error),
            Ok(took) => return Ok(took),
        }
    }
}

/// Why a try did not succeed. Nothing was changed.
enum Failed {
    Locked,
    /// Too far for a projector to be kept waiting.
    Behind {
        to: u64,
    },
    Replay(ReplayError),
}

impl<E: Into<ReplayError>> From<E> for Failed {
    fn from(error: E) -> Self {
        match error.into() {
            error if is_contention(&error) => Failed::Locked,
            error => Failed::Replay(error),
        }
    }
}

async fn try_switch(shadow: &Shadow, live: &mut PgConnection, replay: &mut Replay) -> Result<Duration, Failed> {
    let mut transaction = live.begin().await?;
    let switched = change_places(&mut transaction, shadow, replay).await;
    // In either case at once: somebody may wait for what is locked.
    match switched {
        Ok(begun) => {
            transaction.commit().await?;
            Ok(begun.elapsed())
        }
        Err(failed) => {
            transaction.rollback().await?;
            Err(failed)
        }
    }
}

/// Says since when nobody could read.
async fn change_places(
    transaction: &mut PgConnection,
    shadow: &Shadow,
    replay: &mut Replay,
) -> Result<Instant, Failed> {
    let tables = tables(transaction, shadow).await?;
    if tables.iter().any(|table| table == "projector") {
        run(transaction, &format!("set local lock_timeout = {WRITERS_TIMEOUT_MS}")).await?;
        run(transaction, "lock table projector in exclusive mode").await?;
        let at: Option<i64> = sqlx::query_scalar("select seq from projector where name = 'chat'")
            .fetch_optional(&mut *transaction)
            .await?;
        let at = at.unwrap_or(0).cast_unsigned();
        if at.saturating_sub(replay.at()) > CLOSE_EVENTS {
            return Err(Failed::Behind { to: at });
        }
        replay.to(at, |_| {}).await?;
    }
    let begun = Instant::now();
    if !tables.is_empty() {
        let all: Vec<String> = tables.iter().map(|table| qualified(&shadow.live, table)).collect();
        // For all of them together, since whoever reads the first waits until the last is had.
        run(transaction, &format!("set local statement_timeout = {READERS_TIMEOUT_MS}")).await?;
        run(transaction, &format!("lock table {} in access exclusive mode", all.join(", "))).await?;
        run(transaction, &format!("set local statement_timeout = {MOVES_TIMEOUT_MS}")).await?;
    }
    same_schema(transaction, shadow).await?;
    check_dependents(transaction, shadow).await?;
    carry_over(transaction, shadow, &tables).await?;
    let moves: Vec<String> = sqlx::query_scalar(MOVES)
        .bind(&shadow.live)
        .bind(&shadow.name)
        .bind(&shadow.old)
        .bind(KEPT)
        .fetch_all(&mut *transaction)
        .await?;
    run(transaction, &moves.join(";\n")).await?;
    Ok(begun)
}

/// The live tables and views that others take the place of, the position first; without partitions, which are locked with
/// their tables.
async fn tables(connection: &mut PgConnection, shadow: &Shadow) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select l.relname::text from pg_class l \
         join pg_class c on c.relname = l.relname and c.relnamespace = to_regnamespace(quote_ident($2)) \
         where l.relnamespace = to_regnamespace(quote_ident($1)) and l.relkind in ('r', 'p', 'v') \
         order by l.relname <> 'projector', l.relname",
    )
    .bind(&shadow.live)
    .bind(&shadow.name)
    .fetch_all(connection)
    .await
}

/// Refuses where something that an operator made would be left with the old tables.
pub(crate) async fn check_dependents(live: &mut PgConnection, shadow: &Shadow) -> Result<(), ReplayError> {
    let dependents: Vec<String> = sqlx::query_scalar(
        "with ours as ( \
           select l.oid from pg_class l \
           join pg_class c on c.relname = l.relname and c.relnamespace = to_regnamespace(quote_ident($2)) \
           where l.relnamespace = to_regnamespace(quote_ident($1)) and l.relname <> all ($3)) \
         select distinct r.ev_class::regclass::text from pg_depend d join pg_rewrite r on r.oid = d.objid \
         where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass \
           and d.refobjid in (select oid from ours) and r.ev_class not in (select oid from ours) \
         union \
         select conrelid::regclass::text from pg_constraint \
         where contype = 'f' and confrelid in (select oid from ours) and conrelid not in (select oid from ours) \
         order by 1",
    )
    .bind(&shadow.live)
    .bind(&shadow.name)
    .bind(KEPT)
    .fetch_all(live)
    .await?;
    if dependents.is_empty() { Ok(()) } else { Err(ReplayError::Dependents(dependents.join(", "))) }
}

/// A migration may have come in between.
async fn same_schema(transaction: &mut PgConnection, shadow: &Shadow) -> Result<(), ReplayError> {
    let versions = |schema| format!("select version, checksum from {}", qualified(schema, "_sqlx_migrations"));
    let sql = format!(
        "select not exists (({one} except {other}) union all ({other} except {one}))",
        one = versions(&shadow.live),
        other = versions(&shadow.name),
    );
    let same: bool = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(transaction).await?;
    if same { Ok(()) } else { Err(ReplayError::Migrated) }
}

/// What the replay does not know: how far PRESENCE is, and what of it could not be applied.
async fn carry_over(transaction: &mut PgConnection, shadow: &Shadow, tables: &[String]) -> Result<(), sqlx::Error> {
    for (table, which) in [("projector", "name = 'presence'"), ("dead_letters", "stream = 'presence'")] {
        if tables.iter().any(|live| live == table) {
            let (live, new) = (qualified(&shadow.live, table), qualified(&shadow.name, table));
            run(transaction, &format!("insert into {new} select * from {live} where {which}")).await?;
        }
    }
    Ok(())
}

/// Statements that make room, move in, and give the new ones the rights of the old ones. $1 live, $2 shadow, $3 old, $4 kept.
const MOVES: &str = "
    with made as (
        select c.oid, c.relname, c.relkind, c.relispartition,
               (select l.oid from pg_class l
                where l.relnamespace = to_regnamespace(quote_ident($1)) and l.relname = c.relname
                      and l.relkind in ('r', 'p', 'v')) as live
        from pg_class c
        where c.relnamespace = to_regnamespace(quote_ident($2)) and c.relkind in ('r', 'p', 'v')
    ),
    moved as (
        select * from made where relname <> all ($4) or live is null
    ),
    leaving as (
        select live as oid from moved where live is not null
        union
        select i.inhrelid from moved m join pg_inherits i on i.inhparent = m.live
    ),
    routines as (
        select p.oid, p.proname, l.oid as live
        from pg_proc p left join pg_proc l
            on l.pronamespace = to_regnamespace(quote_ident($1)) and l.proname = p.proname
               and l.proargtypes = p.proargtypes
        where p.pronamespace = to_regnamespace(quote_ident($2))
    ),
    steps(step, statement) as (
        select 0, format('create schema %I', $3)
        union all
        select 1, format('alter table %I.%I set schema %I', $1, c.relname, $3)
        from leaving join pg_class c using (oid)
        union all
        select 1, format('alter routine %I.%I(%s) set schema %I', $1, proname, pg_get_function_identity_arguments(live), $3)
        from routines where live is not null
        union all
        select 2, format('alter table %I.%I set schema %I', $2, relname, $1) from moved
        union all
        select 2, format('alter routine %I.%I(%s) set schema %I', $2, proname, pg_get_function_identity_arguments(oid), $1)
        from routines
        union all
        select 3, format('grant %s on %I.%I to %s%s', g.privilege_type, $1, m.relname,
                         case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
                         case when g.is_grantable then ' with grant option' else '' end)
        from moved m join pg_class l on l.oid = m.live cross join aclexplode(l.relacl) g
        where g.grantee <> l.relowner
    )
    select statement from steps order by step, statement";

fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(name))
}

async fn run(transaction: &mut PgConnection, statements: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(transaction).await?;
    Ok(())
}

/// Somebody reads or writes: a lock or the statement waited too long for them, or they for each other.
fn is_contention(error: &ReplayError) -> bool {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            let code = error.as_database_error().and_then(|error| error.code());
            return matches!(code.as_deref(), Some("55P03" | "40P01" | "57014"));
        }
        next = error.source();
    }
    false
}
