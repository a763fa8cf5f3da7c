//! `GET /history/rooms/{id}`: a room that anybody finds, or that the caller is in.

use axum::Json;
use axum::extract::State;
use natter_events::ConversationId;
use natter_platform::Problem;
use natter_platform::problem::PathParams;
use natter_protocol::history::{At, RoomItem};

use super::room_item::{room_columns, room_item};
use super::{conversation_of, no_such_conversation};
use crate::History;
use crate::caller::Caller;
use crate::database::DatabaseError;
use crate::statement::gated;

/// $5: which.
const ONE: &str = gated!(
    "select at.epoch, at.seq, at.tag, at.refused, room.*
     from at left join lateral (
         select true as item, ",
    room_columns!(),
    " from rooms r
         where r.conversation = $5 and at.open
               and (r.visibility = 'public' or exists (select from participants p where p.conversation = $5 and p.uid = $1))
     ) room on true"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
) -> Result<Json<At<RoomItem>>, Problem> {
    find(&history, &caller, conversation_of(&id)?).await?.map(Json).ok_or_else(no_such_conversation)
}

/// The room, if the caller may know of it.
pub(super) async fn find(
    history: &History,
    caller: &Caller,
    room: ConversationId,
) -> Result<Option<At<RoomItem>>, Problem> {
    let snapshot = history.read(caller, "room", &caller.statement(ONE).bind(room.as_uuid())).await?;
    let item = snapshot.items(room_item).map_err(DatabaseError::from)?.pop();
    Ok(item.map(|item| At { item, position: snapshot.position }))
}
