//! Which commands were ever stored, for idempotency without a window (CMD2).

use natter_events::{ClientId, ConversationId, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The commands of a batch, column by column.
#[derive(Debug, Default)]
pub(crate) struct Commands<'a> {
    senders: Vec<Uuid>,
    ids: Vec<Uuid>,
    seqs: Vec<i64>,
    conversations: Vec<Option<Uuid>>,
    ats: Vec<OffsetDateTime>,
    fingerprints: Vec<Option<&'a [u8]>>,
}

impl<'a> Commands<'a> {
    pub fn stored(
        &mut self,
        (sender, id): (Uid, ClientId),
        seq: u64,
        at: OffsetDateTime,
        conversation: Option<ConversationId>,
        fingerprint: Option<&'a [u8; 16]>,
    ) {
        self.senders.push(sender.as_uuid());
        self.ids.push(id.as_uuid());
        self.seqs.push(seq.cast_signed());
        self.conversations.push(conversation.map(|id| id.as_uuid()));
        self.ats.push(at);
        self.fingerprints.push(fingerprint.map(<[u8; 16]>::as_slice));
    }

    /// The first event of an id is the one that it became.
    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into commands (sender, id, seq, conversation, at, fingerprint) \
             select * from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::uuid[], $5::timestamptz[], $6::bytea[]) \
             on conflict (sender, id) do nothing",
        )
        .bind(&self.senders)
        .bind(&self.ids)
        .bind(&self.seqs)
        .bind(&self.conversations)
        .bind(&self.ats)
        .bind(&self.fingerprints)
        .execute(transaction)
        .await?;
        Ok(())
    }
}
