//! Threads: how many messages each has, who takes part in it, and how far they have read. Here every message in a thread
//! gets its ordinal.

use std::collections::{BTreeMap, HashMap};

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

type Thread = (ConversationId, u64);

/// The threads of a batch, as they are with the events that were added so far.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    /// How many messages each has in the database.
    stored: HashMap<Thread, u64>,
    said: HashMap<Thread, Said>,
    readers: BTreeMap<(Thread, Uid), Reader>,
}

#[derive(Debug, Clone, Copy)]
struct Said {
    replies: u64,
    last_seq: u64,
    last_at: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, Default)]
struct Reader {
    read: u64,
    takes_part: bool,
}

impl Threads {
    /// What the database knows of these threads.
    pub async fn load(connection: &mut PgConnection, mut threads: Vec<Thread>) -> Result<Self, sqlx::Error> {
        threads.sort_unstable();
        threads.dedup();
        if threads.is_empty() {
            return Ok(Self::default());
        }
        let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as(
            "select t.conversation, t.root, t.replies from unnest($1::uuid[], $2::int8[]) r(conversation, root) \
             join threads t on t.conversation = r.conversation and t.root = r.root",
        )
        .bind(threads.iter().map(|(conversation, _)| conversation.as_uuid()).collect::<Vec<_>>())
        .bind(threads.iter().map(|(_, root)| root.cast_signed()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
        let stored = rows.into_iter().map(|(conversation, root, replies)| {
            ((conversation.into(), root.cast_unsigned()), replies.cast_unsigned())
        });
        Ok(Self { stored: stored.collect(), ..Self::default() })
    }

    /// Something was said in it: the message's ordinal.
    pub fn said(&mut self, thread: Thread, sender: Uid, mentions: &[Uid], seq: u64, at: OffsetDateTime) -> u64 {
        let before = self.said.get(&thread).map(|said| said.replies).or_else(|| self.stored.get(&thread).copied());
        let replies = before.unwrap_or(0) + 1;
        self.said.insert(thread, Said { replies, last_seq: seq, last_at: at });
        self.read(thread, sender, seq);
        for uid in mentions.iter().copied().chain([sender]) {
            self.readers.entry((thread, uid)).or_default().takes_part = true;
        }
        replies
    }

    /// `reader` has read the thread up to `seq`.
    pub fn read(&mut self, thread: Thread, reader: Uid, seq: u64) {
        let reader = self.readers.entry((thread, reader)).or_default();
        reader.read = reader.read.max(seq);
    }

    /// Who read which up to where.
    pub fn positions(&self) -> impl Iterator<Item = (Thread, Uid, u64)> {
        self.readers
            .iter()
            .filter(|(_, reader)| reader.read > 0)
            .map(|((thread, uid), reader)| (*thread, *uid, reader.read))
    }

    /// After the messages of the batch.
    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.readers.is_empty() {
            self.write_readers(transaction).await?;
        }
        if !self.said.is_empty() {
            self.write_threads(transaction).await?;
        }
        Ok(())
    }

    async fn write_readers(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "insert into thread_readers as r (conversation, root, uid, read_seq, takes_part) \
             select * from unnest($1::uuid[], $2::int8[], $3::uuid[], $4::int8[], $5::bool[]) \
             on conflict (conversation, root, uid) do update \
             set read_seq = greatest(r.read_seq, excluded.read_seq), takes_part = r.takes_part or excluded.takes_part",
        )
        .bind(self.readers.keys().map(|((conversation, _), _)| conversation.as_uuid()).collect::<Vec<_>>())
        .bind(self.readers.keys().map(|((_, root), _)| root.cast_signed()).collect::<Vec<_>>())
        .bind(self.readers.keys().map(|(_, uid)| uid.as_uuid()).collect::<Vec<_>>())
        .bind(self.readers.values().map(|reader| reader.read.cast_signed()).collect::<Vec<_>>())
        .bind(self.readers.values().map(|reader| reader.takes_part).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }

    /// Whoever said the root takes part, once there is a thread.
    async fn write_threads(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "with said as ( \
               select * from unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::timestamptz[]) \
                 r(conversation, root, replies, last_seq, last_at) \
             ), authors as ( \
               insert into thread_readers as r (conversation, root, uid, read_seq, takes_part) \
               select m.conversation, m.seq, m.sender, 0, true \
               from said join messages m on m.conversation = said.conversation and m.seq = said.root \
               on conflict (conversation, root, uid) do update set takes_part = true where not r.takes_part \
             ) \
             insert into threads (conversation, root, replies, last_seq, last_at) \
             select conversation, root, replies, last_seq, last_at from said \
             on conflict (conversation, root) do update \
             set replies = excluded.replies, last_seq = excluded.last_seq, last_at = excluded.last_at",
        )
        .bind(self.said.keys().map(|(conversation, _)| conversation.as_uuid()).collect::<Vec<_>>())
        .bind(self.said.keys().map(|(_, root)| root.cast_signed()).collect::<Vec<_>>())
        .bind(self.said.values().map(|said| said.replies.cast_signed()).collect::<Vec<_>>())
        .bind(self.said.values().map(|said| said.last_seq.cast_signed()).collect::<Vec<_>>())
        .bind(self.said.values().map(|said| said.last_at).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}
