//! What happened and is not a message, as clients see it; and letting go of it when it is old.

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Most old changes that one transaction lets go of, so that doing it never holds up a batch.
const PRUNE_ROWS: i64 = 10_000;

/// The changes of a batch, column by column.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    seqs: Vec<i64>,
    ats: Vec<OffsetDateTime>,
    conversations: Vec<Uuid>,
    actors: Vec<Uuid>,
    reads: Vec<i64>,
}

impl Changes {
    /// A marker moved, which everybody in a direct conversation sees.
    pub fn marker(&mut self, seq: u64, at: OffsetDateTime, conversation: ConversationId, reader: Uid, read: u64) {
        self.seqs.push(seq.cast_signed());
        self.ats.push(at);
        self.conversations.push(conversation.as_uuid());
        self.actors.push(reader.as_uuid());
        self.reads.push(read.cast_signed());
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into changes (seq, at, conversation, kind, actor, read) \
             select r.seq, r.at, r.conversation, 'marker', r.actor, r.read \
             from unnest($1::int8[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::int8[]) \
               r(seq, at, conversation, actor, read)",
        )
        .bind(&self.seqs)
        .bind(&self.ats)
        .bind(&self.conversations)
        .bind(&self.actors)
        .bind(&self.reads)
        .execute(transaction)
        .await?;
        Ok(())
    }
}

/// Lets go of some changes that are older than what is kept. Says whether there may be more.
pub(crate) async fn prune(transaction: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let pruned = sqlx::query(
        "delete from changes where seq = any (array( \
           select seq from changes where seq <= (select after_seq from changes_kept) order by seq limit $1))",
    )
    .bind(PRUNE_ROWS)
    .execute(transaction)
    .await?;
    Ok(pruned.rows_affected().cast_signed() == PRUNE_ROWS)
}
