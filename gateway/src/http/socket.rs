//! `GET /ws`: from HTTP to a session.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use natter_platform::Problem;
use natter_platform::tokens::refuse_token_in_url;
use natter_protocol::{Encoding, ErrorCode, SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK, limits};

use super::{bearer, origin};
use crate::Gateway;
use crate::session::{self, Upgrade};

/// What one read of a socket takes at most: small, because every idle socket keeps it.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// What may lie between a session and its socket; the rest waits in the tail.
const MAX_WRITE_BUFFER_BYTES: usize = 256 * 1024;

/// Upgrades a connection, if its page and its subprotocol are ours.
pub async fn upgrade(
    State(gateway): State<Arc<Gateway>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    refuse_token_in_url(&uri)?;
    if !origin::is_allowed(&headers, &gateway.config.allowed_origins) {
        return Err(Problem::new(ErrorCode::Forbidden, "pages of this origin may not connect"));
    }
    let bearer = bearer(&headers)?;
    let upgrade = upgrade.map_err(|_| Problem::new(ErrorCode::Invalid, "this door is for WebSockets"))?;
    if gateway.shutdown.is_requested() {
        return Err(Problem::new(ErrorCode::Unavailable, "this gateway is stopping")
            .retry_after(std::time::Duration::from_secs(1)));
    }
    let (encoding, protocol) = negotiate(&headers)
        .ok_or_else(|| Problem::new(ErrorCode::Invalid, "the subprotocols are natter.v1.json and natter.v1.msgpack"))?;
    let response = upgrade
        .protocols([protocol])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(limits::MAX_FRAME_BYTES)
        .max_frame_size(limits::MAX_FRAME_BYTES)
        .on_upgrade(move |socket| session::serve(gateway, socket, Upgrade { encoding, bearer }));
    Ok(response.into_response())
}

/// The encoding, and the subprotocol that says so. Without a subprotocol it is JSON; with others only, this is not a client
/// of ours. Read from the header itself: the library keeps the names, but not their order.
fn negotiate(headers: &HeaderMap) -> Option<(Encoding, &'static str)> {
    if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
        return Some((Encoding::Json, SUBPROTOCOL_JSON));
    }
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(|name| match name.trim() {
        SUBPROTOCOL_JSON => Some((Encoding::Json, SUBPROTOCOL_JSON)),
        SUBPROTOCOL_MSGPACK => Some((Encoding::MessagePack, SUBPROTOCOL_MSGPACK)),
        _ => None,
    })
}
