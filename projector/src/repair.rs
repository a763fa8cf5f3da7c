//! Dead letters are looked at again (D8): what this program can read now is applied, with what waited behind it, in order;
//! what nobody will ever read is passed over when an operator says so, on record.
//!
//! All events of a held conversation are dead letters from the first malformed one on, so nothing is applied out of order
//! when they are folded into what is there. That is not so for an event that holds nothing, such as a damaged account's: what
//! came after it is applied already. Once it can be read, only a rebuild puts it in its place.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt, stream};
use natter_log::{KeyRing, Log, Stored, Stream};
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::apply::{Dead, fold};
use crate::config::Config;
use crate::error::{Error, ReplayError, SessionError};
use crate::fact::Incoming;
use crate::feed;
use crate::session;
use crate::shadow::Shadow;
use crate::verify;

/// Most dead letters that are listed.
const LISTED: i64 = 200;
/// Events that are asked of the log at the same time.
const EVENTS_AT_ONCE: usize = 32;

/// An event that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub stream: String,
    pub seq: u64,
    pub at: OffsetDateTime,
    pub subject: String,
    pub reason: String,
    /// How many events of its conversation wait behind it.
    pub waiting: u64,
}

/// What a repair did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Events that were dead letters and are applied.
    pub applied: u64,
    /// Events that are passed over from now on.
    pub skipped: u64,
    /// Dead letters that can be read now, and that a rebuild puts in their place.
    pub for_a_rebuild: Vec<u64>,
}

/// The dead letters that are malformed themselves, the oldest first.
pub async fn dead_letters(config: &Config) -> Result<Vec<DeadLetter>, ReplayError> {
    let mut live = session::open(&session::connect_options(config, Stream::Chat)?).await?;
    session::check_schema(&mut live).await?;
    type Row = (String, i64, OffsetDateTime, String, String, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "select stream, seq, at, subject, reason, \
           (select count(*) from dead_letters w where w.stream = d.stream and w.waits_for = d.seq) \
         from dead_letters d where waits_for is null order by stream, seq limit $1",
    )
    .bind(LISTED)
    .fetch_all(&mut live)
    .await?;
    let letter = |(stream, seq, at, subject, reason, waiting): Row| {
        let (seq, waiting) = (seq.cast_unsigned(), waiting.cast_unsigned());
        DeadLetter { stream, seq, at, subject, reason, waiting }
    };
    Ok(rows.into_iter().map(letter).collect())
}

/// Passes over the events of `skip`, which have to be malformed ones, and looks at all held conversations again. A projector may
/// go on meanwhile; it waits while a conversation is folded.
pub async fn repair(config: &Config, log: &Log, keys: &KeyRing, skip: &[u64]) -> Result<Repaired, ReplayError> {
    // Neither does a rebuild miss what is decided here, nor a comparison see half of it.
    let shadow = Shadow::lock(config).await?;
    let mut live = shadow.open_live().await?;
    verify::stored(&mut live, log).await?.ok_or(ReplayError::NoPosition)?;
    let mut repaired = Repaired { skipped: decide(&mut live, skip).await?, ..Repaired::default() };
    let held: Vec<Uuid> = sqlx::query_scalar("select conversation from held_conversations order by since_seq")
        .fetch_all(&mut live)
        .await?;
    for conversation in held {
        repaired.applied += refold(&mut live, config, log, keys, conversation).await?;
    }
    let holding_nothing: Vec<i64> = sqlx::query_scalar(
        "select seq from dead_letters where stream = 'chat' and waits_for is null and conversation is null order by seq",
    )
    .fetch_all(&mut live)
    .await?;
    for event in read(log, keys, &holding_nothing).await? {
        if event.fact.is_ok() {
            repaired.for_a_rebuild.push(event.stored.seq);
        }
    }
    Ok(repaired)
}

/// Writes down which events are passed over.
async fn decide(live: &mut PgConnection, skip: &[u64]) -> Result<u64, ReplayError> {
    let mut transaction = live.begin().await?;
    for seq in skip {
        let there = sqlx::query("select from dead_letters where stream = 'chat' and seq = $1 and waits_for is null")
            .bind(seq.cast_signed())
            .fetch_optional(&mut *transaction)
            .await?;
        if there.is_none() {
            return Err(ReplayError::NotMalformed { seq: *seq });
        }
        for statement in [
            "insert into skipped_events (seq) values ($1) on conflict do nothing",
            // Of those that hold a conversation, folding that one again sees to it.
            "delete from dead_letters where stream = 'chat' and seq = $1 and conversation is null",
        ] {
            sqlx::query(statement).bind(seq.cast_signed()).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(skip.len() as u64)
}

/// Folds what waits of a conversation once more, in one transaction. Says how many events were applied.
async fn refold(
    live: &mut PgConnection,
    config: &Config,
    log: &Log,
    keys: &KeyRing,
    conversation: Uuid,
) -> Result<u64, ReplayError> {
    let mut transaction = live.begin().await?;
    // Whoever projects waits here, and what comes next of this conversation is folded after this.
    let event_at: Option<OffsetDateTime> =
        sqlx::query_scalar("select event_at from projector where name = 'chat' for update")
            .fetch_one(&mut *transaction)
            .await?;
    let skipped = skipped(&mut transaction).await?;
    sqlx::query("delete from held_conversations where conversation = $1")
        .bind(conversation)
        .execute(&mut *transaction)
        .await?;
    let (mut after, mut applied) = (0_i64, 0);
    loop {
        let mut seqs: Vec<i64> = sqlx::query_scalar(
            "delete from dead_letters where stream = 'chat' and conversation = $1 and seq = any (array( \
               select seq from dead_letters where stream = 'chat' and conversation = $1 and seq > $2 order by seq limit $3)) \
             returning seq",
        )
        .bind(conversation)
        .bind(after)
        .bind(config.max_batch_events as i64)
        .fetch_all(&mut *transaction)
        .await?;
        seqs.sort_unstable();
        let Some(last) = seqs.last() else { break };
        after = *last;
        let mut events = read(log, keys, &seqs).await?;
        let passed_over = events.iter().filter(|event| skipped.contains(&event.stored.seq)).count() as u64;
        let dead = fold(&mut transaction, config, event_at, &skipped, &mut events).await.map_err(SessionError::from)?;
        applied += events.len() as u64 - passed_over - dead.malformed - dead.waiting;
    }
    transaction.commit().await?;
    Ok(applied)
}

/// The events that operators decided to pass over.
pub(crate) async fn skipped(connection: &mut PgConnection) -> Result<HashSet<u64>, sqlx::Error> {
    let seqs: Vec<i64> = sqlx::query_scalar("select seq from skipped_events").fetch_all(connection).await?;
    Ok(seqs.into_iter().map(i64::cast_unsigned).collect())
}

/// How many events of a stream are malformed, and how many wait behind them.
pub(crate) async fn count(connection: &mut PgConnection, stream: &str) -> Result<Dead, sqlx::Error> {
    let (malformed, waiting): (i64, i64) = sqlx::query_as(
        "select count(*) filter (where waits_for is null), count(*) filter (where waits_for is not null) \
         from dead_letters where stream = $1",
    )
    .bind(stream)
    .fetch_one(connection)
    .await?;
    Ok(Dead { malformed: malformed.cast_unsigned(), waiting: waiting.cast_unsigned() })
}

/// These events as the log has them, as this program reads them.
async fn read(log: &Log, keys: &KeyRing, seqs: &[i64]) -> Result<Vec<Incoming>, ReplayError> {
    let get = |seq: i64| async move {
        let seq = seq.cast_unsigned();
        let stored = log.get(Stream::Chat, seq).await.map_err(SessionError::log)?;
        stored.ok_or_else(|| Error::OtherLog { why: format!("it has no event {seq}") }.into())
    };
    let stored: Vec<Stored> = stream::iter(seqs.iter().map(|seq| get(*seq)))
        .buffered(EVENTS_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await
        .map_err(|error: SessionError| ReplayError::from(error))?;
    let prepared = feed::prepare(keys, Stream::Chat, stored).await.map_err(feed::key_error)?;
    match prepared.later {
        Some(later) => Err(Error::later(Stream::Chat, later).into()),
        None => Ok(prepared.events),
    }
}
