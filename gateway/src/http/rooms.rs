//! The HTTP twins of the commands about rooms.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::Method;
use natter_events::ConversationId;
use natter_platform::Problem;
use natter_platform::problem::{JsonBody, PathParams, QueryParams};
use natter_protocol::Handle;
use natter_protocol::frame::{Ok as OkFrame, RoomCommand, RoomCreate, RoomMember, RoomRole, RoomUpdate};
use natter_protocol::http::{CommandQuery, RoleBody, RoomBody};

use super::api::{Asking, perform};
use crate::Gateway;
use crate::commands::room::Command;

type Answer = Result<Json<OkFrame>, Problem>;

/// `POST /api/rooms`.
pub async fn create(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    JsonBody(command): JsonBody<RoomCreate>,
) -> Answer {
    perform(&gateway, &caller, command.reference, &command).await
}

/// `PATCH /api/rooms/{id}`.
pub async fn update(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams(conversation): PathParams<ConversationId>,
    JsonBody(body): JsonBody<RoomBody>,
) -> Answer {
    let RoomBody { id, name, topic, visibility, archived } = body;
    let command = RoomUpdate { reference: None, conversation, id, name, topic, visibility, archived };
    perform(&gateway, &caller, None, &Command::Update(&command)).await
}

/// `DELETE /api/rooms/{id}?id=`.
pub async fn archive(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams(conversation): PathParams<ConversationId>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Answer {
    perform(&gateway, &caller, None, &Command::Archive(&RoomCommand { reference: None, conversation, id })).await
}

/// `PUT` and `DELETE /api/rooms/{id}/members/me?id=`.
pub async fn me(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    method: Method,
    PathParams(conversation): PathParams<ConversationId>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Answer {
    let command = RoomCommand { reference: None, conversation, id };
    let command = if method == Method::PUT { Command::Join(&command) } else { Command::Leave(&command) };
    perform(&gateway, &caller, None, &command).await
}

/// `PUT` and `DELETE /api/rooms/{id}/members/{user}?id=`.
pub async fn member(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    method: Method,
    PathParams((conversation, user)): PathParams<(ConversationId, Handle)>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Answer {
    let command = RoomMember { reference: None, conversation, id, user };
    let command = if method == Method::PUT { Command::Add(&command) } else { Command::Remove(&command) };
    perform(&gateway, &caller, None, &command).await
}

/// `PUT` and `DELETE /api/rooms/{id}/bans/{user}?id=`.
pub async fn ban(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    method: Method,
    PathParams((conversation, user)): PathParams<(ConversationId, Handle)>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Answer {
    let command = RoomMember { reference: None, conversation, id, user };
    let command = if method == Method::PUT { Command::Ban(&command) } else { Command::Unban(&command) };
    perform(&gateway, &caller, None, &command).await
}

/// `PUT /api/rooms/{id}/members/{user}/role`.
pub async fn role(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams((conversation, user)): PathParams<(ConversationId, Handle)>,
    JsonBody(RoleBody { id, role }): JsonBody<RoleBody>,
) -> Answer {
    perform(&gateway, &caller, None, &Command::Role(&RoomRole { reference: None, conversation, id, user, role })).await
}
