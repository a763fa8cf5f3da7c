//! What happened and is not a message, as clients see it; and letting go of it when it is old.

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fact::{Change, What};

/// Most old changes that one transaction lets go of, so that doing it never holds up a batch.
const PRUNE_ROWS: i64 = 10_000;

/// The changes of a batch, column by column.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    seqs: Vec<i64>,
    ats: Vec<OffsetDateTime>,
    conversations: Vec<Uuid>,
    kinds: Vec<&'static str>,
    actors: Vec<Uuid>,
    reads: Vec<Option<i64>>,
    messages: Vec<Option<i64>>,
    ids: Vec<Option<Uuid>>,
    emoji: Vec<Option<&'a str>>,
}

impl<'a> Changes<'a> {
    /// A marker moved, which everybody in a direct conversation sees.
    pub fn marker(&mut self, seq: u64, at: OffsetDateTime, conversation: ConversationId, reader: Uid, read: u64) {
        self.row(seq, at, conversation, "marker", reader);
        self.reads.push(Some(read.cast_signed()));
        self.messages.push(None);
        self.ids.push(None);
        self.emoji.push(None);
    }

    /// Something was done to a message. A reaction of somebody erased is shown to nobody.
    pub fn change(&mut self, seq: u64, at: OffsetDateTime, change: &'a Change) {
        let (kind, emoji) = match &change.what {
            What::Edited(_) => ("edited", None),
            What::Deleted => ("deleted", None),
            What::ReactionAdded(Some(emoji)) => ("reaction_added", Some(&**emoji)),
            What::ReactionRemoved(Some(emoji)) => ("reaction_removed", Some(&**emoji)),
            What::ReactionAdded(None) | What::ReactionRemoved(None) => return,
        };
        self.row(seq, at, change.conversation, kind, change.actor);
        self.reads.push(None);
        self.messages.push(Some(change.message.cast_signed()));
        self.ids.push(Some(change.id.as_uuid()));
        self.emoji.push(emoji);
    }

    fn row(&mut self, seq: u64, at: OffsetDateTime, conversation: ConversationId, kind: &'static str, actor: Uid) {
        self.seqs.push(seq.cast_signed());
        self.ats.push(at);
        self.conversations.push(conversation.as_uuid());
        self.kinds.push(kind);
        self.actors.push(actor.as_uuid());
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into changes (seq, at, conversation, kind, actor, read, message, id, emoji) \
             select * from unnest($1::int8[], $2::timestamptz[], $3::uuid[], $4::text[], $5::uuid[], $6::int8[], \
               $7::int8[], $8::uuid[], $9::text[])",
        )
        .bind(&self.seqs)
        .bind(&self.ats)
        .bind(&self.conversations)
        .bind(&self.kinds)
        .bind(&self.actors)
        .bind(&self.reads)
        .bind(&self.messages)
        .bind(&self.ids)
        .bind(&self.emoji)
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
