//! `GET /history/conversations/{id}`: one conversation of the caller's.

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::PathParams;
use natter_protocol::history::{At, ConversationItem};

use super::conversation_item::{conversation_item, conversations_where};
use super::{conversation_of, no_such_conversation};
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
    let statement = caller.statement(ONE).bind(conversation_of(&id)?.as_uuid());
    let snapshot = history.read(&caller, "conversation", &statement).await?;
    let mut found = snapshot.items(|row| conversation_item(row, &caller)).map_err(DatabaseError::from)?;
    let item = found.pop().ok_or_else(no_such_conversation)?;
    Ok(Json(At { item, position: snapshot.position }))
}
