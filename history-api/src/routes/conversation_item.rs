//! A conversation as its list and its own page show it.

use natter_protocol::history::{ConversationItem, ConversationKind, Reader};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::room_item::room_item;
use crate::caller::Caller;
use crate::rows;

/// What a conversation is ordered by for the caller: its last message outside of threads, or their coming into it.
macro_rules! activity {
    () => {
        "greatest(c.last_seq, coalesce(p.joined_seq, c.created_seq))"
    };
}

/// A statement that gives conversations that the caller is in. What is said picks some of `c`, with `p` as the caller's
/// place in each, and says in which order. A room that is not there yet but for its members is not shown.
macro_rules! conversations_where {
    ($($which:tt)+) => {
        $crate::statement::gated!(
            "select at.epoch, at.seq, at.tag, at.refused, c.*, counted.*, last.*, author.handle as m_sender, people.*, room.*,
                    preferred.preferences
             from at
             left join lateral (
                 select true as item, c.id, c.kind, c.last_seq, p.read_seq,
                        greatest(c.last_at, p.joined_at) as active_at, ", $crate::routes::conversation_item::activity!(), " as activity
                 from participants p join conversations c on c.id = p.conversation
                 where p.uid = $1 and (c.kind = 'direct' or exists (select from rooms r where r.conversation = c.id))
                       and ", $($which)+, "
             ) c on true
             left join lateral (
                 select k.unread, k.mentions from counters k where k.conversation = c.id and k.uid = $1
             ) counted on true
             left join preferences preferred on preferred.uid = $1 and preferred.conversation = c.id
             left join lateral (select ", $crate::rows::spans_of!("c.id"), " as spans offset 0) may on true
             left join lateral (
                 select ", $crate::rows::message_columns!("may.spans"), "
                 from (select s as span from unnest(may.spans) s order by s desc) span
                 cross join lateral (
                     select x.* from messages x
                     where x.conversation = c.id and x.thread = 0 and x.seq <= c.last_seq
                           and x.seq >= lower(span.span) and x.seq < upper(span.span)
                     order by x.seq desc limit 1
                 ) m
                 limit 1
             ) last on true
             left join users author on author.uid = last.m_by
             left join lateral (
                 select array_agg(q.uid) as uids, array_agg(u.handle) as handles, array_agg(q.read_seq) as reads,
                        array_agg(least(greatest(coalesce(e.received_seq, 0), q.read_seq), c.last_seq)) as delivered
                 from participants q
                 left join users u on u.uid = q.uid
                 left join presence e on e.uid = q.uid
                 where q.conversation = c.id and c.kind = 'direct'
             ) people on true
             left join lateral (
                 select ", $crate::routes::room_item::room_columns!(), " from rooms r where r.conversation = c.id
             ) room on true"
        )
    };
}
pub(super) use {activity, conversations_where};

pub(super) fn conversation_item(row: &PgRow, caller: &Caller) -> sqlx::Result<ConversationItem> {
    let conversation = rows::conversation(row, "id")?;
    let kind = match row.try_get::<&str, _>("kind")? {
        "room" => ConversationKind::Room,
        _ => ConversationKind::Direct,
    };
    let last_message =
        if rows::is_there::<i64>(row, "m_seq")? { Some(rows::message(row, conversation)?) } else { None };
    let (participants, markers) = match kind {
        ConversationKind::Direct => (rows::handles(row, "handles")?, markers(row, caller)?),
        ConversationKind::Room => (Vec::new(), Vec::new()),
    };
    Ok(ConversationItem {
        conversation,
        kind,
        participants,
        last_message,
        last_activity: rows::timestamp(row, "active_at")?,
        unread: rows::seq(row, "unread")?,
        mentions: rows::seq(row, "mentions")?,
        read: rows::seq(row, "read_seq")?,
        markers,
        preferences: rows::preferences(row, "preferences")?,
        room: (kind == ConversationKind::Room).then(|| room_item(row)).transpose()?,
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
