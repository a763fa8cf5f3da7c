//! Messages, one row each.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fact::Message;

/// The messages of a batch, column by column.
#[derive(Debug, Default)]
pub(crate) struct Messages<'a> {
    seqs: Vec<i64>,
    ats: Vec<OffsetDateTime>,
    ordinals: Vec<i64>,
    replies: Vec<Option<i64>>,
    conversations: Vec<Uuid>,
    senders: Vec<Uuid>,
    ids: Vec<Uuid>,
    texts: Vec<Option<&'a str>>,
    metadata: Vec<Option<&'a str>>,
    threads: Vec<i64>,
    /// As PostgreSQL reads an array, which can't be an element of one.
    mentions: Vec<Option<String>>,
    mention_room: Vec<bool>,
}

impl<'a> Messages<'a> {
    pub fn said(&mut self, seq: u64, at: OffsetDateTime, ordinal: u64, message: &'a Message) {
        self.seqs.push(seq.cast_signed());
        self.ats.push(at);
        self.ordinals.push(ordinal.cast_signed());
        self.replies.push(message.reply_to.map(u64::cast_signed));
        self.conversations.push(message.conversation.as_uuid());
        self.senders.push(message.sender.as_uuid());
        self.ids.push(message.id.as_uuid());
        self.texts.push(message.text.as_deref());
        self.metadata.push(message.metadata.as_deref());
        self.threads.push(message.thread.unwrap_or_default().cast_signed());
        let mentions = message.mentions.iter().map(|uid| uid.to_string()).collect::<Vec<_>>();
        self.mentions.push((!mentions.is_empty()).then(|| format!("{{{}}}", mentions.join(","))));
        self.mention_room.push(message.mentions_room);
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into messages \
               (seq, at, ordinal, reply_to, conversation, sender, id, text, metadata, thread, mentions, mentions_room) \
             select seq, at, ordinal, reply_to, conversation, sender, id, text, metadata, thread, mentions::uuid[], \
               mentions_room \
             from unnest($1::int8[], $2::timestamptz[], $3::int8[], $4::int8[], $5::uuid[], $6::uuid[], $7::uuid[], \
                 $8::text[], $9::text[], $10::int8[], $11::text[], $12::bool[]) \
               r(seq, at, ordinal, reply_to, conversation, sender, id, text, metadata, thread, mentions, mentions_room)",
        )
        .bind(&self.seqs)
        .bind(&self.ats)
        .bind(&self.ordinals)
        .bind(&self.replies)
        .bind(&self.conversations)
        .bind(&self.senders)
        .bind(&self.ids)
        .bind(&self.texts)
        .bind(&self.metadata)
        .bind(&self.threads)
        .bind(&self.mentions)
        .bind(&self.mention_room)
        .execute(transaction)
        .await?;
        Ok(())
    }
}
