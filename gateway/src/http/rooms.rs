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

use super::api::{Asking, answer};
use crate::Gateway;
use crate::commands::Caller;
use crate::commands::room::{self, Command, create};

type Answer = Result<Json<OkFrame>, Problem>;

/// `POST /api/rooms`.
pub async fn create(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    JsonBody(command): JsonBody<RoomCreate>,
) -> Answer {
    let decided = create::create(&gateway, &caller, &command, None).await?;
    answer(&gateway, &caller, command.reference, command.id, decided).await
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
    done(&gateway, &caller, Command::Update(&command)).await
}

/// `DELETE /api/rooms/{id}?id=`.
pub async fn archive(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams(conversation): PathParams<ConversationId>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Answer {
    done(&gateway, &caller, Command::Archive(&RoomCommand { reference: None, conversation, id })).await
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
    done(&gateway, &caller, command).await
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
    done(&gateway, &caller, command).await
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
    done(&gateway, &caller, command).await
}

/// `PUT /api/rooms/{id}/members/{user}/role`.
pub async fn role(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams((conversation, user)): PathParams<(ConversationId, Handle)>,
    JsonBody(RoleBody { id, role }): JsonBody<RoleBody>,
) -> Answer {
    done(&gateway, &caller, Command::Role(&RoomRole { reference: None, conversation, id, user, role })).await
}

async fn done(gateway: &Arc<Gateway>, caller: &Caller, command: Command<'_>) -> Answer {
    let decided = room::room(gateway, caller, &command, None).await?;
    let (_, _, id) = command.head();
    answer(gateway, caller, None, id, decided).await
}
