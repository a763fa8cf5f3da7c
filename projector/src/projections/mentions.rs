//! Who is mentioned where and has not read it. Of a mention by name there is a row until it is read; of one that names
//! everybody in a room there is one row, however many those are.

use std::collections::HashMap;

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use uuid::Uuid;

use super::members::Turn;
use super::readers::Readers;
use super::threads::Threads;
use crate::fact::Message;

/// The mentions of a batch, and what ends them.
#[derive(Debug, Default)]
pub(crate) struct Mentions<'a> {
    said: Vec<(u64, &'a Message)>,
    /// By which event someone came into a room last, or went: nothing from before counts for them.
    turned: HashMap<(ConversationId, Uid), u64>,
}

/// What someone has read: a conversation but for its threads (0), or one of those.
type Scope = (ConversationId, u64, Uid);

impl<'a> Mentions<'a> {
    pub fn said(&mut self, seq: u64, message: &'a Message) {
        if !message.mentions.is_empty() || message.mentions_room {
            self.said.push((seq, message));
        }
    }

    pub fn turned(&mut self, turn: &Turn) {
        self.turned.insert((turn.room, turn.user), turn.seq);
    }

    /// Before the batch's deletions.
    pub async fn write(
        &self,
        transaction: &mut PgConnection,
        readers: &Readers,
        threads: &Threads,
    ) -> Result<(), sqlx::Error> {
        let read: HashMap<Scope, u64> = readers
            .positions()
            .map(|(conversation, uid, seq)| ((conversation, 0, uid), seq))
            .chain(threads.positions().map(|((conversation, root), uid, seq)| ((conversation, root, uid), seq)))
            .collect();
        if !read.is_empty() {
            forget_read(&read, transaction).await?;
        }
        if !self.turned.is_empty() {
            self.forget_before_turns(transaction).await?;
        }
        if !self.said.is_empty() {
            self.write_names(&read, transaction).await?;
            self.write_rooms(transaction).await?;
        }
        Ok(())
    }

    async fn forget_before_turns(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "delete from mentions m using unnest($1::uuid[], $2::uuid[], $3::int8[]) r(conversation, uid, seq) \
             where m.uid = r.uid and m.conversation = r.conversation and m.seq < r.seq",
        )
        .bind(self.turned.keys().map(|(room, _)| room.as_uuid()).collect::<Vec<_>>())
        .bind(self.turned.keys().map(|(_, uid)| uid.as_uuid()).collect::<Vec<_>>())
        .bind(self.turned.values().map(|seq| seq.cast_signed()).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }

    /// What is read already by the end of the batch is not written.
    async fn write_names(&self, read: &HashMap<Scope, u64>, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut rows: Vec<(Uuid, Uuid, i64, i64)> = Vec::new();
        for (seq, message) in &self.said {
            let (conversation, thread) = (message.conversation, message.thread.unwrap_or(0));
            for uid in message.mentions.iter().filter(|uid| **uid != message.sender) {
                let is_read = read.get(&(conversation, thread, *uid)).is_some_and(|read| read >= seq);
                let is_past = self.turned.get(&(conversation, *uid)).is_some_and(|turned| turned > seq);
                if !is_read && !is_past {
                    rows.push((uid.as_uuid(), conversation.as_uuid(), seq.cast_signed(), thread.cast_signed()));
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into mentions (uid, conversation, seq, thread) \
             select * from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::int8[])",
        )
        .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.1).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.2).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.3).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }

    async fn write_rooms(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self.said.iter().filter(|(_, message)| message.mentions_room).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into room_mentions (conversation, seq, thread, sender) \
             select * from unnest($1::uuid[], $2::int8[], $3::int8[], $4::uuid[])",
        )
        .bind(rows.iter().map(|(_, message)| message.conversation.as_uuid()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(seq, _)| seq.cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, message)| message.thread.unwrap_or(0).cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, message)| message.sender.as_uuid()).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}

async fn forget_read(read: &HashMap<Scope, u64>, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from mentions m \
         using unnest($1::uuid[], $2::int8[], $3::uuid[], $4::int8[]) r(conversation, thread, uid, seq) \
         where m.uid = r.uid and m.conversation = r.conversation and m.seq <= r.seq and m.thread = r.thread",
    )
    .bind(read.keys().map(|(conversation, ..)| conversation.as_uuid()).collect::<Vec<_>>())
    .bind(read.keys().map(|(_, thread, _)| thread.cast_signed()).collect::<Vec<_>>())
    .bind(read.keys().map(|(.., uid)| uid.as_uuid()).collect::<Vec<_>>())
    .bind(read.values().map(|seq| seq.cast_signed()).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}
