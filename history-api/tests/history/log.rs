//! What happened, written as the projector writes it.

use std::sync::atomic::Ordering;

use natter_events::{ClientId, ConversationId, SessionId, Tag, Uid};
use sqlx::{AssertSqlSafe, Executor, query};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::world::{EPOCH, NOW_MS, Person, World};

/// The tag of the event at a seq: as in a real log, each has its own.
pub fn tag_of(seq: u64) -> Tag {
    Tag(seq.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The broker's time of an event, in milliseconds.
pub fn at_ms(seq: u64) -> i64 {
    (NOW_MS - 1_000_000 + seq) as i64
}

/// What a message is but for who says it to whom.
#[derive(Clone)]
pub struct Words {
    pub id: ClientId,
    pub text: Option<String>,
    pub reply_to: Option<u64>,
    pub metadata: Option<String>,
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self { id: Uuid::now_v7().into(), text: Some(text.to_owned()), reply_to: None, metadata: None }
    }
}

pub fn direct(people: &[&Person]) -> ConversationId {
    ConversationId::direct(&people.iter().map(|person| person.uid).collect::<Vec<_>>())
}

impl World {
    /// The projector has begun: from now on it has a position.
    pub async fn begin_log(&self) {
        query("insert into projector (name, epoch, seq, tag) values ('chat', $1, 0, 0)")
            .bind(EPOCH.cast_signed())
            .execute(&self.sql)
            .await
            .unwrap();
    }

    /// Someone registers.
    pub async fn person(&self, handle: &str) -> Person {
        let person = Person { uid: Uid::random(), handle: handle.to_owned(), session: SessionId::random() };
        let seq = self.next();
        query("insert into users (uid, handle, display_name, registered_at, suspended, erased, account_seq) values ($1, $2, $3, $4, false, false, $5)")
            .bind(person.uid.as_uuid())
            .bind(handle)
            .bind(format!("The {handle}"))
            .bind(at(seq))
            .bind(seq as i64)
            .execute(&self.sql)
            .await
            .unwrap();
        self.advance_to(seq).await;
        person
    }

    /// `people[0]` says something to all of them. Gives its seq.
    pub async fn say(&self, people: &[&Person], words: impl Into<Words>) -> u64 {
        let seq = self.next();
        self.write_message(people, words.into(), seq).await;
        self.advance_to(seq).await;
        seq
    }

    /// As [`Self::say`], but the projector's position stays where it is.
    pub async fn write_message(&self, people: &[&Person], words: Words, seq: u64) {
        let (sender, conversation) = (people[0].uid.as_uuid(), direct(people).as_uuid());
        let mut sql = self.sql.begin().await.unwrap();
        let (ordinal,): (i64,) = sqlx::query_as(
            "insert into conversations (id, kind, created_at, last_seq, last_ordinal, last_at, last_change_seq)
             values ($1, 'direct', $2, $3, 1, $2, $3)
             on conflict (id) do update set last_seq = $3, last_ordinal = conversations.last_ordinal + 1, last_at = $2, last_change_seq = $3
             returning last_ordinal",
        )
        .bind(conversation)
        .bind(at(seq))
        .bind(seq as i64)
        .fetch_one(&mut *sql)
        .await
        .unwrap();
        for person in people {
            query("insert into participants (conversation, uid) values ($1, $2) on conflict do nothing")
                .bind(conversation)
                .bind(person.uid.as_uuid())
                .execute(&mut *sql)
                .await
                .unwrap();
        }
        query("update participants set read_seq = $3, read_ordinal = $4 where conversation = $1 and uid = $2")
            .bind(conversation)
            .bind(sender)
            .bind(seq as i64)
            .bind(ordinal)
            .execute(&mut *sql)
            .await
            .unwrap();
        query("insert into messages (seq, at, ordinal, reply_to, conversation, sender, id, text, metadata) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(seq as i64)
            .bind(at(seq))
            .bind(ordinal)
            .bind(words.reply_to.map(|seq| seq as i64))
            .bind(conversation)
            .bind(sender)
            .bind(words.id.as_uuid())
            .bind(words.text)
            .bind(words.metadata)
            .execute(&mut *sql)
            .await
            .unwrap();
        query("insert into commands (sender, id, seq, conversation, at, fingerprint) values ($1, $2, $3, $4, $5, $6)")
            .bind(sender)
            .bind(words.id.as_uuid())
            .bind(seq as i64)
            .bind(conversation)
            .bind(at(seq))
            .bind((0..16u8).collect::<Vec<_>>())
            .execute(&mut *sql)
            .await
            .unwrap();
        sql.commit().await.unwrap();
    }

    /// Someone has read the conversation up to `read`.
    pub async fn mark(&self, person: &Person, conversation: ConversationId, read: u64) -> u64 {
        let seq = self.next();
        let mut sql = self.sql.begin().await.unwrap();
        query(
            "update participants set read_seq = $3, read_ordinal =
                 (select coalesce(max(ordinal), 0) from messages where conversation = $1 and seq <= $3)
               where conversation = $1 and uid = $2",
        )
        .bind(conversation.as_uuid())
        .bind(person.uid.as_uuid())
        .bind(read as i64)
        .execute(&mut *sql)
        .await
        .unwrap();
        query("update conversations set last_change_seq = $2 where id = $1")
            .bind(conversation.as_uuid())
            .bind(seq as i64)
            .execute(&mut *sql)
            .await
            .unwrap();
        query("insert into changes (seq, at, conversation, kind, actor, read) values ($1, $2, $3, 'marker', $4, $5)")
            .bind(seq as i64)
            .bind(at(seq))
            .bind(conversation.as_uuid())
            .bind(person.uid.as_uuid())
            .bind(read as i64)
            .execute(&mut *sql)
            .await
            .unwrap();
        sql.commit().await.unwrap();
        self.advance_to(seq).await;
        seq
    }

    /// Something happens that nobody here sees.
    pub async fn something_else(&self) -> u64 {
        let seq = self.next();
        self.advance_to(seq).await;
        seq
    }

    /// The seq of the next event.
    pub fn next(&self) -> u64 {
        self.seq.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The projector's position is at `seq` now.
    pub async fn advance_to(&self, seq: u64) {
        query("update projector set seq = $1, tag = $2, event_at = $3, updated_at = now() where name = 'chat'")
            .bind(seq as i64)
            .bind(tag_of(seq).0.cast_signed())
            .bind(at(seq))
            .execute(&self.sql)
            .await
            .unwrap();
    }

    /// Logins of someone end: `which` of them, at a time in seconds from the world's start.
    pub async fn revoke(&self, person: &Person, which: &str, session: Option<SessionId>, at_s: i64) {
        query("insert into revocations (uid, at, which, session) values ($1, $2, $3, $4)")
            .bind(person.uid.as_uuid())
            .bind(OffsetDateTime::from_unix_timestamp(NOW_MS as i64 / 1000 + at_s).unwrap())
            .bind(which)
            .bind(session.map(|session| session.as_uuid()))
            .execute(&self.sql)
            .await
            .unwrap();
    }

    /// A statement of the test's own, as the tables' owner.
    pub async fn run(&self, statement: String) {
        self.sql.execute(AssertSqlSafe(statement)).await.unwrap();
    }
}

fn at(seq: u64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms(seq)) * 1_000_000).unwrap()
}
