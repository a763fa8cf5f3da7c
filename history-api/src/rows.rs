//! From columns to what the wire calls them. Columns of a message are the same in every statement that reads one.

use natter_events::{ClientId, ConversationId};
use natter_protocol::history::{MessageItem, ReactionItem};
use natter_protocol::limits::{MAX_REACTION_USERS, MAX_REACTIONS};
use natter_protocol::{Handle, Timestamp};
use serde::Deserialize;
use sqlx::postgres::PgRow;
use sqlx::{Row, Type};
use time::OffsetDateTime;
use uuid::Uuid;

// The statements below can't name them.
const _: () = assert!(MAX_REACTION_USERS == 100 && MAX_REACTIONS == 100);

/// The columns of a message that [`message`] reads, out of a row `m` of `messages`. Only its author's handle is not among
/// them: that is joined to what is left of the rows, as `m_sender`.
macro_rules! message_columns {
    () => {
        "m.seq as m_seq, m.at as m_at, m.reply_to as m_reply_to, m.id as m_id, m.text as m_text, m.metadata as m_metadata, \
         m.sender as m_by, m.edited_at as m_edited_at, m.deleted_seq is not null as m_deleted, \
         (select json_agg(json_build_object('emoji', e.emoji, 'count', e.count, 'users', e.users) order by e.first)::text \
          from (select r.emoji, min(r.since) as first, count(*) as count, \
                       (array_agg(u.handle order by r.seq))[1:100] as users \
                from reactions r left join users u on u.uid = r.uid \
                where r.conversation = m.conversation and r.message = m.seq group by r.emoji order by min(r.since) limit 100) e) as m_reactions"
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
        edited_at: optional_timestamp(row, "m_edited_at")?,
        deleted: row.try_get("m_deleted")?,
        reactions: reactions(row, "m_reactions")?,
        reply_to: row.try_get::<Option<i64>, _>("m_reply_to")?.map(i64::cast_unsigned),
        metadata: metadata(row, "m_metadata")?,
    })
}

/// Who reacts with what, as JSON, in order; null for nobody. Whoever was erased is named by nobody's handle.
fn reactions(row: &PgRow, column: &str) -> sqlx::Result<Vec<ReactionItem>> {
    #[derive(Deserialize)]
    struct Reaction {
        emoji: String,
        count: u64,
        users: Vec<Option<Handle>>,
    }
    let Some(text) = row.try_get::<Option<String>, _>(column)? else { return Ok(Vec::new()) };
    let reactions: Vec<Reaction> = serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let item = |Reaction { emoji, count, users }| {
        let users = users.into_iter().map(|user| user.unwrap_or_else(Handle::erased)).collect();
        ReactionItem { emoji, users, count }
    };
    Ok(reactions.into_iter().map(item).collect())
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
