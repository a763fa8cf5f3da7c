//! Rooms as their last event says: what they are called, who finds them, who may not come back, and when they were public.

use std::collections::HashMap;

use natter_events::{ConversationId, Visibility};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fact::Room;

/// The rooms of a batch, in the log's order.
#[derive(Debug, Default)]
pub(crate) struct Rooms<'a>(Vec<(u64, &'a Room)>);

/// When a room was public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: u64,
    upto: Option<u64>,
}

impl<'a> Rooms<'a> {
    pub fn became(&mut self, seq: u64, room: &'a Room) {
        self.0.push((seq, room));
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.write_public_spans(transaction).await?;
        let last: HashMap<ConversationId, (u64, &Room)> =
            self.0.iter().map(|(seq, room)| (room.room, (*seq, *room))).collect();
        write_rooms(last.values(), transaction).await?;
        write_bans(last.values(), transaction).await
    }

    /// Each room's spans are the ones that it had, changed by every event of the batch that made it public or private.
    async fn write_public_spans(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = self.0.iter().map(|(_, room)| room.room.as_uuid()).collect();
        let open: Vec<(Uuid, i64)> = sqlx::query_as(
            "select conversation, from_seq from public_spans where conversation = any($1) and upto_seq is null",
        )
        .bind(ids)
        .fetch_all(&mut *transaction)
        .await?;
        let mut spans: HashMap<ConversationId, Vec<Span>> = HashMap::new();
        for (room, from) in open {
            spans.insert(room.into(), vec![Span { from: from.cast_unsigned(), upto: None }]);
        }
        for (seq, room) in &self.0 {
            turn(spans.entry(room.room).or_default(), *seq, room.visibility);
        }
        let rows: Vec<(Uuid, Span)> =
            spans.iter().flat_map(|(room, spans)| spans.iter().map(|span| (room.as_uuid(), *span))).collect();
        sqlx::query(
            "insert into public_spans (conversation, from_seq, upto_seq) \
             select * from unnest($1::uuid[], $2::int8[], $3::int8[]) \
             on conflict (conversation, from_seq) do update set upto_seq = excluded.upto_seq",
        )
        .bind(rows.iter().map(|(room, _)| *room).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, span)| span.from.cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, span)| span.upto.map(u64::cast_signed)).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}

/// The room is this visible from `seq` on.
fn turn(spans: &mut Vec<Span>, seq: u64, visibility: Visibility) {
    let open = spans.last_mut().filter(|span| span.upto.is_none());
    match (visibility, open) {
        (Visibility::Public, None) => spans.push(Span { from: seq, upto: None }),
        (Visibility::Private, Some(span)) => span.upto = Some(seq),
        (Visibility::Public, Some(_)) | (Visibility::Private, None) => {}
    }
}

async fn write_rooms<'r>(
    rooms: impl Iterator<Item = &'r (u64, &'r Room)> + Clone,
    transaction: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    // As PostgreSQL reads an array, which can't be an element of one.
    let owners =
        |room: &Room| format!("{{{}}}", room.owners.iter().map(|uid| uid.to_string()).collect::<Vec<_>>().join(","));
    sqlx::query(
        "insert into rooms (conversation, name, topic, visibility, archived, owners, changed_seq) \
         select conversation, name, topic, visibility, archived, owners::uuid[], seq \
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::int8[]) \
           r(conversation, name, topic, visibility, archived, owners, seq) \
         on conflict (conversation) do update set name = excluded.name, topic = excluded.topic, \
           visibility = excluded.visibility, archived = excluded.archived, owners = excluded.owners, \
           changed_seq = excluded.changed_seq",
    )
    .bind(rooms.clone().map(|(_, room)| room.room.as_uuid()).collect::<Vec<_>>())
    .bind(rooms.clone().map(|(_, room)| room.name.as_deref()).collect::<Vec<_>>())
    .bind(rooms.clone().map(|(_, room)| room.topic.as_deref()).collect::<Vec<_>>())
    .bind(rooms.clone().map(|(_, room)| visibility_name(room.visibility)).collect::<Vec<_>>())
    .bind(rooms.clone().map(|(_, room)| room.archived).collect::<Vec<_>>())
    .bind(rooms.clone().map(|(_, room)| owners(room)).collect::<Vec<_>>())
    .bind(rooms.map(|(seq, _)| seq.cast_signed()).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

async fn write_bans<'r>(
    rooms: impl Iterator<Item = &'r (u64, &'r Room)> + Clone,
    transaction: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let bans = || rooms.clone().flat_map(|(_, room)| room.bans.iter().map(|uid| (room.room.as_uuid(), uid.as_uuid())));
    sqlx::query(
        "with banned as (select * from unnest($2::uuid[], $3::uuid[]) b(conversation, uid)), \
         gone as (delete from bans \
                  where conversation = any($1) and (conversation, uid) not in (select conversation, uid from banned)) \
         insert into bans (conversation, uid) select conversation, uid from banned on conflict do nothing",
    )
    .bind(rooms.clone().map(|(_, room)| room.room.as_uuid()).collect::<Vec<_>>())
    .bind(bans().map(|(room, _)| room).collect::<Vec<_>>())
    .bind(bans().map(|(_, uid)| uid).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

pub(crate) fn visibility_name(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "public",
        Visibility::Private => "private",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evt3_a_room_is_public_from_the_event_that_made_it_so_to_the_one_that_made_it_private() {
        use Visibility::{Private, Public};
        let mut spans = vec![Span { from: 3, upto: None }];
        for (seq, visibility) in [(5, Public), (7, Private), (8, Private), (9, Public), (10, Public), (12, Private)] {
            turn(&mut spans, seq, visibility);
        }
        assert_eq!(spans, [Span { from: 3, upto: Some(7) }, Span { from: 9, upto: Some(12) }]);
        turn(&mut spans, 20, Public);
        assert_eq!(spans[2], Span { from: 20, upto: None });
    }
}
