//! Who is in which room, and who was there when (EVT3).
//!
//! What someone is in a room after an event is all that counts: coming in begins a stay, being there no longer ends it, and
//! an event that changes neither changes the role at most.

use std::collections::HashMap;

use natter_events::{ConversationId, Role, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fact::Membership;

/// The changes of a batch, in the log's order.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(Vec<(u64, OffsetDateTime, &'a Membership)>);

type Key = (ConversationId, Uid);

/// Someone's place in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    role: Role,
    joined: u64,
    joined_at: OffsetDateTime,
}

#[derive(Debug, Default)]
struct Outcome {
    /// Where they are in the end.
    places: HashMap<Key, Option<Place>>,
    /// Stays that ended, and by which event.
    stays: Vec<(Key, u64, u64)>,
    /// How many came less how many went.
    came: HashMap<ConversationId, i64>,
    turns: Vec<Turn>,
}

/// Someone came into a room, or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub seq: u64,
    pub room: ConversationId,
    pub user: Uid,
    pub came: bool,
}

impl<'a> Members<'a> {
    pub fn changed(&mut self, seq: u64, at: OffsetDateTime, membership: &'a Membership) {
        self.0.push((seq, at, membership));
    }

    /// After the conversations of the batch, and before how far anybody read in them. Says who came and went.
    pub async fn write(&self, transaction: &mut PgConnection) -> Result<Vec<Turn>, sqlx::Error> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let before = self.load(transaction).await?;
        let outcome = self.outcome(before);
        write_places(&outcome.places, transaction).await?;
        write_stays(&outcome.stays, transaction).await?;
        write_counts(&outcome.came, transaction).await?;
        Ok(outcome.turns)
    }

    fn outcome(&self, before: HashMap<Key, Place>) -> Outcome {
        let mut outcome = Outcome::default();
        for (seq, at, membership) in &self.0 {
            let key = (membership.room, membership.user);
            let place = outcome.places.entry(key).or_insert_with(|| before.get(&key).copied());
            let came = membership.role.is_some();
            if place.is_some() != came {
                outcome.turns.push(Turn { seq: *seq, room: membership.room, user: membership.user, came });
            }
            *place = match (*place, membership.role) {
                (None, Some(role)) => {
                    *outcome.came.entry(membership.room).or_default() += 1;
                    Some(Place { role, joined: *seq, joined_at: *at })
                }
                (Some(place), Some(role)) => Some(Place { role, ..place }),
                (Some(place), None) => {
                    *outcome.came.entry(membership.room).or_default() -= 1;
                    outcome.stays.push((key, place.joined, *seq));
                    None
                }
                (None, None) => None,
            };
        }
        outcome
    }

    async fn load(&self, connection: &mut PgConnection) -> Result<HashMap<Key, Place>, sqlx::Error> {
        type Row = (Uuid, Uuid, Option<String>, Option<i64>, Option<OffsetDateTime>);
        let mut keys: Vec<Key> = self.0.iter().map(|(_, _, membership)| (membership.room, membership.user)).collect();
        keys.sort_unstable();
        keys.dedup();
        let rows: Vec<Row> = sqlx::query_as(
            "select p.conversation, p.uid, p.role, p.joined_seq, p.joined_at \
             from unnest($1::uuid[], $2::uuid[]) r(conversation, uid) \
             join participants p on p.conversation = r.conversation and p.uid = r.uid",
        )
        .bind(keys.iter().map(|(room, _)| room.as_uuid()).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, uid)| uid.as_uuid()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
        let places = rows.into_iter().filter_map(|(room, uid, role, joined, joined_at)| {
            let role = role_of(role.as_deref()?)?;
            let place = Place { role, joined: joined?.cast_unsigned(), joined_at: joined_at? };
            Some(((room.into(), uid.into()), place))
        });
        Ok(places.collect())
    }
}

async fn write_places(places: &HashMap<Key, Option<Place>>, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    let gone: Vec<&Key> = places.iter().filter(|(_, place)| place.is_none()).map(|(key, _)| key).collect();
    if !gone.is_empty() {
        sqlx::query(
            "delete from participants p using unnest($1::uuid[], $2::uuid[]) r(conversation, uid) \
             where p.conversation = r.conversation and p.uid = r.uid",
        )
        .bind(gone.iter().map(|(room, _)| room.as_uuid()).collect::<Vec<_>>())
        .bind(gone.iter().map(|(_, uid)| uid.as_uuid()).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
    }
    let there: Vec<(&Key, Place)> = places.iter().filter_map(|(key, place)| Some((key, (*place)?))).collect();
    if there.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into participants (conversation, uid, role, joined_seq, joined_at) \
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int8[], $5::timestamptz[]) \
         on conflict (conversation, uid) do update set role = excluded.role, joined_seq = excluded.joined_seq, \
           joined_at = excluded.joined_at",
    )
    .bind(there.iter().map(|((room, _), _)| room.as_uuid()).collect::<Vec<_>>())
    .bind(there.iter().map(|((_, uid), _)| uid.as_uuid()).collect::<Vec<_>>())
    .bind(there.iter().map(|(_, place)| role_name(place.role)).collect::<Vec<_>>())
    .bind(there.iter().map(|(_, place)| place.joined.cast_signed()).collect::<Vec<_>>())
    .bind(there.iter().map(|(_, place)| place.joined_at).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

async fn write_stays(stays: &[(Key, u64, u64)], transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    if stays.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into stays (conversation, uid, joined_seq, left_seq) \
         select * from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::int8[])",
    )
    .bind(stays.iter().map(|((room, _), ..)| room.as_uuid()).collect::<Vec<_>>())
    .bind(stays.iter().map(|((_, uid), ..)| uid.as_uuid()).collect::<Vec<_>>())
    .bind(stays.iter().map(|(_, joined, _)| joined.cast_signed()).collect::<Vec<_>>())
    .bind(stays.iter().map(|(.., left)| left.cast_signed()).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

async fn write_counts(came: &HashMap<ConversationId, i64>, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update conversations c set members = c.members + r.came \
         from unnest($1::uuid[], $2::int8[]) r(id, came) where c.id = r.id and r.came <> 0",
    )
    .bind(came.keys().map(ConversationId::as_uuid).collect::<Vec<_>>())
    .bind(came.values().copied().collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Moderator => "moderator",
        Role::Owner => "owner",
    }
}

fn role_of(name: &str) -> Option<Role> {
    [Role::Member, Role::Moderator, Role::Owner].into_iter().find(|role| role_name(*role) == name)
}

#[cfg(test)]
mod tests {
    use natter_events::MembershipChange;

    use super::*;

    fn membership(room: ConversationId, user: Uid, role: Option<Role>) -> Membership {
        Membership { room, user, by: user, change: MembershipChange::Role, role, command: None }
    }

    #[test]
    fn evt3_every_stay_goes_from_the_event_of_coming_to_the_event_of_going() {
        let (room, ada) = (ConversationId::from_bytes([7; 16]), Uid::from_bytes([1; 16]));
        let at = OffsetDateTime::UNIX_EPOCH;
        let (there, gone) = (membership(room, ada, Some(Role::Member)), membership(room, ada, None));
        let owner = membership(room, ada, Some(Role::Owner));
        let mut members = Members::default();
        for (seq, change) in [(5, &gone), (6, &there), (7, &owner), (8, &gone), (9, &gone), (11, &there), (12, &there)]
        {
            members.changed(seq, at, change);
        }
        let before = [((room, ada), Place { role: Role::Moderator, joined: 2, joined_at: at })].into();
        let outcome = members.outcome(before);
        assert_eq!(outcome.stays, [((room, ada), 2, 5), ((room, ada), 6, 8)]);
        let place = Place { role: Role::Member, joined: 11, joined_at: at };
        assert_eq!(outcome.places[&(room, ada)], Some(place));
        assert_eq!(outcome.came[&room], 0);
        let turns: Vec<_> = outcome.turns.iter().map(|turn| (turn.seq, turn.came)).collect();
        assert_eq!(turns, [(5, false), (6, true), (8, false), (11, true)]);
    }
}
