//! What is done to messages: edits and deletions, as they then stand (PROTOCOL §4).
//!
//! Edits are written first and deletions last, so that a deletion wins over every edit, whichever came first. What is about
//! a message that is not there, or an edit by somebody else than its sender, changes nothing.

use std::collections::BTreeMap;

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fact::{Change, What};

type Message = (ConversationId, u64);

/// What a batch comes to.
#[derive(Debug, Default)]
pub(crate) struct Revisions<'a> {
    edits: Vec<Edit<'a>>,
    /// The first deletion of each.
    deletions: BTreeMap<Message, u64>,
}

#[derive(Debug)]
struct Edit<'a> {
    message: Message,
    editor: Uid,
    seq: u64,
    at: OffsetDateTime,
    text: Option<&'a str>,
}

impl<'a> Revisions<'a> {
    pub fn add(&mut self, seq: u64, at: OffsetDateTime, change: &'a Change) {
        if change.message >= seq {
            return;
        }
        let message = (change.conversation, change.message);
        match &change.what {
            What::Edited(text) => {
                let text = text.as_deref();
                self.edits.push(Edit { message, editor: change.actor, seq, at, text });
            }
            What::Deleted => _ = self.deletions.entry(message).or_insert(seq),
            What::ReactionAdded(_) | What::ReactionRemoved(_) | What::Pinned | What::Unpinned => {}
        }
    }

    /// After all else that the batch says of messages.
    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.edits.is_empty() {
            self.write_versions(transaction).await?;
        }
        if !self.deletions.is_empty() {
            self.write_deletions(transaction).await?;
        }
        Ok(())
    }

    async fn write_versions(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        // All of it reads the messages as they were before: a statement does not see what it writes.
        sqlx::query(
            "with edits as ( \
               select m.conversation, m.seq as message, m.at as message_at, m.text as message_text, m.edited_seq, \
                      r.seq, r.at, r.text \
               from unnest($1::uuid[], $2::int8[], $3::uuid[], $4::int8[], $5::timestamptz[], $6::text[]) \
                 r(conversation, message, editor, seq, at, text) \
               join messages m on m.conversation = r.conversation and m.seq = r.message \
               where m.sender = r.editor and m.deleted_seq is null \
             ), originals as ( \
               insert into versions (conversation, message, seq, at, text) \
               select distinct conversation, message, message, message_at, message_text from edits \
               where edited_seq is null \
             ), edited as ( \
               insert into versions (conversation, message, seq, at, text) \
               select conversation, message, seq, at, text from edits \
             ) \
             update messages m set text = last.text, edited_seq = last.seq, edited_at = last.at \
             from (select distinct on (conversation, message) * from edits order by conversation, message, seq desc) last \
             where m.conversation = last.conversation and m.seq = last.message",
        )
        .bind(self.edits.iter().map(|edit| edit.message.0.as_uuid()).collect::<Vec<_>>())
        .bind(self.edits.iter().map(|edit| edit.message.1.cast_signed()).collect::<Vec<_>>())
        .bind(self.edits.iter().map(|edit| edit.editor.as_uuid()).collect::<Vec<_>>())
        .bind(self.edits.iter().map(|edit| edit.seq.cast_signed()).collect::<Vec<_>>())
        .bind(self.edits.iter().map(|edit| edit.at).collect::<Vec<_>>())
        .bind(self.edits.iter().map(|edit| edit.text).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }

    async fn write_deletions(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "with gone as ( \
               update messages m set deleted_seq = r.seq, text = null, metadata = null, edited_seq = null, edited_at = null, \
                 mentions = null, mentions_room = false \
               from unnest($1::uuid[], $2::int8[], $3::int8[]) r(conversation, message, seq) \
               where m.conversation = r.conversation and m.seq = r.message and m.deleted_seq is null \
               returning m.conversation, m.seq \
             ), unsaid as ( \
               delete from versions v using gone where v.conversation = gone.conversation and v.message = gone.seq \
             ), unpinned as ( \
               delete from pins p using gone where p.conversation = gone.conversation and p.message = gone.seq \
             ), unmentioned as ( \
               delete from mentions m using gone where m.conversation = gone.conversation and m.seq = gone.seq \
             ), all_unmentioned as ( \
               delete from room_mentions m using gone where m.conversation = gone.conversation and m.seq = gone.seq \
             ) \
             delete from reactions r using gone where r.conversation = gone.conversation and r.message = gone.seq",
        )
        .bind(self.deletions.keys().map(|message| message.0.as_uuid()).collect::<Vec<Uuid>>())
        .bind(self.deletions.keys().map(|message| message.1.cast_signed()).collect::<Vec<_>>())
        .bind(self.deletions.values().map(|seq| seq.cast_signed()).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}
