//! Events that can't be applied, and those of the same conversation behind them.

use natter_events::ConversationId;
use natter_log::Stream;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fact::Incoming;
use crate::position;

/// The dead letters of a batch, column by column.
#[derive(Debug, Default)]
pub(crate) struct DeadLetters<'a> {
    seqs: Vec<i64>,
    ats: Vec<OffsetDateTime>,
    subjects: Vec<String>,
    conversations: Vec<Option<Uuid>>,
    reasons: Vec<String>,
    waits_for: Vec<Option<i64>>,
    payloads: Vec<&'a [u8]>,
    held: Vec<(Uuid, i64)>,
}

impl<'a> DeadLetters<'a> {
    /// This event itself is malformed.
    pub fn malformed(&mut self, event: &'a Incoming, reason: &str) {
        self.push(event, storable(reason), None);
    }

    /// This event waits behind a malformed one of its conversation.
    pub fn waiting(&mut self, event: &'a Incoming, since: u64) {
        self.push(event, format!("waits behind event {since} of its conversation"), Some(since));
    }

    /// Its conversation waits from now on.
    pub fn hold(&mut self, conversation: ConversationId, since: u64) {
        self.held.push((conversation.as_uuid(), since.cast_signed()));
    }

    /// How many are malformed themselves, and how many wait.
    pub fn count(&self) -> (u64, u64) {
        let waiting = self.waits_for.iter().flatten().count() as u64;
        (self.seqs.len() as u64 - waiting, waiting)
    }

    fn push(&mut self, event: &'a Incoming, reason: String, waits_for: Option<u64>) {
        self.seqs.push(event.stored.seq.cast_signed());
        self.ats.push(event.at);
        self.subjects.push(storable(&event.stored.subject));
        self.conversations.push(event.conversation().map(|id| id.as_uuid()));
        self.reasons.push(reason);
        self.waits_for.push(waits_for.map(u64::cast_signed));
        self.payloads.push(&event.stored.payload);
    }

    pub async fn write(&self, transaction: &mut PgConnection, stream: Stream) -> Result<(), sqlx::Error> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into dead_letters (stream, seq, at, subject, conversation, reason, waits_for, payload) \
             select $1, r.* from unnest($2::int8[], $3::timestamptz[], $4::text[], $5::uuid[], $6::text[], $7::int8[], \
               $8::bytea[]) r",
        )
        .bind(position::name(stream))
        .bind(&self.seqs)
        .bind(&self.ats)
        .bind(&self.subjects)
        .bind(&self.conversations)
        .bind(&self.reasons)
        .bind(&self.waits_for)
        .bind(&self.payloads)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "insert into held_conversations (conversation, since_seq) select * from unnest($1::uuid[], $2::int8[]) \
             on conflict do nothing",
        )
        .bind(self.held.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(self.held.iter().map(|(_, since)| *since).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}

/// PostgreSQL stores any text but the zero character.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
