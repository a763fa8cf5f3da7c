//! What happened and is not a message, as clients see it; and letting go of it when it is old.

use natter_events::{ClientId, ConversationId, MembershipChange, RoomChange, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::members::role_name;
use super::rooms::visibility_name;
use crate::fact::{Block, Change, Marker, Membership, Names, Preferences, Room, What};

/// Most old changes that one transaction lets go of, so that doing it never holds up a batch.
const PRUNE_ROWS: i64 = 10_000;

/// The changes of a batch.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a>(Vec<Row<'a>>);

/// One of them: what all have, and what only some kinds have.
#[derive(Debug)]
struct Row<'a> {
    seq: u64,
    at: OffsetDateTime,
    kind: &'static str,
    actor: Uid,
    conversation: Option<ConversationId>,
    /// Who alone sees it; if nobody, the conversation does.
    only_for: Option<Uid>,
    id: Option<ClientId>,
    read: Option<u64>,
    thread: Option<u64>,
    message: Option<u64>,
    emoji: Option<&'a str>,
    target: Option<Uid>,
    blocked: Option<bool>,
    change: Option<&'static str>,
    role: Option<&'static str>,
    room: Option<&'a Room>,
    name: Option<&'a str>,
    preferences: Option<&'a str>,
}

impl<'a> Changes<'a> {
    /// A marker moved, which everybody in a direct conversation sees, and in a room nobody but its reader.
    pub fn marker(&mut self, seq: u64, at: OffsetDateTime, marker: &Marker, read: u64) {
        let only_for = marker.conversation.is_room().then_some(marker.reader);
        let (conversation, thread) = (Some(marker.conversation), marker.thread);
        let row = Row::new(seq, at, "marker", marker.reader);
        self.0.push(Row { conversation, only_for, read: Some(read), thread, ..row });
    }

    /// Something was done to a message. A reaction of somebody erased is shown to nobody.
    pub fn change(&mut self, seq: u64, at: OffsetDateTime, change: &'a Change) {
        let (kind, emoji) = match &change.what {
            What::Edited(_) => ("edited", None),
            What::Deleted => ("deleted", None),
            What::ReactionAdded(Some(emoji)) => ("reaction_added", Some(&**emoji)),
            What::ReactionRemoved(Some(emoji)) => ("reaction_removed", Some(&**emoji)),
            What::ReactionAdded(None) | What::ReactionRemoved(None) => return,
            What::Pinned => ("pin_added", None),
            What::Unpinned => ("pin_removed", None),
        };
        let (conversation, message, id) = (Some(change.conversation), Some(change.message), Some(change.id));
        self.0.push(Row { conversation, message, id, emoji, ..Row::new(seq, at, kind, change.actor) });
    }

    /// Somebody was blocked, or no longer is, which only the one who did it sees.
    pub fn block(&mut self, seq: u64, at: OffsetDateTime, (owner, id): (Uid, ClientId), block: &Block) {
        let (only_for, target, blocked) = (Some(owner), Some(block.user), Some(block.blocked));
        self.0.push(Row { only_for, id: Some(id), target, blocked, ..Row::new(seq, at, "block", owner) });
    }

    /// Somebody chose how to be shown, which is told to their own devices.
    pub fn profile(&mut self, seq: u64, at: OffsetDateTime, (owner, id): (Uid, ClientId), names: Option<&'a Names>) {
        let name = names.and_then(|names| names.display_name.as_deref());
        self.0.push(Row { only_for: Some(owner), id: Some(id), name, ..Row::new(seq, at, "profile", owner) });
    }

    /// Somebody wants a conversation to be treated otherwise. Of somebody erased nothing is known.
    pub fn preferences(&mut self, seq: u64, at: OffsetDateTime, preferences: &'a Preferences) {
        let Preferences { conversation, owner, json: Some(json), command } = preferences else { return };
        let (conversation, only_for, id) = (Some(*conversation), Some(*owner), Some(command.id));
        let row = Row::new(seq, at, "preferences", *owner);
        self.0.push(Row { conversation, only_for, id, preferences: Some(json), ..row });
    }

    /// Someone's place in a room changed.
    pub fn member(&mut self, seq: u64, at: OffsetDateTime, membership: &Membership) {
        let row = Row::new(seq, at, "member", membership.by);
        self.0.push(Row {
            conversation: Some(membership.room),
            id: membership.command.map(|command| command.id),
            target: Some(membership.user),
            change: Some(change_name(membership.change)),
            role: membership.role.map(role_name),
            ..row
        });
    }

    /// A room began or changed. That somebody was banned is told by the change of that member.
    pub fn room(&mut self, seq: u64, at: OffsetDateTime, room: &'a Room) {
        let (conversation, id) = (Some(room.room), room.command.map(|command| command.id));
        match room.change {
            RoomChange::Created | RoomChange::Settings | RoomChange::Owners => {
                self.0.push(Row { conversation, id, room: Some(room), ..Row::new(seq, at, "room", room.by) });
            }
            RoomChange::Unbanned(user) => {
                let (target, change) = (Some(user), Some("unbanned"));
                self.0.push(Row { conversation, id, target, change, ..Row::new(seq, at, "member", room.by) });
            }
            RoomChange::Banned(_) => {}
        }
    }

    pub async fn write(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let rows = &self.0;
        if rows.is_empty() {
            return Ok(());
        }
        // As PostgreSQL reads an array, which can't be an element of one.
        let owners =
            |room: &Room| format!("{{{}}}", room.owners.iter().map(Uid::to_string).collect::<Vec<_>>().join(","));
        let uuid = |uid: Uid| uid.as_uuid();
        sqlx::query(
            "insert into changes \
               (seq, at, conversation, kind, actor, read, message, id, emoji, only_for, target, blocked, thread, change, \
                role, name, topic, visibility, archived, owners, preferences) \
             select seq, at, conversation, kind, actor, read, message, id, emoji, only_for, target, blocked, thread, \
               change, role, name, topic, visibility, archived, owners::uuid[], preferences \
             from unnest($1::int8[], $2::timestamptz[], $3::uuid[], $4::text[], $5::uuid[], $6::int8[], $7::int8[], \
                 $8::uuid[], $9::text[], $10::uuid[], $11::uuid[], $12::bool[], $13::int8[], $14::text[], $15::text[], \
                 $16::text[], $17::text[], $18::text[], $19::bool[], $20::text[], $21::text[]) \
               r(seq, at, conversation, kind, actor, read, message, id, emoji, only_for, target, blocked, thread, change, \
                 role, name, topic, visibility, archived, owners, preferences)",
        )
        .bind(rows.iter().map(|row| row.seq.cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.conversation.map(|id| id.as_uuid())).collect::<Vec<Option<Uuid>>>())
        .bind(rows.iter().map(|row| row.kind).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.actor.as_uuid()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.read.map(u64::cast_signed)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.message.map(u64::cast_signed)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.id.map(|id| id.as_uuid())).collect::<Vec<Option<Uuid>>>())
        .bind(rows.iter().map(|row| row.emoji).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.only_for.map(uuid)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.target.map(uuid)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.blocked).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.thread.map(u64::cast_signed)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.change).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.role).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.name.or_else(|| row.room?.name.as_deref())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.room?.topic.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.room.map(|room| visibility_name(room.visibility))).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.room.map(|room| room.archived)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.room.map(owners)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.preferences).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}

impl Row<'_> {
    fn new(seq: u64, at: OffsetDateTime, kind: &'static str, actor: Uid) -> Self {
        Self {
            seq,
            at,
            kind,
            actor,
            conversation: None,
            only_for: None,
            id: None,
            read: None,
            thread: None,
            message: None,
            emoji: None,
            target: None,
            blocked: None,
            change: None,
            role: None,
            room: None,
            name: None,
            preferences: None,
        }
    }
}

fn change_name(change: MembershipChange) -> &'static str {
    match change {
        MembershipChange::Joined => "joined",
        MembershipChange::Left => "left",
        MembershipChange::Removed => "removed",
        MembershipChange::Banned => "banned",
        MembershipChange::Role => "role",
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
