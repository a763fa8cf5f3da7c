//! Who reacts to which message with what, as it now stands (PROTOCOL §4).
//!
//! Adding twice is once, and taking back what is not there is nothing. An emoji keeps its place among the others of a message
//! for as long as anybody reacts with it.

use std::collections::HashMap;

use natter_events::{ConversationId, Uid};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fact::{Change, What};

/// Everyone who reacts to one message with one emoji.
type Group<'a> = (ConversationId, u64, &'a str);

/// One person's reaction.
type Key<'a> = (Group<'a>, Uid);

/// The reactions of a batch, in the log's order.
#[derive(Debug, Default)]
pub(crate) struct Reactions<'a>(Vec<(Group<'a>, Uid, Reaction)>);

#[derive(Debug, Clone, Copy)]
enum Reaction {
    Added(u64),
    Removed,
}

/// How many there are, and since when there has been any.
#[derive(Debug, Default, Clone, Copy)]
struct State {
    count: i64,
    since: u64,
}

/// One person's.
#[derive(Debug, Default, Clone, Copy)]
struct Own {
    stored: bool,
    /// What added it, and since when there had been any.
    now: Option<(u64, u64)>,
    changed: bool,
}

impl<'a> Reactions<'a> {
    pub fn add(&mut self, seq: u64, change: &'a Change) {
        let (emoji, reaction) = match &change.what {
            What::ReactionAdded(Some(emoji)) if change.message < seq => (emoji, Reaction::Added(seq)),
            What::ReactionRemoved(Some(emoji)) => (emoji, Reaction::Removed),
            _ => return,
        };
        self.0.push(((change.conversation, change.message, emoji), change.actor, reaction));
    }

    /// After the messages of the batch.
    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (mut groups, mut own) = self.load(transaction).await?;
        for (group, uid, reaction) in &self.0 {
            let (state, own) = (groups.entry(*group).or_default(), own.entry((*group, *uid)).or_default());
            match (reaction, own.now) {
                (Reaction::Added(seq), None) => {
                    if state.count == 0 {
                        state.since = *seq;
                    }
                    state.count += 1;
                    *own = Own { now: Some((*seq, state.since)), changed: true, ..*own };
                }
                (Reaction::Removed, Some(_)) => {
                    state.count -= 1;
                    *own = Own { now: None, changed: true, ..*own };
                }
                (Reaction::Added(_), Some(_)) | (Reaction::Removed, None) => {}
            }
        }
        let gone: Vec<_> = own.iter().filter(|(_, own)| own.changed && own.stored).map(|(key, _)| *key).collect();
        if !gone.is_empty() {
            delete(&gone, transaction).await?;
        }
        let new = own.iter().filter(|(_, own)| own.changed).filter_map(|(key, own)| Some((*key, own.now?)));
        let new: Vec<_> = new.collect();
        if !new.is_empty() {
            insert(&new, transaction).await?;
        }
        Ok(())
    }

    /// What the database has of the groups and the people of the batch.
    async fn load(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(HashMap<Group<'a>, State>, HashMap<Key<'a>, Own>), sqlx::Error> {
        type Row = (i64, Option<i64>, Option<i64>, Option<i64>);
        // Of a group as many rows as the batch has reactions in it; each says the same of the group.
        let rows: Vec<Row> = sqlx::query_as(
            "with asked as ( \
               select * from unnest($1::uuid[], $2::int8[], $3::text[], $4::uuid[]) with ordinality \
                 a(conversation, message, emoji, uid, number) \
             ), groups as ( \
               select r.conversation, r.message, r.emoji, count(*) as count, min(r.since) as since \
               from (select distinct conversation, message, emoji from asked) g \
               join reactions r on r.conversation = g.conversation and r.message = g.message and r.emoji = g.emoji \
               group by r.conversation, r.message, r.emoji \
             ) \
             select a.number, g.count, g.since, r.seq \
             from asked a \
             left join groups g on g.conversation = a.conversation and g.message = a.message and g.emoji = a.emoji \
             left join reactions r on r.conversation = a.conversation and r.message = a.message \
               and r.emoji = a.emoji and r.uid = a.uid",
        )
        .bind(self.0.iter().map(|((conversation, ..), ..)| conversation.as_uuid()).collect::<Vec<Uuid>>())
        .bind(self.0.iter().map(|((_, message, _), ..)| message.cast_signed()).collect::<Vec<_>>())
        .bind(self.0.iter().map(|((.., emoji), ..)| *emoji).collect::<Vec<_>>())
        .bind(self.0.iter().map(|(_, uid, _)| uid.as_uuid()).collect::<Vec<Uuid>>())
        .fetch_all(connection)
        .await?;
        let (mut groups, mut own) = (HashMap::new(), HashMap::new());
        for (number, count, since, seq) in rows {
            let index = usize::try_from(number - 1).unwrap_or_default();
            let Some((group, uid, _)) = self.0.get(index) else { continue };
            let since = since.unwrap_or_default().cast_unsigned();
            groups.insert(*group, State { count: count.unwrap_or_default(), since });
            let now = seq.map(|seq| (seq.cast_unsigned(), since));
            own.insert((*group, *uid), Own { stored: now.is_some(), now, changed: false });
        }
        Ok((groups, own))
    }
}

async fn delete(gone: &[Key<'_>], transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from reactions r \
         using unnest($1::uuid[], $2::int8[], $3::text[], $4::uuid[]) d(conversation, message, emoji, uid) \
         where r.conversation = d.conversation and r.message = d.message and r.emoji = d.emoji and r.uid = d.uid",
    )
    .bind(gone.iter().map(|((conversation, ..), _)| conversation.as_uuid()).collect::<Vec<Uuid>>())
    .bind(gone.iter().map(|((_, message, _), _)| message.cast_signed()).collect::<Vec<_>>())
    .bind(gone.iter().map(|((.., emoji), _)| *emoji).collect::<Vec<_>>())
    .bind(gone.iter().map(|(_, uid)| uid.as_uuid()).collect::<Vec<Uuid>>())
    .execute(transaction)
    .await?;
    Ok(())
}

/// To a message that is there, and not deleted.
async fn insert(new: &[(Key<'_>, (u64, u64))], transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into reactions (conversation, message, emoji, uid, seq, since) \
         select r.* from unnest($1::uuid[], $2::int8[], $3::text[], $4::uuid[], $5::int8[], $6::int8[]) \
           r(conversation, message, emoji, uid, seq, since) \
         join messages m on m.conversation = r.conversation and m.seq = r.message \
         where m.deleted_seq is null",
    )
    .bind(new.iter().map(|(((conversation, ..), _), _)| conversation.as_uuid()).collect::<Vec<Uuid>>())
    .bind(new.iter().map(|(((_, message, _), _), _)| message.cast_signed()).collect::<Vec<_>>())
    .bind(new.iter().map(|(((.., emoji), _), _)| *emoji).collect::<Vec<_>>())
    .bind(new.iter().map(|((_, uid), _)| uid.as_uuid()).collect::<Vec<Uuid>>())
    .bind(new.iter().map(|(_, (seq, _))| seq.cast_signed()).collect::<Vec<_>>())
    .bind(new.iter().map(|(_, (_, since))| since.cast_signed()).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}
