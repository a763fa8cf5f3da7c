//! How far the read models are complete: one row per stream, written in the transaction that writes them (D8).

use natter_log::{Stream, Tag};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::error::ApplyError;

/// A place in the log. Up to and including `seq`, everything is in the read models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub epoch: u64,
    pub seq: u64,
    /// Of the event at `seq`; zero before the first.
    pub tag: Tag,
    /// The latest broker time up to `seq`.
    pub event_at: Option<OffsetDateTime>,
    /// The table that it was read from. A rebuild puts another one in its place, and whoever worked on the one before is
    /// fenced like anyone whose position was moved. Zero where it was not read.
    pub table: i64,
}

/// A stream's name in the table.
pub(crate) fn name(stream: Stream) -> &'static str {
    match stream {
        Stream::Chat => "chat",
        Stream::Presence => "presence",
    }
}

impl Position {
    /// Before the first event.
    pub fn start(epoch: u64) -> Self {
        Self { epoch, seq: 0, tag: Tag(0), event_at: None, table: 0 }
    }

    /// The stored position, which is made at the first start.
    pub async fn load(connection: &mut PgConnection, stream: Stream, epoch: u64) -> Result<Self, sqlx::Error> {
        let start = Self::start(epoch);
        sqlx::query("insert into projector (name, epoch, seq, tag) values ($1, $2, $3, $4) on conflict do nothing")
            .bind(name(stream))
            .bind(start.epoch.cast_signed())
            .bind(start.seq.cast_signed())
            .bind(start.tag.0.cast_signed())
            .execute(&mut *connection)
            .await?;
        Self::stored(connection, stream).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// The stored position, if there is one.
    pub async fn stored(connection: &mut PgConnection, stream: Stream) -> Result<Option<Self>, sqlx::Error> {
        type Row = (i64, i64, i64, Option<OffsetDateTime>, i64);
        let row: Option<Row> =
            sqlx::query_as("select epoch, seq, tag, event_at, tableoid::int8 from projector where name = $1")
                .bind(name(stream))
                .fetch_optional(connection)
                .await?;
        Ok(row.map(|(epoch, seq, tag, event_at, table)| {
            let (epoch, seq, tag) = (epoch.cast_unsigned(), seq.cast_unsigned(), Tag(tag.cast_unsigned()));
            Self { epoch, seq, tag, event_at, table }
        }))
    }

    /// Moves the stored position on, if it is still this one. The first statement of a transaction that writes rows: whoever
    /// else tries waits here until it ends, and then finds another position, before having written anything.
    pub async fn advance(&self, to: &Self, transaction: &mut PgConnection, stream: Stream) -> Result<(), ApplyError> {
        let moved = sqlx::query(
            "update projector set epoch = $5, seq = $6, tag = $7, event_at = $8, updated_at = clock_timestamp() \
             where name = $1 and epoch = $2 and seq = $3 and tag = $4 and tableoid::int8 = $9",
        )
        .bind(name(stream))
        .bind(self.epoch.cast_signed())
        .bind(self.seq.cast_signed())
        .bind(self.tag.0.cast_signed())
        .bind(to.epoch.cast_signed())
        .bind(to.seq.cast_signed())
        .bind(to.tag.0.cast_signed())
        .bind(to.event_at)
        .bind(self.table)
        .execute(transaction)
        .await?;
        if moved.rows_affected() == 1 { Ok(()) } else { Err(ApplyError::Fenced) }
    }

    /// Says, to whoever reads, that the projector is there and has nothing to write, if the stored position is still this one.
    pub async fn confirm(&self, connection: &mut PgConnection, stream: Stream) -> Result<(), ApplyError> {
        self.advance(self, connection, stream).await
    }

    /// Sees to it that the stored position stays this one until the transaction ends, if it still is.
    pub async fn hold(&self, transaction: &mut PgConnection, stream: Stream) -> Result<(), ApplyError> {
        let held = sqlx::query(
            "select from projector where name = $1 and epoch = $2 and seq = $3 and tag = $4 and tableoid::int8 = $5 \
             for update",
        )
        .bind(name(stream))
        .bind(self.epoch.cast_signed())
        .bind(self.seq.cast_signed())
        .bind(self.tag.0.cast_signed())
        .bind(self.table)
        .fetch_optional(transaction)
        .await?;
        if held.is_some() { Ok(()) } else { Err(ApplyError::Fenced) }
    }
}
