//! `GET /history/direct?participants=alice,bob`: the messages of a direct conversation, by its people in any order. The
//! caller is always one of them. Where they have not spoken yet, the page is empty.

use axum::Json;
use axum::extract::State;
use natter_events::{ConversationId, Uid};
use natter_platform::Problem;
use natter_platform::problem::QueryParams;
use natter_protocol::ErrorCode;
use natter_protocol::history::{MessageItem, Page};
use serde::Deserialize;
use sqlx::Row;
use uuid::Uuid;

use super::messages;
use crate::History;
use crate::caller::Caller;
use crate::database::DatabaseError;
use crate::params::participants;
use crate::statement::gated;

const ROUTE: &str = "direct";

/// $5: handles.
const PEOPLE: &str = gated!(
    "select at.epoch, at.seq, at.tag, at.refused, people.*
     from at left join (select true as item, uid from users where handle = any ($5)) people on at.open"
);

#[derive(Deserialize)]
pub(super) struct Params {
    participants: Option<String>,
    #[serde(flatten)]
    messages: messages::Params,
}

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<MessageItem>>, Problem> {
    let people = participants(params.participants.as_deref(), &caller.handle)?;
    let asked = params.messages.parse()?;
    // The caller is who their token says, also where the read models do not know them yet.
    let others: Vec<&str> =
        people.iter().filter(|person| **person != caller.handle).map(|person| person.as_str()).collect();
    let mut uids = vec![caller.uid];
    if !others.is_empty() {
        uids.extend(uids_of(&history, &caller, &others).await?);
    }
    let range = asked.of(&caller, ConversationId::direct(&uids))?;
    let (page, _) = range.read(&history, &caller).await?;
    Ok(Json(page))
}

/// The people with these handles. A handle is somebody's for as long as they are there, so this may be read before the page
/// and not with it.
async fn uids_of(history: &History, caller: &Caller, handles: &[&str]) -> Result<Vec<Uid>, Problem> {
    let snapshot = history.read(caller, ROUTE, &caller.statement(PEOPLE).bind(handles)).await?;
    let uids = snapshot.items(|row| row.try_get::<Uuid, _>("uid").map(Uid::from)).map_err(DatabaseError::from)?;
    if uids.len() == handles.len() {
        Ok(uids)
    } else {
        Err(Problem::new(ErrorCode::UnknownUser, "one of `participants` is nobody's handle"))
    }
}
