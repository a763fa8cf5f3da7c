//! What Natter and its clients say to each other: frames, codes and the bodies of HTTP requests and answers.
//!
//! `docs/PROTOCOL.md` is the contract, with numbered rules; this crate is its types. It knows the ids of
//! `natter-events` and nothing else of Natter.
//!
//! - [`frame`]: what goes over the socket, [`codec`]: as which bytes
//! - [`error`]: error codes and close codes
//! - [`http`]: bodies of commands and accounts, [`history`]: pages
//! - [`roles`]: who may do what in a room
//! - [`limits`]: every bound that a client can meet

pub mod codec;
pub mod error;
pub mod frame;
pub mod handle;
pub mod history;
pub mod http;
pub mod limits;
pub mod position;
pub mod roles;
pub mod text;
pub mod timestamp;
#[cfg(test)]
mod typescript;

pub use codec::Encoding;
pub use error::{CloseCode, ErrorCode};
pub use frame::{ClientFrame, ServerFrame};
pub use handle::Handle;
pub use limits::Limits;
pub use position::Position;
pub use timestamp::Timestamp;

/// The socket's subprotocol with JSON frames: the default.
pub const SUBPROTOCOL_JSON: &str = "natter.v1.json";
/// The socket's subprotocol with MessagePack frames.
pub const SUBPROTOCOL_MSGPACK: &str = "natter.v1.msgpack";
/// The header that asks for a page no older than a position (HST2).
pub const MIN_POSITION_HEADER: &str = "natter-min-position";
