//! Partitions of messages. The last one is open upwards, so the next message always has a place. When a month begins, or
//! when it spans enough of the log, it is closed at the position, and the next one is opened.
//!
//! Closing changes the catalogue and no row: that no message stands beyond the position was proven before, by a
//! constraint that is checked while readers read on. The change itself needs the table for itself for a moment; where it
//! does not get it in time, because someone reads long, it is tried again later and nobody queues behind it.
//!
//! While that constraint is there nothing may be written, since it would refuse what comes after the position. So where it
//! is left over, after a change that did not get the table or a projector that was killed, taking it away comes first.
//!
//! Whoever is not at the stored position any more changes nothing here either.

use std::time::{Duration, Instant};

use natter_log::Stream;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use time::{Date, OffsetDateTime, UtcOffset};

use crate::error::ApplyError;
use crate::fact::Incoming;
use crate::position::Position;

/// Longest that readers may have to queue behind a change of the partitions.
const LOCK_TIMEOUT_MS: u32 = 200;
/// How long to wait after one that did not get the table.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The open partition.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    name: String,
    from: u64,
    /// The day, by the log's time, that it begins in.
    since: Option<Date>,
    not_before: Option<Instant>,
    /// Whether its constraint may be there.
    constrained: bool,
}

impl Open {
    /// The open partition, as the catalogue has it.
    pub async fn load(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let (name, constrained): (String, bool) = sqlx::query_as(
            "select c.relname::text, \
               exists (select from pg_constraint k where k.conrelid = c.oid and k.conname = c.relname || '_ends') \
             from pg_inherits i join pg_class c on c.oid = i.inhrelid \
             where i.inhparent = 'messages'::regclass and pg_get_expr(c.relpartbound, c.oid) like '%TO (MAXVALUE)'",
        )
        .fetch_one(&mut *connection)
        .await?;
        let from: u64 = name.rsplit('_').next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let since = sqlx::query_scalar(
            "select coalesce((select max(day) from days where first_seq <= $1), (select min(day) from days))",
        )
        .bind(from.cast_signed())
        .fetch_one(connection)
        .await?;
        Ok(Self { name, from, since, not_before: None, constrained })
    }

    /// Closes it at the position and opens the next, if it is time to, given when the next event happened. Says whether it
    /// did. Once this succeeds, messages can be written, whether it did or not.
    pub async fn tend(
        &mut self,
        connection: &mut PgConnection,
        position: &Position,
        next_at: OffsetDateTime,
        max_seqs: u64,
    ) -> Result<bool, ApplyError> {
        if self.constrained {
            self.release(connection, position).await?;
        }
        let today = next_at.to_offset(UtcOffset::UTC).date();
        if !self.is_due(position.seq + 1, today, max_seqs) || self.not_before.is_some_and(|at| Instant::now() < at) {
            self.since.get_or_insert(today);
            return Ok(false);
        }
        match self.close(connection, position).await {
            Ok(name) => {
                tracing::info!(closed = self.name, opened = name, "opened a partition of messages");
                let from = position.seq + 1;
                *self = Self { name, from, since: Some(today), not_before: None, constrained: false };
                Ok(true)
            }
            Err(error) if is_lock_timeout(&error) => {
                tracing::info!(partition = self.name, "someone reads messages for long; its partition is closed later");
                self.not_before = Some(Instant::now() + RETRY_AFTER);
                if self.constrained {
                    self.release(connection, position).await?;
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it is to be closed before the event at `next`.
    fn is_due(&self, next: u64, today: Date, max_seqs: u64) -> bool {
        let new_month = self.since.is_some_and(|since| month(since) < month(today));
        self.from < next && (new_month || next - self.from >= max_seqs)
    }

    async fn close(&mut self, connection: &mut PgConnection, position: &Position) -> Result<String, ApplyError> {
        let (name, from, at) = (self.name.clone(), self.from, position.seq + 1);
        let next = format!("messages_from_{at}");
        let lower = if from == 0 { "minvalue".to_owned() } else { from.to_string() };
        // Only the short steps need the table for themselves; between them, the long look at every row does not.
        let add =
            format!("alter table {name} add constraint {name}_ends check (seq >= {from} and seq < {at}) not valid");
        self.constrained = true;
        let added = in_transaction(connection, position, &[&self.forget(), &add]).await;
        // Where it did not get the table, nothing was done.
        self.constrained = !added.as_ref().is_err_and(is_lock_timeout);
        added?;
        let prove = format!("alter table {name} validate constraint {name}_ends");
        sqlx::raw_sql(AssertSqlSafe(prove)).execute(&mut *connection).await?;
        in_transaction(
            connection,
            position,
            &[
                &format!("alter table messages detach partition {name}"),
                &format!("alter table messages attach partition {name} for values from ({lower}) to ({at})"),
                &format!("create table {next} partition of messages for values from ({at}) to (maxvalue)"),
                &self.forget(),
            ],
        )
        .await?;
        Ok(next)
    }

    /// Takes its constraint away.
    async fn release(&mut self, connection: &mut PgConnection, position: &Position) -> Result<(), ApplyError> {
        in_transaction(connection, position, &[&self.forget()]).await?;
        self.constrained = false;
        Ok(())
    }

    fn forget(&self) -> String {
        format!("alter table {name} drop constraint if exists {name}_ends", name = self.name)
    }
}

/// How many of these events, from the first, are of the month of the first.
pub(crate) fn same_month(events: &[Incoming]) -> usize {
    let of = |event: &Incoming| month(event.at.to_offset(UtcOffset::UTC).date());
    let first = events.first().map(of);
    events.iter().take_while(|event| Some(of(event)) <= first).count()
}

fn month(day: Date) -> (i32, u8) {
    (day.year(), day.month().into())
}

async fn in_transaction(
    connection: &mut PgConnection,
    position: &Position,
    statements: &[&str],
) -> Result<(), ApplyError> {
    let mut transaction = connection.begin().await?;
    let patience = format!("set local lock_timeout = {LOCK_TIMEOUT_MS}");
    sqlx::raw_sql(AssertSqlSafe(patience)).execute(&mut *transaction).await?;
    position.hold(&mut transaction, Stream::Chat).await?;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe((*statement).to_owned())).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

fn is_lock_timeout(error: &ApplyError) -> bool {
    let ApplyError::Database(error) = error else { return false };
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn due(since: Option<Date>, next: u64, today: Date) -> bool {
        Open { name: String::new(), from: 100, since, not_before: None, constrained: false }.is_due(next, today, 1_000)
    }

    #[test]
    fn a_partition_is_closed_when_a_month_begins_or_it_has_grown() {
        let january = Some(date!(2026 - 01 - 15));
        assert!(!due(january, 200, date!(2026 - 01 - 31)));
        assert!(due(january, 200, date!(2026 - 02 - 01)));
        assert!(due(Some(date!(2025 - 12 - 31)), 200, date!(2026 - 01 - 01)));
        assert!(!due(january, 1_099, date!(2026 - 01 - 31)) && due(january, 1_100, date!(2026 - 01 - 31)));
        assert!(!due(january, 200, date!(2025 - 12 - 31)), "a clock that is set back begins no month");
        assert!(!due(january, 100, date!(2026 - 02 - 01)), "one that spans nothing stays");
        assert!(!due(None, 200, date!(2026 - 02 - 01)));
    }
}
