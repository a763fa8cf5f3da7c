//! How far each participant has read, threads aside, as a position and as a number of messages.
//!
//! Sending reads up to itself, joining a room up to the joining, and a marker never goes back. Both the position and the number only ever grow, so the
//! greatest of what a batch says is all that is written.

use std::collections::HashMap;

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use uuid::Uuid;

use super::conversations::{Conversations, Count};

/// How far the people of a batch have read.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    read: HashMap<(ConversationId, Uid), Read>,
    /// Markers among messages that are older than the batch: the database has to say how many stand before them.
    older: HashMap<(ConversationId, Uid), u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Read {
    seq: u64,
    ordinal: u64,
}

impl Readers {
    /// `reader` has read up to `seq`, which is not after the event that says so.
    pub fn read(&mut self, conversations: &Conversations, conversation: ConversationId, reader: Uid, seq: u64) {
        match conversations.count_up_to(conversation, seq) {
            Count::Known(ordinal) => {
                let read = self.read.entry((conversation, reader)).or_default();
                *read = Read { seq: read.seq.max(seq), ordinal: read.ordinal.max(ordinal) };
            }
            Count::Older => {
                let older = self.older.entry((conversation, reader)).or_default();
                *older = (*older).max(seq);
            }
        }
    }

    /// Before the batch's messages are written, which the count of older ones must not see.
    pub async fn resolve(&mut self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        // A later marker of the same batch that is known says more than an older one.
        self.older.retain(|reader, _| !self.read.contains_key(reader));
        if self.older.is_empty() {
            return Ok(());
        }
        let older: Vec<((ConversationId, Uid), u64)> = self.older.drain().collect();
        let counts: Vec<i64> = sqlx::query_scalar(
            "select coalesce((select m.ordinal from messages m \
                              where m.conversation = r.conversation and m.thread = 0 and m.seq <= r.read \
                              order by m.seq desc limit 1), 0) \
             from unnest($1::uuid[], $2::int8[]) with ordinality r(conversation, read, n) order by r.n",
        )
        .bind(older.iter().map(|((conversation, _), _)| conversation.as_uuid()).collect::<Vec<_>>())
        .bind(older.iter().map(|(_, read)| read.cast_signed()).collect::<Vec<_>>())
        .fetch_all(transaction)
        .await?;
        for ((reader, seq), ordinal) in older.into_iter().zip(counts) {
            self.read.insert(reader, Read { seq, ordinal: ordinal.cast_unsigned() });
        }
        Ok(())
    }

    /// Who read up to where, once all of it is known.
    pub fn positions(&self) -> impl Iterator<Item = (ConversationId, Uid, u64)> {
        self.read.iter().map(|((conversation, uid), read)| (*conversation, *uid, read.seq))
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.read.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "update participants p \
             set read_seq = greatest(p.read_seq, r.seq), read_ordinal = greatest(p.read_ordinal, r.ordinal) \
             from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::int8[]) r(conversation, uid, seq, ordinal) \
             where p.conversation = r.conversation and p.uid = r.uid and p.read_seq < r.seq",
        )
        .bind(self.read.keys().map(|(conversation, _)| conversation.as_uuid()).collect::<Vec<Uuid>>())
        .bind(self.read.keys().map(|(_, uid)| uid.as_uuid()).collect::<Vec<Uuid>>())
        .bind(self.read.values().map(|read| read.seq.cast_signed()).collect::<Vec<_>>())
        .bind(self.read.values().map(|read| read.ordinal.cast_signed()).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}
