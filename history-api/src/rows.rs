//! From columns to what the wire calls them. Columns of a message are the same in every statement that reads one.

use natter_events::{ClientId, ConversationId, Role};
use natter_protocol::frame::Preferences;
use natter_protocol::history::{MessageItem, ReactionItem, RepliesItem, ReplyItem};
use natter_protocol::limits::{MAX_REACTION_USERS, MAX_REACTIONS};
use natter_protocol::{Handle, Timestamp};
use serde::Deserialize;
use sqlx::postgres::PgRow;
use sqlx::{Row, Type};
use time::OffsetDateTime;
use uuid::Uuid;

// The statements below can't name them.
const _: () = assert!(MAX_REACTION_USERS == 100 && MAX_REACTIONS == 100);

/// What the caller may read of a conversation (EVT3), as one value, to ask again and again.
macro_rules! spans_of {
    ($conversation:expr) => {
        concat!("(select range_agg(int8range(s.first, s.last, '[]')) from readable(", $conversation, ", $1) s)")
    };
}
pub(crate) use spans_of;

/// What a message of a row `m` said last that the caller may read. An edit that they may not is not there for them.
macro_rules! text_of {
    ($m:literal, $spans:literal) => {
        concat!(
            "case when ",
            $m,
            ".edited_seq is null or ",
            $m,
            ".edited_seq <@ ",
            $spans,
            " then ",
            $m,
            ".text else (
                 select v.text from versions v
                 where v.conversation = ",
            $m,
            ".conversation and v.message = ",
            $m,
            ".seq and v.seq <@ ",
            $spans,
            "
                 order by v.seq desc limit 1) end"
        )
    };
}

/// The columns of a message that [`message`] reads, out of a row `m` of `messages`, where `spans` is what the caller, $1,
/// may read of its conversation. Only its author's handle is not among them: that is joined to what is left of the rows, as
/// `m_sender`.
macro_rules! message_columns {
    ($spans:literal) => {
        concat!(
            "m.seq as m_seq, m.at as m_at, m.reply_to as m_reply_to, m.thread as m_thread, m.id as m_id,
             m.metadata as m_metadata, m.sender as m_by, m.deleted_seq is not null as m_deleted, m.mentions_room as m_mentions_room,
             ", $crate::rows::text_of!("m", $spans), " as m_text,
             case when m.edited_seq is null or m.edited_seq <@ ", $spans, " then m.edited_at else (
                 select nullif(v.at, m.at) from versions v
                 where v.conversation = m.conversation and v.message = m.seq and v.seq <@ ", $spans, "
                 order by v.seq desc limit 1) end as m_edited_at,
             (select array_agg(u.handle order by n.place)
              from unnest(m.mentions) with ordinality n(uid, place) left join users u on u.uid = n.uid) as m_mentions,
             exists (select from pins p
                     where p.conversation = m.conversation and p.message = m.seq and p.seq <@ ", $spans, ") as m_pinned,
             (select json_build_object('seq', q.seq, 'sender', u.handle, 'deleted', q.deleted_seq is not null,
                                       'text', left(coalesce(", $crate::rows::text_of!("q", $spans), ", ''), 200))::text
              from messages q left join users u on u.uid = q.sender
              where q.conversation = m.conversation and q.seq = m.reply_to and q.seq <@ ", $spans, ") as m_reply,
             (select json_build_object('count', n.count, 'last_at', n.last_at,
                                       'unread', (select k.unread from thread_counters k
                                                  where k.conversation = t.conversation and k.root = t.root and k.uid = $1))::text
              from threads t cross join lateral (
                  select sum(b.ordinal - a.ordinal + 1)::int8 as count, (extract(epoch from max(b.at)) * 1000)::int8 as last_at
                  from unnest(", $spans, ") span
                  cross join lateral (
                      select x.ordinal from messages x
                      where x.conversation = t.conversation and x.thread = t.root and x.thread <> 0 and x.seq >= lower(span) and x.seq < upper(span)
                      order by x.seq limit 1) a
                  cross join lateral (
                      select x.ordinal, x.at from messages x
                      where x.conversation = t.conversation and x.thread = t.root and x.thread <> 0 and x.seq >= lower(span) and x.seq < upper(span)
                      order by x.seq desc limit 1) b
                  where lower(span) <= t.last_seq and upper(span) > t.root
              ) n
              where t.conversation = m.conversation and t.root = m.seq and n.count is not null) as m_replies,
             (select json_agg(json_build_object('emoji', e.emoji, 'count', e.count, 'users', e.users) order by e.first)::text
              from (select r.emoji, min(r.since) as first, count(*) as count,
                           (array_agg(u.handle order by r.seq))[1:100] as users
                    from reactions r left join users u on u.uid = r.uid
                    where r.conversation = m.conversation and r.message = m.seq and r.seq <@ ", $spans, "
                    group by r.emoji order by min(r.since) limit 100) e) as m_reactions"
        )
    };
}
pub(crate) use {message_columns, text_of};

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
        reply: reply(row, "m_reply")?,
        thread: thread(row, "m_thread")?,
        replies: replies(row, "m_replies")?,
        mentions: mentions(row, "m_mentions")?,
        mentions_room: row.try_get("m_mentions_room")?,
        pinned: row.try_get("m_pinned")?,
        metadata: metadata(row, "m_metadata")?,
    })
}

/// The message whose thread something is in; 0 and null say none.
pub fn thread(row: &PgRow, column: &str) -> sqlx::Result<Option<u64>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(i64::cast_unsigned).filter(|root| *root > 0))
}

/// Handles in their order; null for nobody.
pub fn mentions(row: &PgRow, column: &str) -> sqlx::Result<Vec<Handle>> {
    let texts: Option<Vec<Option<String>>> = row.try_get(column)?;
    texts.unwrap_or_default().into_iter().map(parse_handle).collect()
}

/// What someone is in a room; null where they are not in it.
pub fn role(row: &PgRow, column: &str) -> sqlx::Result<Option<Role>> {
    match row.try_get::<Option<&str>, _>(column)? {
        None => Ok(None),
        Some("member") => Ok(Some(Role::Member)),
        Some("moderator") => Ok(Some(Role::Moderator)),
        Some("owner") => Ok(Some(Role::Owner)),
        Some(role) => Err(sqlx::Error::Decode(format!("{role:?} is no role that this program knows").into())),
    }
}

/// What a message answers, as JSON; null where that can't be read.
fn reply(row: &PgRow, column: &str) -> sqlx::Result<Option<ReplyItem>> {
    #[derive(Deserialize)]
    struct Reply {
        seq: u64,
        sender: Option<Handle>,
        text: String,
        deleted: bool,
    }
    let item = |Reply { seq, sender, text, deleted }| {
        let sender = sender.unwrap_or_else(Handle::erased);
        ReplyItem { seq, sender, text, deleted }
    };
    Ok(json::<Reply>(row, column)?.map(item))
}

/// A message's thread, as JSON; null where there is none.
fn replies(row: &PgRow, column: &str) -> sqlx::Result<Option<RepliesItem>> {
    #[derive(Deserialize)]
    struct Replies {
        count: u64,
        last_at: i64,
        unread: Option<u64>,
    }
    let item = |Replies { count, last_at, unread }| RepliesItem { count, last_at: Timestamp(last_at), unread };
    Ok(json::<Replies>(row, column)?.map(item))
}

fn json<T: serde::de::DeserializeOwned>(row: &PgRow, column: &str) -> sqlx::Result<Option<T>> {
    let Some(text) = row.try_get::<Option<String>, _>(column)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Preferences in a column of JSON, where there are any.
pub fn preferences(row: &PgRow, column: &str) -> sqlx::Result<Option<Preferences>> {
    let Some(text) = row.try_get::<Option<String>, _>(column)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Who reacts with what, as JSON, in order; null for nobody. Whoever was erased is named by nobody's handle.
fn reactions(row: &PgRow, column: &str) -> sqlx::Result<Vec<ReactionItem>> {
    #[derive(Deserialize)]
    struct Reaction {
        emoji: String,
        count: u64,
        users: Vec<Option<Handle>>,
    }
    let reactions: Vec<Reaction> = json(row, column)?.unwrap_or_default();
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
