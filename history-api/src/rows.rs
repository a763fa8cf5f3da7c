//! From columns to what the wire calls them. Columns of a message are the same in every statement that reads one.

use natter_events::{ClientId, ConversationId};
use natter_protocol::history::MessageItem;
use natter_protocol::{Handle, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{Row, Type};
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns of a message that [`message`] reads, out of a row `m` of `messages` or `feed`. Only its author's handle is not
/// among them: that is joined to what is left of the rows, as `m_sender`.
macro_rules! message_columns {
    () => {
        "m.seq as m_seq, m.at as m_at, m.reply_to as m_reply_to, m.id as m_id, m.text as m_text, m.metadata as m_metadata, \
         m.sender as m_by"
    };
}
pub(crate) use message_columns;

/// A message as it now stands. What its author's erasure took is empty.
pub fn message(row: &PgRow, conversation: ConversationId) -> sqlx::Result<MessageItem> {
    Ok(MessageItem {
        seq: seq(row, "m_seq")?,
        conversation,
        sender: handle(row, "m_sender")?,
        id: ClientId::from(row.try_get::<Uuid, _>("m_id")?),
        text: row.try_get::<Option<String>, _>("m_text")?.unwrap_or_default(),
        at: timestamp(row, "m_at")?,
        reply_to: row.try_get::<Option<i64>, _>("m_reply_to")?.map(i64::cast_unsigned),
        metadata: metadata(row, "m_metadata")?,
    })
}

/// The handle in a column, which is null for whoever was erased.
pub fn handle(row: &PgRow, column: &str) -> sqlx::Result<Handle> {
    parse_handle(row.try_get(column)?)
}

/// The handles in a column, sorted.
pub fn handles(row: &PgRow, column: &str) -> sqlx::Result<Vec<Handle>> {
    let texts: Vec<Option<String>> = row.try_get(column)?;
    let mut handles = texts.into_iter().map(parse_handle).collect::<Result<Vec<_>, _>>()?;
    handles.sort_unstable();
    Ok(handles)
}

pub fn parse_handle(text: Option<String>) -> sqlx::Result<Handle> {
    match text {
        Some(text) => text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error))),
        None => Ok(Handle::erased()),
    }
}

/// A seq, an ordinal or a count: never negative.
pub fn seq(row: &PgRow, column: &str) -> sqlx::Result<u64> {
    row.try_get::<i64, _>(column).map(i64::cast_unsigned)
}

pub fn conversation(row: &PgRow, column: &str) -> sqlx::Result<ConversationId> {
    row.try_get::<Uuid, _>(column).map(ConversationId::from)
}

pub fn timestamp(row: &PgRow, column: &str) -> sqlx::Result<Timestamp> {
    row.try_get(column).map(from_time)
}

pub fn optional_timestamp(row: &PgRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    Ok(row.try_get::<Option<OffsetDateTime>, _>(column)?.map(from_time))
}

/// What a program attached, if it is JSON: it was when it was sent.
pub fn metadata(row: &PgRow, column: &str) -> sqlx::Result<Option<serde_json::Value>> {
    let text: Option<String> = row.try_get(column)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Whether there is anything in a column.
pub fn is_there<'r, T: sqlx::Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>>(
    row: &'r PgRow,
    column: &str,
) -> sqlx::Result<bool> {
    row.try_get::<Option<T>, _>(column).map(|value| value.is_some())
}

fn from_time(at: OffsetDateTime) -> Timestamp {
    // Years of PostgreSQL have at most six digits: in milliseconds they fit.
    Timestamp(i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap_or(i64::MAX))
}
