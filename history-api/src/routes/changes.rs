//! `GET /history/changes?after=position`: what the caller's sockets would have got since then, frame by frame and in order
//! (PROTOCOL §4), for bots and offline stores. What was deleted since is there without what it said.
//!
//! Pages are followed by `next`; after the last, the page's `position` is where to ask `after` next time, and from where a
//! socket can resume. The frames' own positions name no event's tag, for the read models do not keep it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use natter_events::{ClientId, Tag};
use natter_platform::Problem;
use natter_platform::problem::QueryParams;
use natter_protocol::frame::{
    Blocked, Deleted, Edited, Marker, Member, MemberChange, Message, Pinned, Preferred, Profile, Reaction, Room, Toggle,
};
use natter_protocol::history::Page;
use natter_protocol::{ErrorCode, Position, ServerFrame};
use serde::Deserialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::room_item::visibility;
use crate::History;
use crate::caller::{Caller, Floor};
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, invalid};
use crate::rows;
use crate::statement::{Snapshot, gated};

const ROUTE: &str = "changes";

/// Below 2^53 there is every seq.
const BEYOND_ALL: u64 = 1 << 53;

/// How much of the log is looked at first for a page, in events, and how many times as much whenever it was not enough. So a
/// reader who is far behind in many busy conversations does not have all of each looked through for every page, and one
/// who is far behind in quiet ones is there after a few looks.
const FIRST_LOOK: u64 = 10_000;
const NEXT_LOOK: u64 = 10;

/// $5: where the client was; $6: what it has had since; $7: how many; $8: up to where to look.
///
/// First the keys, from the indexes alone: of each conversation in which anything happened since and that the caller heard,
/// and of what is for the caller alone, as many as the page may need of it. Then the rows of those that are on the page.
const SINCE: &str = gated!(
    ", gate as materialized (
         select at.*, at.open and $5 >= (select after_seq from changes_kept) as kept from at
     ),
     keys as materialized (
         select k.seq, k.conversation
         from gate
         cross join lateral (
             (select f.seq, f.conversation
              from heard h
              join conversations c on c.id = h.conversation
              cross join lateral (
                  select feed.seq, feed.conversation from feed
                  where feed.conversation = h.conversation and feed.seq > $6 and feed.seq <= $8
                        and feed.seq >= h.first and feed.seq <= h.last and feed.only_for is null
                  order by feed.seq limit case when gate.kept then $7 else 0 end
              ) f
              where h.uid = $1 and h.last > $6 and c.last_change_seq > $6)
             union all
             (select o.seq, null
              from changes o where o.only_for = $1 and o.seq > $6 and o.seq <= $8
              order by o.seq limit case when gate.kept then $7 else 0 end)
         ) k
         order by k.seq limit $7
     )
     select gate.epoch, gate.seq, gate.tag, gate.refused, gate.kept, page.*, author.handle as m_sender
     from gate left join lateral (
         select true as item, m.kind, m.read, m.conversation, m.message, m.emoji, m.blocked, m.mentions_room, m.change, m.role,
                m.name, m.topic, m.visibility, m.archived, m.preferences, m.seq as m_seq, m.at as m_at, m.sender as m_by, m.id as m_id, m.thread as m_thread,
                m.reply_to as m_reply_to, m.metadata as m_metadata,
                (select u.handle from users u where u.uid = m.target) as target_handle,
                coalesce(
                    (select v.text from versions v
                     where v.conversation = m.conversation and v.message = coalesce(m.message, m.seq) and v.seq = m.seq),
                    m.text) as m_text,
                case when m.kind = 'message' and exists (
                    select from conversations c where c.id = m.conversation and c.kind = 'direct'
                ) then array(
                    select u.handle from participants q left join users u on u.uid = q.uid
                    where q.conversation = m.conversation
                ) end as participants,
                (select array_agg(u.handle order by n.place)
                 from unnest(m.mentions) with ordinality n(uid, place) left join users u on u.uid = n.uid) as m_mentions,
                array(select u.handle from unnest(m.owners) o(uid) left join users u on u.uid = o.uid) as r_owners
         from keys
         cross join lateral (
             select x.seq, x.at, x.conversation, 'message' as kind, x.sender, null::int8 as read, x.id, x.text, x.reply_to,
                    x.metadata, null::int8 as message, null as emoji, null::uuid as target, null::bool as blocked, x.thread,
                    x.mentions, x.mentions_room, null as change, null as role, null as name, null as topic,
                    null as visibility, null::bool as archived, null::uuid[] as owners, null as preferences
             from messages x
             where x.conversation = keys.conversation and x.seq = keys.seq
             union all
             select x.seq, x.at, x.conversation, x.kind, x.actor, x.read, x.id, null, null, null, x.message, x.emoji,
                    x.target, x.blocked, x.thread, null, null, x.change, x.role, x.name, x.topic, x.visibility, x.archived,
                    x.owners, x.preferences
             from changes x
             where x.seq = keys.seq
         ) m
     ) page on true
     left join users author on author.uid = page.m_by"
);

#[derive(Deserialize)]
pub(super) struct Params {
    after: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) async fn get(
    State(history): State<History>,
    mut caller: Caller,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<ServerFrame>>, Problem> {
    let after = after(params.after.as_deref())?;
    let limit = params.paging.limit()?;
    let query = Query::new(caller.uid, ROUTE).with(after.to_string().as_bytes());
    let had = match &params.paging.cursor {
        None => after.seq,
        Some(cursor) => query.decode(cursor).map_err(|error| invalid(error.to_string()))?,
    };
    caller.not_before(Floor { position: after, other_log });
    let snapshot = look(&history, &caller, after.seq, had, limit).await?;
    let epoch = snapshot.position.epoch;
    let mut frames =
        snapshot.items(|row| Ok((rows::seq(row, "m_seq")?, frame(row, epoch)?))).map_err(DatabaseError::from)?;
    frames.sort_unstable_by_key(|(seq, _)| *seq);
    let page = page(frames, limit, &query, |(seq, _)| *seq, snapshot.position);
    let items = page.items.into_iter().map(|(_, frame)| frame).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}

/// The page after `had`, in one snapshot, looking as far as it takes.
async fn look(history: &History, caller: &Caller, after: u64, had: u64, limit: u32) -> Result<Snapshot, Problem> {
    let mut distance = FIRST_LOOK;
    loop {
        let upto = had.saturating_add(distance).min(BEYOND_ALL);
        let statement = caller
            .statement(SINCE)
            .bind(after.cast_signed())
            .bind(had.cast_signed())
            .bind(i64::from(limit) + 1)
            .bind(upto.cast_signed());
        let snapshot = history.read(caller, ROUTE, &statement).await?;
        if !snapshot.fact("kept").map_err(DatabaseError::from)? {
            return Err(too_old());
        }
        let full = snapshot.items(|_| Ok(())).map_err(DatabaseError::from)?.len() > limit as usize;
        if full || upto >= snapshot.position.seq {
            return Ok(snapshot);
        }
        distance = distance.saturating_mul(NEXT_LOOK);
    }
}

fn after(text: Option<&str>) -> Result<Position, Problem> {
    let text = text.ok_or_else(|| invalid("`after` is missing: the position up to which you have everything"))?;
    text.parse().map_err(|_| invalid("`after` has to be a position that this service gave out"))
}

/// The words before the colon are those of the socket's `reset`.
fn too_old() -> Problem {
    gone("too_old: changes are not kept from `after` on any more; read again from the first pages")
}

fn other_log() -> Problem {
    gone("other_log: `after` is a position of another log; read again from the first pages")
}

fn gone(detail: &'static str) -> Problem {
    Problem::new(ErrorCode::NotFound, detail).with_status(StatusCode::GONE)
}

/// The frame as the socket has it.
fn frame(row: &PgRow, epoch: u64) -> sqlx::Result<ServerFrame> {
    let seq = rows::seq(row, "m_seq")?;
    let position = Position { epoch, seq, tag: Tag(0) };
    let at = rows::timestamp(row, "m_at")?;
    // What only some kinds have, read by those that do.
    let conversation = || rows::conversation(row, "conversation");
    let actor = || rows::handle(row, "m_sender");
    let id = || row.try_get::<Uuid, _>("m_id").map(ClientId::from);
    let command = || Ok::<_, sqlx::Error>(row.try_get::<Option<Uuid>, _>("m_id")?.map(ClientId::from));
    let text = || row.try_get::<Option<String>, _>("m_text").map(Option::unwrap_or_default);
    let message = || rows::seq(row, "message");
    let reaction = |op| -> sqlx::Result<_> {
        let (conversation, message, user, id) = (conversation()?, message()?, actor()?, id()?);
        let emoji = row.try_get("emoji")?;
        Ok(ServerFrame::Reaction(Reaction { seq, position, conversation, message, user, id, emoji, op, at }))
    };
    let pin = |op| -> sqlx::Result<_> {
        let (conversation, message, by, id) = (conversation()?, message()?, actor()?, id()?);
        Ok(ServerFrame::Pin(Pinned { seq, position, conversation, message, by, id, op, at }))
    };
    match row.try_get::<&str, _>("kind")? {
        "message" => Ok(ServerFrame::Message(Message {
            seq,
            position,
            conversation: conversation()?,
            participants: participants(row)?,
            sender: actor()?,
            id: id()?,
            text: text()?,
            reply_to: row.try_get::<Option<i64>, _>("m_reply_to")?.map(i64::cast_unsigned),
            thread: rows::thread(row, "m_thread")?,
            mentions: rows::mentions(row, "m_mentions")?,
            mentions_room: row.try_get("mentions_room")?,
            metadata: rows::metadata(row, "m_metadata")?,
            at,
        })),
        "marker" => {
            let (conversation, user, read) = (conversation()?, actor()?, rows::seq(row, "read")?);
            let thread = rows::thread(row, "m_thread")?;
            Ok(ServerFrame::Marker(Marker { seq, position, conversation, user, read, thread, at }))
        }
        "edited" => {
            let (conversation, message, by, id, text) = (conversation()?, message()?, actor()?, id()?, text()?);
            Ok(ServerFrame::Edited(Edited { seq, position, conversation, message, by, id, text, at }))
        }
        "deleted" => {
            let (conversation, message, by, id) = (conversation()?, message()?, actor()?, id()?);
            Ok(ServerFrame::Deleted(Deleted { seq, position, conversation, message, by, id, at }))
        }
        "reaction_added" => reaction(Toggle::Add),
        "reaction_removed" => reaction(Toggle::Remove),
        "pin_added" => pin(Toggle::Add),
        "pin_removed" => pin(Toggle::Remove),
        "member" => {
            let (conversation, user, by, id) =
                (conversation()?, rows::handle(row, "target_handle")?, actor()?, command()?);
            let (change, role) = (member_change(row)?, rows::role(row, "role")?);
            Ok(ServerFrame::Member(Member { seq, position, conversation, user, change, role, by, id, at }))
        }
        "room" => Ok(ServerFrame::Room(Room {
            seq,
            position,
            conversation: conversation()?,
            name: row.try_get::<Option<String>, _>("name")?.unwrap_or_default(),
            topic: row.try_get("topic")?,
            visibility: visibility(row, "visibility")?,
            archived: row.try_get("archived")?,
            owners: rows::handles(row, "r_owners")?,
            by: actor()?,
            id: command()?,
            at,
        })),
        "profile" => {
            let (user, id) = (actor()?, Some(id()?));
            let name = row.try_get::<Option<String>, _>("name")?;
            let display_name = name.unwrap_or_else(|| user.to_string());
            let (seq, position) = (Some(seq), Some(position));
            Ok(ServerFrame::Profile(Profile { seq, position, user, display_name, id, at }))
        }
        "preferences" => {
            let (conversation, id) = (conversation()?, id()?);
            let preferences = rows::preferences(row, "preferences")?.unwrap_or_default();
            Ok(ServerFrame::Preferences(Preferred { seq, position, conversation, id, preferences, at }))
        }
        "block" => {
            let (user, blocked, id) = (rows::handle(row, "target_handle")?, row.try_get("blocked")?, id()?);
            Ok(ServerFrame::Block(Blocked { seq, position, user, blocked, id, at }))
        }
        kind => Err(sqlx::Error::Decode(format!("{kind:?} is no kind of change that this program knows").into())),
    }
}

/// The people of a direct conversation; of a room nobody is named.
fn participants(row: &PgRow) -> sqlx::Result<Option<Vec<natter_protocol::Handle>>> {
    if rows::is_there::<Vec<Option<String>>>(row, "participants")? {
        rows::handles(row, "participants").map(Some)
    } else {
        Ok(None)
    }
}

fn member_change(row: &PgRow) -> sqlx::Result<MemberChange> {
    Ok(match row.try_get::<&str, _>("change")? {
        "joined" => MemberChange::Joined,
        "left" => MemberChange::Left,
        "removed" => MemberChange::Removed,
        "banned" => MemberChange::Banned,
        "unbanned" => MemberChange::Unbanned,
        "role" => MemberChange::Role,
        other => {
            return Err(sqlx::Error::Decode(format!("{other:?} is no change that this program knows").into()));
        }
    })
}
