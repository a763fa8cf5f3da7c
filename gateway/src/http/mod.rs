//! The doors of a gateway: the socket, accounts, commands as HTTP, and the web client.

mod api;
mod encoding;
mod origin;
mod rooms;
mod socket;
mod web;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, patch, post, put};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use natter_platform::Problem;
use natter_protocol::ErrorCode;

use crate::Gateway;

/// Every route of a gateway, without layers and ops: the service that serves it adds them.
pub fn router(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .route("/ws", get(socket::upgrade))
        .route("/api/messages", post(api::send))
        .route("/api/conversations/{id}/messages/{seq}", patch(api::edit).delete(api::delete))
        .route("/api/conversations/{id}/messages/{seq}/reactions/{emoji}", put(api::react).delete(api::react))
        .route("/api/conversations/{id}/messages/{seq}/pin", put(api::pin).delete(api::pin))
        .route("/api/rooms", post(rooms::create))
        .route("/api/rooms/{id}", patch(rooms::update).delete(rooms::archive))
        .route("/api/rooms/{id}/members/me", put(rooms::me).delete(rooms::me))
        .route("/api/rooms/{id}/members/{user}", put(rooms::member).delete(rooms::member))
        .route("/api/rooms/{id}/members/{user}/role", put(rooms::role))
        .route("/api/rooms/{id}/bans/{user}", put(rooms::ban).delete(rooms::ban))
        .route("/api/conversations/{id}/marker", put(api::mark))
        .route("/api/blocks/{user}", put(api::block).delete(api::block))
        .route("/api/conversations/{id}/preferences", put(api::prefer))
        .route("/api/profile", patch(api::profile))
        .route("/api/presence", put(api::presence))
        .route("/api/connections", post(api::connections))
        .route("/api/online", get(api::online))
        .with_state(gateway.clone())
        .merge(crate::accounts::routes(gateway.accounts.clone()))
        .merge(web::routes())
}

/// The access token of a request, if it has one.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    match token {
        Some(token) => Ok(Some(token)),
        None => Err(Problem::new(ErrorCode::Unauthenticated, "`Authorization` is not a bearer token")),
    }
}
