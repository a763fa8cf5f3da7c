//! Which messages are pinned, by whom and since when. Pinning twice is once, and unpinning what is not pinned is nothing.

use std::collections::BTreeMap;

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::fact::{Change, What};

type Message = (ConversationId, u64);

/// What a batch comes to, for each message.
#[derive(Debug, Default)]
pub(crate) struct Pins(BTreeMap<Message, Outcome>);

#[derive(Debug, Default)]
struct Outcome {
    /// It was unpinned: whatever the database has is gone.
    unpinned: bool,
    /// The first pin since then.
    pinned: Option<Pin>,
}

#[derive(Debug, Clone, Copy)]
struct Pin {
    seq: u64,
    at: OffsetDateTime,
    by: Uid,
}

impl Pins {
    pub fn add(&mut self, seq: u64, at: OffsetDateTime, change: &Change) {
        let message = (change.conversation, change.message);
        match change.what {
            What::Pinned if change.message < seq => {
                let outcome = self.0.entry(message).or_default();
                outcome.pinned.get_or_insert(Pin { seq, at, by: change.actor });
            }
            What::Unpinned => _ = self.0.insert(message, Outcome { unpinned: true, pinned: None }),
            _ => {}
        }
    }

    /// After the messages of the batch, and before its deletions.
    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let unpinned: Vec<&Message> =
            self.0.iter().filter(|(_, outcome)| outcome.unpinned).map(|(key, _)| key).collect();
        if !unpinned.is_empty() {
            sqlx::query(
                "delete from pins p using unnest($1::uuid[], $2::int8[]) r(conversation, message) \
                 where p.conversation = r.conversation and p.message = r.message",
            )
            .bind(unpinned.iter().map(|(conversation, _)| conversation.as_uuid()).collect::<Vec<_>>())
            .bind(unpinned.iter().map(|(_, message)| message.cast_signed()).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        }
        let pinned: Vec<(&Message, Pin)> =
            self.0.iter().filter_map(|(key, outcome)| Some((key, outcome.pinned?))).collect();
        if pinned.is_empty() {
            return Ok(());
        }
        // What is there, and not deleted.
        sqlx::query(
            "insert into pins (conversation, message, seq, at, uid) \
             select r.* from unnest($1::uuid[], $2::int8[], $3::int8[], $4::timestamptz[], $5::uuid[]) \
               r(conversation, message, seq, at, uid) \
             join messages m on m.conversation = r.conversation and m.seq = r.message \
             where m.deleted_seq is null \
             on conflict (conversation, message) do nothing",
        )
        .bind(pinned.iter().map(|((conversation, _), _)| conversation.as_uuid()).collect::<Vec<_>>())
        .bind(pinned.iter().map(|((_, message), _)| message.cast_signed()).collect::<Vec<_>>())
        .bind(pinned.iter().map(|(_, pin)| pin.seq.cast_signed()).collect::<Vec<_>>())
        .bind(pinned.iter().map(|(_, pin)| pin.at).collect::<Vec<_>>())
        .bind(pinned.iter().map(|(_, pin)| pin.by.as_uuid()).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}
