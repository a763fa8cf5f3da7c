//! Conversations, and who is in the direct ones. Here every message outside of threads gets its ordinal.

use std::collections::HashMap;

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The conversations of a batch, as they are with the events that were added so far.
#[derive(Debug, Default)]
pub(crate) struct Conversations(HashMap<ConversationId, Conversation>);

#[derive(Debug, Default)]
struct Conversation {
    /// The malformed event that everything of it waits behind.
    held_since: Option<u64>,
    /// As the database has it; none before its first event.
    stored: Option<Stored>,
    /// Its people, once an event told them, where the database does not know them yet.
    people: Vec<Uid>,
    /// Its first event.
    began: Option<(u64, OffsetDateTime)>,
    /// Its messages in this batch, threads aside.
    seqs: Vec<u64>,
    last_at: Option<OffsetDateTime>,
    last_change_seq: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Stored {
    last_seq: u64,
    last_ordinal: u64,
}

/// How many messages of a conversation stand at or before a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Known(u64),
    /// The position is among older messages: the database has to be asked.
    Older,
}

impl Conversations {
    /// What the database knows of these conversations.
    pub async fn load(connection: &mut PgConnection, ids: Vec<ConversationId>) -> Result<Self, sqlx::Error> {
        type Row = (Uuid, Option<i64>, Option<i64>, Option<i64>);
        let ids: Vec<Uuid> = ids.iter().map(ConversationId::as_uuid).collect();
        let rows: Vec<Row> = sqlx::query_as(
            "select i.id, c.last_seq, c.last_ordinal, h.since_seq \
             from unnest($1::uuid[]) i(id) \
             left join conversations c on c.id = i.id left join held_conversations h on h.conversation = i.id",
        )
        .bind(ids)
        .fetch_all(connection)
        .await?;
        let conversations = rows.into_iter().map(|(id, last_seq, last_ordinal, held_since)| {
            let stored = last_seq.zip(last_ordinal).map(|(last_seq, last_ordinal)| Stored {
                last_seq: last_seq.cast_unsigned(),
                last_ordinal: last_ordinal.cast_unsigned(),
            });
            let held_since = held_since.map(i64::cast_unsigned);
            (ConversationId::from(id), Conversation { stored, held_since, ..Conversation::default() })
        });
        Ok(Self(conversations.collect()))
    }

    /// The malformed event that this conversation waits behind.
    pub fn held_since(&self, id: ConversationId) -> Option<u64> {
        self.0.get(&id)?.held_since
    }

    /// From now on it waits behind this event. Says whether it did not yet.
    pub fn hold(&mut self, id: ConversationId, since: u64) -> bool {
        let conversation = self.0.entry(id).or_default();
        let first = conversation.held_since.is_none();
        conversation.held_since.get_or_insert(since);
        first
    }

    /// Something happened in it.
    pub fn changed(&mut self, id: ConversationId, people: &[Uid], seq: u64, at: OffsetDateTime) {
        let conversation = self.0.entry(id).or_default();
        if conversation.stored.is_none() && conversation.began.is_none() {
            conversation.people = people.to_vec();
            conversation.began = Some((seq, at));
        }
        conversation.last_change_seq = Some(seq);
    }

    /// Something was said in it outside of threads, after [`changed`](Self::changed): the message's ordinal.
    pub fn said(&mut self, id: ConversationId, seq: u64, at: OffsetDateTime) -> u64 {
        let conversation = self.0.entry(id).or_default();
        conversation.seqs.push(seq);
        conversation.last_at = Some(at);
        conversation.last_ordinal()
    }

    /// How many of its messages outside of threads stand at or before `seq`, which is not after the events that were added so far.
    pub fn count_up_to(&self, id: ConversationId, seq: u64) -> Count {
        let Some(conversation) = self.0.get(&id) else { return Count::Known(0) };
        match conversation.stored {
            Some(stored) if seq < stored.last_seq => Count::Older,
            stored => {
                let newer = conversation.seqs.partition_point(|said| *said <= seq);
                Count::Known(stored.map_or(0, |stored| stored.last_ordinal) + newer as u64)
            }
        }
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let changed = self.0.iter().filter(|(_, conversation)| conversation.last_change_seq.is_some());
        let (known, new): (Vec<_>, Vec<_>) = changed.partition(|(_, conversation)| conversation.stored.is_some());
        if !new.is_empty() {
            insert(&new, transaction).await?;
            insert_people(&new, transaction).await?;
        }
        if !known.is_empty() {
            update(&known, transaction).await?;
        }
        Ok(())
    }
}

impl Conversation {
    fn last_seq(&self) -> u64 {
        self.seqs.last().copied().or(self.stored.map(|stored| stored.last_seq)).unwrap_or(0)
    }

    fn last_ordinal(&self) -> u64 {
        self.stored.map_or(0, |stored| stored.last_ordinal) + self.seqs.len() as u64
    }
}

type Row<'a> = (&'a ConversationId, &'a Conversation);

async fn insert(new: &[Row<'_>], transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into conversations \
           (id, kind, created_at, created_seq, last_seq, last_ordinal, last_at, last_change_seq) \
         select id, kind, began_at, began_seq, last_seq, last_ordinal, coalesce(last_at, began_at), last_change_seq \
         from unnest($1::uuid[], $2::timestamptz[], $3::int8[], $4::int8[], $5::timestamptz[], $6::int8[], $7::int8[], \
             $8::text[]) \
           r(id, began_at, last_seq, last_ordinal, last_at, last_change_seq, began_seq, kind)",
    )
    .bind(new.iter().map(|(id, _)| id.as_uuid()).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, row)| row.began.map(|(_, at)| at)).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, row)| row.last_seq().cast_signed()).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, row)| row.last_ordinal().cast_signed()).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, row)| row.last_at).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, row)| row.last_change_seq.map(u64::cast_signed)).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, row)| row.began.map(|(seq, _)| seq.cast_signed())).collect::<Vec<_>>())
    .bind(new.iter().map(|(id, _)| if id.is_room() { "room" } else { "direct" }).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

async fn insert_people(new: &[Row<'_>], transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    let people = || new.iter().flat_map(|(id, row)| row.people.iter().map(|uid| (id.as_uuid(), uid.as_uuid())));
    sqlx::query("insert into participants (conversation, uid) select * from unnest($1::uuid[], $2::uuid[])")
        .bind(people().map(|(id, _)| id).collect::<Vec<_>>())
        .bind(people().map(|(_, uid)| uid).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
    Ok(())
}

async fn update(known: &[Row<'_>], transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update conversations c set last_seq = r.last_seq, last_ordinal = r.last_ordinal, \
           last_at = coalesce(r.last_at, c.last_at), last_change_seq = r.last_change_seq \
         from unnest($1::uuid[], $2::int8[], $3::int8[], $4::timestamptz[], $5::int8[]) \
           r(id, last_seq, last_ordinal, last_at, last_change_seq) \
         where c.id = r.id",
    )
    .bind(known.iter().map(|(id, _)| id.as_uuid()).collect::<Vec<_>>())
    .bind(known.iter().map(|(_, row)| row.last_seq().cast_signed()).collect::<Vec<_>>())
    .bind(known.iter().map(|(_, row)| row.last_ordinal().cast_signed()).collect::<Vec<_>>())
    .bind(known.iter().map(|(_, row)| row.last_at).collect::<Vec<_>>())
    .bind(known.iter().map(|(_, row)| row.last_change_seq.map(u64::cast_signed)).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(stored: Option<Stored>) -> (Conversations, ConversationId) {
        let id = ConversationId::direct(&[Uid::random()]);
        (Conversations([(id, Conversation { stored, ..Conversation::default() })].into()), id)
    }

    #[test]
    fn ordinals_go_on_where_the_database_stands() {
        let (mut new, id) = with(None);
        let at = OffsetDateTime::UNIX_EPOCH;
        assert_eq!([new.said(id, 5, at), new.said(id, 9, at)], [1, 2]);
        let (mut known, id) = with(Some(Stored { last_seq: 40, last_ordinal: 7 }));
        assert_eq!([known.said(id, 50, at), known.said(id, 51, at)], [8, 9]);
    }

    #[test]
    fn a_count_is_known_from_the_last_stored_message_on() {
        let (mut conversations, id) = with(Some(Stored { last_seq: 40, last_ordinal: 7 }));
        for seq in [50, 60] {
            conversations.said(id, seq, OffsetDateTime::UNIX_EPOCH);
        }
        let counts = [39, 40, 49, 50, 59, 60, 70].map(|seq| conversations.count_up_to(id, seq));
        let known = [7, 7, 8, 8, 9, 9].map(Count::Known);
        assert_eq!((counts[0], &counts[1..]), (Count::Older, &known[..]));
        let (new, id) = with(None);
        assert_eq!(new.count_up_to(id, 3), Count::Known(0));
    }
}
