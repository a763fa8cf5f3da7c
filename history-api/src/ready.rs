//! Whether history can be read, and how far it is.

use std::time::Duration;

use natter_platform::error::chain;
use natter_platform::ops::{Finding, Readiness};
use sqlx::Row;
use time::OffsetDateTime;

use crate::History;
use crate::database::DatabaseError;
use crate::statement::Statement;

/// Longest that PostgreSQL is waited for. An orchestrator asks often, so this is less than a request may wait.
const WITHIN: Duration = Duration::from_millis(1_500);

/// An active projector writes its position at least every 2 s, if only to say that it is there.
const PROJECTOR_AWAY_AFTER: Duration = Duration::from_secs(10);

/// Reads no row, but fails where a table, a column, a function or a right to read is missing.
const SCHEMA: &str = "select
    (select count(*) from projector where false) + (select count(display_name) from users where false)
    + (select count(session) from revocations where false) + (select count(received_seq) from presence where false)
    + (select count(created_seq) from conversations where false) + (select count(role) from participants where false)
    + (select count(deleted_seq) from messages where false) + (select count(text) from versions where false)
    + (select count(emoji) from reactions where false) + (select count(fingerprint) from commands where false)
    + (select count(emoji) from feed where false) + (select count(after_seq) from changes_kept where false)
    + (select count(target) from changes where false) + (select count(blocked) from blocks where false)
    + (select count(first) from heard where false) + (select count(words) from rooms where false)
    + (select count(*) from bans where false) + (select count(replies) from threads where false)
    + (select count(seq) from mentions where false) + (select count(message) from pins where false)
    + (select count(unread) from counters where false) + (select count(unread) from thread_counters where false)
    + (select count(*) from preferences where false) + (select count(first) from readable(null, null) where false)
    + (select count(words_of(name)) from rooms where false)
    + (select count(found_by(seq, conversation, sender, text)) from messages where false)";

const PROGRESS: &str = "select seq, event_at, updated_at, now() as now from projector where name = 'chat'";

/// Adds what history depends on to a service's readiness: PostgreSQL with its schema, and the projector's progress.
pub fn watch(history: &History, readiness: &Readiness) {
    let asked = history.clone();
    readiness.add("postgresql", WITHIN, move || {
        let history = asked.clone();
        async move { schema(&history).await }
    });
    let asked = history.clone();
    readiness.add("projector", WITHIN, move || {
        let history = asked.clone();
        async move { progress(&history).await }
    });
}

async fn schema(history: &History) -> Finding {
    match history.database().fetch("ready", &Statement::new(SCHEMA)).await {
        Ok(_) => Finding::Fine(format!("answers; {} connections", history.database().connections())),
        Err(error) => Finding::Failed(explain(&error)),
    }
}

/// The projector may be away: history can still be read, and says how far it is. Only where it never was there is nothing to
/// read.
async fn progress(history: &History) -> Finding {
    let rows = history.database().fetch("ready", &Statement::new(PROGRESS)).await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return Finding::Failed(explain(&error)),
    };
    let Some(row) = rows.first() else {
        return Finding::Failed("nothing has been projected yet: run `natter projector`".to_owned());
    };
    let read = || -> sqlx::Result<_> {
        let now: OffsetDateTime = row.try_get("now")?;
        let event_at: Option<OffsetDateTime> = row.try_get("event_at")?;
        let updated_at: OffsetDateTime = row.try_get("updated_at")?;
        Ok((row.try_get::<i64, _>("seq")?, event_at.map(|at| now - at), now - updated_at))
    };
    let (seq, event_age, written) = match read() {
        Ok(progress) => progress,
        Err(error) => return Finding::Failed(explain(&DatabaseError::from(error))),
    };
    let written = written.as_seconds_f64().max(0.0);
    metrics::gauge!("natter_history_projected_seq").set(seq as f64);
    metrics::gauge!("natter_history_projector_written_seconds_ago").set(written);
    let event_age = event_age.map(|age| format!("; its last event is {:.1} s old", age.as_seconds_f64().max(0.0)));
    let how_far = format!("at seq {seq}, written {written:.1} s ago{}", event_age.unwrap_or_default());
    if written < PROJECTOR_AWAY_AFTER.as_secs_f64() {
        Finding::Fine(how_far)
    } else {
        Finding::Degraded(format!("no projector is at work: {how_far}"))
    }
}

fn explain(error: &DatabaseError) -> String {
    if let DatabaseError::Unavailable(sqlx::Error::Database(refusal)) = error
        && matches!(refusal.code().as_deref(), Some("42P01" | "42703" | "42883"))
    {
        return format!("{}: run `natter migrate`", refusal.message());
    }
    chain(error)
}
