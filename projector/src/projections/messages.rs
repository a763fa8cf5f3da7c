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
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into messages (seq, at, ordinal, reply_to, conversation, sender, id, text, metadata) \
             select * from unnest($1::int8[], $2::timestamptz[], $3::int8[], $4::int8[], $5::uuid[], $6::uuid[], \
               $7::uuid[], $8::text[], $9::text[])",
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
        .execute(transaction)
        .await?;
        Ok(())
    }
}
