//! A conversation as its list and its own page show it.

use natter_protocol::history::{ConversationItem, ConversationKind, Reader};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::caller::Caller;
use crate::rows;

/// A statement that gives conversations of the caller's. What is said picks some of `c`, with `p` as the caller's place in
/// each, and says in which order.
macro_rules! conversations_where {
    ($($which:tt)+) => {
        $crate::statement::gated!(
            "select at.epoch, at.seq, at.tag, at.refused, c.*, last.*, author.handle as m_sender, people.*
             from at
             left join lateral (
                 select true as item, c.id, c.kind, c.last_seq, c.last_ordinal, c.last_at, p.read_seq, p.read_ordinal
                 from participants p join conversations c on c.id = p.conversation
                 where p.uid = $1 and ", $($which)+, "
             ) c on true
             left join lateral (
                 select ", $crate::rows::message_columns!(), "
                 from messages m where m.conversation = c.id and m.seq = c.last_seq
             ) last on true
             left join users author on author.uid = last.m_by
             left join lateral (
                 select array_agg(q.uid) as uids, array_agg(u.handle) as handles, array_agg(q.read_seq) as reads,
                        array_agg(least(greatest(coalesce(e.received_seq, 0), q.read_seq), c.last_seq)) as delivered
                 from participants q
                 left join users u on u.uid = q.uid
                 left join presence e on e.uid = q.uid
                 where q.conversation = c.id
             ) people on true"
        )
    };
}
pub(super) use conversations_where;

pub(super) fn conversation_item(row: &PgRow, caller: &Caller) -> sqlx::Result<ConversationItem> {
    let conversation = rows::conversation(row, "id")?;
    let kind = match row.try_get::<&str, _>("kind")? {
        "room" => ConversationKind::Room,
        _ => ConversationKind::Direct,
    };
    let last_message =
        if rows::is_there::<i64>(row, "m_seq")? { Some(rows::message(row, conversation)?) } else { None };
    Ok(ConversationItem {
        conversation,
        kind,
        participants: rows::handles(row, "handles")?,
        last_message,
        last_activity: rows::timestamp(row, "last_at")?,
        unread: rows::seq(row, "last_ordinal")?.saturating_sub(rows::seq(row, "read_ordinal")?),
        mentions: 0,
        read: rows::seq(row, "read_seq")?,
        markers: markers(row, caller)?,
    })
}

/// How far the others have come, by handle.
fn markers(row: &PgRow, caller: &Caller) -> sqlx::Result<Vec<Reader>> {
    let uids: Vec<Uuid> = row.try_get("uids")?;
    let handles: Vec<Option<String>> = row.try_get("handles")?;
    let (reads, delivered): (Vec<i64>, Vec<i64>) = (row.try_get("reads")?, row.try_get("delivered")?);
    let mut markers = Vec::with_capacity(uids.len());
    for (((uid, handle), read), delivered) in uids.into_iter().zip(handles).zip(reads).zip(delivered) {
        if uid != caller.uid.as_uuid() {
            let user = rows::parse_handle(handle)?;
            markers.push(Reader { user, read: read.cast_unsigned(), delivered: delivered.cast_unsigned() });
        }
    }
    markers.sort_unstable_by(|a, b| a.user.cmp(&b.user));
    Ok(markers)
}
