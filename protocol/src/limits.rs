//! Every bound that a client can meet, with its unit in its name. `welcome` tells the ones that a client needs.

use serde::{Deserialize, Serialize};

/// Largest WebSocket message from a client (FRM3).
pub const MAX_FRAME_BYTES: usize = 128 * 1024;
/// Longest message text, in Unicode scalar values (CMD4).
pub const MAX_TEXT_CHARS: usize = 8_000;
/// Largest `metadata`, as JSON.
pub const MAX_METADATA_BYTES: usize = 4 * 1024;
/// Deepest nesting of `metadata`: so that every reader, in either encoding and inside any page, can take it (CMD4).
pub const MAX_METADATA_DEPTH: usize = 32;
/// Longest display name, in Unicode scalar values.
pub const MAX_DISPLAY_NAME_CHARS: usize = 64;
/// Longest status text of a presence, in Unicode scalar values.
pub const MAX_STATUS_CHARS: usize = 100;
/// Most people in a direct conversation.
pub const MAX_PARTICIPANTS: usize = natter_events::ids::MAX_PARTICIPANTS;
/// Longest name of a room, in Unicode scalar values.
pub const MAX_ROOM_NAME_CHARS: usize = 80;
/// Longest topic of a room, in Unicode scalar values.
pub const MAX_ROOM_TOPIC_CHARS: usize = 500;
/// Most people that a room is made with.
pub const MAX_FIRST_MEMBERS: usize = 100;
/// Most rooms that one person is in; past it `full`.
pub const MAX_ROOMS: usize = natter_events::event::MAX_ROOMS;
/// Most people that one message mentions by name; those named behind them are not.
pub const MAX_MENTIONS: usize = natter_events::event::MAX_MENTIONS;
/// Most emoji of one message that an item of history has: the first that came.
pub const MAX_REACTIONS: usize = 100;
/// Most people that an item of history names for one emoji of a message; the count is of all.
pub const MAX_REACTION_USERS: usize = 100;
/// Most people that one session watches.
pub const MAX_WATCHED_USERS: usize = 500;
/// Most people that one `POST /api/connections` asks for.
pub const MAX_CONNECTION_USERS: usize = 500;
/// Most events of one resume; past it the client reads again (`too_much`).
pub const MAX_RESUME_EVENTS: usize = 10_000;
/// Most items of one page (HST1).
pub const MAX_PAGE_ITEMS: u32 = 200;
/// Most people that one question for pages of people names; the longest is 3.3 kB of a request's first line.
pub const MAX_PAGE_HANDLES: usize = 100;
/// Items of a page when nothing is said (HST1).
pub const DEFAULT_PAGE_ITEMS: u32 = 50;
/// Shortest password, in bytes.
pub const MIN_PASSWORD_BYTES: usize = 8;
/// Longest password, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// Largest body of an HTTP command.
pub const MAX_BODY_BYTES: usize = MAX_FRAME_BYTES;
/// How often the server pings (HRT1).
pub const HEARTBEAT_MS: u64 = 25_000;
/// How long a client has for its pong (HRT1).
pub const PONG_TIMEOUT_MS: u64 = 10_000;
/// How long a client has for its `hello` (CON1).
pub const HELLO_TIMEOUT_MS: u64 = 5_000;
/// An id is fresh when it was made within this much before the gateway's clock (CMD2).
pub const FRESH_PAST_MS: u64 = 60_000;
/// An id is fresh when it was made within this much after the gateway's clock (CMD2).
pub const FRESH_FUTURE_MS: u64 = 5_000;
/// How long a typing signal is valid.
pub const TYPING_MS: u64 = 5_000;

/// The bounds that `welcome` tells a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Limits {
    pub frame_bytes: usize,
    pub text_chars: usize,
    pub metadata_bytes: usize,
    pub participants: usize,
    pub watched_users: usize,
    /// Messages per window and user (CMD5).
    pub messages: u32,
    pub messages_window_ms: u64,
}
