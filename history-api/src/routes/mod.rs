//! The routes, one file each.

mod bans;
mod blocks;
mod changes;
mod commands;
mod conversation;
mod conversation_item;
mod conversations;
mod direct;
mod in_conversation;
mod members;
mod messages;
mod moment;
mod pins;
mod room;
mod room_item;
mod rooms;
mod search;
mod threads;
mod user;
mod users;
mod versions;

use axum::Router;
use axum::routing::get;
use natter_events::ConversationId;
use natter_platform::Problem;
use natter_protocol::ErrorCode;

use crate::History;

pub(crate) use messages::BEFORE as PAGE_STATEMENT;
pub(crate) use moment::PLACE as PLACE_STATEMENT;
pub(crate) use search::SEARCH as SEARCH_STATEMENT;

/// Every route under `/history`. It wears no layers yet: `natter_platform::http::layered` bounds its requests and says
/// `Cache-Control: no-store`.
pub fn router(history: History) -> Router {
    Router::new()
        .route("/history/conversations", get(conversations::get))
        .route("/history/conversations/{id}", get(conversation::get))
        .route("/history/conversations/{id}/members", get(members::get))
        .route("/history/conversations/{id}/messages", get(messages::get))
        .route("/history/conversations/{id}/messages/{seq}/versions", get(versions::get))
        .route("/history/conversations/{id}/threads", get(threads::get))
        .route("/history/conversations/{id}/pins", get(pins::get))
        .route("/history/conversations/{id}/bans", get(bans::get))
        .route("/history/rooms", get(rooms::get))
        .route("/history/rooms/{id}", get(room::get))
        .route("/history/search", get(search::get))
        .route("/history/direct", get(direct::get))
        .route("/history/blocks", get(blocks::get))
        .route("/history/users", get(users::get))
        .route("/history/users/{handle}", get(user::get))
        .route("/history/changes", get(changes::get))
        .route("/history/commands/{id}", get(commands::get))
        .with_state(history)
}

/// The conversation that a path names.
fn conversation_of(path: &str) -> Result<ConversationId, Problem> {
    path.parse().map_err(|_| no_such_conversation())
}

/// What is answered for a conversation that does not exist and, word for word, for one that the caller may not see (EVT3).
fn no_such_conversation() -> Problem {
    Problem::new(ErrorCode::NotFound, "there is no such conversation")
}
