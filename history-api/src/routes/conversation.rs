//! `GET /history/conversations/{id}`: one conversation that the caller is in.

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::PathParams;
use natter_protocol::history::{At, ConversationItem};

use super::conversation_item::{conversation_item, conversations_where};
use super::in_conversation::not_member;
use super::{conversation_of, no_such_conversation, room};
use crate::History;
use crate::caller::Caller;
use crate::database::DatabaseError;

/// $5: which.
const ONE: &str = conversations_where!("p.conversation = $5 and at.open");

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
) -> Result<Json<At<ConversationItem>>, Problem> {
    let conversation = conversation_of(&id)?;
    let statement = caller.statement(ONE).bind(conversation.as_uuid());
    let snapshot = history.read(&caller, "conversation", &statement).await?;
    let mut found = snapshot.items(|row| conversation_item(row, &caller)).map_err(DatabaseError::from)?;
    match found.pop() {
        Some(item) => Ok(Json(At { item, position: snapshot.position })),
        None if room::find(&history, &caller, conversation).await?.is_some() => Err(not_member()),
        None => Err(no_such_conversation()),
    }
}
