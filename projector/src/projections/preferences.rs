//! How people want conversations to be treated. Every event says all of it, so the last one is it.

use std::collections::BTreeMap;

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;

use crate::fact;

/// The preferences of a batch.
#[derive(Debug, Default)]
pub(crate) struct Preferences<'a>(BTreeMap<(Uid, ConversationId), (u64, Option<&'a str>)>);

impl<'a> Preferences<'a> {
    pub fn became(&mut self, seq: u64, preferences: &'a fact::Preferences) {
        let key = (preferences.owner, preferences.conversation);
        self.0.insert(key, (seq, preferences.json.as_deref()));
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into preferences as p (uid, conversation, seq, preferences) \
             select * from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::text[]) \
             on conflict (uid, conversation) do update set seq = excluded.seq, preferences = excluded.preferences",
        )
        .bind(self.0.keys().map(|(uid, _)| uid.as_uuid()).collect::<Vec<_>>())
        .bind(self.0.keys().map(|(_, conversation)| conversation.as_uuid()).collect::<Vec<_>>())
        .bind(self.0.values().map(|(seq, _)| seq.cast_signed()).collect::<Vec<_>>())
        .bind(self.0.values().map(|(_, json)| *json).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}
