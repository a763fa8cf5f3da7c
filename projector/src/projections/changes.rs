//! What happened and is not a message, as clients see it; and letting go of it when it is old.

use natter_events::{ClientId, ConversationId, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fact::{Block, Change, What};

/// Most old changes that one transaction lets go of, so that doing it never holds up a batch.
const PRUNE_ROWS: i64 = 10_000;

/// The changes of a batch, column by column.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    seqs: Vec<i64>,
    ats: Vec<OffsetDateTime>,
    conversations: Vec<Option<Uuid>>,
    only_for: Vec<Option<Uuid>>,
    kinds: Vec<&'static str>,
    actors: Vec<Uuid>,
    reads: Vec<Option<i64>>,
    messages: Vec<Option<i64>>,
    ids: Vec<Option<Uuid>>,
    emoji: Vec<Option<&'a str>>,
    targets: Vec<Option<Uuid>>,
    blocked: Vec<Option<bool>>,
}

/// Who sees it.
enum Audience {
    Conversation(ConversationId),
    Only(Uid),
}

/// What only some kinds have.
#[derive(Default)]
struct Details<'a> {
    read: Option<u64>,
    message: Option<u64>,
    id: Option<ClientId>,
    emoji: Option<&'a str>,
    block: Option<(Uid, bool)>,
}

impl<'a> Changes<'a> {
    /// A marker moved, which everybody in a direct conversation sees.
    pub fn marker(&mut self, seq: u64, at: OffsetDateTime, conversation: ConversationId, reader: Uid, read: u64) {
        let audience = Audience::Conversation(conversation);
        self.row(seq, at, audience, "marker", reader, Details { read: Some(read), ..Details::default() });
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
        let details = Details { message: Some(change.message), id: Some(change.id), emoji, ..Details::default() };
        self.row(seq, at, Audience::Conversation(change.conversation), kind, change.actor, details);
    }

    /// Somebody was blocked, or no longer is, which only the one who did it sees.
    pub fn block(&mut self, seq: u64, at: OffsetDateTime, (owner, id): (Uid, ClientId), block: &Block) {
        let block = Some((block.user, block.blocked));
        self.row(seq, at, Audience::Only(owner), "block", owner, Details { id: Some(id), block, ..Details::default() });
    }

    fn row(
        &mut self,
        seq: u64,
        at: OffsetDateTime,
        audience: Audience,
        kind: &'static str,
        actor: Uid,
        details: Details<'a>,
    ) {
        let (conversation, only_for) = match audience {
            Audience::Conversation(id) => (Some(id.as_uuid()), None),
            Audience::Only(uid) => (None, Some(uid.as_uuid())),
        };
        self.seqs.push(seq.cast_signed());
        self.ats.push(at);
        self.conversations.push(conversation);
        self.only_for.push(only_for);
        self.kinds.push(kind);
        self.actors.push(actor.as_uuid());
        self.reads.push(details.read.map(u64::cast_signed));
        self.messages.push(details.message.map(u64::cast_signed));
        self.ids.push(details.id.map(|id| id.as_uuid()));
        self.emoji.push(details.emoji);
        self.targets.push(details.block.map(|(user, _)| user.as_uuid()));
        self.blocked.push(details.block.map(|(_, blocked)| blocked));
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into changes \
               (seq, at, conversation, kind, actor, read, message, id, emoji, only_for, target, blocked) \
             select * from unnest($1::int8[], $2::timestamptz[], $3::uuid[], $4::text[], $5::uuid[], $6::int8[], \
               $7::int8[], $8::uuid[], $9::text[], $10::uuid[], $11::uuid[], $12::bool[])",
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
        .bind(&self.only_for)
        .bind(&self.targets)
        .bind(&self.blocked)
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
