//! When people were last seen, and how far their devices have received.
//!
//! PRESENCE may lose its last moments and forgets what is old, so its positions promise less than CHAT's. Every column is
//! therefore the greatest that was ever seen, and of several changes in one moment the last: reading the stream again
//! from its beginning, however often, gives the same rows.

use std::collections::BTreeMap;

use natter_events::Uid;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// What a batch says of people.
#[derive(Debug, Default)]
pub(crate) struct Presence(BTreeMap<Uid, Person>);

#[derive(Debug, Default)]
struct Person {
    seen: Option<(OffsetDateTime, &'static str)>,
    received: u64,
}

impl Presence {
    pub fn changed(&mut self, uid: Uid, at: OffsetDateTime, status: &'static str) {
        let person = self.0.entry(uid).or_default();
        if person.seen.is_none_or(|(seen, _)| at >= seen) {
            person.seen = Some((at, status));
        }
    }

    pub fn received(&mut self, uid: Uid, seq: u64) {
        let person = self.0.entry(uid).or_default();
        person.received = person.received.max(seq);
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into presence as p (uid, last_seen, status, received_seq) \
             select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int8[]) \
             on conflict (uid) do update set \
               status = case when excluded.last_seen >= p.last_seen or p.last_seen is null \
                             then excluded.status else p.status end, \
               last_seen = greatest(p.last_seen, excluded.last_seen), \
               received_seq = greatest(p.received_seq, excluded.received_seq)",
        )
        .bind(self.0.keys().map(Uid::as_uuid).collect::<Vec<_>>())
        .bind(self.0.values().map(|person| person.seen.map(|(at, _)| at)).collect::<Vec<_>>())
        .bind(self.0.values().map(|person| person.seen.map(|(_, status)| status)).collect::<Vec<_>>())
        .bind(self.0.values().map(|person| person.received.cast_signed()).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}
